/**
 * Describes an error to a web app's own clients: HTTP status, `Retry-After`, and problem details as JSON (RFC 9457).
 *
 * Everything comes from the reason. Messages for the app's owner or for the operators of its stores are left out, because
 * they may name settings and paths of the server.
 *
 * Source: RFC 9457 section 3, RFC 9110 section 10.2.3 (`Retry-After`).
 *
 * @example
 * ```ts
 * import * as ProblemDetails from "@zapier-workflow-auth/core/ProblemDetails"
 * import { ReconnectRequired } from "@zapier-workflow-auth/core/ZapierAuthError"
 *
 * const problem = ProblemDetails.make(new ReconnectRequired({ why: "Revoked" }))
 * const summary = [problem.status, problem.title, problem.needsReconnect]
 *
 * summary // => [409, "Reconnect required", true]
 * ```
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import type { Party } from "./ZapierAuthError.ts"

/**
 * The facts of an error: a reason of `ZapierAuthError`, or a plain value with the same members.
 *
 * `retryAfter` is a duration, or milliseconds.
 *
 * @since 0.1.0
 */
export interface Explained {
  readonly _tag: string
  readonly message: string
  readonly isRetryable: boolean
  readonly needsReconnect: boolean
  readonly blames: Party
  readonly httpStatus: number
  readonly retryAfter?: Duration.Input | undefined
}

/**
 * A problem details object. `reason`, `isRetryable` and `needsReconnect` come from the error.
 *
 * @since 0.1.0
 */
export interface ProblemDetails {
  /** `urn:zapier-workflow-auth:` and the name of the reason. */
  readonly type: string
  /** The same for all errors with this reason. */
  readonly title: string
  readonly status: number
  /** The message: what happened, and what to do next. Left out if only the app's owner can act. */
  readonly detail?: string
  readonly reason: string
  readonly isRetryable: boolean
  readonly needsReconnect: boolean
}

/**
 * The media type of problem details as JSON.
 *
 * @since 0.1.0
 */
export const mediaType = "application/problem+json"

// In seconds.
const aMinute = 60

/**
 * The value of `Retry-After` in whole seconds, or `undefined` for no header.
 *
 * It is the error's own value, or a minute for status 503 without one.
 *
 * @since 0.1.0
 */
export const retryAfter = ({
  httpStatus,
  retryAfter
}: Pick<Explained, "httpStatus" | "retryAfter">): number | undefined => {
  const seconds = retryAfter === undefined ? Infinity : Duration.toSeconds(Duration.fromInputUnsafe(retryAfter))
  // The header allows only whole numbers (RFC 9110 section 10.2.3).
  if (Number.isFinite(seconds)) return Math.max(0, Math.ceil(seconds))
  return httpStatus === 503 ? aMinute : undefined
}

const isForClients: { readonly [party in Party]: boolean } = {
  User: true,
  Zapier: true,
  Network: true,
  Caller: false,
  AppOwner: false,
  Store: false
}

// Turns "ReconnectRequired" into "Reconnect required".
const titleOf = (tag: string): string => tag.replace(/(?<=[a-z])[A-Z]/g, (capital) => ` ${capital.toLowerCase()}`)

/**
 * Makes the problem details of an error.
 *
 * @since 0.1.0
 */
export const make = (error: Explained): ProblemDetails => ({
  type: `urn:zapier-workflow-auth:${error._tag}`,
  title: titleOf(error._tag),
  status: error.httpStatus,
  ...(isForClients[error.blames] && { detail: error.message }),
  reason: error._tag,
  isRetryable: error.isRetryable,
  needsReconnect: error.needsReconnect
})
