/**
 * What may happen to a token request, and to the process that sends it, in a `Program` and a `Simulation`. A `FakeFault` is
 * what a server does to any request; where names are the same, both mean the same. Here some happen to the process, or need
 * one that goes on without a response, and how long things take is drawn.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * - `NotSent`: there is no connection, and the sender knows.
 * - `RequestLost`: the connection breaks before the server has seen the request.
 * - `RequestSilent`: the request never arrives, and the sender is not told.
 * - `RequestLate`: the connection breaks or falls silent, and the request arrives some time later; the server acts.
 * - `ResponseLost`: the server acts, and the connection breaks before its response arrives.
 * - `ResponseSilent`: the server acts, its response never arrives, and the sender is not told.
 * - `ResponseSlow`: the server acts, and its response arrives while the sender still listens, perhaps when its callers have
 *   given up.
 * - `ResponseLate`: the server acts, and its response arrives when the sender no longer listens.
 * - `Unavailable`: the server responds 503 and has done nothing.
 * - `UnavailableAfterActing`: the server acts and responds 503.
 * - `RateLimited`: the server responds 429, with `Retry-After`.
 * - `CrashBeforeRequest`: the process ends between its claim and the request.
 * - `CrashInFlight`: it ends when the request has left; the server acts.
 * - `CrashBeforeCommit`: it ends when the response is there, before it is stored.
 * - `CrashAfterCommit`: it ends when what came of the response is stored, before it goes on.
 * - `PauseBeforeClaim`: the process stands still when it is about to claim the right to send.
 * - `PauseBeforeRequest`: it does so between its claim and the request.
 * - `PauseInFlight`: it does so when the request has left; the server acts, and its response waits.
 * - `PauseBeforeCommit`: it does so when the response is there, before it is stored.
 *
 * A pause is longer than callers wait, than a process listens, or than a lease.
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
 * How an operation of a store fails. `Fails`: with an error at once. `Hangs`: without a word, for longer than
 * `storeTimeout`. `Done`: it was carried out all the same, one that hangs at any time.
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
 * Whether it happens while the process claims the right to send the request, and not with the request itself.
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
