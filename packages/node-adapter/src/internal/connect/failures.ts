/** What a user is told, and by which status, when connecting did not work. What the app's owner has to do is in the error. */
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Duration from "effect/Duration"

type Reason = ZapierAuthError["reason"]

interface Told {
  readonly status: number
  readonly title: string
  readonly words: string
}

const again = (status: number, words: string): Told => ({ status, title: "Zapier is not connected", words })

const later = (status: number) => again(status, "Zapier cannot be reached right now. Please try again in a minute.")

const ours = again(500, "Something is wrong on our side. Please try again later, or tell us.")

export const told = (reason: Reason): Told => {
  switch (reason._tag) {
    case "ConsentDenied":
      return again(403, "You did not allow access, so nothing was changed.")
    case "ConsentExpired":
      return again(400, "That took too long, and Zapier's answer is no longer good. Please try again.")
    case "StateMismatch":
      return again(
        400,
        "This page has been used before, or was not begun in this browser and by you, so nothing was changed. If Zapier is not connected yet, please try again."
      )
    case "InvalidCallback":
      return again(400, "Zapier's answer is not complete, so nothing was changed. Please try again.")
    case "ExchangeOutcomeUnknown":
      return again(
        502,
        reason.status === undefined
          ? "Zapier's answer was lost on the way. Please try again."
          : "Zapier could not finish connecting. Please try again."
      )
    case "RateLimited":
      return later(503)
    case "ServiceUnavailable":
    case "TransportFailed":
    case "RefreshOutcomeUnknown":
      return later(502)
    case "MalformedResponse":
      return again(502, "Zapier's answer could not be understood. Please try again in a minute.")
    case "ResponsePending":
      return again(503, "Zapier takes longer than usual to respond. Please try again in a minute.")
    case "ApplicationUnavailable":
    case "Closed":
      return again(503, "This app cannot connect to Zapier right now. Please try again in a minute.")
    case "StoreFailed":
      return again(503, "We could not save the connection right now. Please try again in a minute.")
    default:
      return ours
  }
}

/** Seconds, where it is known. */
export const retryAfter = (reason: Reason): number | undefined =>
  "retryAfter" in reason && reason.retryAfter !== undefined
    ? Math.ceil(Duration.toSeconds(reason.retryAfter))
    : undefined
