/**
 * Classifies what a user sees by how an app's function ended.
 *
 * @since 0.1.0
 */
import { isZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Cause from "effect/Cause"
import type * as Exit from "effect/Exit"
import type { Shown } from "./ScenarioHistory.ts"

const statusOf = (value: unknown): number | undefined =>
  typeof value === "object" && value !== null && "status" in value && typeof value.status === "number"
    ? value.status
    : undefined

const later: ReadonlySet<number> = new Set([429, 502, 503, 504])

const ofResponse = (response: {}, status: number): Shown => {
  if (status < 400) return "Data"
  // A response in an `HttpClient` came from Zapier, and is not a page of the app.
  return later.has(status) || "request" in response ? "TryLater" : "Broken"
}

const asking = ["connect", "needsConnect", "reconnect", "needsReconnect"]

// Some apps return a value, not an error, to ask a user to connect.
const asksToConnect = (value: unknown) =>
  typeof value === "object" &&
  value !== null &&
  asking.some((name) => name in value && (value as { readonly [name: string]: unknown })[name] === true)

const ofError = (error: unknown): Shown => (isZapierAuthError(error) && error.needsReconnect ? "Connect" : "TryLater")

/**
 * Classifies an exit, unless the app does so itself.
 *
 * A success is `Data`, with two exceptions. An HTTP response counts by its status: 429, 502, 503 and 504 are
 * `TryLater`, other errors of the app `Broken`, of Zapier `TryLater`. A value with `connect`, `needsConnect`,
 * `reconnect` or `needsReconnect` is `Connect`. An error is `Connect` if it is one of the library's that requires
 * reconnecting, and otherwise `TryLater`. A defect is `Broken`.
 *
 * @param asksToReconnect returns true if an error of the app's own asks a user to connect again
 *
 * @example
 * ```ts
 * import * as ScenarioShown from "@zapier-workflow-auth/testing/scenario/ScenarioShown"
 * import * as Exit from "effect/Exit"
 *
 * ScenarioShown.byDefault(Exit.succeed(["a Zap"])) // => "Data"
 * ScenarioShown.byDefault(Exit.succeed({ status: 503 })) // => "TryLater"
 * ScenarioShown.byDefault(Exit.die("a bug")) // => "Broken"
 * ```
 *
 * @since 0.1.0
 */
export const byDefault = (
  exit: Exit.Exit<unknown, unknown>,
  asksToReconnect: (error: unknown) => boolean = () => false
): Shown => {
  if (exit._tag === "Success") {
    if (asksToConnect(exit.value)) return "Connect"
    const status = statusOf(exit.value)
    return status === undefined ? "Data" : ofResponse(exit.value as {}, status)
  }
  if (exit.cause.reasons.some(Cause.isDieReason)) return "Broken"
  const failed = exit.cause.reasons.find(Cause.isFailReason)
  if (failed === undefined) return "Broken"
  return asksToReconnect(failed.error) ? "Connect" : ofError(failed.error)
}
