/**
 * Faults of a token request, and of the process that sends it, in a `Program` and a `Simulation`. A `FakeFault` is what
 * a server does to any request; equal names mean the same. Some of these affect the process, or need one that continues
 * without a response, and their durations are drawn.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * - `NotSent`: no connection can be made, and the sender gets an error.
 * - `RequestLost`: the connection breaks before the server has seen the request.
 * - `RequestSilent`: the request never arrives, and the sender gets no error.
 * - `RequestLate`: the connection breaks or falls silent, and the request arrives later; the server acts.
 * - `ResponseLost`: the server acts, and the connection breaks before its response arrives.
 * - `ResponseSilent`: the server acts, its response never arrives, and the sender gets no error.
 * - `ResponseSlow`: the server acts, and its response arrives in time for the process, but perhaps too late for its
 *   callers.
 * - `ResponseLate`: the server acts, and its response arrives too late for the process.
 * - `Unavailable`: the server responds 503 without acting.
 * - `UnavailableAfterActing`: the server acts and responds 503.
 * - `RateLimited`: the server responds 429, with `Retry-After`.
 * - `CrashBeforeRequest`: the process dies between its claim and the request.
 * - `CrashInFlight`: it dies after the request was sent; the server acts.
 * - `CrashBeforeCommit`: it dies after the response arrived, before it is stored.
 * - `CrashAfterCommit`: it dies after the result was stored, before it continues.
 * - `PauseBeforeClaim`: the process is paused before it claims the right to send.
 * - `PauseBeforeRequest`: it is paused between its claim and the request.
 * - `PauseInFlight`: it is paused after the request was sent; the server acts, and its response waits.
 * - `PauseBeforeCommit`: it is paused after the response arrived, before it is stored.
 *
 * A pause is longer than callers wait, than a process waits for a response, or than a lease.
 *
 * @since 0.1.0
 */
export const TokenRequestFault = Schema.Literals([
  "NotSent",
  "RequestLost",
  "RequestSilent",
  "RequestLate",
  "ResponseLost",
  "ResponseSilent",
  "ResponseSlow",
  "ResponseLate",
  "Unavailable",
  "UnavailableAfterActing",
  "RateLimited",
  "CrashBeforeRequest",
  "CrashInFlight",
  "CrashBeforeCommit",
  "CrashAfterCommit",
  "PauseBeforeClaim",
  "PauseBeforeRequest",
  "PauseInFlight",
  "PauseBeforeCommit"
])

/**
 * @since 0.1.0
 */
export type TokenRequestFault = typeof TokenRequestFault.Type

/**
 * How an operation of a store fails. `Fails`: with an error at once. `Hangs`: without a result, for longer than
 * `storeTimeout`. `Done`: it was carried out anyway; if it hangs, at any time.
 *
 * @since 0.1.0
 */
export const StoreFailure = Schema.Literals([
  "ReadFails",
  "ReadHangs",
  "WriteFails",
  "WriteFailsDone",
  "WriteHangs",
  "WriteHangsDone"
])

/**
 * @since 0.1.0
 */
export type StoreFailure = typeof StoreFailure.Type

/**
 * True for a fault while the process claims the right to send, rather than of the request itself.
 *
 * @example
 * ```ts
 * import * as TokenRequestFault from "@zapier-workflow-auth/testing/simulation/TokenRequestFault"
 *
 * TokenRequestFault.isAtClaim("PauseBeforeClaim") // => true
 * TokenRequestFault.isAtClaim("ResponseLost") // => false
 * ```
 *
 * @since 0.1.0
 */
export const isAtClaim = (fault: TokenRequestFault): boolean =>
  fault === "PauseBeforeClaim" || fault === "PauseBeforeRequest"
