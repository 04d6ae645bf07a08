/**
 * Generators of responses, valid and invalid: of the token endpoint for `TokenOutcome.interpret` or a client of your
 * own, and the errors of the API.
 *
 * For successful responses of the API use the fake, which has the documented shapes.
 *
 * @example
 * ```ts
 * import * as TokenOutcome from "@zapier-workflow-auth/core/oauth/TokenOutcome"
 * import * as ResponseArbitraries from "@zapier-workflow-auth/testing/fake/ResponseArbitraries"
 * import * as Arbitrary from "effect/Arbitrary"
 * import * as Effect from "effect/Effect"
 *
 * const asked = { scopes: ["zap"], startedAt: 0, now: 50 }
 * const check = Arbitrary.checkEffect(
 *   ResponseArbitraries.granted,
 *   (response) => TokenOutcome.interpret(response, asked)._tag === "Granted"
 * )
 *
 * Effect.runSync(check)._tag // => "Passed"
 * ```
 *
 * Sources: RFC 6749 sections 5.1 and 5.2; Zapier's "Authentication" page of the Workflow API, which shows a
 * `Content-Type` of `multipart/form-data` over JSON, and its "Errors" and "Rate limiting" pages.
 *
 * @since 0.1.0
 */
import * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
import * as TokenOutcome from "@zapier-workflow-auth/core/oauth/TokenOutcome"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { scopes } from "../Arbitraries.ts"
import { problems } from "./internal/api/call.ts"
import * as Draw from "../internal/draw.ts"

const contentType = Draw.oneOf(["application/json", "application/json; charset=utf-8", "multipart/form-data"])

const token = Draw.pattern(/^[A-Za-z\d]{30}$/)

// A member that is missing or null.
const vague = [Arbitrary.Constant(undefined), Arbitrary.Constant(null)]

const seconds = Draw.int(1, 86_400)

const json = (
  status: number,
  body: unknown,
  headers: TokenOutcome.TokenResponse["headers"] = {}
): TokenOutcome.TokenResponse => ({
  status,
  headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
  body: JSON.stringify(body)
})

/**
 * Token responses that are accepted: without a scope or a refresh token, with a lifetime that is text, fractional or
 * missing, with unrequested members, or under a wrong `Content-Type`.
 *
 * @since 0.1.0
 */
export const granted: Arbitrary.Arbitrary<TokenOutcome.TokenResponse> = Arbitrary.map(
  Arbitrary.all({
    access_token: token,
    expires_in: Draw.choose<unknown>([
      seconds,
      Arbitrary.map(seconds, String),
      Arbitrary.map(seconds, (whole) => whole + 0.5),
      ...vague
    ]),
    token_type: Draw.choose<unknown>([Draw.oneOf(["Bearer", "bearer", "BEARER"]), ...vague]),
    scope: Draw.choose<unknown>([Arbitrary.map(scopes, Scopes.format), Arbitrary.Constant(""), ...vague]),
    refresh_token: Draw.choose<unknown>([token, Arbitrary.Constant(""), ...vague]),
    id_token: Draw.optional(token),
    contentType
  }),
  ({ contentType, ...body }) => json(200, body, { "content-type": contentType })
)

const oddValue = Draw.choose<unknown>([
  Draw.oneOf<unknown>([true, 7, -1, 1e99, [], {}, ["zap", 5], "", ",", "mac", "half a \ud800 pair"]),
  Arbitrary.schema(Schema.String)
])

/**
 * Token responses with odd members: of another type, empty, or with a meaningless value. The access token is good, so
 * they are accepted.
 *
 * @since 0.1.0
 */
export const odd: Arbitrary.Arbitrary<TokenOutcome.TokenResponse> = Arbitrary.map(
  Draw.record(
    { access_token: token, refresh_token: Draw.choose<unknown>([token, oddValue]) },
    { scope: oddValue, expires_in: oddValue, token_type: oddValue, error: oddValue }
  ),
  (body) => json(200, body)
)

/**
 * Token responses as Zapier documents them: with every member, in its order.
 *
 * @since 0.1.0
 */
export const documented: Arbitrary.Arbitrary<TokenOutcome.TokenResponse> = Arbitrary.map(
  Arbitrary.all({ access: token, refresh: token, scopes }),
  ({ access, refresh, scopes }) =>
    json(200, {
      access_token: access,
      expires_in: TokenOutcome.documentedLifetime,
      token_type: "Bearer",
      scope: Scopes.format(scopes),
      refresh_token: refresh
    })
)

const errors = ["invalid_request", "invalid_scope", "unauthorized_client", "unsupported_grant_type"]

/**
 * The errors of RFC 6749 section 5.2: `invalid_grant`, `invalid_client`, and those for invalid requests.
 *
 * @since 0.1.0
 */
export const refused: Arbitrary.Arbitrary<TokenOutcome.TokenResponse> = Draw.choose<TokenOutcome.TokenResponse>([
  Arbitrary.map(
    Draw.record(
      { error: Draw.choose([Arbitrary.Constant("invalid_grant"), Draw.oneOf(errors)]) },
      { error_description: Arbitrary.schema(Schema.String) }
    ),
    (body) => json(400, body)
  ),
  Arbitrary.map(Draw.oneOf([401, 400]), (status) =>
    json(status, { error: "invalid_client" }, { "www-authenticate": 'Bearer error="invalid_client"' })
  )
])

const retryAfter = Draw.choose<string>([
  Arbitrary.map(Draw.int(0, 120), String),
  Draw.pattern(/^Thu, 01 Jan 1970 00:0[01]:[0-5]\d GMT$/),
  Draw.oneOf(["", "soon", "-1", "2 minutes"])
])

const page = "<html><body><h1>Unavailable</h1></body></html>"

/**
 * 429 and 5xx, with and without a readable `Retry-After`; its dates are within two minutes after the start of 1970.
 *
 * @since 0.1.0
 */
export const busy: Arbitrary.Arbitrary<TokenOutcome.TokenResponse> = Arbitrary.map(
  Draw.record({ status: Draw.oneOf([429, 503, 500, 502, 504]) }, { "retry-after": retryAfter }),
  ({ status, ...headers }) => ({ status, headers: { "content-type": "text/html", ...headers }, body: page })
)

const notTokens: ReadonlyArray<unknown> = [
  [],
  null,
  "access_token",
  {},
  { access_token: "" },
  { access_token: 7, token_type: "Bearer" },
  { access_token: ["token"] },
  { access_token: "two\nlines" },
  { access_token: "tokén", scope: "zap" },
  { error: "" }
]

const elsewhere = "https://elsewhere.example"

// A response that was cut off.
const cutOff = Arbitrary.map(
  Arbitrary.all({ response: documented, length: Draw.int(0, 90) }),
  ({ response, length }) => ({
    ...response,
    body: response.body.slice(0, length)
  })
)

/**
 * Unusable responses: cut off, of another type, not JSON, without a token that a header can carry, a redirect, or an
 * error without its code.
 *
 * @since 0.1.0
 */
export const malformed: Arbitrary.Arbitrary<TokenOutcome.TokenResponse> = Draw.choose<TokenOutcome.TokenResponse>([
  cutOff,
  Arbitrary.map(Draw.oneOf(notTokens), (body) => json(200, body)),
  Arbitrary.map(Arbitrary.schema(Schema.String), (text) => ({ ...json(200, ""), body: `<p>${text}</p>` })),
  Arbitrary.map(Draw.oneOf([301, 302, 307]), (status) => ({ status, headers: { location: elsewhere }, body: "" })),
  Arbitrary.map(Draw.oneOf([400, 403, 404, 405]), (status) => ({ ...json(status, ""), body: page }))
])

/**
 * Any response of the token endpoint.
 *
 * @since 0.1.0
 */
export const any: Arbitrary.Arbitrary<TokenOutcome.TokenResponse> = Draw.choose([
  documented,
  granted,
  odd,
  refused,
  busy,
  malformed
])

/**
 * Any outcome of a token request: a response, or none.
 *
 * @since 0.1.0
 */
export const outcome: Arbitrary.Arbitrary<TokenOutcome.TokenOutcome> = Draw.choose<TokenOutcome.TokenOutcome>([
  Arbitrary.map(any, (response) => TokenOutcome.interpret(response, { scopes: ["zap"], startedAt: 0, now: 50 })),
  Arbitrary.map(Draw.oneOf(["ECONNREFUSED", "ENOTFOUND"]), (code) => ({ _tag: "NotSent", code })),
  Arbitrary.Constant({ _tag: "NoResponse" })
])

/**
 * An error of the API in its envelope, whose `status` is text in some responses and a number in others.
 *
 * @since 0.1.0
 */
export const apiError: Arbitrary.Arbitrary<TokenOutcome.TokenResponse> = Arbitrary.map(
  Arbitrary.all({
    problem: Draw.oneOf(Object.entries(problems)),
    isText: Arbitrary.schema(Schema.Boolean),
    detail: Arbitrary.schema(Schema.String)
  }),
  ({ detail, isText, problem: [status, [code, title]] }) => {
    const error = { status: isText ? status : Number(status), code, title, detail, source: null, meta: {} }
    return json(Number(status), { errors: [error] })
  }
)
