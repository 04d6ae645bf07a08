/** From one key to the next, while the stores are in use. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as EncryptedStores from "../../src/store/EncryptedStores.ts"
import type * as GrantStore from "../../src/store/GrantStore.ts"
import * as KeyRing from "../../src/store/KeyRing.ts"
import * as Tokens from "../../src/oauth/Tokens.ts"
import type { StoreError } from "../../src/store/VersionedStore.ts"
import { StoreFailed } from "../../src/ZapierAuthError.ts"
import { reveal } from "../utils/Reveal.ts"
import { memory, open, grant, key, valueOf, remove, write, problemOf, problem } from "../utils/Encrypted.ts"

describe("EncryptedStores.reencrypt", () => {
  const subjects = Array.from({ length: 25 }, (_, index) => `user-${index}`)
  const at = (subject: string) => ({ ...key, subject })
  const { clientId } = key

  const reencrypt = (
    {
      inner,
      ring
    }: { readonly inner: { readonly grants: GrantStore.GrantStore["Service"] } } & {
      readonly ring: KeyRing.KeyRing["Service"]
    },
    options?: Partial<EncryptedStores.ReencryptOptions>
  ) =>
    Effect.provideService(
      EncryptedStores.reencrypt(inner.grants, { clientId, pageSize: 4, ...options }),
      KeyRing.KeyRing,
      ring
    )

  it.effect("afterwards only the current key is needed, and nothing else has changed", () =>
    memory(
      Effect.gen(function* () {
        const before = yield* open(1)
        const both = yield* open(2, 1)
        const after = yield* open(2)
        for (const subject of subjects) yield* write(before.grants, at(subject), grant(1, subject))
        const elsewhere = { clientId: "client-2", subject: "user-1" }
        yield* write(before.grants, elsewhere, grant(1))
        yield* write(both.grants, at("user-0"), grant(2, "user-0"))
        expect(yield* reencrypt(both)).toEqual({ examined: 25, rewritten: 24, alreadyCurrent: 1, failed: 0 })
        for (const subject of subjects) {
          expect(reveal(yield* valueOf(after.grants, at(subject)))).toEqual(
            reveal(grant(subject === "user-0" ? 2 : 1, subject))
          )
        }
        expect(yield* problem(after.grants.get(elsewhere))).toBe("UnknownKey")
        expect(yield* reencrypt(both)).toEqual({ examined: 25, rewritten: 0, alreadyCurrent: 25, failed: 0 })
      })
    )
  )

  it.effect("encrypts plain records if asked to, and otherwise only counts them", () =>
    memory(
      Effect.gen(function* () {
        const stores = yield* open(1)
        const { grants, inner } = stores
        yield* write(grants, at("a"), grant(1))
        // Made of one that is encrypted, without its seal: nobody's, whatever is trusted.
        const { tokens } = yield* valueOf(inner.grants, at("a"))
        yield* write(inner.grants, at("a"), {
          ...grant(1),
          tokens: { ...tokens, accessToken: Tokens.secret("access-token") }
        })
        yield* write(inner.grants, at("b"), grant(1, "b"))
        const failures: Array<unknown> = []
        const onFailure = (key: GrantStore.Key, error: StoreError) =>
          Effect.sync(() => void failures.push([key.subject, problemOf(error)]))
        expect(yield* reencrypt(stores, { onFailure })).toMatchObject({ examined: 2, rewritten: 0, failed: 2 })
        expect(failures).toEqual([
          ["a", "NotEncrypted"],
          ["b", "NotEncrypted"]
        ])
        expect(reveal(yield* valueOf(inner.grants, at("b")))).toEqual(reveal(grant(1, "b")))
        expect(yield* reencrypt(stores, { includePlain: true, onFailure })).toMatchObject({ rewritten: 1, failed: 1 })
        expect(failures[2]).toEqual(["a", "Altered"])
        expect(reveal(yield* valueOf(grants, at("b")))).toEqual(reveal(grant(1, "b")))
      })
    )
  )

  it.effect("reports planted, moved and changed records, and leaves them unchanged", () =>
    memory(
      Effect.gen(function* () {
        const stores = yield* open(2, 1)
        const { grants, inner } = stores
        yield* write((yield* open(1)).grants, at("a"), grant(1, "a"))
        yield* write(grants, at("b"), grant(1, "b"))
        const older = yield* valueOf(inner.grants, at("a"))
        const current = yield* valueOf(inner.grants, at("b"))
        yield* write(inner.grants, at("changed"), { ...older, generation: 2 })
        yield* write(inner.grants, at("moved"), older)
        yield* write(inner.grants, at("moved, current"), current)
        yield* write(inner.grants, at("planted"), grant(1, "eve"))
        const before = reveal((yield* inner.grants.page({ clientId, limit: 10 })).entries.slice(2))
        const failures: Array<unknown> = []
        const onFailure = (key: GrantStore.Key, error: StoreError) =>
          Effect.sync(() => void failures.push([key.subject, problemOf(error)]))
        const report = yield* reencrypt(stores, { onFailure })
        expect(report).toEqual({ examined: 6, rewritten: 1, alreadyCurrent: 1, failed: 4 })
        expect(failures).toEqual([
          ["changed", "Altered"],
          ["moved", "Altered"],
          ["moved, current", "Altered"],
          ["planted", "NotEncrypted"]
        ])
        expect(reveal((yield* inner.grants.page({ clientId, limit: 10 })).entries.slice(2))).toEqual(before)
      })
    )
  )

  it.effect("reports records that the inner store cannot read, and encrypts the others again", () =>
    memory(
      Effect.gen(function* () {
        const both = yield* open(2, 1)
        yield* write((yield* open(1)).grants, at("b"), grant(1))
        const error = new StoreFailed({ store: "grant store", operation: "read a record", problem: "broken" })
        const inner: GrantStore.GrantStore["Service"] = {
          ...both.inner.grants,
          page: (options) =>
            Effect.map(both.inner.grants.page(options), (page) => ({
              ...page,
              unreadable: [{ key: at("a"), version: 7, error }]
            }))
        }
        const failures: Array<unknown> = []
        const onFailure = (...failure: ReadonlyArray<unknown>) => Effect.sync(() => void failures.push(failure))
        const report = yield* reencrypt({ ...both, inner: { grants: inner } }, { onFailure })
        expect(report).toEqual({ examined: 2, rewritten: 1, alreadyCurrent: 0, failed: 1 })
        expect(failures).toEqual([[at("a"), error]])
      })
    )
  )

  it.effect("leaves undecryptable records unchanged, even when it encrypts plain ones", () =>
    memory(
      Effect.gen(function* () {
        const lost = yield* open(3)
        const both = yield* open(2, 1)
        yield* write(lost.grants, at("a"), grant(1))
        yield* write((yield* open(1)).grants, at("b"), grant(1))
        const before = reveal(yield* lost.inner.grants.get(at("a")))
        expect(yield* reencrypt(both, { includePlain: true })).toMatchObject({ examined: 2, rewritten: 1, failed: 1 })
        expect(reveal(yield* lost.inner.grants.get(at("a")))).toEqual(before)
      })
    )
  )

  it.effect("loses no write of an app that runs meanwhile", () =>
    memory(
      Effect.gen(function* () {
        const before = yield* open(1)
        const both = yield* open(2, 1)
        for (const subject of subjects) yield* write(before.grants, at(subject), grant(1, subject))
        // A process that does not know yet that the key has been replaced, and one that does.
        const app = (stores: typeof both) =>
          Effect.forEach(subjects, (subject) =>
            Effect.gen(function* () {
              while (true) {
                const { value, version } = Option.getOrThrow(yield* stores.grants.get(at(subject)))
                const next = { ...value, generation: value.generation + 1 }
                if (yield* stores.grants.compareAndSet(at(subject), Option.some(version), next)) return
              }
            })
          )
        const apps = yield* Effect.forkChild(
          Effect.all([app(both), app({ ...before, ...(yield* open(1, 2)) })], { concurrency: 2 })
        )
        const report = yield* reencrypt(both)
        expect([report.examined, report.failed]).toEqual([25, 0])
        yield* Fiber.join(apps)
        yield* reencrypt(both)
        const after = yield* open(2)
        for (const subject of subjects) {
          expect(reveal(yield* valueOf(after.grants, at(subject)))).toEqual(reveal(grant(3, subject)))
        }
      })
    )
  )

  it.effect("looks again at a grant that was written meanwhile, and does not bring back one that was removed", () =>
    memory(
      Effect.gen(function* () {
        const before = yield* open(1)
        const both = yield* open(2, 1)
        yield* write(before.grants, at("changed"), grant(1))
        yield* write(before.grants, at("done"), grant(1))
        yield* write(before.grants, at("removed"), grant(1))
        // Somebody is always faster, the first time.
        const faster = new Set<string>()
        const inner: GrantStore.GrantStore["Service"] = {
          ...both.inner.grants,
          compareAndSet: (key, expected, value) =>
            Effect.gen(function* () {
              if (!faster.has(key.subject)) {
                faster.add(key.subject)
                if (key.subject === "changed") yield* write(before.grants, key, grant(2))
                if (key.subject === "done") yield* write(both.grants, key, grant(2))
                if (key.subject === "removed") yield* remove(before.grants, key)
              }
              return yield* both.inner.grants.compareAndSet(key, expected, value)
            })
        }
        const report = yield* reencrypt({ ...both, inner: { grants: inner } })
        expect(report).toEqual({ examined: 2, rewritten: 1, alreadyCurrent: 1, failed: 0 })
        const after = yield* open(2)
        expect(yield* valueOf(after.grants, at("changed"))).toMatchObject({ generation: 2 })
        expect(yield* valueOf(after.grants, at("done"))).toMatchObject({ generation: 2 })
        expect(yield* after.grants.get(at("removed"))).toEqual(Option.none())
      })
    )
  )

  it.effect("does no harm when it is given the encrypted store by mistake", () =>
    memory(
      Effect.gen(function* () {
        const both = yield* open(2, 1)
        yield* write((yield* open(1)).grants, key, grant(1))
        const mistaken = { ring: both.ring, inner: { grants: both.grants } }
        expect(yield* reencrypt(mistaken)).toMatchObject({ failed: 1 })
        expect(yield* reencrypt(mistaken, { includePlain: true })).toMatchObject({ rewritten: 1 })
        expect(reveal(yield* valueOf((yield* open(2)).grants, key))).toEqual(reveal(grant(1)))
      })
    )
  )
})
