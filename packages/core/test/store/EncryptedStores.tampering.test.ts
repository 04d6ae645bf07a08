/** Somebody who can write to the store, and has no key. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as ConsentAttempt from "../../src/machine/ConsentAttempt.ts"
import * as Tokens from "../../src/oauth/Tokens.ts"
import * as EncryptedStores from "../../src/store/EncryptedStores.ts"
import type { Grant } from "../../src/store/GrantStore.ts"
import type { Stored } from "../../src/store/VersionedStore.ts"
import { reveal } from "../utils/Reveal.ts"
import { grant, key, memory, open, problem, remove, valueOf, write } from "../utils/Encrypted.ts"

const attempt = (subject: string, options: object = {}): ConsentAttempt.Stored => ({
  _tag: "Pending",
  stateDigest: "digest-1",
  subject,
  redirectUri: "https://app.example/callback",
  scopes: ["zap"],
  startedAt: 0,
  expiresAt: 900_000,
  ...options
})

const sealOf = ({ seal }: Stored<object>) => (seal === undefined ? expect.unreachable("it has a seal") : { seal })

const lease = { owner: "worker-1", deadline: 90_000 }

const pause = { until: 5, failures: 1, cause: { _tag: "NoResponse" } } as const

describe("EncryptedStores: a grant that somebody without a key", () => {
  const refused = (
    name: string,
    change: (stored: Stored<Extract<Grant, { readonly _tag: "Active" }>>) => Stored<Grant>,
    expected = "Altered"
  ) =>
    it.effect(`${name} is refused`, () =>
      memory(
        Effect.gen(function* () {
          const { grants, inner } = yield* open(1)
          yield* write(grants, key, grant(1))
          const stored = yield* valueOf(inner.grants, key)
          if (stored._tag !== "Active") return expect.unreachable()
          const planted = change(stored)
          yield* write(inner.grants, key, planted)
          expect(yield* problem(grants.get(key))).toBe(expected)
          // Nor is it trusted when somebody writes back what is there.
          const { version } = Option.getOrThrow(yield* inner.grants.get(key))
          if (expected === "Altered") {
            expect(yield* problem(grants.compareAndSet(key, Option.some(version), planted))).toBe(expected)
          }
        })
      )
    )

  const { family, generation, tokens } = grant(1)

  refused("planted in plain", () => grant(1), "NotEncrypted")
  refused("took the seal from", ({ seal: _, ...rest }) => rest)
  refused("gave another consent", (stored) => ({ ...stored, family: "consent-2" }))
  refused("gave another generation", (stored) => ({ ...stored, generation: 2 }))
  refused("gave more time", (stored) => ({ ...stored, tokens: { ...stored.tokens, expiresAt: 36_000_001 } }))
  refused("gave more scopes", (stored) => ({ ...stored, tokens: { ...stored.tokens, scopes: ["zap", "zap:all"] } }))
  refused("took the refresh token from", (stored) => {
    const { refreshToken: _, ...rest } = stored.tokens
    return { ...stored, tokens: rest }
  })
  refused("told of a lost response", (stored) => ({ ...stored, responseLost: true }))
  refused("gave a pause", (stored) => ({ ...stored, pause }))
  refused("gave a lease", ({ responseLost, tokens, ...stored }) => ({
    _tag: "Refreshing",
    family,
    generation,
    tokens: { ...tokens, refreshToken: Tokens.secret("zwa1.sealed") },
    responseLost,
    lease,
    attempt: 1,
    ...sealOf(stored)
  }))
  refused("ended", (stored) => ({
    _tag: "ReconnectRequired",
    family,
    generation,
    tokens,
    why: "Revoked",
    since: 0,
    ...sealOf(stored)
  }))

  it.effect("put tokens of their own beside the seal of is read as it was written", () =>
    memory(
      Effect.gen(function* () {
        const { grants, inner } = yield* open(1)
        yield* write(grants, key, grant(1))
        yield* write(inner.grants, key, { ...grant(1, "eve"), ...sealOf(yield* valueOf(inner.grants, key)) })
        expect(reveal(yield* valueOf(grants, key))).toEqual(reveal(grant(1)))
        const { entries } = yield* grants.page({ clientId: key.clientId, limit: 1 })
        expect(entries.map((entry) => reveal(entry.grant.value))).toEqual([reveal(grant(1))])
      })
    )
  )

  it.effect("moved to another user, or to another application, is refused", () =>
    memory(
      Effect.gen(function* () {
        const { grants, inner } = yield* open(1)
        yield* write(grants, key, grant(1))
        const taken = yield* valueOf(inner.grants, key)
        for (const other of [
          { ...key, subject: "user-2" },
          { ...key, clientId: "client-2" }
        ]) {
          yield* write(inner.grants, other, taken)
          expect(yield* problem(grants.get(other))).toBe("Altered")
        }
        expect(yield* valueOf(grants, key)).toMatchObject({ generation: 1 })
      })
    )
  )

  it.effect("put the seal of an older record into is refused; a whole record that was put back cannot be seen", () =>
    memory(
      Effect.gen(function* () {
        const { grants, inner } = yield* open(1)
        yield* write(grants, key, grant(1))
        const older = yield* valueOf(inner.grants, key)
        yield* write(grants, key, grant(2))
        const newer = yield* valueOf(inner.grants, key)
        yield* write(inner.grants, key, { ...newer, ...sealOf(older) })
        expect(yield* problem(grants.get(key))).toBe("Altered")
        yield* write(inner.grants, key, older)
        expect(reveal(yield* valueOf(grants, key))).toEqual(reveal(grant(1)))
      })
    )
  )
})

it.effect("EncryptedStores: no two kinds of records share a place, for any keys", () =>
  memory(
    Effect.gen(function* () {
      const { inner, ring } = yield* open(1)
      const places: Array<string> = []
      const watched: typeof ring = {
        ...ring,
        encrypt: (secret, place) => {
          places.push(JSON.stringify(place.parts))
          return ring.encrypt(secret, place)
        }
      }
      yield* write(EncryptedStores.grants(inner.grants, watched), { clientId: "a", subject: "b" }, grant(1))
      const app = { clientId: "a", scopes: "b" }
      yield* write(EncryptedStores.appCredentials(inner.appCredentials, watched), app, { _tag: "Absent" })
      yield* write(EncryptedStores.attempts(inner.attempts, watched), "a", attempt("ada"))
      expect(places).toEqual([
        '["grant record","a","b"]',
        '["app credential record","a","b"]',
        '["attempt record","a"]'
      ])
    })
  )
)

describe("EncryptedStores: an attempt that somebody without a key", () => {
  const tampered = (
    change: (stored: Stored<ConsentAttempt.Stored>) => Stored<ConsentAttempt.Stored>,
    options?: object
  ) =>
    memory(
      Effect.gen(function* () {
        const { attempts, inner } = yield* open(1)
        yield* write(attempts, "digest-1", attempt("ada", options))
        yield* write(inner.attempts, "digest-1", change(yield* valueOf(inner.attempts, "digest-1")))
        return yield* problem(attempts.get("digest-1"))
      })
    )

  it.effect.each([
    ["without a code verifier", {}],
    ["with one", { codeVerifier: Tokens.secret("verifier") }]
  ] as const)("changed is refused: one %s", ([, options]) =>
    Effect.gen(function* () {
      const changed = (parts: object) => tampered((stored) => ({ ...stored, ...parts }), options)
      expect(yield* changed({ subject: "eve" })).toBe("Altered")
      expect(yield* changed({ scopes: ["zap", "zap:all"] })).toBe("Altered")
      expect(yield* changed({ redirectUri: "https://eve.example" })).toBe("Altered")
      expect(yield* changed({ expiresAt: 9_000_000 })).toBe("Altered")
      expect(yield* changed({ startedAt: 1 })).toBe("Altered")
      expect(yield* changed({ stateDigest: "digest-2" })).toBe("Altered")
      expect(yield* changed({ _tag: "Completed" })).toBe("Altered")
      expect(yield* changed({ seal: Tokens.secret("zwa1.sealed") })).toBe("Altered")
      expect(yield* changed({ seal: Tokens.secret("plain") })).toBe("NotEncrypted")
    })
  )

  it.effect("planted, with or without a code verifier, is refused", () =>
    memory(
      Effect.gen(function* () {
        const { attempts, inner } = yield* open(1)
        const verified = attempt("eve", { codeVerifier: Tokens.secret("verifier") })
        for (const planted of [attempt("eve"), verified]) {
          yield* write(inner.attempts, "digest-1", planted)
          expect(yield* problem(attempts.get("digest-1"))).toBe("NotEncrypted")
          yield* remove(inner.attempts, "digest-1")
        }
      })
    )
  )

  it.effect("moved to another state is refused", () =>
    memory(
      Effect.gen(function* () {
        const { attempts, inner } = yield* open(1)
        yield* write(attempts, "digest-1", attempt("ada"))
        yield* write(inner.attempts, "digest-2", yield* valueOf(inner.attempts, "digest-1"))
        expect(yield* problem(attempts.get("digest-2"))).toBe("Altered")
      })
    )
  )

  it.effect("made of the seal of another kind is refused", () =>
    memory(
      Effect.gen(function* () {
        const { appCredentials, attempts, grants, inner } = yield* open(1)
        // The same key, as far as kinds of keys can be the same.
        yield* write(grants, { clientId: "a", subject: "zap" }, grant(1))
        yield* write(appCredentials, { clientId: "a", scopes: "zap" }, { _tag: "Absent", pause })
        yield* write(attempts, "a", attempt("ada"))
        const seal = sealOf(yield* valueOf(inner.grants, { clientId: "a", subject: "zap" }))
        yield* write(inner.attempts, "a", { ...attempt("ada"), ...seal })
        expect(yield* problem(attempts.get("a"))).toBe("Altered")
        yield* write(inner.appCredentials, { clientId: "a", scopes: "zap" }, { _tag: "Absent", pause, ...seal })
        expect(yield* valueOf(appCredentials, { clientId: "a", scopes: "zap" })).toStrictEqual({ _tag: "Absent" })
      })
    )
  )
})
