/** What callers are told when a token request did not end with tokens. */
import * as Duration from "effect/Duration"
import type { TokenOutcome } from "../TokenOutcome.ts"
import {
  ClientRejected,
  MalformedResponse,
  RateLimited,
  type Reason,
  ServiceUnavailable,
  TokenRequestRefused,
  TransportFailed
} from "../ZapierAuthError.ts"

/** `refused` is told for `invalid_grant`, `unknown` where nobody knows what came of the request. */
export const failureOf = (
  outcome: Exclude<TokenOutcome, { readonly _tag: "Granted" }>,
  by: { readonly refused: Reason; readonly unknown: Reason }
): Reason => {
  switch (outcome._tag) {
    case "InvalidGrant":
      return by.refused
    case "NoAnswer":
      return by.unknown
    case "InvalidClient":
      return new ClientRejected({})
    case "Refused":
      return new TokenRequestRefused({ error: outcome.error })
    case "RateLimited":
      return new RateLimited({ retryAfter: Duration.millis(outcome.retryAfter) })
    case "Unavailable":
      return new ServiceUnavailable({
        status: outcome.status,
        ...(outcome.retryAfter === undefined ? {} : { retryAfter: Duration.millis(outcome.retryAfter) })
      })
    case "Malformed":
      return new MalformedResponse({ status: outcome.status, problem: outcome.problem })
    case "NotSent":
      return new TransportFailed({ code: outcome.code })
  }
}

/** When the next request may be sent, in milliseconds since the epoch. */
export const notBefore = (outcome: TokenOutcome, now: number): number => {
  const pause = outcome._tag === "RateLimited" || outcome._tag === "Unavailable" ? outcome.retryAfter : undefined
  return pause === undefined ? 0 : now + pause
}

/** Whether the server may have acted on a request although it did not say so. */
export const mayHaveActed = (outcome: TokenOutcome): boolean =>
  outcome._tag === "NoAnswer" ||
  outcome._tag === "Unavailable" ||
  (outcome._tag === "Malformed" && outcome.status >= 200 && outcome.status < 300)
