/**
 * The reasons that callers are given when a token request did not end with tokens.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import {
  ClientRejected,
  MalformedResponse,
  RateLimited,
  type Reason,
  ServiceUnavailable,
  TokenRequestRefused,
  TransportFailed
} from "../ZapierAuthError.ts"
import type { TokenOutcome } from "./TokenOutcome.ts"

/**
 * The reason that an outcome is, if it is one. A request that no time was left for may be tried anew.
 *
 * @param by `refused` is told for `invalid_grant`, `unknown` where the response was lost
 *
 * @since 0.1.0
 */
export const toReason = (
  outcome: TokenOutcome,
  by: { readonly refused: Reason; readonly unknown: Reason }
): Reason | undefined => {
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
    case "NotTried":
      return outcome.reason
    case "Granted":
      return undefined
  }
}
