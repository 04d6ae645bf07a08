/**
 * What may go wrong between the fake and its clients, as data: it can be written down in a test, drawn, encoded to JSON
 * and sent to a fake that runs elsewhere.
 *
 * `TokenRequestFault` has the same names where both mean the same. It is what a simulation does to token requests and to
 * processes; these are what a server and a connection do to any request, with their numbers.
 *
 * @example
 * ```ts
 * import * as FakeFault from "@zapier-workflow-auth/testing/fake/FakeFault"
 * import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
 *
 * const faults: ReadonlyArray<FakeFault.Rule> = [
 *   // Ada's second refresh is acted on, and nobody hears of it.
 *   { fault: { _tag: "ResponseLost" }, match: { grantType: "refresh_token", user: "ada@example.com" }, nth: 2 },
 *   // Of all other requests, one in fifty.
 *   { fault: { _tag: "Unavailable", retryAfter: 5 }, share: 0.02 },
 *   // An endpoint that refuses every token, and goes on to.
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

// A day, so that no fault outlives all patience.
const Millis = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 86_400_000 }))

const afterActing = Schema.optionalKey(Schema.Boolean)

/**
 * What goes wrong with one request.
 *
 * - `RequestLost`: the connection is closed before the server has seen the request.
 * - `RequestSilent`: the request never arrives, and nobody says so: the client waits until it gives up.
 * - `ResponseLost`: the server acts, and the connection is closed before its answer is there.
 * - `ResponseSilent`: the server acts, and nothing ever comes.
 * - `ResponseSlow`: the server acts, and its answer is there `millis` milliseconds later.
 * - `ConnectionReset`: the connection is reset, before the server has seen the request or, `afterActing`, after it has
 *   acted.
 * - `ServerError`: the page of a gateway, with a status from 500 to 599, instead of an answer, or, `afterActing`, in the
 *   place of what the server has answered.
 * - `Unavailable`: 503 with `Retry-After`, in seconds. Default: 30.
 * - `RateLimited`: 429 with `Retry-After`, in seconds, whatever the rates are. The server has not acted. Default: 60.
 * - `Unauthorized`: 401, whatever the credential is. The server has not acted.
 * - `Forbidden`: 403, whatever the credential is allowed. The server has not acted.
 * - `Redirected`: leads to another origin, which no name server knows, by a `status` of 301, 302, 303, 307 or 308. The
 *   server has not acted, and a client must not follow with its credential. Default: 302.
 * - `MalformedJson`: the answer lacks its last character, and says that it is whole.
 * - `WrongTypes`: members of the answer have other types: text becomes a number, all else text. `members` says which
 *   there are instead, and what they are.
 * - `TruncatedBody`: the connection is closed after so many bytes of the body, of which the headers promise more.
 *   Default: half of it.
 * - `WrongContentType`: the answer as it is, under another `Content-Type`. Default: `text/html`.
 * - `ClockJump`: the fake's clock jumps by `millis` milliseconds, ahead or back, before the server sees the request.
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
 * One of each kind, for tests that mean to go through all of them.
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
 * Where a request goes: the token endpoint, the consent page, the Connect page, an endpoint of the table by its name, or a path.
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
 * Which requests are meant: those of which everything is true that is stated.
 *
 * - `grantType`: of a token request
 * - `user`: the e-mail address of the user whose code or token it is, or who answers the consent page; of a White Label user,
 *   the id that the partner has for them
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
 * What strikes when. Rules are tried in their order, and the first that strikes is the only one: those after it do not
 * see the request. The fake keeps what is left of a rule: `nth` and `times` count down, and a rule that is used up is
 * gone.
 *
 * - `match`: default: every request
 * - `nth`: the first request to strike, of those that match and that the rules before it have left alone. Default: 1
 * - `share`: strikes so many of them, from 0 to 1, drawn from the fake's seed: the same seed and the same requests, the
 *   same faults. Default: 1
 * - `times`: how often it strikes. Default: once, or, with a `share`, `Always`
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
