import { describe, expect, it } from "@effect/vitest"
import * as GrantStore from "@zapier-workflow-auth/core/store/GrantStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as GrantStoreLaws from "../src/GrantStoreLaws.ts"
import type * as StoreLaw from "../src/conformance/StoreLaw.ts"
import { brokenGrantStores, rightGrantStores } from "./utils/BrokenGrantStores.ts"
import { empty, type GrantData, make, pageOf } from "./utils/BrokenStore.ts"

const laws = [...GrantStoreLaws.all, ...GrantStoreLaws.persistent]

describe("a grant store that", () => {
  it.effect.each(brokenGrantStores)("%s breaks a law", ([, layer, broken]) =>
    Effect.gen(function* () {
      const law = laws.find(({ name }) => name === broken)
      expect(law?.name).toBe(broken)
      if (law === undefined) return
      const error = yield* Effect.flip(law.check(layer))
      expect(error).toMatchObject({ _tag: "LawBroken", law: broken })
    })
  )
})

const told = new Set(brokenGrantStores.map(([, , law]) => law))

it("every law is broken by one of the stores", () => {
  expect(laws.map(({ name }) => name).filter((name) => !told.has(name))).toEqual([])
})

describe("a store without a mistake that", () => {
  it.effect.each(rightGrantStores)("%s breaks none", ([what, layer]) =>
    Effect.forEach(what.includes("closed") ? laws : GrantStoreLaws.all, ({ check }) => check(layer, { runs: 10 }), {
      discard: true
    })
  )
})

describe("a broken law", () => {
  const broken = Effect.fnUntraced(function* (what: string, options: StoreLaw.Options = {}) {
    const found = brokenGrantStores.find(([name]) => name === what)
    const law = laws.find(({ name }) => name === found?.[2])
    if (found === undefined || law === undefined) throw new Error(`no store that ${what}`)
    const error = yield* Effect.flip(law.check(found[1], options))
    if (error._tag !== "LawBroken") throw new Error("fails with what the law found")
    return error
  })

  it.effect("lists the operations, the expected and the actual result", () =>
    Effect.gen(function* () {
      const { message } = yield* broken("takes a limit of none at its word")
      expect(message).toMatchInlineSnapshot(`
        "The store fails the conformance test "a limit of less than one counts as one"
        Expected: all the grants of the client application
        Actual: none for "a", "b", "c"
        Operations:
          compareAndSet {"clientId":"…client","subject":"a"}, expecting none, to Active: true
          get {"clientId":"…client","subject":"a"}: Active, version 1
          compareAndSet {"clientId":"…client","subject":"b"}, expecting none, to Refreshing: true
          get {"clientId":"…client","subject":"b"}: Refreshing, version 2
          compareAndSet {"clientId":"…client","subject":"c"}, expecting none, to ReconnectRequired: true
          get {"clientId":"…client","subject":"c"}: ReconnectRequired, version 3
          page {"clientId":"…client","limit":0}: [], next undefined"
      `)
    })
  )

  it.effect("with the smallest inputs that were found, which can be replayed", () =>
    Effect.gen(function* () {
      const error = yield* broken("leaves out the last of a page")
      expect(error.done.filter((line) => line.includes("compareAndSet")).length).toBeLessThan(10)
      const again = yield* broken("leaves out the last of a page", { replay: error.replay })
      expect(again.message).toBe(error.message)
      const other = yield* broken("leaves out the last of a page", { seed: "another" })
      expect(other.replay).not.toBe(error.replay)
    })
  )

  it.effect("names differing members of records, and shows no token", () =>
    Effect.gen(function* () {
      const { message } = yield* broken("loses NUL")
      expect(message).toContain("one that differs in tokens.accessToken")
      expect(message).not.toMatch(/access a|refresh a/)
    })
  )

  it.effect("says how the store failed", () =>
    Effect.gen(function* () {
      const { message } = yield* broken("fails to remove what is not there")
      expect(message).toContain("The grant store could not remove a grant: there is none.")
    })
  )
})

describe("checking a law", () => {
  it.effect("fails with the layer's error if there is no store", () =>
    Effect.gen(function* () {
      for (const law of laws)
        expect(yield* Effect.flip(law.check(Layer.effect(GrantStore.GrantStore, Effect.fail("no store"))))).toBe(
          "no store"
        )
    })
  )

  it.effect("leaves nothing behind", () =>
    Effect.gen(function* () {
      const data: GrantData = empty()
      const layer = Layer.sync(GrantStore.GrantStore, () => ({ ...make(data), page: pageOf(data) }))
      for (const { check } of laws) yield* check(layer, { runs: 3 })
      expect(data.version).toBeGreaterThan(0)
      expect([...data.entries.keys()]).toEqual([])
    })
  )
})
