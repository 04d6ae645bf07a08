import { describe, expect, it } from "@effect/vitest"
import { inspect } from "node:util"
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
import type { Stored, VersionedStore } from "../../src/store/VersionedStore.ts"
import { StoreFailed } from "../../src/ZapierAuthError.ts"
import { crypto, keyOf } from "../utils/Keys.ts"
import { reveal, withSecret } from "../utils/Reveal.ts"
import { awkward } from "../utils/StoreLaws.ts"
import { Grant, memory, open, grant, key, valueOf, remove, write, problemOf } from "../utils/Encrypted.ts"

/** The texts of all secrets in a value. */
const secretsIn = (value: unknown): ReadonlyArray<string> => {
  if (Redacted.isRedacted(value)) return [String(Redacted.value(value))]
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(secretsIn) : []
}

// Through JSON, which knows one zero only.
const plain = (record: unknown): unknown => JSON.parse(JSON.stringify(reveal(record)))

const withoutSecrets = (value: Stored<object>) => {
  const { seal: _, ...rest } = value
  return reveal(withSecret(rest, "-"))
}

describe("EncryptedStores: records", () => {
  const roundTrip = <Key, A extends object>(stores: {
    readonly outer: VersionedStore<Key, Stored<A>>
    readonly inner: VersionedStore<Key, Stored<A>>
    readonly key: Key
    readonly record: A
  }) =>
    Effect.gen(function* () {
      const { inner, key, outer, record } = stores
      expect(yield* outer.get(key)).toEqual(Option.none())
      yield* write(outer, key, record)
      expect(plain(yield* valueOf(outer, key))).toEqual(plain(record))
      const first = yield* valueOf(inner, key)
      yield* write(outer, key, record)
      const second = yield* valueOf(inner, key)
      // What is searched for is there, and the seal is another text each time.
      expect(withoutSecrets(second)).toEqual(withoutSecrets(record))
      expect(secretsIn(second)).toHaveLength(secretsIn(record).length + 1)
      expect([...secretsIn(first), ...secretsIn(second)].every((text) => text.startsWith("zwa1."))).toBe(true)
      expect(secretsIn(first.seal)).not.toEqual(secretsIn(second.seal))
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

  it.effect("a write passes its expected version to the inner store", () =>
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
        expect(error).toMatchObject({
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

  it.effect("one of another key, for waiting and later callers", () =>
    memory(
      Effect.gen(function* () {
        const before = yield* open(1)
        const { appCredentials } = yield* open(2)
        for (const record of [active, { _tag: "Requesting", generation: 3, access, lease, pause }] as const) {
          yield* write(before.appCredentials, app, record)
          expect(yield* valueOf(appCredentials, app)).toStrictEqual({ _tag: "Absent" })
        }
        yield* write(appCredentials, app, active)
        expect(reveal(yield* valueOf(appCredentials, app))).toEqual(reveal(active))
      })
    )
  )

  it.effect("one of other scopes or of another application, one that was changed, and one in plain", () =>
    memory(
      Effect.gen(function* () {
        const { appCredentials, inner } = yield* open(1)
        yield* write(appCredentials, app, active)
        const sealed = (yield* valueOf(inner.appCredentials, app)) as Stored<typeof active>
        const plant = Effect.fnUntraced(function* (record: Stored<AppCredential.State>, at = app) {
          yield* write(inner.appCredentials, at, record)
          expect(yield* valueOf(appCredentials, at)).toStrictEqual({ _tag: "Absent" })
        })
        yield* plant(sealed, { ...app, scopes: "zap:write" })
        yield* plant(sealed, { ...app, clientId: "client-2" })
        yield* plant({ ...sealed, generation: 4 })
        yield* plant({ ...sealed, access: { ...sealed.access, expiresAt: 36_000_001 } })
        yield* plant({ ...sealed, pause: { ...pause, until: 6 } })
        yield* plant(active)
        yield* plant({ _tag: "Requesting", generation: 1, lease, pause })
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

  it.effect("are as strict as get: they tell which grants cannot be read, and why, and have the others", () =>
    memory(
      Effect.gen(function* () {
        const old = yield* open(2)
        const { grants, inner } = yield* open(1)
        yield* write(grants, at("a"), grant(1, "a"))
        yield* write(old.grants, at("b"), grant(1, "b"))
        yield* write(inner.grants, at("c"), grant(1, "c"))
        yield* write(inner.grants, at("d"), yield* valueOf(inner.grants, at("a")))
        yield* write(grants, at("e"), grant(1, "e"))
        yield* write(inner.grants, at("e"), { ...(yield* valueOf(inner.grants, at("e"))), generation: 2 })
        yield* write(grants, at("f"), grant(1, "f"))
        const search = { clientId: key.clientId, state: "Active", limit: 5 } as const
        const first = yield* grants.page(search)
        expect(first.entries.map((entry) => [entry.key.subject, reveal(entry.grant.value)])).toEqual([
          ["a", reveal(grant(1, "a"))]
        ])
        expect(first.unreadable?.map((entry) => [entry.key.subject, problemOf(entry.error)])).toEqual([
          ["b", "UnknownKey"],
          ["c", "NotEncrypted"],
          ["d", "Altered"],
          ["e", "Altered"]
        ])
        for (const { error, key, version } of first.unreadable ?? []) {
          expect(yield* Effect.flip(grants.get(key))).toEqual(error)
          expect(yield* grants.remove(key, version)).toBe(true)
        }
        const second = yield* grants.page({ ...search, after: first.next })
        expect(second.entries.map((entry) => entry.key.subject)).toEqual(["f"])
        expect([second.unreadable, second.next]).toEqual([[], undefined])
      })
    )
  )

  it.effect("do not have a grant that is in another state than the one that is asked for", () =>
    memory(
      Effect.gen(function* () {
        const { inner, ring } = yield* open(1)
        // As a store does whose column of states was changed.
        const page = (options: GrantStore.PageOptions) => inner.grants.page({ ...options, state: undefined })
        const grants = EncryptedStores.grants({ ...inner.grants, page }, ring)
        yield* write(grants, at("a"), grant(1))
        const found = yield* grants.page({ clientId: key.clientId, state: "ReconnectRequired", limit: 1 })
        expect(found.entries).toEqual([])
        expect(found.unreadable?.map(({ error }) => problemOf(error))).toEqual(["Altered"])
      })
    )
  )

  it.effect("report records that the inner store could not read", () =>
    memory(
      Effect.gen(function* () {
        const { inner, ring } = yield* open(1)
        const error = new StoreFailed({ store: "grant store", operation: "read a record", problem: "broken" })
        const unreadable = [{ key: at("a"), version: 7, error }]
        const page = () => Effect.succeed({ entries: [], unreadable, next: "a" })
        const grants = EncryptedStores.grants({ ...inner.grants, page }, ring)
        const found = yield* grants.page({ clientId: key.clientId, limit: 1 })
        expect(found).toEqual({ entries: [], unreadable, next: "a" })
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
      expect(seen).toHaveLength(3)
      expect(seen.every((text) => text.startsWith("zwa1."))).toBe(true)
    })
  )
})
