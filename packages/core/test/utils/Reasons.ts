/** One error of each reason. */
import * as Duration from "effect/Duration"
import * as Errors from "../../src/ZapierAuthError.ts"

// A reason that is not here does not compile.
export const samples: { readonly [tag in Errors.Reason["_tag"]]: Extract<Errors.Reason, { readonly _tag: tag }> } = {
  IllegalTransition: new Errors.IllegalTransition({ machine: "UserGrant", state: "Absent", event: "Unheard" }),
  InvalidConfig: new Errors.InvalidConfig({
    setting: "redirectUri",
    problem: "give one of the application's redirect URIs, as text"
  }),
  RequestNotReplayable: new Errors.RequestNotReplayable({ method: "POST", path: "/v2/zaps" }),
  AppCodeFailed: new Errors.AppCodeFailed({
    option: "subject",
    operation: "identify the signed-in user",
    problem: "it failed with TypeError"
  }),
  Closed: new Errors.Closed({}),
  ConsentDenied: new Errors.ConsentDenied({}),
  ConsentExpired: new Errors.ConsentExpired({ what: "attempt" }),
  ExchangeOutcomeUnknown: new Errors.ExchangeOutcomeUnknown({}),
  ReconnectRequired: new Errors.ReconnectRequired({ why: "Revoked" }),
  ClientRejected: new Errors.ClientRejected({}),
  InsufficientScope: new Errors.InsufficientScope({ endpoint: "POST /v2/zaps", anyOf: ["zap:write"] }),
  AuthorizationRefused: new Errors.AuthorizationRefused({ error: "invalid_scope" }),
  TokenRequestRefused: new Errors.TokenRequestRefused({ error: "invalid_scope" }),
  RateLimited: new Errors.RateLimited({ retryAfter: Duration.seconds(60) }),
  ServiceUnavailable: new Errors.ServiceUnavailable({ status: 503, retryAfter: Duration.seconds(30) }),
  TransportFailed: new Errors.TransportFailed({ code: "ECONNREFUSED" }),
  RefreshOutcomeUnknown: new Errors.RefreshOutcomeUnknown({}),
  ResponsePending: new Errors.ResponsePending({ waited: Duration.seconds(20), of: "token" }),
  StateMismatch: new Errors.StateMismatch({ why: "AlreadyUsed" }),
  InvalidCallback: new Errors.InvalidCallback({ problem: "code appears more than once" }),
  UntrustedOrigin: new Errors.UntrustedOrigin({
    origin: "https://elsewhere.example",
    expected: "https://api.zapier.com"
  }),
  MalformedResponse: new Errors.MalformedResponse({ status: 200, problem: "it is not a JSON object" }),
  StoreFailed: new Errors.StoreFailed({ store: "grant store", operation: "read", problem: "it is locked" }),
  DecryptionFailed: new Errors.DecryptionFailed({ store: "grant store", problem: "UnknownKey", keyId: "k1" }),
  ApplicationUnavailable: new Errors.ApplicationUnavailable({ waited: Duration.seconds(20) }),
  StartFailed: new Errors.StartFailed({ failure: "SqlError" })
}
