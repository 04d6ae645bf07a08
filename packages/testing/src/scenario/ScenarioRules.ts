/**
 * Rules for any app, as checks of what is observable from outside. A rule that also holds inside the library has the
 * same name in `Invariants`.
 *
 * @example
 * ```ts
 * import type * as ScenarioRules from "@zapier-workflow-auth/testing/scenario/ScenarioRules"
 *
 * // A rule of your own: no user sees a defect.
 * export const neverDies: ScenarioRules.Rule = {
 *   name: "No user sees a defect",
 *   check: ({ results }) => {
 *     const died = results.find(({ exit }) => exit?._tag === "Failure" && exit.cause.reasons.some(({ _tag }) => _tag === "Die"))
 *     return died && `${died.action} died`
 *   }
 * }
 * ```
 *
 * @since 0.1.0
 */
import { showsTrueState, neverBreaks, letsUsersConnect, alwaysResponds } from "./internal/rules/shown.ts"
import { wastesNothing, keepsUsersApart, disconnectHolds, refreshesOnce } from "./internal/rules/tokens.ts"
import { sendsCodesOnce, drawsStates, bindsBrowsers, asksForEnough } from "./internal/rules/attempts.ts"
import { doesOnce, keepsRetryAfter, backsOff } from "./internal/rules/requests.ts"
import { keepsSecrets, keepsDataApart } from "./internal/rules/privacy.ts"
import type { Rule } from "./internal/rules/rule.ts"

export type { Rule } from "./internal/rules/rule.ts"
export {
  alwaysResponds,
  asksForEnough,
  backsOff,
  bindsBrowsers,
  disconnectHolds,
  doesOnce,
  drawsStates,
  keepsDataApart,
  keepsRetryAfter,
  keepsSecrets,
  keepsUsersApart,
  letsUsersConnect,
  neverBreaks,
  refreshesOnce,
  sendsCodesOnce,
  showsTrueState,
  wastesNothing
}

/**
 * All rules.
 *
 * @since 0.1.0
 */
export const all: ReadonlyArray<Rule> = [
  keepsUsersApart,
  disconnectHolds,
  refreshesOnce,
  sendsCodesOnce,
  drawsStates,
  bindsBrowsers,
  doesOnce,
  wastesNothing,
  keepsSecrets,
  keepsDataApart,
  showsTrueState,
  letsUsersConnect,
  neverBreaks,
  keepsRetryAfter,
  backsOff,
  asksForEnough,
  alwaysResponds
]
