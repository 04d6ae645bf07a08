/**
 * How long no token request is sent for a key after a failure that only time resolves.
 *
 * The server's own value counts if it is at least a second. Otherwise the pause doubles with each failure in a row: 1 s,
 * 2 s, 4 s, up to 30 s. It is kept in the record, so that it holds for all processes and callers.
 *
 * Sources: RFC 9110 section 10.2.3 (`Retry-After`), RFC 6585 section 4 (429).
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as TokenFailure from "../oauth/TokenFailure.ts"
import * as TokenOutcome from "../oauth/TokenOutcome.ts"
import * as Tokens from "../oauth/Tokens.ts"
import type { Reason } from "../ZapierAuthError.ts"

/**
 * The failure that caused a pause.
 *
 * - `RateLimited`: 429
 * - `Unavailable`: 5xx
 * - `Malformed`: a response that could not be understood
 * - `NotSent`: the token endpoint was not reached
 * - `NoResponse`: the response was lost, or did not arrive in time
 *
 * @since 0.1.0
 */
export const Cause = /* @__PURE__ */ Schema.TaggedUnion({
  RateLimited: {},
  Unavailable: { status: Schema.Int },
  Malformed: { status: Schema.Int, problem: Schema.String },
  NotSent: { code: Schema.String },
  NoResponse: {}
})

/**
 * @since 0.1.0
 */
export type Cause = typeof Cause.Type

/**
 * A period without token requests.
 *
 * - `until`: no request is sent before it
 * - `failures`: how many requests have failed in a row
 *
 * @since 0.1.0
 */
export const Pause = /* @__PURE__ */ Schema.Struct({ until: Tokens.Instant, failures: Schema.Int, cause: Cause })

/**
 * @since 0.1.0
 */
export type Pause = typeof Pause.Type

/**
 * A failed request: its cause and the pause that the server asked for, in milliseconds, if any.
 *
 * @since 0.1.0
 */
export const Failure = /* @__PURE__ */ Schema.Struct({
  cause: Cause,
  retryAfter: /* @__PURE__ */ Schema.optionalKey(Schema.Finite)
})

/**
 * @since 0.1.0
 */
export type Failure = typeof Failure.Type

const first = 1_000
const longest = 30_000

/**
 * Converts an outcome to a failure, or to `undefined` if waiting cannot resolve it.
 *
 * @since 0.1.0
 */
export const failureOf = (outcome: TokenOutcome.TokenOutcome): Failure | undefined => {
  switch (outcome._tag) {
    case "RateLimited":
      return { cause: { _tag: "RateLimited" }, retryAfter: outcome.retryAfter }
    case "Unavailable": {
      const { retryAfter, status } = outcome
      return { cause: { _tag: "Unavailable", status }, ...(retryAfter === undefined ? {} : { retryAfter }) }
    }
    case "Malformed": {
      const { problem, status } = outcome
      return { cause: { _tag: "Malformed", status, problem } }
    }
    case "NotSent":
    case "NoResponse":
      return { cause: outcome }
    default:
      return undefined
  }
}

/**
 * The pause after one more failure.
 *
 * @param previous the pause before the request, if any
 * @param now milliseconds since the epoch
 *
 * @since 0.1.0
 */
export const after = (previous: Pause | undefined, { cause, retryAfter }: Failure, now: number): Pause => {
  const failures = (previous?.failures ?? 0) + 1
  const grown = Math.min(longest, first * 2 ** (failures - 1))
  const isSaid = retryAfter !== undefined && retryAfter >= first
  return { until: now + (isSaid ? retryAfter : grown), failures, cause }
}

/**
 * True while no request may be sent. Ignored when further ahead than the longest pause: the clock went back.
 *
 * @param now milliseconds since the epoch
 *
 * @since 0.1.0
 */
export const isOn = (pause: Pause | undefined, now: number): pause is Pause =>
  pause !== undefined && pause.until > now && pause.until - now <= TokenOutcome.longestPause

/**
/**
 * The reason given to callers during the pause.
 *
 * @param by reasons for a refusal and for a lost response
 * @param now milliseconds since the epoch
 *
 * @since 0.1.0
 */
export const toReason = (
  { cause, until }: Pause,
  by: { readonly refused: Reason; readonly unknown: Reason },
  now: number
): Reason => {
  const retryAfter = Math.max(0, until - now)
  const outcome: TokenOutcome.TokenOutcome =
    cause._tag === "RateLimited" || cause._tag === "Unavailable" ? { ...cause, retryAfter } : cause
  return TokenFailure.toReason(outcome, by) ?? by.unknown
}
