import { describe, expect, it } from "@effect/vitest"
import * as AuthorizationCallback from "@zapier-workflow-auth/core/oauth/AuthorizationCallback"
import * as Arbitrary from "effect/Arbitrary"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import * as Arbitraries from "../src/Arbitraries.ts"
import * as FastCheck from "../src/FastCheck.ts"

const numbers = Arbitrary.array(Arbitrary.schema(Schema.Int), { maxLength: 12 })

const failing = (drawn: ReadonlyArray<number>) => drawn.filter((number) => number >= 10).length < 2

const check = (parameters: fc.Parameters<[drawn: ReadonlyArray<number>]> = {}) =>
  fc.check(fc.property(FastCheck.from(numbers), failing), { seed: 7, ...parameters })

describe("from", () => {
  it("draws valid values", () => {
    const isTaken = ({ input }: Arbitraries.Callback) => Result.isSuccess(AuthorizationCallback.parse(input))
    fc.assert(fc.property(FastCheck.from(Arbitraries.callback), isTaken))
  })

  it("draws the same values from the same seed, and others from another", () => {
    const sample = (seed: number) => fc.sample(FastCheck.from(numbers), { seed, numRuns: 50 })
    expect(sample(1)).toEqual(sample(1))
    expect(sample(1)).not.toEqual(sample(2))
    expect(new Set(sample(1).map(String)).size).toBeGreaterThan(30)
  })

  it("draws values no larger than they may be", () => {
    const longest = (size: number) =>
      Math.max(...fc.sample(FastCheck.from(numbers, { size }), { seed: 1, numRuns: 200 }).map(({ length }) => length))
    expect(longest(3)).toBe(3)
    expect(longest(10)).toBe(10)
  })

  it.each(Array.from({ length: 20 }, (_, seed) => seed))("shrinks to the smallest value: seed %i", (seed) => {
    const { counterexample, failed } = check({ seed, numRuns: 1_000 })
    expect(failed).toBe(true)
    expect(counterexample).toEqual([[10, 10]])
  })

  it("shows fast-check everything that a value shrinks to, once", () => {
    const seen: Array<string> = []
    // Only the value that was drawn fails: none of those that it shrinks to is gone into.
    const isFirst = (drawn: ReadonlyArray<number>) => seen.push(drawn.join("")) === 1
    const long = Arbitrary.array(Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1 }))), {
      minLength: 40,
      maxLength: 40
    })
    fc.check(
      fc.property(FastCheck.from(long), (drawn) => !isFirst(drawn)),
      { seed: 1 }
    )
    const [root = "", ...smaller] = seen
    const ones = [...root.matchAll(/1/g)].map(({ index }) => `${root.slice(0, index)}0${root.slice(index + 1)}`)
    // More than what is looked up at first.
    expect(ones.length).toBeGreaterThan(8)
    expect(smaller.sort()).toEqual(ones.sort())
  })

  it("replays a failure by seed and path", () => {
    const { counterexample, counterexamplePath, seed } = check()
    const again = check({ seed, path: counterexamplePath ?? "" })
    expect(again.counterexample).toEqual(counterexample)
    expect(again.numShrinks).toBe(0)
  })

  it("shrinks inside of fast-check's own combinators", () => {
    const both = fc.tuple(FastCheck.from(numbers), fc.nat()).map(([drawn, n]) => ({ drawn, n }))
    const { counterexample } = fc.check(
      fc.property(both, ({ drawn, n }) => failing(drawn) || n < 5),
      { seed: 3, numRuns: 1_000 }
    )
    expect(counterexample).toEqual([{ drawn: [10, 10], n: 5 }])
  })

  it("leaves values alone that it has not drawn", () => {
    const { counterexample } = check({ examples: [[[99, 98, 97]]] })
    expect(counterexample).toEqual([[99, 98, 97]])
  })

  it("says so when nothing can be drawn", () => {
    const impossible = FastCheck.from(Arbitrary.filter(numbers, () => false))
    expect(() => fc.sample(impossible, 1)).toThrow("No value could be drawn: Exhausted")
  })
})
