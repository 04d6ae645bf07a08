import { describe, expect, it } from "@effect/vitest"
import * as GrantStoreLaws from "@zapier-workflow-auth/testing/GrantStoreLaws"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as GrantStore from "../../src/store/GrantStore.ts"
import * as Tokens from "../../src/oauth/Tokens.ts"

const grant: GrantStore.Grant = {
  _tag: "Active",
  family: "consent-1",
  generation: 1,
  tokens: { accessToken: Tokens.secret("access"), scopes: ["zap"], obtainedAt: 0, expiresAt: 36_000_000 },
  responseLost: false
}

const fill = Effect.fnUntraced(function* (subjects: ReadonlyArray<string>) {
  const store = yield* GrantStore.GrantStore
  for (const subject of subjects) {
    expect(yield* store.compareAndSet({ clientId: "client-1", subject }, Option.none(), grant)).toBe(true)
  }
  return store
})

describe("GrantStore.layerMemory", () => {
  for (const { check, name } of GrantStoreLaws.all) it.effect(name, () => check(GrantStore.layerMemory))

  it.effect("pages are in the order of the subjects", () =>
    Effect.gen(function* () {
      const store = yield* fill(["d", "a", "c"])
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

  it.effect("two layers are two stores", () =>
    Effect.gen(function* () {
      yield* Effect.provide(fill(["user-1"]), GrantStore.layerMemory)
      const found = yield* Effect.provide(
        Effect.flatMap(GrantStore.GrantStore, (store) => store.get({ clientId: "client-1", subject: "user-1" })),
        GrantStore.layerMemory
      )
      expect(found).toEqual(Option.none())
    })
  )
})
