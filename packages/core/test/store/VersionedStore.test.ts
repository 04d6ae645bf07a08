import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as VersionedStore from "../../src/store/VersionedStore.ts"

const make = Effect.sync(() => VersionedStore.makeMemory<string, string>((key) => key))

describe("VersionedStore.makeMemory", () => {
  it.effect("keeps its entries in the order of their first writing", () =>
    Effect.gen(function* () {
      const store = yield* make
      for (const key of ["b", "c", "a"]) yield* store.compareAndSet(key, Option.none(), key)
      const { version } = Option.getOrThrow(yield* store.get("c"))
      yield* store.compareAndSet("c", Option.some(version), "again")
      expect([...store.entries.values()].map(({ key, value }) => [key, value])).toEqual([
        ["b", "b"],
        ["c", "again"],
        ["a", "a"]
      ])
    })
  )

  it.effect("keys with the same text are one", () =>
    Effect.gen(function* () {
      const store = VersionedStore.makeMemory<{ readonly id: number }, string>(({ id }) => `${id}`)
      yield* store.compareAndSet({ id: 1 }, Option.none(), "one")
      expect(Option.getOrThrow(yield* store.get({ id: 1 })).value).toBe("one")
      expect(yield* store.get({ id: 2 })).toEqual(Option.none())
    })
  )
})
