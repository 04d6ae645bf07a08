/**
 * Faults between the fake and its clients, as data: they can be written in a test, drawn, encoded to JSON and sent to a
 * fake that runs elsewhere.
 *
 * `TokenRequestFault` uses the same names for the same faults. Those are what a simulation does to token requests and
 * processes; these are what a server and a connection do to any request, with their parameters.
 *
 * @example
 * ```ts
 * import * as FakeFault from "@zapier-workflow-auth/testing/fake/FakeFault"
 * import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
 *
 * const faults: ReadonlyArray<FakeFault.Rule> = [
 *   // The server carries out Ada's second refresh, but the response is lost.
 *   { fault: { _tag: "ResponseLost" }, match: { grantType: "refresh_token", user: "ada@example.com" }, nth: 2 },
 *   // One in fifty of all other requests gets 503.
 *   { fault: { _tag: "Unavailable", retryAfter: 5 }, share: 0.02 },
 *   // An endpoint that always rejects the token.
 *   { fault: { _tag: "Unauthorized" }, match: { endpoint: "GET /v2/zap-runs" }, times: "Always" }
 * ]
 *
 * FakeZapier.layer({ faults })
 * ```
 *
 * @since 0.1.0
 */
import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
import * as Schema from "effect/Schema"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

const Positive = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))

// At most a day, so that no fault hangs a test for ever.
const Millis = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 86_400_000 }))

const afterActing = Schema.optionalKey(Schema.Boolean)

/**
 * A fault of one request.
 *
 * - `RequestLost`: the connection is closed before the server has seen the request.
 * - `RequestSilent`: the request never arrives, and the client gets no error: it waits until it gives up.
 * - `ResponseLost`: the server acts, and the connection is closed before the response arrives.
 * - `ResponseSilent`: the server acts, and no response ever arrives.
 * - `ResponseSlow`: the server acts, and the response arrives `millis` milliseconds later.
 * - `ConnectionReset`: the connection is reset, before the server has seen the request or, `afterActing`, after it has
 *   acted.
 * - `ServerError`: the page of a gateway, with a status from 500 to 599, instead of a response; or, `afterActing`, in
 *   place of the server's response.
 * - `Unavailable`: 503 with `Retry-After`, in seconds. Default: 30.
 * - `RateLimited`: 429 with `Retry-After`, in seconds, whatever the rates are. The server has not acted. Default: 60.
 * - `Unauthorized`: 401, whatever the credential is. The server has not acted.
 * - `Forbidden`: 403, whatever the token's scopes are. The server has not acted.
 * - `Redirected`: redirects to another origin, whose name does not resolve, with a `status` of 301, 302, 303, 307 or
 *   308. The server has not acted, and a client must not follow with its credential. Default: 302.
 * - `MalformedJson`: the response lacks its last character, but looks complete.
 * - `WrongTypes`: members of the response have other types: text becomes a number, everything else text. `members`
 *   replaces them with the given values.
 * - `TruncatedBody`: the connection is closed after `bytes` bytes of the body, although the headers promise more.
 *   Default: half of it.
 * - `WrongContentType`: the same response under another `Content-Type`. Default: `text/html`.
 * - `ClockJump`: the fake's clock jumps by `millis` milliseconds, forward or back, before the server sees the request.
 *
 * @since 0.1.0
 */
export const Fault = Schema.TaggedUnion({
  RequestLost: {},
  RequestSilent: {},
  ResponseLost: {},
  ResponseSilent: {},
  ResponseSlow: { millis: Millis },
  ConnectionReset: { afterActing },
  ServerError: { status: Schema.Int.check(Schema.isBetween({ minimum: 500, maximum: 599 })), afterActing },
  Unavailable: { retryAfter: Schema.optionalKey(Count), afterActing },
  RateLimited: { retryAfter: Schema.optionalKey(Count) },
  Unauthorized: {},
  Forbidden: {},
  Redirected: { status: Schema.optionalKey(Schema.Literals([301, 302, 303, 307, 308])) },
  MalformedJson: {},
  WrongTypes: { members: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json)) },
  TruncatedBody: { bytes: Schema.optionalKey(Count) },
  WrongContentType: {
    contentType: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/)))
  },
  ClockJump: { millis: Schema.Int }
})

/**
 * @since 0.1.0
 */
export type Fault = typeof Fault.Type

/**
 * A fault of each kind, for tests that go through all of them.
 *
 * @since 0.1.0
 */
export const ofEachKind: ReadonlyArray<Fault> = [
  { _tag: "RequestLost" },
  { _tag: "RequestSilent" },
  { _tag: "ResponseLost" },
  { _tag: "ResponseSilent" },
  { _tag: "ResponseSlow", millis: 10_000 },
  { _tag: "ConnectionReset" },
  { _tag: "ServerError", status: 502 },
  { _tag: "Unavailable" },
  { _tag: "RateLimited" },
  { _tag: "Unauthorized" },
  { _tag: "Forbidden" },
  { _tag: "Redirected" },
  { _tag: "MalformedJson" },
  { _tag: "WrongTypes" },
  { _tag: "TruncatedBody" },
  { _tag: "WrongContentType" },
  { _tag: "ClockJump", millis: 60_000 }
]

/**
 * The target of a request: the token endpoint, the consent page, the Connect page, an endpoint of the table by its
 * name, or a path.
 *
 * @since 0.1.0
 */
export const Target = Schema.Union([
  Schema.Literals(["token", "authorize", "connect"]),
  Schema.Literals(Endpoint.names),
  Schema.TemplateLiteral(["/", Schema.String])
])

/**
 * @since 0.1.0
 */
export type Target = typeof Target.Type

/**
 * The grant types of token requests.
 *
 * @since 0.1.0
 */
export const GrantType = Schema.Literals([
  "authorization_code",
  "refresh_token",
  "client_credentials",
  "urn:ietf:params:oauth:grant-type:token-exchange"
])

/**
 * @since 0.1.0
 */
export type GrantType = typeof GrantType.Type

/**
 * Selects requests: those for which every given member holds.
 *
 * - `grantType`: the grant type of a token request
 * - `user`: the e-mail address of the user who owns the code or token, or who decides on the consent page; for a White
 *   Label user, the partner's id of the user
 *
 * @since 0.1.0
 */
export const Match = Schema.Struct({
  endpoint: Schema.optionalKey(Target),
  grantType: Schema.optionalKey(GrantType),
  user: Schema.optionalKey(Schema.String)
})

/**
 * @since 0.1.0
 */
export type Match = typeof Match.Type

/**
 * When a fault is injected. Rules are tried in order, and the first that applies is the only one: later rules do not
 * see the request. The fake keeps the rest of a rule: `nth` and `times` count down, and a finished rule is removed.
 *
 * - `match`: default: every request
 * - `nth`: the first request to affect, among those that match and that no earlier rule affected. Default: 1
 * - `share`: affects this share of them, from 0 to 1, drawn from the fake's seed: the same seed and the same requests
 *   give the same faults. Default: 1
 * - `times`: how often it is injected. Default: once, or, with a `share`, `Always`
 *
 * @since 0.1.0
 */
export const Rule = Schema.Struct({
  fault: Fault,
  match: Schema.optionalKey(Match),
  nth: Schema.optionalKey(Positive),
  share: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))),
  times: Schema.optionalKey(Schema.Union([Positive, Schema.Literal("Always")]))
})

/**
 * @since 0.1.0
 */
export type Rule = typeof Rule.Type
