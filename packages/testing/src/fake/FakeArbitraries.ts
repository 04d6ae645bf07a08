/**
 * Generators of options and requests for a fake. Faults need none: use `FakeFault.Fault` or `FakeFault.Rule`.
 *
 * @example
 * ```ts
 * import * as FakeArbitraries from "@zapier-workflow-auth/testing/fake/FakeArbitraries"
 * import * as FakeControl from "@zapier-workflow-auth/testing/fake/FakeControl"
 * import * as FakeServer from "@zapier-workflow-auth/testing/fake/FakeServer"
 * import * as Arbitrary from "effect/Arbitrary"
 * import * as Effect from "effect/Effect"
 * import * as Result from "effect/Result"
 *
 * const drawn = Arbitrary.all({ options: FakeArbitraries.options, request: FakeArbitraries.request() })
 * const check = Arbitrary.checkEffect(drawn, ({ options, request }) => {
 *   const fake = Result.getOrThrow(FakeControl.make(options))
 *   return FakeServer.handle(fake, request, 0).response.status !== 500
 * })
 * ```
 *
 * @since 0.1.0
 */
import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
import * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
import * as Arbitrary from "effect/Arbitrary"
import * as Arr from "effect/Array"
import * as Base64 from "effect/encoding/Base64"
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import * as Arbitraries from "../Arbitraries.ts"
import type * as FakeControl from "./FakeControl.ts"
import * as FakeFault from "./FakeFault.ts"
import * as FakeHttp from "./FakeHttp.ts"
import * as FakeState from "./FakeState.ts"
import type * as FakeWhiteLabel from "./FakeWhiteLabel.ts"
import type * as FakeZapier from "../FakeZapier.ts"
import * as Draw from "../internal/draw.ts"

const noise = Arbitrary.schema(Schema.String)

const upToThree = <A>(arbitrary: Arbitrary.Arbitrary<A>) => Arbitrary.array(arbitrary, { maxLength: 3 })

/**
 * Settings of the fake: none of them, some, or all.
 *
 * @since 0.1.0
 */
export const settings: Arbitrary.Arbitrary<Partial<FakeState.Settings>> = Arbitrary.schema(
  FakeState.Settings.mapFields(Struct.map(Schema.optionalKey))
)

const key = Draw.oneOf([
  { kty: "EC", kid: "one", crv: "P-256", x: "AAAA", y: "AAAA" },
  { kty: "RSA", kid: "two", n: "AAAA", e: "AQAB" }
] as const)

const claims = Draw.partial({ userClaim: Draw.oneOf(["sub", "uid"]), tenantClaim: Draw.oneOf(["org_id", "tenant"]) })

/**
 * The registration of a White Label partner.
 *
 * @since 0.1.0
 */
export const whiteLabel: Arbitrary.Arbitrary<FakeWhiteLabel.Options> = Arbitrary.map(
  Arbitrary.all({
    issuer: Arbitrary.schema(Schema.NonEmptyString),
    keys: Draw.choose<Pick<FakeWhiteLabel.Options, "jwks" | "jwksUrl">>([
      Arbitrary.map(upToThree(key), (keys) => ({ jwks: { keys } })),
      Arbitrary.map(Draw.pattern(/^https:\/\/[a-z]{1,8}\.example\/[a-z]{0,8}$/), (jwksUrl) => ({ jwksUrl }))
    ]),
    claims
  }),
  ({ claims, issuer, keys }) => ({ issuer, ...keys, ...claims })
)

/**
 * An app to be registered, with or without its own credentials, as a White Label partner or not.
 *
 * @since 0.1.0
 */
export const app: Arbitrary.Arbitrary<FakeControl.AppOptions> = Draw.record(
  { name: Arbitrary.schema(Schema.NonEmptyString), redirectUris: upToThree(Arbitraries.redirectUri) },
  {
    clientId: Draw.pattern(/^[A-Za-z\d]{1,12}$/),
    clientSecret: Arbitrary.schema(Schema.NonEmptyString),
    whiteLabel
  }
)

const user = Arbitrary.all({
  email: Draw.pattern(/^[a-z]{1,8}@[a-z]{1,8}\.example$/),
  firstName: noise,
  lastName: noise
})

/**
 * Options for `FakeZapier.layer`.
 *
 * @since 0.1.0
 */
export const options: Arbitrary.Arbitrary<FakeZapier.Options> = Draw.partial({
  seed: noise,
  settings,
  apps: Arbitrary.map(
    upToThree(app),
    Arr.dedupeWith((a, b) => a.clientId !== undefined && a.clientId === b.clientId)
  ),
  users: Arbitrary.map(
    upToThree(user),
    Arr.dedupeWith((a, b) => a.email === b.email)
  ),
  faults: upToThree(Arbitrary.schema(FakeFault.Rule))
})

/**
 * Values that a fake recognizes: an app's credentials, its redirect URI, and tokens.
 *
 * @since 0.1.0
 */
export interface Known {
  readonly clientId?: string | undefined
  readonly clientSecret?: string | undefined
  readonly redirectUri?: string | undefined
  readonly tokens?: ReadonlyArray<string> | undefined
}

// One of the known values more often than not, or noise.
const orNoise = (...known: ReadonlyArray<string | undefined>): Arbitrary.Arbitrary<string> => {
  const values = known.filter((value) => value !== undefined).map((value) => Arbitrary.Constant(value))
  return Draw.choose<string>([noise, ...values, ...values])
}

const tokenType = orNoise(
  "urn:ietf:params:oauth:token-type:external-jwt",
  "urn:ietf:params:oauth:token-type:access-token",
  "urn:ietf:params:oauth:token-type:connect-token"
)

const connectPath = Draw.oneOf(["/to/SlackCLIAPI", "/to/trello", "/to/nothing"])

const fields = ({ clientId, clientSecret, redirectUri, tokens = [] }: Known) =>
  Draw.partial({
    grant_type: orNoise(...FakeFault.GrantType.literals),
    response_type: orNoise("code"),
    client_id: orNoise(clientId),
    client_secret: orNoise(clientSecret),
    redirect_uri: orNoise(redirectUri),
    scope: Arbitrary.map(Arbitraries.scopes, Scopes.format),
    state: noise,
    code: orNoise(...tokens),
    refresh_token: orNoise(...tokens),
    subject_token: orNoise(...tokens),
    subject_token_type: tokenType,
    requested_token_type: tokenType,
    resource: Draw.choose([noise, Arbitrary.map(connectPath, (path) => `https://connect.zapier.com${path}`)]),
    token: orNoise(...tokens)
  })

const text = Arbitrary.map(noise, (drawn) => encodeURIComponent(drawn.toWellFormed()))

// An endpoint of the table, with a value for its parameters.
const endpoint = Arbitrary.map(Arbitrary.all([Draw.oneOf(Endpoint.names), text]), ([name, parameter]) => {
  const { method, path } = Endpoint.parts(name)
  return { method, path: path.replaceAll(/\{\w+\}/g, () => parameter) }
})

const page = (method: string, path: string) => Arbitrary.Constant({ method, path })

const target = Draw.choose<{ readonly method: string; readonly path: string }>([
  page("POST", "/oauth/token/"),
  page("POST", "/oauth/token/"),
  page("GET", "/v2/authorize"),
  page("POST", "/v2/authorize"),
  Arbitrary.map(Arbitrary.all([Draw.oneOf(["GET", "POST"]), connectPath]), ([method, path]) => ({ method, path })),
  endpoint,
  endpoint,
  Arbitrary.map(Arbitrary.all([Draw.oneOf(["GET", "PUT", "DELETE"]), text]), ([method, path]) => ({
    method,
    path: `/${path}`
  }))
])

const contentType = Draw.oneOf([
  "application/x-www-form-urlencoded",
  "application/x-www-form-urlencoded",
  "application/x-www-form-urlencoded",
  "application/json",
  "multipart/form-data",
  "text/plain"
])

const bodyOf = (type: string, form: { readonly [name: string]: string }): string =>
  type === "application/json" ? JSON.stringify(form) : new URLSearchParams(form).toString()

/**
 * Requests to the token endpoint, the consent page, the Connect page, the endpoints of the table, and unknown paths. They use
 * the known values, so that some succeed, and noise.
 *
 * @since 0.1.0
 */
export const request = (known: Known = {}): Arbitrary.Arbitrary<FakeHttp.FakeRequest> => {
  const { clientId = "", clientSecret = "", tokens = [] } = known
  const authorization = Draw.choose<string | undefined>([
    Arbitrary.Constant(undefined),
    Arbitrary.map(orNoise(`${clientId}:${clientSecret}`), (pair) => `Basic ${Base64.encode(pair)}`),
    Arbitrary.map(orNoise(...tokens), (token) => `Bearer ${token}`),
    noise
  ])
  return Arbitrary.map(
    Arbitrary.all({
      target,
      query: fields(known),
      form: fields(known),
      authorization,
      contentType
    }),
    ({ authorization, contentType, form, query, target: { method, path } }) =>
      FakeHttp.request(method, `${path}?${new URLSearchParams(query)}`, {
        headers: { "content-type": contentType, authorization },
        body: method === "GET" ? "" : bodyOf(contentType, form)
      })
  )
}
