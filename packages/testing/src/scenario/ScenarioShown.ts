/**
 * What a user is shown, out of what an app's function ended with.
 *
 * @since 0.1.0
 */
import { isZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Cause from "effect/Cause"
import type * as Exit from "effect/Exit"
import type { Shown } from "./ScenarioSeen.ts"

const statusOf = (value: unknown): number | undefined =>
  typeof value === "object" && value !== null && "status" in value && typeof value.status === "number"
    ? value.status
    : undefined

const later: ReadonlySet<number> = new Set([429, 502, 503, 504])

const ofResponse = (response: {}, status: number): Shown => {
  if (status < 400) return "Data"
  // What an `HttpClient` was answered is Zapier's, and no page of the app.
  return later.has(status) || "request" in response ? "TryLater" : "Broken"
}

const asking = ["connect", "needsConnect", "reconnect", "needsReconnect"]

// Some say in a value, not in an error, that a user has to connect.
const asksToConnect = (value: unknown) =>
  typeof value === "object" &&
  value !== null &&
  asking.some((name) => name in value && (value as { readonly [name: string]: unknown })[name] === true)

const ofError = (error: unknown): Shown => (isZapierAuthError(error) && error.needsReconnect ? "Connect" : "TryLater")

/**
 * What is shown unless an app says more.
 *
 * A success is `Data`, unless it is a response of HTTP whose status says otherwise: 429, 502, 503 and 504 are `TryLater`,
 * other errors of the app `Broken`, of Zapier `TryLater`; or a value that says so with `connect`, `needsConnect`, `reconnect`
 * or `needsReconnect`, which is `Connect`. An error is `Connect` if it is one of the library's that needs that, and else `TryLater`. A defect is
 * `Broken`.
 *
 * @param asksToReconnect whether an error of the app's own tells a user to connect again
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
