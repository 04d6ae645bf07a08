/**
 * The reasons for callers when a token request ends without tokens.
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
 * Converts an outcome to a reason. `undefined` if it has none: tokens, or no time left for the request.
 *
 * @param by the reasons for `invalid_grant` (`refused`) and for a lost response (`unknown`)
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
