import { describe, expect, it } from "@effect/vitest"
import * as AppModel from "../src/AppModel.ts"
import * as Explorer from "../src/Explorer.ts"

/** The first rule that is broken, and how it came to it. */
const explore = (options: AppModel.Options) => {
  const { findings, isComplete, states } = Explorer.explore(AppModel.make(options))
  return { first: findings[0], isComplete, states }
}

const beginning = (model: ReturnType<typeof AppModel.make>): AppModel.World => {
  const [first] = model.initial
  if (first === undefined) throw new Error("there is no beginning")
  return first.world
}

describe("AppModel: no rule is broken", () => {
  it("by two processes and any two faults", () => {
    const report = explore({ workers: 2, faults: 2 })
    expect(report).toMatchObject({ first: undefined, isComplete: true })
    expect(report.states).toBeGreaterThan(40_000)
  })

  it("by three processes and a fault of any kind", () => {
    const report = explore({ workers: 3, faults: 1 })
    expect(report).toMatchObject({ first: undefined, isComplete: true })
    expect(report.states).toBeGreaterThan(20_000)
  })

  it("by a process that makes two calls, with any two faults", () => {
    expect(explore({ workers: 1, calls: 2, faults: 2 })).toMatchObject({ first: undefined, isComplete: true })
  })
})

describe("AppModel: the world", () => {
  it("begins in each way in which a token comes to be asked for", () => {
    const model = AppModel.make({ workers: 1, faults: 0 })
    expect(model.initial.map(({ label }) => label)).toEqual([
      "there is no token yet",
      "the token has expired",
      "the token is about to expire",
      "the server has ended the token"
    ])
    for (const { world } of model.initial) {
      // From each of them the process comes to ask for a token.
      const report = Explorer.explore({
        ...model,
        initial: [{ label: "", world }],
        moves: (from) =>
          model.moves(from).map((move) => ({
            ...move,
            violations: move.label.endsWith("asks for a token") ? ["asked" as const] : []
          })),
        ending: () => []
      })
      expect(report.findings).toHaveLength(1)
    }
  })

  it("has faults of the kinds that it was told, and of no others", () => {
    const faultsWith = (kinds: ReadonlyArray<AppModel.FaultKind>) => {
      const labels = new Set<string>()
      const model = AppModel.make({ workers: 1, faults: 1, kinds })
      const watched = (from: AppModel.World) => {
        const moves = model.moves(from)
        for (const { isFault, label } of moves) if (isFault) labels.add(label.split(";")[0] ?? "")
        return moves
      }
      Explorer.explore({ ...model, moves: watched })
      return [...labels].sort()
    }
    expect(faultsWith([])).toEqual([])
    expect(faultsWith(["crash"])).toEqual(["A crashes"])
    expect(faultsWith(["standstill"])).toEqual(["A stands still"])
    expect(faultsWith(["refusal"])).toEqual([
      "the server refuses A with 401",
      "the server refuses A with 429",
      "the server refuses A with 503"
    ])
    expect(faultsWith(["loss"])).toEqual([
      "A waits 20000 ms, and gives the request up",
      "the answer of A is lost",
      "the request of A is lost"
    ])
    expect(faultsWith(["endedToken"])).toEqual(["the server ends the token 0t0", "the server ends the token 1t0"])
  })

  it("is the same for processes that trade places", () => {
    const model = AppModel.make({ workers: 2, faults: 0 })
    // Either of the two may be asked first.
    const asked = model.moves(beginning(model)).filter(({ label }) => label.includes("is asked"))
    expect(asked).toHaveLength(2)
    expect(new Set(asked.map(({ world }) => model.key(world))).size).toBe(1)
  })

  it("is the same whichever tokens were drawn", () => {
    const model = AppModel.make({ workers: 1, faults: 0 })
    const world = beginning(model)
    const later = { ...world, server: { ...world.server, counter: 1_000 } }
    const walk = (from: AppModel.World, moves: number): string => {
      const [move] = model.moves(from)
      return move === undefined || moves === 0 ? model.key(from) : walk(move.world, moves - 1)
    }
    expect(walk(later, 6)).toBe(walk(world, 6))
  })

  it("is another when a process has failed, time has passed, or a fault is left less", () => {
    const model = AppModel.make({ workers: 1, faults: 1 })
    const about = model.initial.find(({ label }) => label === "the token is about to expire")?.world
    if (about === undefined) throw new Error("there is no such beginning")
    const others = [
      { ...about, faults: 0 },
      { ...about, workers: about.workers.map((worker) => ({ ...worker, hasFailed: true })) },
      { ...about, now: about.now - 1 }
    ]
    expect(new Set([about, ...others].map(model.key)).size).toBe(4)
  })
})
