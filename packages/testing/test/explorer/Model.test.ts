import { describe, expect, it } from "@effect/vitest"
import * as Explorer from "../../src/Explorer.ts"
import * as Model from "../../src/explorer/Model.ts"

const minutes = 3 * 60_000

/** The first rule that is broken, and how it came to it. */
const explore = (options: Model.Options) => {
  const { findings, isComplete, states } = Explorer.explore(Model.make(options))
  return { first: findings[0], isComplete, states }
}

const begin = (options: Model.Options) => {
  const model = Model.make(options)
  const [beginning] = model.initial
  if (beginning === undefined) throw new Error("a model begins somewhere")
  return { model, world: beginning.world }
}

describe("Model: no rule is broken", () => {
  it(
    "by three processes that nothing befalls",
    () => {
      const report = explore({ callers: [2, 1, 1], faults: 0 })
      expect(report).toMatchObject({ first: undefined, isComplete: true })
      expect(report.states).toBeGreaterThan(2_000)
    },
    minutes
  )

  it.each(Object.entries(Model.servers))(
    "by two processes, with a crash or a lost response, and a %s server",
    (_, server) => {
      const report = explore({ callers: [1, 1], faults: 1, kinds: ["crash", "loss", "refusal", "disconnect"], server })
      expect(report).toMatchObject({ first: undefined, isComplete: true })
    },
    minutes
  )

  it.each(Model.kinds.user)(
    "by a process with two callers and a fault: %s",
    (kind) => {
      const report = explore({ callers: [2], faults: 1, kinds: [kind] })
      expect(report).toMatchObject({ first: undefined, isComplete: true })
    },
    minutes
  )

  it(
    "by two processes that share the token of the app, and a fault of any kind",
    () => {
      const report = explore({ callers: [1, 1], faults: 1, client: Model.library("app") })
      expect(report).toMatchObject({ first: undefined, isComplete: true })
      expect(report.states).toBeGreaterThan(5_000)
    },
    minutes
  )
})

describe("Model: the world", () => {
  it("begins in each way in which a token comes to be renewed", () => {
    const labels = (mode: Model.Mode) =>
      Model.make({ callers: [1], faults: 0, client: Model.library(mode) }).initial.map(({ label }) => label)
    expect(labels("user")).toContain("the user has just allowed the app")
    expect(labels("app")).toContain("there is no token yet")
    const { initial } = Model.make({ callers: [1], faults: 0, beginnings: ["rejected"] })
    expect(initial.map(({ label }) => label)).toEqual(["the server has ended the access token"])
  })

  it("is the same for processes that trade places, and whichever tokens were drawn", () => {
    const { model, world } = begin({ callers: [1, 1], faults: 0 })
    const swapped = { ...world, processes: world.processes.toReversed() }
    const later = { ...world, server: { ...world.server, counter: 1_000 } }
    const walk = (from: Model.World, moves: number): string => {
      const [move] = model.moves(from)
      return move === undefined || moves === 0 ? model.key(from) : walk(move.world, moves - 1)
    }
    expect(walk(swapped, 6)).toBe(walk(world, 6))
    expect(walk(later, 6)).toBe(walk(world, 6))
  })

  it("is another when a process has failed, time has passed, or a fault is left less", () => {
    const { model, world } = begin({ callers: [1], faults: 1 })
    const others = [
      { ...world, faults: 0 },
      { ...world, processes: world.processes.map((process) => ({ ...process, hasFailed: true })) },
      { ...world, now: world.now - 1 }
    ]
    expect(new Set([world, ...others].map(model.key)).size).toBe(4)
  })

  it("has faults of the given kinds only", () => {
    const { model, world } = begin({ callers: [1], faults: 1, kinds: ["revocation"] })
    const faults = model.moves(world).filter(({ isFault }) => isFault)
    expect(faults.map(({ label }) => label)).toEqual(["the user revokes the app's access at Zapier"])
  })
})
