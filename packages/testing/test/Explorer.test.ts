import { describe, expect, it } from "@effect/vitest"
import * as Explorer from "../src/Explorer.ts"

const broken = { rule: "a rule", observed: "it is broken" }

// Two counters that count to `to`, in any order.
const counters = (to: number, isBroken: (a: number, b: number) => boolean = () => false) => ({
  initial: [{ label: "begin", world: [0, 0] as const }],
  moves: ([a, b]: readonly [number, number]) =>
    [
      { label: "a", world: [a + 1, b] as const },
      { label: "b", world: [a, b + 1] as const }
    ]
      .filter(({ world }) => Math.max(...world) <= to)
      .map((move) => ({ ...move, violations: isBroken(...move.world) ? [broken] : [], isFault: false })),
  ending: () => [],
  key: String
})

describe("Explorer", () => {
  it.for(["breadth", "depth"] as const)("visits every state once, however many ways lead to it: %s first", (order) => {
    const report = Explorer.explore(counters(9), { order })
    expect(report).toMatchObject({ states: 100, moves: 180, depth: 18, isComplete: true, findings: [] })
  })

  it("finds a way to a violation depth first, too", () => {
    const { findings } = Explorer.explore(
      counters(9, (a, b) => a === 2 && b === 9),
      { order: "depth" }
    )
    const [finding] = findings
    expect(finding?.violation).toEqual(broken)
    expect(finding?.trace.toSorted()).toEqual(["a", "a", ...Array.from({ length: 9 }, () => "b"), "begin"])
  })

  it("finds the shortest way to a violation", () => {
    const { findings } = Explorer.explore(counters(9, (a, b) => a === 2 && b >= 1))
    expect(findings[0]).toEqual({ violation: broken, trace: ["begin", "a", "a", "b"] })
  })

  it("goes on after a violation that is not enough, but not from it", () => {
    const report = Explorer.explore(
      counters(3, (a) => a === 1),
      { isEnough: () => false }
    )
    expect(report.findings).toHaveLength(4)
    expect(report).toMatchObject({ states: 4, isComplete: true })
  })

  it("checks each ending, and treats faults as optional", () => {
    const model = (isFault: boolean) => ({
      initial: [{ label: "begin", world: 0 }],
      moves: (n: number) => (n < 2 ? [{ label: "on", world: n + 1, violations: [], isFault }] : []),
      ending: (n: number) => [{ rule: "a rule", observed: `ended at ${n}` }],
      key: String
    })
    const endings = (isFault: boolean) =>
      Explorer.explore(model(isFault), { isEnough: () => false }).findings.map(({ violation }) => violation.observed)
    expect(endings(false)).toEqual(["ended at 2"])
    expect(endings(true)).toEqual(["ended at 0", "ended at 1", "ended at 2"])
  })

  it("stops at its limit, and reports that it is not complete", () => {
    const report = Explorer.explore(counters(100), { states: 50 })
    expect(report).toMatchObject({ states: 50, isComplete: false })
  })
})
