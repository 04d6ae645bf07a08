/** What a user is told, and by which status, when connecting did not work. What the app's owner has to do is in the error. */
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Duration from "effect/Duration"

type Reason = ZapierAuthError["reason"]

interface Told {
  readonly status: number
  readonly title: string
  readonly words: string
}

const away = "Zapier cannot be reached right now. Please try again in a minute."

const ours = "Something is wrong on our side. Please try again later, or tell us."

const wordsOf = (reason: Reason): string => {
  switch (reason._tag) {
    case "ConsentDenied":
      return "You did not allow access, so nothing was changed."
    case "ConsentExpired":
      return "That took too long, and Zapier's answer is no longer good. Please try again."
    case "StateMismatch":
      return "This page has been used before, or was not begun in this browser and by you, so nothing was changed. If Zapier is not connected yet, please try again."
    case "InvalidCallback":
      return "Zapier's answer is not complete, so nothing was changed. Please try again."
    case "ExchangeOutcomeUnknown":
      return reason.status === undefined
        ? "Zapier's answer was lost on the way. Please try again."
        : "Zapier could not finish connecting. Please try again."
    case "RateLimited":
    case "ServiceUnavailable":
    case "TransportFailed":
    case "RefreshOutcomeUnknown":
      return away
    case "MalformedResponse":
      return "Zapier's answer could not be understood. Please try again in a minute."
    case "ResponsePending":
      return "Zapier takes longer than usual to respond. Please try again in a minute."
    case "ApplicationUnavailable":
    case "Closed":
      return "This app cannot connect to Zapier right now. Please try again in a minute."
    case "StoreFailed":
      return "We could not save the connection right now. Please try again in a minute."
    case "AuthorizationRefused":
      return reason.isRetryable ? away : ours
    default:
      return ours
  }
}

export const told = (reason: Reason): Told => ({
  status: reason.httpStatus,
  title: "Zapier is not connected",
  words: wordsOf(reason)
})

/** Seconds, where it is known. */
export const retryAfter = (reason: Reason): number | undefined =>
  "retryAfter" in reason && reason.retryAfter !== undefined
    ? Math.ceil(Duration.toSeconds(reason.retryAfter))
    : undefined
