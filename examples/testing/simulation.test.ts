import { expect, it } from "@effect/vitest"
import * as Simulation from "@zapier-workflow-auth/testing/Simulation"
import * as Effect from "effect/Effect"

// A month of an app with two processes and four deployments a day.
it.effect("deploying often loses no grant", () =>
  Effect.gen(function* () {
    const report = yield* Simulation.run({
      seed: 1,
      grants: 8,
      days: 30,
      processes: 2,
      rates: { ...Simulation.rates, restarts: 4 },
      settings: { expiryMargin: "10 minutes" }
    })
    expect(report.violations).toEqual([])
    expect(report.grantsLostNeedlessly).toBe(0)
    // A client that knows the future would send at least this many requests.
    expect(report.tokenRequests).toBeLessThan(report.leastTokenRequests * 1.1)
  })
)
