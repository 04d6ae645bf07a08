/**
 * `npm run simulate -- --frozen`: a hundred functions, each frozen as soon as it has responded, and thawed by its next
 * request minutes or days later, or killed instead. Zapier is slow at times, and callers hang up; there are no other
 * faults, so every lost grant was lost to freezing.
 *
 * - `waitUntil`: a function is frozen once the work that it began is stored, as with the option of that name
 * - `awaited`: the same without refreshing ahead: the app awaits `settled` before it responds
 * - `careless`: a function is frozen whatever is under way. This one may lose grants, which shows that the simulation
 *   can
 */
import * as Simulation from "@zapier-workflow-auth/testing/Simulation"
import * as Effect from "effect/Effect"
import { print, say } from "./report.ts"

const rates: Partial<Simulation.Rates> = {
  lost: 0,
  refused: 0,
  crashing: 0,
  pausing: 0,
  crashes: 0,
  pauses: 0,
  clockJumps: 0,
  storeFailures: 0,
  outages: 0,
  restarts: 0,
  secrets: 0,
  slow: 0.01,
  interrupts: 0.02
}

const ways = {
  waitUntil: { frozen: "WhenSettled" },
  awaited: { frozen: "WhenSettled", settings: { expiryMargin: 0 } },
  careless: { frozen: "AtOnce" }
} as const satisfies { readonly [way: string]: Pick<Simulation.Options, "frozen" | "settings"> }

type Sizes = Pick<Simulation.Options, "seed" | "grants" | "days" | "processes">

/** Runs it, and returns the exit code. */
export const run = async (sizes: Sizes): Promise<number> => {
  const simulate = async (way: keyof typeof ways) => {
    const { failures, violations, ...report } = await Effect.runPromise(
      Simulation.run({ ...sizes, rates, ...ways[way] })
    )
    for (const { observed, rule } of violations) say(`${way}: ${rule}: ${observed}`)
    const { calls, faults, grantsLost, rulesBroken } = report
    const frozen = `${faults["Freeze"] ?? 0} times frozen, ${faults["KillFrozen"] ?? 0} of them killed`
    say(`${way}: ${calls} calls, ${frozen}: ${grantsLost} grants lost, ${rulesBroken} rules broken`)
    return { ...report, failures }
  }
  const waitUntil = await simulate("waitUntil")
  const awaited = await simulate("awaited")
  const careless = await simulate("careless")
  const passed =
    careless.rulesBroken === 0 &&
    [waitUntil, awaited].every(({ grantsLost, rulesBroken }) => grantsLost === 0 && rulesBroken === 0)
  print({ scenario: "simulate-frozen", passed, ...sizes, rates, waitUntil, awaited, careless })
  return passed ? 0 : 1
}
