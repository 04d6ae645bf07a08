import { describe, expect, it } from "@effect/vitest"
import { inspect } from "node:util"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as AppCredential from "../../src/machine/AppCredential.ts"
import { AppCredentialStore } from "../../src/store/AppCredentialStore.ts"
import { AttemptStore } from "../../src/store/AttemptStore.ts"
import * as ConsentAttempt from "../../src/machine/ConsentAttempt.ts"
import * as EncryptedStores from "../../src/store/EncryptedStores.ts"
import * as GrantStore from "../../src/store/GrantStore.ts"
import * as KeyRing from "../../src/store/KeyRing.ts"
import * as MemoryStores from "../../src/store/MemoryStores.ts"
import * as Tokens from "../../src/oauth/Tokens.ts"
import type { VersionedStore } from "../../src/store/VersionedStore.ts"
import { crypto, keyOf } from "../utils/Keys.ts"
import { reveal, withSecret } from "../utils/Reveal.ts"
import { awkward } from "../utils/StoreLaws.ts"
import { Grant, memory, open, grant, key, valueOf, remove, write, problem } from "../utils/Encrypted.ts"

/** The texts of all secrets in a value. */
const secretsIn = (value: unknown): ReadonlyArray<string> => {
  if (Redacted.isRedacted(value)) return [String(Redacted.value(value))]
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(secretsIn) : []
}

const withoutSecrets = (value: unknown) => reveal(withSecret(value, "-"))

describe("EncryptedStores: records", () => {
  const roundTrip = <Key, A>(stores: {
    readonly outer: VersionedStore<Key, A>
    readonly inner: VersionedStore<Key, A>
    readonly key: Key
    readonly record: A
  }) =>
    Effect.gen(function* () {
      const { inner, key, outer, record } = stores
      expect(yield* outer.get(key)).toEqual(Option.none())
      yield* write(outer, key, record)
      expect(reveal(yield* valueOf(outer, key))).toEqual(reveal(record))
      const first = yield* valueOf(inner, key)
      yield* write(outer, key, record)
      const second = yield* valueOf(inner, key)
      // Only the secrets are other texts, and each time others.
      expect(withoutSecrets(second)).toEqual(withoutSecrets(record))
      const texts = [...secretsIn(first), ...secretsIn(second)]
      expect(texts).toHaveLength(2 * secretsIn(record).length)
      expect(new Set(texts).size).toBe(texts.length)
      expect(texts.every((text) => text.startsWith("zwa1."))).toBe(true)
      yield* remove(outer, key)
      expect(yield* inner.get(key)).toEqual(Option.none())
    })

  it.effect.prop("a grant comes back", { record: Grant, clientId: awkward, subject: awkward }, (given) =>
    memory(
      Effect.gen(function* () {
        const { grants, inner } = yield* open(1)
        const { clientId, record, subject } = given
        yield* roundTrip({ outer: grants, inner: inner.grants, key: { clientId, subject }, record })
      })
    )
  )

  it.effect.prop("an attempt comes back", { record: ConsentAttempt.Stored, key: awkward }, ({ key, record }) =>
    memory(
      Effect.gen(function* () {
        const { attempts, inner } = yield* open(1)
        yield* roundTrip({ outer: attempts, inner: inner.attempts, key, record })
      })
    )
  )

  it.effect.prop("an app token comes back", { record: AppCredential.State, scopes: awkward }, ({ record, scopes }) =>
    memory(
      Effect.gen(function* () {
        const { appCredentials, inner } = yield* open(1)
        const key = { clientId: "client-1", scopes }
        yield* roundTrip({ outer: appCredentials, inner: inner.appCredentials, key, record })
      })
    )
  )

  const Planted = Schema.Union([Grant, ConsentAttempt.Stored, AppCredential.State])

  it.effect.prop("no secret is in the store inside, wherever in a record it was", { record: Planted }, (given) =>
    memory(
      Effect.gen(function* () {
        const { appCredentials, attempts, grants, inner } = yield* open(1)
        const planted = withSecret(given.record, "pl4nted")
        const app = { clientId: "client-1", scopes: "zap" }
        if (Schema.is(Grant)(planted)) yield* write(grants, key, planted)
        else if (Schema.is(ConsentAttempt.Stored)(planted)) yield* write(attempts, "digest", planted)
        else yield* write(appCredentials, app, planted)
        const found: ReadonlyArray<Option.Option<unknown>> = [
          yield* inner.grants.get(key),
          yield* inner.attempts.get("digest"),
          yield* inner.appCredentials.get(app)
        ]
        const all = found.filter(Option.isSome)
        expect(all).toHaveLength(1)
        expect(JSON.stringify(reveal(all))).not.toContain("pl4nted")
      })
    )
  )

  it.effect("leaves what is no secret as it is, also what is more than its parts", () =>
    memory(
      Effect.gen(function* () {
        const { grants, inner } = yield* open(1)
        class Held {
          readonly token = Tokens.secret("t0ken")
          get length() {
            return Redacted.value(this.token).length
          }
        }
        // As a field that a later version may have.
        const more = { patience: Duration.seconds(5), date: new Date(0), maybe: Option.some(1), held: new Held() }
        const record = { ...grant(1), ...more }
        yield* write(grants, key, record)
        const stored = (yield* valueOf(inner.grants, key)) as typeof record
        expect(JSON.stringify(reveal(stored))).not.toContain("t0ken")
        const found = (yield* valueOf(grants, key)) as typeof record
        expect(Duration.isDuration(found.patience) && Duration.toSeconds(found.patience)).toBe(5)
        expect(found.date).toEqual(new Date(0))
        expect(Option.isOption(found.maybe)).toBe(true)
        expect(found.held).toBeInstanceOf(Held)
        expect(found.held.length).toBe(5)
      })
    )
  )

  it.effect("a write expects what it expects of the store inside", () =>
    memory(
      Effect.gen(function* () {
        const { grants } = yield* open(1)
        expect(yield* grants.compareAndSet(key, Option.some(1), grant(1))).toBe(false)
        expect(yield* grants.compareAndSet(key, Option.none(), grant(1))).toBe(true)
        expect(yield* grants.compareAndSet(key, Option.none(), grant(2))).toBe(false)
        const { version } = Option.getOrThrow(yield* grants.get(key))
        expect(yield* grants.compareAndSet(key, Option.some(version), grant(2))).toBe(true)
        expect(yield* grants.compareAndSet(key, Option.some(version), grant(3))).toBe(false)
        expect(yield* valueOf(grants, key)).toMatchObject({ generation: 2 })
      })
    )
  )
})

describe("EncryptedStores: what belongs elsewhere is refused", () => {
  // Puts into the store inside what is not there, as somebody with a connection to the database could.
  const plant = (inner: GrantStore.GrantStore["Service"], value: GrantStore.Grant, at = key) => write(inner, at, value)

  it.effect("the tokens of another user, or of another application", () =>
    memory(
      Effect.gen(function* () {
        const { grants, inner } = yield* open(1)
        yield* write(grants, key, grant(1))
        const taken = yield* valueOf(inner.grants, key)
        for (const other of [
          { ...key, subject: "user-2" },
          { ...key, clientId: "client-2" }
        ]) {
          yield* plant(inner.grants, taken, other)
          expect(yield* problem(grants.get(other))).toBe("Altered")
        }
        expect(yield* valueOf(grants, key)).toMatchObject({ generation: 1 })
      })
    )
  )

  it.effect("tokens of an older generation, and of another consent", () =>
    memory(
      Effect.gen(function* () {
        const { grants, inner } = yield* open(1)
        yield* write(grants, key, grant(1))
        const { tokens } = yield* valueOf(inner.grants, key)
        yield* plant(inner.grants, { ...grant(2), tokens })
        expect(yield* problem(grants.get(key))).toBe("Altered")
        yield* remove(inner.grants, key)
        yield* plant(inner.grants, { ...grant(1), family: "consent-2", tokens })
        expect(yield* problem(grants.get(key))).toBe("Altered")
      })
    )
  )

  it.effect("one secret in the place of another", () =>
    memory(
      Effect.gen(function* () {
        const { grants, inner } = yield* open(1)
        yield* write(grants, key, grant(1))
        const found = yield* valueOf(inner.grants, key)
        const { accessToken, refreshToken = accessToken } = found.tokens
        yield* plant(inner.grants, { ...grant(1), tokens: { ...found.tokens, accessToken: refreshToken } })
        expect(yield* problem(grants.get(key))).toBe("Altered")
      })
    )
  )

  it.effect("a secret of another attempt", () =>
    memory(
      Effect.gen(function* () {
        const { attempts, inner } = yield* open(1)
        const attempt: ConsentAttempt.Stored = {
          _tag: "Pending",
          stateDigest: "digest-1",
          subject: "user-1",
          redirectUri: "https://app.example/callback",
          scopes: ["zap"],
          startedAt: 0,
          expiresAt: 900_000,
          codeVerifier: Tokens.secret("verifier")
        }
        yield* write(attempts, "digest-1", attempt)
        yield* write(inner.attempts, "digest-2", yield* valueOf(inner.attempts, "digest-1"))
        expect(yield* problem(attempts.get("digest-2"))).toBe("Altered")
      })
    )
  )

  it.effect("a token in plain: not everybody who can write to the store may say what a token is", () =>
    memory(
      Effect.gen(function* () {
        const { grants, inner } = yield* open(1)
        yield* plant(inner.grants, grant(1))
        expect(yield* problem(grants.get(key))).toBe("NotEncrypted")
      })
    )
  )
})

describe("EncryptedStores: without the right key", () => {
  it.effect("a record is not read, not overwritten, and can be removed", () =>
    memory(
      Effect.gen(function* () {
        const right = yield* open(1)
        const wrong = yield* open(2)
        yield* write(right.grants, key, grant(1))
        const before = reveal(yield* right.inner.grants.get(key))
        const error = yield* Effect.flip(wrong.grants.get(key))
        const { version } = Option.getOrThrow(yield* right.grants.get(key))
        expect(error.reason).toMatchObject({
          _tag: "DecryptionFailed",
          problem: "UnknownKey",
          store: "grant store",
          keyId: expect.any(String),
          version
        })
        expect(yield* wrong.grants.compareAndSet(key, Option.none(), grant(2))).toBe(false)
        expect(reveal(yield* right.inner.grants.get(key))).toEqual(before)
        expect(reveal(yield* valueOf(right.grants, key))).toEqual(reveal(grant(1)))
        expect(yield* wrong.grants.remove(key, version + 1)).toBe(false)
        expect(yield* wrong.grants.remove(key, version)).toBe(true)
        expect(yield* right.grants.get(key)).toEqual(Option.none())
      })
    )
  )

  it.effect("errors and records show no secret, encrypted or not", () =>
    memory(
      Effect.gen(function* () {
        const right = yield* open(1)
        const wrong = yield* open(2)
        yield* write(right.grants, key, grant(1, "pl4nted"))
        yield* write(right.inner.grants, { ...key, subject: "user-2" }, grant(1, "pl4nted"))
        const all = [
          yield* Effect.flip(wrong.grants.get(key)),
          yield* Effect.flip(right.grants.get({ ...key, subject: "user-2" })),
          yield* right.grants.get(key),
          yield* right.inner.grants.get(key),
          yield* wrong.grants.page({ clientId: key.clientId, limit: 10 }),
          right.grants
        ]
        for (const value of all) {
          const shown = inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true }) + JSON.stringify(value)
          expect(shown).not.toContain("pl4nted")
          expect(shown).not.toContain("zwa1")
        }
      })
    )
  )
})

describe("EncryptedStores: an app token that cannot be decrypted counts as none, because another is simply asked for", () => {
  const app = { clientId: "client-1", scopes: "zap" }
  const { refreshToken: _refreshToken, ...access } = grant(1).tokens
  const pause = { until: 5, failures: 1, cause: { _tag: "NoResponse" } } as const
  const active = { _tag: "Active", generation: 3, access, pause } as const
  const lease = { owner: "worker-1", deadline: 9 }

  it.effect("one of another key", () =>
    memory(
      Effect.gen(function* () {
        const before = yield* open(1)
        const { appCredentials } = yield* open(2)
        yield* write(before.appCredentials, app, active)
        // Who waits, still waits.
        expect(yield* valueOf(appCredentials, app)).toEqual({ _tag: "Absent", pause })
        yield* write(before.appCredentials, app, { _tag: "Requesting", generation: 3, access, lease, pause })
        // Who is asking, still asks.
        expect(yield* valueOf(appCredentials, app)).toEqual({ _tag: "Requesting", generation: 3, lease, pause })
        const { pause: _, ...unpaused } = active
        yield* write(before.appCredentials, app, unpaused)
        expect(yield* valueOf(appCredentials, app)).toStrictEqual({ _tag: "Absent" })
        yield* write(appCredentials, app, active)
        expect(reveal(yield* valueOf(appCredentials, app))).toEqual(reveal(active))
      })
    )
  )

  it.effect("one of other scopes, of another generation, or in plain", () =>
    memory(
      Effect.gen(function* () {
        const { appCredentials, inner } = yield* open(1)
        yield* write(appCredentials, app, active)
        const sealed = (yield* valueOf(inner.appCredentials, app)) as typeof active
        const other = { ...app, scopes: "zap:write" }
        for (const planted of [sealed, { ...sealed, generation: 4 }, active]) {
          yield* write(inner.appCredentials, planted === sealed ? other : app, planted)
          expect(yield* valueOf(appCredentials, planted === sealed ? other : app)).toMatchObject({ _tag: "Absent" })
        }
      })
    )
  )
})

describe("EncryptedStores: pages", () => {
  const at = (subject: string) => ({ ...key, subject })

  it.effect("are of the store inside, with the secrets in them", () =>
    memory(
      Effect.gen(function* () {
        const { grants } = yield* open(1)
        for (const subject of ["a", "b", "c"]) yield* write(grants, at(subject), grant(1, subject))
        const page = yield* grants.page({ clientId: key.clientId, after: "a", limit: 1 })
        expect(page.next).toBe("b")
        expect(page.entries.map((entry) => [entry.key.subject, reveal(entry.grant.value)])).toEqual([
          ["b", reveal(grant(1, "b"))]
        ])
        const { version } = Option.getOrThrow(yield* grants.get(at("b")))
        expect(page.entries[0]?.grant.version).toBe(version)
      })
    )
  )

  it.effect("have what cannot be decrypted as it is stored, and nobody can write that back", () =>
    memory(
      Effect.gen(function* () {
        const old = yield* open(2)
        const { grants, inner } = yield* open(1)
        yield* write(grants, at("a"), grant(1, "a"))
        yield* write(old.grants, at("b"), grant(1, "b"))
        yield* write(inner.grants, at("c"), grant(1, "c"))
        yield* write(grants, at("d"), grant(1, "d"))
        const { entries } = yield* grants.page({ clientId: key.clientId, state: "Active", limit: 10 })
        expect(entries.map((entry) => [entry.key.subject, entry.grant.value.generation])).toEqual(
          ["a", "b", "c", "d"].map((subject) => [subject, 1])
        )
        const [, unreadable] = entries
        const before = reveal(yield* inner.grants.get(at("b")))
        expect(reveal(unreadable?.grant.value)).toEqual(reveal(yield* valueOf(inner.grants, at("b"))))
        const back = grants.compareAndSet(
          at("b"),
          Option.some(unreadable?.grant.version ?? 0),
          unreadable?.grant.value ?? grant(9)
        )
        expect(yield* problem(back)).toBe("UnknownKey")
        expect(reveal(yield* inner.grants.get(at("b")))).toEqual(before)
      })
    )
  )
})

describe("EncryptedStores.layer", () => {
  it.effect("gives the encrypted stores only, around those that it is provided with", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      // A store that looks at what it is given.
      const watched = Layer.effect(
        GrantStore.GrantStore,
        Effect.map(GrantStore.GrantStore, (store) => ({
          ...store,
          compareAndSet: (key, expected, value) => {
            seen.push(...secretsIn(value))
            return store.compareAndSet(key, expected, value)
          }
        }))
      ).pipe(Layer.provideMerge(MemoryStores.layer))
      const keys = KeyRing.layer([keyOf(1)]).pipe(Layer.provide(crypto))
      const stores = EncryptedStores.layer.pipe(Layer.provide([watched, keys]))
      yield* Effect.gen(function* () {
        const grants = yield* GrantStore.GrantStore
        yield* write(grants, key, grant(1))
        expect(reveal(yield* valueOf(grants, key))).toEqual(reveal(grant(1)))
        yield* write(yield* AppCredentialStore, { clientId: "a", scopes: "" }, AppCredential.absent)
        expect(yield* (yield* AttemptStore).get("digest")).toEqual(Option.none())
      }).pipe(Effect.provide(stores))
      expect(seen).toHaveLength(2)
      expect(seen.every((text) => text.startsWith("zwa1."))).toBe(true)
    })
  )
})
