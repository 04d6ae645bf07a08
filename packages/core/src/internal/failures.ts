/** What callers are told when a token request did not end with tokens. */
import * as Duration from "effect/Duration"
import type { TokenOutcome } from "../oauth/TokenOutcome.ts"
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
    case "NoResponse":
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
