/** Checks one app of the zoo: what came of it. */
import { performance } from "node:perf_hooks"
import * as Scenario from "@zapier-workflow-auth/testing/Scenario"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { bugs } from "./bugs.ts"
import type { Case } from "./case.ts"
import { correct } from "./correct.ts"

/** An app of the zoo, by its name, and how it is to be checked. */
export interface Order {
  readonly name: string
  readonly runs: number
  readonly seed: number
}

/** What came of it. */
export interface Outcome extends Order {
  /** The rule that it was found to break. */
  readonly rule: string | undefined
  readonly steps: number
  readonly ms: number
  /** The report, or why there is none. */
  readonly message: string
}

const all = new Map<string, Case>([...bugs, ...correct].map((one) => [one.name, one]))

type Checked = Exit.Exit<Scenario.Checked, Scenario.ScenarioFailed>

const failureOf = (exit: Checked) => {
  if (exit._tag === "Success") return { rule: undefined, steps: 0, message: exit.value.notExercised.join(", ") }
  const error = exit.cause.reasons.find(Cause.isFailReason)?.error
  return error instanceof Scenario.ScenarioFailed
    ? { rule: error.rule, steps: error.steps.length, message: error.message }
    : { rule: "The app can be checked", steps: 0, message: Cause.pretty(exit.cause) }
}

export const carryOut = async (order: Order): Promise<Outcome> => {
  const found = all.get(order.name)
  if (found === undefined) throw new Error(`There is no ${order.name} in the zoo.`)
  const { runs, seed } = order
  const began = performance.now()
  const exit = await Effect.runPromiseExit(found.check({ runs, seed }))
  return { ...order, ...failureOf(exit), ms: Math.round(performance.now() - began) }
}
