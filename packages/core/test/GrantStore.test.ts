import { describe, expect, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as GrantStore from "../src/GrantStore.ts"
import * as Tokens from "../src/Tokens.ts"
import { awkward, describePairs, describeStore } from "./utils/StoreLaws.ts"

const grant = (generation: number): GrantStore.Grant => ({
  _tag: "Active",
  lineage: "consent-1",
  generation,
  tokens: { accessToken: Tokens.secret("access"), scopes: ["zap"], obtainedAt: 0, expiresAt: 36_000_000 },
  answerLost: false,
  notBefore: 0
})

describeStore(
  "GrantStore.layerMemory",
  GrantStore.GrantStore,
  (effect) => Effect.provide(effect, GrantStore.layerMemory),
  [
    { clientId: "client-1", subject: "user-1" },
    { clientId: "client-1", subject: "user-2" }
  ],
  [grant(1), grant(2)]
)

const fill = Effect.fnUntraced(function* (found: ReadonlyArray<GrantStore.Key>) {
  const store = yield* GrantStore.GrantStore
  for (const [index, key] of found.entries()) {
    expect(yield* store.compareAndSet(key, Option.none(), grant(index + 1))).toBe(true)
  }
  return store
})

describePairs(
  "GrantStore.layerMemory",
  GrantStore.GrantStore,
  (effect) => Effect.provide(effect, GrantStore.layerMemory),
  (clientId, subject) => ({ clientId, subject }),
  (index) => grant(index + 1)
)

describe("GrantStore.layerMemory: pages", () => {
  const byCodeUnits = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

  const pages = Effect.fnUntraced(function* (clientId: string, limit: number) {
    const store = yield* GrantStore.GrantStore
    const all: Array<GrantStore.Page> = []
    let after: string | undefined
    do {
      const page: GrantStore.Page = yield* store.page({ clientId, after, limit })
      all.push(page)
      after = page.next
    } while (after !== undefined && all.length < 1_000)
    return all
  })

  it.effect.prop(
    "joined they are all grants of the client and of no other, each once, in the order of their subjects",
    {
      subjects: Arbitrary.array(awkward, { maxLength: 20 }),
      limit: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 7 }))
    },
    ({ limit, subjects }) =>
      Effect.gen(function* () {
        const own = [...new Set(subjects)]
        yield* fill(
          own.flatMap((subject) => [
            { clientId: "client-1", subject },
            { clientId: "client-2", subject }
          ])
        )
        const found = yield* pages("client-1", limit)
        const entries = found.flatMap((page) => page.entries)
        expect(entries.map(({ key }) => key)).toEqual(
          [...own].sort(byCodeUnits).map((subject) => ({ clientId: "client-1", subject }))
        )
        expect(entries.map(({ grant }) => grant.value.generation)).toEqual(
          entries.map(({ key }) => own.indexOf(key.subject) * 2 + 1)
        )
        // All pages but the last are full, and the last is not empty unless it is the only one.
        expect(found.slice(0, -1).every((page) => page.entries.length === limit)).toBe(true)
        expect(found).toHaveLength(Math.max(1, Math.ceil(own.length / limit)))
      }).pipe(Effect.provide(GrantStore.layerMemory)),
    { arbitrary: { runs: 300 } }
  )

  it.effect("a page begins after the subject that is named, whether or not it is there", () =>
    Effect.gen(function* () {
      const store = yield* fill(["d", "a", "c"].map((subject) => ({ clientId: "client-1", subject })))
      const subjects = (after: string | undefined, limit = 10) =>
        Effect.map(store.page({ clientId: "client-1", after, limit }), ({ entries, next }) => [
          entries.map(({ key }) => key.subject),
          next
        ])
      expect(yield* subjects(undefined)).toEqual([["a", "c", "d"], undefined])
      expect(yield* subjects("a")).toEqual([["c", "d"], undefined])
      expect(yield* subjects("b")).toEqual([["c", "d"], undefined])
      expect(yield* subjects("d")).toEqual([[], undefined])
      expect(yield* subjects(undefined, 2)).toEqual([["a", "c"], "c"])
      expect(yield* subjects(undefined, 3)).toEqual([["a", "c", "d"], undefined])
    }).pipe(Effect.provide(GrantStore.layerMemory))
  )

  it.effect("an entry has the version to replace it by", () =>
    Effect.gen(function* () {
      const key = { clientId: "client-1", subject: "user-1" }
      const store = yield* fill([key])
      const { entries } = yield* store.page({ clientId: "client-1", limit: 1 })
      const version = Option.fromUndefinedOr(entries[0]?.grant.version)
      expect(yield* store.compareAndSet(key, version, grant(9))).toBe(true)
      expect(Option.getOrThrow(yield* store.get(key)).value).toMatchObject({ generation: 9 })
    }).pipe(Effect.provide(GrantStore.layerMemory))
  )

  it.effect("two layers are two stores", () =>
    Effect.gen(function* () {
      const key = { clientId: "client-1", subject: "user-1" }
      yield* Effect.provide(fill([key]), GrantStore.layerMemory)
      const found = yield* Effect.provide(
        Effect.flatMap(GrantStore.GrantStore, (store) => store.get(key)),
        GrantStore.layerMemory
      )
      expect(found).toEqual(Option.none())
    })
  )
})
