/**
 * Decides when an API call is retried.
 *
 * A request is retried only if repeating it is harmless, or if it was certainly not carried out:
 *
 * - GET, HEAD, PUT and DELETE are idempotent (RFC 9110 section 9.2.2): after a 5xx or a transport error.
 * - Any method after a 429 with `Retry-After`: Zapier documents that a request beyond the limit is refused. A 503 proves
 *   less: a gateway may send it after passing the request on, so POST and PATCH are not retried.
 *
 * `Retry-After` is obeyed; a 429 without it means the documented minute. Otherwise the pause doubles each time.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { HttpClientError } from "effect/http/HttpClientError"
import { isHttpClientError } from "effect/http/HttpClientError"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as TokenOutcome from "../oauth/TokenOutcome.ts"
import type { ZapierAuthError } from "../ZapierAuthError.ts"
import * as BoundedBody from "./boundedBody.ts"

export interface Policy {
  /** The maximum number of retries. */
  readonly times: number
  /** How long after the first attempt a retry may begin, in milliseconds. */
  readonly within: number
}

type Outcome = Result.Result<HttpClientResponse, HttpClientError | ZapierAuthError>

const idempotent: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "DELETE"])

const firstPause = 500

const longestPause = 20_000

// Half of the pause is fixed, so that it is never zero.
const backOff = (tried: number) =>
  Effect.map(Random.next, (random) => Math.min(firstPause * 2 ** tried, longestPause) * (0.5 + random / 2))

/** The response of an outcome, even if the client fails for its status. */
export const responseOf = (outcome: Outcome): HttpClientResponse | undefined =>
  Result.isSuccess(outcome)
    ? outcome.success
    : isHttpClientError(outcome.failure) && outcome.failure.reason._tag === "StatusCodeError"
      ? outcome.failure.reason.response
      : undefined

const isTransport = (outcome: Outcome) =>
  Result.isFailure(outcome) && isHttpClientError(outcome.failure) && outcome.failure.reason._tag === "TransportError"

// The pause before the next attempt, or `undefined` for none.
const pauseAfter = Effect.fnUntraced(function* (method: string, outcome: Outcome, tried: number, now: number) {
  const response = responseOf(outcome)
  const isIdempotent = idempotent.has(method)
  if (response === undefined) return isIdempotent && isTransport(outcome) ? yield* backOff(tried) : undefined
  const asked = TokenOutcome.retryAfter(response.headers, now)
  if (response.status === 429) {
    if (asked !== undefined) return asked
    return isIdempotent ? TokenOutcome.coolDown : undefined
  }
  if (response.status < 500 || !isIdempotent) return undefined
  return asked !== undefined && response.status === 503 ? asked : yield* backOff(tried)
})

/** Sends a request, and retries it as the policy allows. */
export const run = Effect.fnUntraced(function* <R>(
  policy: Policy,
  method: string,
  send: Effect.Effect<HttpClientResponse, HttpClientError | ZapierAuthError, R>
): Effect.fn.Return<Outcome, never, R> {
  const began = yield* Clock.currentTimeMillis
  for (let tried = 0; ; tried++) {
    const outcome = yield* Effect.result(send)
    if (tried >= policy.times) return outcome
    const now = yield* Clock.currentTimeMillis
    const pause = yield* pauseAfter(method, outcome, tried, now)
    if (pause === undefined || now + pause > began + policy.within) return outcome
    const response = responseOf(outcome)
    if (response !== undefined) yield* BoundedBody.discard(response)
    yield* Effect.sleep(pause)
  }
})
