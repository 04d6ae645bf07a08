/** The type of a rule, and helpers for rules. */
import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
import * as Formatter from "effect/Formatter"
import type { Authorization, Exchange, Result, History } from "../../ScenarioHistory.ts"
import { errorLine } from "../timeline.ts"

/**
 * A rule for apps. `check` runs after every step and at the end, and returns what is wrong, if anything.
 *
 * @since 0.1.0
 */
export interface Rule {
  readonly name: string
  readonly check: (history: History) => string | undefined
}

export const first = <A>(
  all: ReadonlyArray<A>,
  check: (one: A, index: number) => string | undefined
): string | undefined => {
  for (const [index, one] of all.entries()) {
    const problem = check(one, index)
    if (problem !== undefined) return problem
  }
  return undefined
}

export const why = (exit: Result["exit"]) => {
  if (exit === undefined) return "nothing"
  return exit._tag === "Success" ? Formatter.format(exit.value) : errorLine(exit.cause)
}

export const overlaps = (result: Result, from: number, until: number) =>
  from <= result.endedAt && result.beganAt <= until

// A failure, and the time that an app has to recover from it.
export const troubleOf = ({ expected, troubles }: History, result: Result) =>
  troubles.find(({ from, until }) => overlaps(result, from, until + expected.recoversWithin))

const changes: ReadonlySet<Result["action"]> = new Set(["Consent", "Deny", "ComeBack", "Disconnect"])

// While a connection changes, a user may see either state.
export const isSettled = ({ results }: History, result: Result) =>
  result.before === result.after &&
  !results.some(
    (other) =>
      other !== result &&
      other.subject === result.subject &&
      changes.has(other.action) &&
      // A step ends before the next begins, perhaps in the same millisecond.
      other.step === result.step &&
      overlaps(other, result.beganAt, result.endedAt)
  )

export const connecting: ReadonlySet<Result["action"]> = new Set(["Consent", "ComeBack"])

export const endpointOf = ({ request }: Exchange) => request && Endpoint.match(request.method, request.path)

export const parameterOf = ({ url }: Authorization, name: string) =>
  URL.canParse(url) ? (new URL(url).searchParams.get(name) ?? undefined) : undefined
