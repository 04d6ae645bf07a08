/**
 * What may happen to a token request, and to the process that sends it.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * - `NotSent`: there is no connection, and the sender knows.
 * - `RequestLost`: the connection breaks before the server has seen the request.
 * - `RequestSilent`: the request never arrives, and nobody says so.
 * - `RequestLate`: the connection breaks or says nothing, and the request arrives when nobody expects it any more; the
 *   server acts.
 * - `ResponseLost`: the server acts, and the connection breaks before its answer is there.
 * - `AnswerSlow`: the server acts, and its answer comes after the request was cut off.
 * - `Unavailable`: the server answers 503 and has done nothing.
 * - `UnavailableAfterActing`: the server acts and answers 503.
 * - `RateLimited`: the server answers 429, with `Retry-After`.
 * - `CrashBeforeRequest`: the process ends between its claim and the request.
 * - `CrashInFlight`: it ends when the request has left; the server acts.
 * - `CrashBeforeCommit`: it ends when the answer is there, before it is stored.
 * - `CrashAfterCommit`: it ends when what came of the answer is stored, before it goes on.
 * - `StandstillBeforeClaim`: the process stands still for longer than a lease when it is about to claim.
 * - `StandstillBeforeRequest`: it does so between its claim and the request.
 * - `StandstillInFlight`: it does so when the request has left; the server acts, and its answer waits.
 * - `StandstillBeforeCommit`: it does so when the answer is there, before it is stored.
 *
 * @since 0.1.0
 */
export const Fault = Schema.Literals([
  "NotSent",
  "RequestLost",
  "RequestSilent",
  "RequestLate",
  "ResponseLost",
  "AnswerSlow",
  "Unavailable",
  "UnavailableAfterActing",
  "RateLimited",
  "CrashBeforeRequest",
  "CrashInFlight",
  "CrashBeforeCommit",
  "CrashAfterCommit",
  "StandstillBeforeClaim",
  "StandstillBeforeRequest",
  "StandstillInFlight",
  "StandstillBeforeCommit"
])

/**
 * @since 0.1.0
 */
export type Fault = typeof Fault.Type

/**
 * Whether it happens while the process claims the right to send the request, and not with the request itself.
 *
 * @example
 * ```ts
 * import * as Fault from "@zapier-workflow-auth/testing/Fault"
 *
 * Fault.isAtClaim("StandstillBeforeClaim") // => true
 * Fault.isAtClaim("ResponseLost") // => false
 * ```
 *
 * @since 0.1.0
 */
export const isAtClaim = (fault: Fault): boolean =>
  fault === "StandstillBeforeClaim" || fault === "StandstillBeforeRequest"
