import { describe, expect, it } from "@effect/vitest"
import * as Explorer from "../src/Explorer.ts"
import * as GrantModel from "../src/GrantModel.ts"

const minutes = 3 * 60_000

/** The first rule that is broken, and how it came to it. */
const explore = (options: GrantModel.Options) => {
  const { findings, isComplete, states } = Explorer.explore(GrantModel.make(options))
  return { first: findings[0], isComplete, states }
}

describe("GrantModel: no rule is broken", () => {
  it(
    "by three processes and a crash",
    () => {
      const report = explore({ workers: 3, faults: 1, kinds: ["crash"] })
      expect(report).toMatchObject({ first: undefined, isComplete: true })
      expect(report.states).toBeGreaterThan(10_000)
    },
    minutes
  )

  it.each(Object.entries(GrantModel.servers))(
    "by two processes and a fault of any kind, with a %s server",
    (_, server) => {
      const report = explore({ workers: 2, faults: 1, server })
      expect(report).toMatchObject({ first: undefined, isComplete: true })
    },
    minutes
  )

  it(
    "by a process that makes two calls, with a fault of any kind",
    () => {
      const report = explore({ workers: 1, calls: 2, faults: 1 })
      expect(report).toMatchObject({ first: undefined, isComplete: true })
    },
    minutes
  )
})

describe("GrantModel: the world", () => {
  it("is the same for processes that trade places", () => {
    const model = GrantModel.make({ workers: 2, faults: 0 })
    const [beginning] = model.initial
    const after = beginning && model.moves(beginning.world)
    // Either of the two may be asked first.
    const asked = after?.filter(({ label }) => label.includes("is asked")) ?? []
    expect(asked).toHaveLength(2)
    expect(new Set(asked.map(({ world }) => model.key(world))).size).toBe(1)
  })

  it("is the same whichever tokens were drawn", () => {
    const model = GrantModel.make({ workers: 1, faults: 0 })
    const [beginning] = model.initial
    if (beginning === undefined) throw new Error("there is no beginning")
    const { world } = beginning
    const later = { ...world, server: { ...world.server, counter: 1_000 } }
    const walk = (from: GrantModel.World, moves: number): string => {
      const [move] = model.moves(from)
      return move === undefined || moves === 0 ? model.key(from) : walk(move.world, moves - 1)
    }
    expect(walk(later, 6)).toBe(walk(world, 6))
  })

  it("is another when a process has failed, time has passed, or a fault is left less", () => {
    const model = GrantModel.make({ workers: 1, faults: 1 })
    const [beginning] = model.initial
    if (beginning === undefined) throw new Error("there is no beginning")
    const { world } = beginning
    const others = [
      { ...world, faults: 0 },
      { ...world, workers: world.workers.map((worker) => ({ ...worker, hasFailed: true })) },
      { ...world, now: world.now - 1 }
    ]
    expect(new Set([world, ...others].map(model.key)).size).toBe(4)
  })
})
