/** What a user is told, and by which status, when connecting did not work. What the app's owner has to do is in the error. */
import { from, isZapierAuthError, StoreFailed, type ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"

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

// What users are told to wait, in seconds.
const aMinute = 60

/** Seconds, where the status tells clients to try again. */
export const retryAfter = (reason: Reason): number | undefined => {
  if ("retryAfter" in reason && reason.retryAfter !== undefined) return Math.ceil(Duration.toSeconds(reason.retryAfter))
  return reason.httpStatus === 503 ? aMinute : undefined
}

// The message of the app's error may hold anything.
const nameOf = (cause: unknown) => {
  if (Predicate.hasProperty(cause, "_tag") && typeof cause._tag === "string") return cause._tag
  return cause instanceof Error ? cause.name : typeof cause
}

/** The app could not say who is signed in. */
export const unknownUser = (cause: unknown): ZapierAuthError =>
  isZapierAuthError(cause)
    ? cause
    : from(
        new StoreFailed({
          store: "app's session store",
          operation: "say who is signed in",
          problem: `it failed with ${nameOf(cause)}`
        })
      )
