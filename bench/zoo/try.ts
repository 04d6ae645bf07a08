/** Checks one app of the zoo. */
import { performance } from "node:perf_hooks"
import * as Scenario from "@zapier-workflow-auth/testing/Scenario"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { bugs } from "./bugs.ts"
import type { Case } from "./case.ts"
import { correct } from "./correct.ts"

/** An app of the zoo by name, and how to check it. */
export interface Order {
  readonly name: string
  readonly runs: number
  readonly seed: number
}

/** The result. */
export interface Outcome extends Order {
  /** The broken rule. */
  readonly rule: string | undefined
  readonly steps: number
  readonly ms: number
  /** The report, or the reason why there is none. */
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
  if (found === undefined) throw new Error(`The zoo has no app called ${order.name}.`)
  const { runs, seed } = order
  const began = performance.now()
  const exit = await Effect.runPromiseExit(found.check({ runs, seed }))
  return { ...order, ...failureOf(exit), ms: Math.round(performance.now() - began) }
}
