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
      return again(502, "Zapier's answer was lost on the way. Please try again.")
    case "RateLimited":
      return later(503)
    case "ServiceUnavailable":
    case "TransportFailed":
    case "RefreshOutcomeUnknown":
    case "MalformedResponse":
      return later(502)
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

// What users are told to wait, in seconds.
const aMinute = 60

/** Seconds, where the status tells clients to try again. */
export const retryAfter = (reason: Reason): number | undefined => {
  if ("retryAfter" in reason && reason.retryAfter !== undefined) return Math.ceil(Duration.toSeconds(reason.retryAfter))
  return told(reason).status === 503 ? aMinute : undefined
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
