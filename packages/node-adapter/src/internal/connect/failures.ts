/** What the app's owner is told of failures, and what clients are told to wait. What users are told is in `texts.ts`. */
import { from, isZapierAuthError, StoreFailed, type ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"

// What users are told to wait, in seconds.
const aMinute = 60

/** Seconds, where the status tells clients to try again. */
export const retryAfter = (reason: ZapierAuthError["reason"]): number | undefined => {
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
