/**
 * Lets a `Driver` drive a consent attempt: exchange its code, then store the tokens.
 *
 * @since 0.1.0
 */
import * as TokenFailure from "../oauth/TokenFailure.ts"
import * as TokenOutcome from "../oauth/TokenOutcome.ts"
import type { TokenRequest } from "../oauth/TokenRequest.ts"
import type * as Tokens from "../oauth/Tokens.ts"
import type * as Settings from "../Settings.ts"
import {
  AuthorizationRefused,
  ConsentDenied,
  ConsentExpired,
  ExchangeOutcomeUnknown,
  type Reason,
  ResponsePending,
  StateMismatch
} from "../ZapierAuthError.ts"
import * as ConsentAttempt from "./ConsentAttempt.ts"
import type { Driven, Order, DriverOutcome } from "./DriverState.ts"

/**
 * A request of a consent attempt: exchange the code, or store the grant.
 *
 * @since 0.1.0
 */
export type Request =
  | {
      readonly _tag: "Exchange"
      readonly stateDigest: string
      readonly subject: string
      readonly request: TokenRequest
    }
  | {
      readonly _tag: "StoreGrant"
      readonly stateDigest: string
      readonly subject: string
      readonly tokens: Tokens.Tokens
    }

/**
 * The outcome of a request: a token outcome, or that of storing the grant.
 *
 * @since 0.1.0
 */
export type Outcome =
  | TokenOutcome.TokenOutcome
  | { readonly _tag: "Stored" }
  | { readonly _tag: "NotStored"; readonly reason: Reason }

const reasons = { refused: new ConsentExpired({ what: "code" }), unknown: new ExchangeOutcomeUnknown({}) }

const tell = (reason: Reason | undefined): Order<Request> => ({ _tag: "Tell", reason })

const order =
  (responseTimeout: number) =>
  (command: ConsentAttempt.Command, now: number): Order<Request> => {
    switch (command._tag) {
      case "ExchangeCode": {
        const { code, codeVerifier, deadline, redirectUri, scopes, stateDigest, subject } = command
        const request: TokenRequest = { _tag: "AuthorizationCode", code, codeVerifier, redirectUri, scopes }
        const about = { family: stateDigest, generation: 0 }
        const exchange: Request = { _tag: "Exchange", stateDigest, subject, request }
        return { _tag: "Send", about, request: exchange, deadline: Math.min(deadline, now + responseTimeout) }
      }
      case "StoreGrant": {
        const { stateDigest, subject, tokens } = command
        const about = { family: stateDigest, generation: 0 }
        const store: Request = { _tag: "StoreGrant", stateDigest, subject, tokens }
        // The grant's own driver ends this.
        return { _tag: "Send", about, request: store, deadline: Infinity, completes: true }
      }
      case "RefuseCallback":
        return tell(new StateMismatch({ why: command.why }))
      case "ReportExpired":
        return tell(new ConsentExpired({ what: "attempt" }))
      case "ReportDenied":
        return tell(new ConsentDenied({}))
      case "ReportRefused":
        return tell(new AuthorizationRefused({ error: command.error }))
      case "ReportConnected":
        return tell(undefined)
      case "ReportFailure":
        return { _tag: "Report" }
    }
  }

const failure = (why: ConsentAttempt.Failure, reason: Reason | undefined) => {
  const event: ConsentAttempt.Event = { _tag: "ExchangeFailed", why }
  return { event, failure: reason }
}

const conclude = (request: Request, outcome: Outcome | DriverOutcome) => {
  switch (outcome._tag) {
    case "Granted": {
      const { stateDigest, subject } = request
      const event: ConsentAttempt.Event = { _tag: "TokensGranted", stateDigest, subject, tokens: outcome.tokens }
      return { event, failure: undefined }
    }
    case "Stored":
      return { event: { _tag: "GrantStored" } satisfies ConsentAttempt.Event, failure: undefined }
    case "NotStored":
      return failure("OutcomeUnknown", outcome.reason)
    case "NotTried":
      // No reason means that the code's two minutes were over.
      return failure("NotExchanged", outcome.reason ?? reasons.refused)
    case "NotSent":
      return failure("NotExchanged", TokenFailure.toReason(outcome, reasons))
    case "Unavailable":
      return failure("OutcomeUnknown", new ExchangeOutcomeUnknown({ status: outcome.status }))
    default:
      return failure(
        TokenOutcome.mayHaveActed(outcome) ? "OutcomeUnknown" : "CodeRefused",
        TokenFailure.toReason(outcome, reasons)
      )
  }
}

/**
 * A consent attempt, as a `Driven` machine.
 *
 * @since 0.1.0
 */
export const driven = (
  settings: Pick<Settings.Settings, "responseTimeout">,
  machine = ConsentAttempt.machine
): Driven<ConsentAttempt.State, ConsentAttempt.Event, ConsentAttempt.Command, Request, Outcome> => ({
  machine,
  store: "attempt store",
  none: ConsentAttempt.absent,
  idOf: () => undefined,
  pending: (waited) => new ResponsePending({ waited, of: "code" }),
  accessOf: () => undefined,
  concerns: () => true,
  demand: () => ({ _tag: "GrantStored" }),
  order: order(settings.responseTimeout),
  conclude: ({ request }, outcome) => conclude(request, outcome)
})
