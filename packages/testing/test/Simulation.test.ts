import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Simulation from "../src/Simulation.ts"

// A year in which everything goes wrong all the time.
const rates: Partial<Simulation.Rates> = {
  calls: 2,
  appCalls: 2,
  clientIdCalls: 1,
  bursts: 0.3,
  lost: 0.04,
  refused: 0.03,
  slow: 0.02,
  crashing: 0.02,
  pausing: 0.02,
  crashes: 0.2,
  pauses: 0.2,
  clockJumps: 0.2,
  interrupts: 0.05,
  storeFailures: 0.005,
  outages: 200,
  restarts: 0.5,
  secrets: 20,
  revocations: 8,
  disconnects: 4,
  consents: 8,
  endedTokens: 20
}

const servers = {
  strict: {},
  lenient: { reuseRevokesGrant: false, refreshEndsAccessToken: false },
  graceful: { graceMillis: 60_000 }
} as const

const year: Simulation.Options = { seed: 3, grants: 6, days: 220, processes: 5, rates }

describe("a year", () => {
  for (const [name, server] of Object.entries(servers)) {
    it.effect(`breaks no rule and loses what it has to, with a ${name} server`, () =>
      Effect.gen(function* () {
        const report = yield* Simulation.run({ ...year, server })
        expect(report).toMatchObject({ rulesBroken: 0, violations: [] })
        expect(report.grantsUnrecoverable).toBeGreaterThan(0)
        expect(report.grantsLost).toBe(report.grantsUnrecoverable)
        expect(report.grantsLostNeedlessly).toBe(0)
        expect(report.tokenRequests).toBeGreaterThanOrEqual(report.leastTokenRequests)
        expect(report.leastAppTokenRequests).toBeGreaterThan(0)
        expect(report.appTokenRequests).toBeGreaterThanOrEqual(report.leastAppTokenRequests)
        // Every fault was injected.
        expect(Object.keys(report.faults)).toHaveLength(36)
      })
    )
  }

  it.effect(
    "in which nothing goes wrong fails no call, loses no grant, and asks for hardly more tokens than it needs",
    () =>
      Effect.gen(function* () {
        const nothing = Object.fromEntries(Object.keys(rates).map((name) => [name, 0]))
        const report = yield* Simulation.run({
          ...year,
          rates: { ...nothing, calls: 3, appCalls: 1, clientIdCalls: 1, bursts: 0.1 }
        })
        expect(report).toMatchObject({
          failedCalls: 0,
          grantsLost: 0,
          grantsUnrecoverable: 0,
          rulesBroken: 0,
          faults: {}
        })
        expect(report.tokenRequests / report.leastTokenRequests).toBeLessThan(1.03)
      })
  )

  it.effect("is the same for the same seed, and another for another", () =>
    Effect.gen(function* () {
      const short: Simulation.Options = { ...year, days: 60 }
      const report = yield* Simulation.run(short)
      expect(JSON.stringify(yield* Simulation.run(short))).toBe(JSON.stringify(report))
      expect(yield* Simulation.run({ ...short, seed: 2 })).not.toEqual(report)
    })
  )

  it.effect("reports each day", () =>
    Effect.gen(function* () {
      const days: Array<number> = []
      yield* Simulation.run({ ...year, days: 3, onDay: (day) => days.push(day) })
      expect(days).toEqual([1, 2, 3])
    })
  )
})
