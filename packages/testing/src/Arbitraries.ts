/**
 * Generators of values for an app's property tests: `it.prop` and `it.effect.prop` of `@effect/vitest` take them as
 * they are.
 *
 * Those functions take schemas as well, and a schema that describes a value well enough needs no generator here:
 *
 * | to draw | take |
 * |---|---|
 * | states and events of a machine | `UserGrant.State`, `UserGrant.Event`, and likewise `ConsentAttempt`, `AppCredential`, `ClientId` |
 * | an error | `ZapierAuthError`, or its `Reason` |
 * | an event for logs | `AuthEvent` |
 * | the name of an endpoint | `Schema.Literals(Endpoint.names)` |
 * | any tokens, with any times, any access, any lease, a secret | `Tokens.Tokens`, `Tokens.Access`, `Lease.Lease`, `Tokens.Secret` |
 * | a scope as a server may have it | `Scopes.Scope` |
 * | steps of an app, programs of the library | `Scenario.arbitrary`, `Program.arbitrary` |
 * | settings, faults, requests of the fake | `FakeArbitraries` |
 *
 * These generators draw values that a schema cannot describe: options that `make` accepts, callbacks that `parse`
 * accepts or rejects, tokens whose times are consistent, and responses of the token endpoint.
 *
 * @example
 * ```ts
 * import * as AuthorizationCallback from "@zapier-workflow-auth/core/oauth/AuthorizationCallback"
 * import * as Arbitraries from "@zapier-workflow-auth/testing/Arbitraries"
 * import * as Arbitrary from "effect/Arbitrary"
 * import * as Effect from "effect/Effect"
 * import * as Result from "effect/Result"
 *
 * const check = Arbitrary.checkEffect(Arbitraries.invalidCallback, (input) =>
 *   Result.isFailure(AuthorizationCallback.parse(input))
 * )
 *
 * Effect.runSync(check)._tag // => "Passed"
 * ```
 *
 * @since 0.1.0
 */
import type * as AuthorizationCallback from "@zapier-workflow-auth/core/oauth/AuthorizationCallback"
import type * as AuthorizationUrl from "@zapier-workflow-auth/core/oauth/AuthorizationUrl"
import type * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import type * as GrantStore from "@zapier-workflow-auth/core/store/GrantStore"
import * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
import type * as Settings from "@zapier-workflow-auth/core/Settings"
import type * as TokenRequest from "@zapier-workflow-auth/core/oauth/TokenRequest"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import * as Arbitrary from "effect/Arbitrary"
import * as Duration from "effect/Duration"
import * as UrlParams from "effect/http/UrlParams"
import * as Schema from "effect/Schema"
import * as Draw from "./internal/draw.ts"

// -----------------------------------------------------------------------------
// The app
// -----------------------------------------------------------------------------

/**
 * A scope that an app may request: a documented one, or another scope token of RFC 6749 section 3.3 without a comma.
 *
 * @since 0.1.0
 */
export const scope: Arbitrary.Arbitrary<Scopes.Scope> = Draw.choose<Scopes.Scope>([
  Draw.oneOf(Scopes.known),
  Draw.oneOf(Scopes.known),
  Draw.pattern(/^[\x21\x23-\x2B\x2D-\x5B\x5D-\x7E]{1,12}$/)
])

/**
 * Scopes that an app may request: at least one, each once.
 *
 * @since 0.1.0
 */
export const scopes: Arbitrary.Arbitrary<ReadonlyArray<Scopes.Scope>> = Arbitrary.map(
  Arbitrary.array(scope, { minLength: 1, maxLength: 6 }),
  (all) => [...new Set(all)]
)

const path = Draw.pattern(/^(\/[a-z\d._~-]{1,8}){0,3}$/)

const query = Draw.pattern(/^(\?[a-z]{1,5}=[a-z\d]{0,5})?$/)

const origin = Draw.choose<string>([
  Arbitrary.Constant("https://app.example"),
  Draw.pattern(/^https:\/\/[a-z\d]{1,8}\.example(:[1-9]\d{2,3})?$/),
  Draw.pattern(/^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:[1-9]\d{2,3})?$/),
  Draw.pattern(/^com\.[a-z]{1,8}:\/\/callback$/)
])

/**
 * A redirect URI that may be registered: with https, on the loopback interface, or with a mobile app's own scheme.
 *
 * @since 0.1.0
 */
export const redirectUri: Arbitrary.Arbitrary<string> = Arbitrary.map(Arbitrary.all([origin, path, query]), (parts) =>
  parts.join("")
)

// White space at either end is rejected, and so is text in quotes or angle brackets.
const credentialText = Draw.pattern(/^[\x21\x23-\x26\x28-\x3B\x3D-\x5F\x61-\x7E]([\x20-\x7E]{0,18}[\x21-\x7E])?$/)

const clientId = credentialText

const clientSecret = Draw.choose<ClientApplication.Options["clientSecret"]>([
  credentialText,
  Arbitrary.map(credentialText, Tokens.secret)
])

/**
 * Options for `ClientApplication.make`. Ids and secrets use every permitted character, so that a missing encoding is
 * found.
 *
 * @since 0.1.0
 */
export const application: Arbitrary.Arbitrary<ClientApplication.Options> = Draw.record(
  { clientId, clientSecret, redirectUris: Arbitrary.array(redirectUri, { minLength: 1, maxLength: 3 }) },
  { authentication: Draw.oneOf(["Basic", "Body"]) }
)

const forms: ReadonlyArray<(millis: number) => Duration.Input> = [
  (millis) => millis,
  (millis) => Duration.millis(millis),
  (millis) => `${millis} millis`
]

const duration = (minimum: number, maximum: number): Arbitrary.Arbitrary<Duration.Input> =>
  Arbitrary.map(Arbitrary.all([Draw.int(minimum, maximum), Draw.oneOf(forms)]), ([millis, form]) => form(millis))

const hour = 3_600_000

/**
 * Options for `Settings.make`: any of them, with durations in every form.
 *
 * @since 0.1.0
 */
export const settings: Arbitrary.Arbitrary<Settings.Options> = Draw.partial({
  requestTimeout: duration(1, 60_000),
  responseTimeout: duration(1, 300_000),
  storeTimeout: duration(1, 60_000),
  retryFor: duration(0, 60_000),
  expiryMargin: duration(0, hour),
  rejectionInterval: duration(0, hour),
  memoryLifetime: duration(0, hour),
  memoryCapacity: Draw.int(0, 100),
  attemptLifetime: duration(1, hour),
  attemptsPerSubject: Draw.int(1, 100)
})

// -----------------------------------------------------------------------------
// Consent
// -----------------------------------------------------------------------------

// Text that a URL can hold: an unpaired surrogate cannot be encoded.
const text = Arbitrary.map(Arbitrary.schema(Schema.NonEmptyString), (drawn) => drawn.toWellFormed())

const secret = Arbitrary.map(text, Tokens.secret)

/**
 * Parameters for `AuthorizationUrl.build`.
 *
 * @since 0.1.0
 */
export const authorization: Arbitrary.Arbitrary<AuthorizationUrl.Parameters> = Draw.record(
  { clientId, redirectUri, scopes, state: secret },
  {
    codeChallenge: Draw.pattern(/^[\w-]{43}$/),
    page: Draw.oneOf(["Current", "Legacy"]),
    signUp: Draw.record({ email: text }, { firstName: text })
  }
)

/**
 * A valid callback in one of the accepted forms, and what it contains.
 *
 * @since 0.1.0
 */
export interface Callback {
  readonly input: AuthorizationCallback.Input
  readonly state: string
  readonly response: { readonly code: string } | { readonly error: string }
}

type Parameters = ReadonlyArray<readonly [name: string, value: string]>

const inputForms: ReadonlyArray<(parameters: URLSearchParams) => AuthorizationCallback.Input> = [
  (parameters) => `https://app.example/callback?${parameters}`,
  (parameters) => new URL(`https://app.example/callback?${parameters}#fragment`),
  (parameters) => `/callback?${parameters}`,
  (parameters) => `?${parameters}`,
  (parameters) => parameters.toString(),
  (parameters) => parameters,
  (parameters) => UrlParams.toRecord(UrlParams.fromInput(parameters))
]

const form = Draw.oneOf(inputForms)

const searchOf = (parameters: Parameters) => new URLSearchParams(parameters.map(([name, value]) => [name, value]))

// A server may add parameters, and a redirect URI may have a query of its own.
const extras = Arbitrary.array(
  Arbitrary.all([Draw.oneOf(["iss", "scope", "error_description", "tenant"]), Arbitrary.map(text, String)]),
  { maxLength: 2 }
)

const errors = [
  "access_denied",
  "invalid_request",
  "invalid_scope",
  "server_error",
  "temporarily_unavailable",
  "unauthorized_client",
  "unsupported_response_type"
] as const

// Characters of a code and a state: RFC 6749 appendices A.5 and A.11.
const printable = Draw.pattern(/^[\x20-\x7E]{1,40}$/)

const response: Arbitrary.Arbitrary<Callback["response"]> = Draw.choose<Callback["response"]>([
  Arbitrary.map(printable, (code) => ({ code })),
  Arbitrary.map(Draw.oneOf(errors), (error) => ({ error }))
])

/**
 * Callbacks that `AuthorizationCallback.parse` accepts: with a code or an error, and sometimes with unrelated
 * parameters.
 *
 * @since 0.1.0
 */
export const callback: Arbitrary.Arbitrary<Callback> = Arbitrary.map(
  Arbitrary.all({ response, state: printable, extras, form }),
  ({ response, extras, form, state }) => {
    const parameters: Parameters = [...extras, ...Object.entries(response), ["state", state]]
    return { input: form(searchOf(parameters)), state, response }
  }
)

type Parameter = Parameters[number]

const flaws: ReadonlyArray<(state: Parameter, code: Parameter) => Parameters> = [
  (_, code) => [code],
  (_, code) => [code, ["state", ""]],
  (state, code) => [code, state, state],
  (state) => [state],
  (state) => [state, ["code", ""]],
  (state, code) => [code, state, code],
  (state, code) => [code, state, ["error", "access_denied"]],
  ([name, value], code) => [code, [name, `${value}\0`]],
  (state, [name, value]) => [state, [name, `${value}é`]]
]

/**
 * Requests to a redirect URI that are not valid callbacks: a parameter is missing, empty, repeated or not printable, or
 * two contradict each other.
 *
 * @since 0.1.0
 */
export const invalidCallback: Arbitrary.Arbitrary<AuthorizationCallback.Input> = Arbitrary.map(
  Arbitrary.all({ flawed: Draw.oneOf(flaws), state: printable, code: printable, form }),
  ({ code, flawed, form, state }) => form(searchOf(flawed(["state", state], ["code", code])))
)

// -----------------------------------------------------------------------------
// Tokens
// -----------------------------------------------------------------------------

/**
 * A point in time, in milliseconds since the epoch: from 1970 to 2100.
 *
 * @since 0.1.0
 */
export const instant: Arbitrary.Arbitrary<number> = Draw.int(0, Date.UTC(2100, 0))

/**
 * Tokens with consistent times: they live for a second to a year, from any instant. Some have no refresh token, and
 * some replace rejected ones.
 *
 * @since 0.1.0
 */
export const tokens: Arbitrary.Arbitrary<Tokens.Tokens> = Arbitrary.map(
  Draw.record(
    { accessToken: secret, scopes, obtainedAt: instant, life: Draw.int(1_000, 365 * 24 * hour) },
    { refreshToken: secret, replaces: Arbitrary.Constant(true) }
  ),
  ({ life, replaces, ...tokens }) => ({
    ...tokens,
    expiresAt: tokens.obtainedAt + life,
    ...(replaces ? { replacedAt: tokens.obtainedAt } : {})
  })
)

const { Active, ReconnectRequired, Refreshing } = UserGrant.State.cases

// The other members of a state.
const rest = Arbitrary.schema(Schema.Union([Active, Refreshing, ReconnectRequired]))

/**
 * A user's grant as a store keeps it, in any of its states, with tokens and times that make sense.
 *
 * @since 0.1.0
 */
export const grant: Arbitrary.Arbitrary<GrantStore.Grant> = Arbitrary.map(
  Arbitrary.all({ rest, tokens, after: Draw.int(0, 60_000) }),
  ({ after, rest, tokens }): GrantStore.Grant => {
    const at = tokens.expiresAt + after
    switch (rest._tag) {
      case "Active":
        return { ...rest, tokens }
      case "Refreshing": {
        // Only tokens with a refresh token can be refreshing.
        const { refreshToken = rest.tokens.refreshToken, ...access } = tokens
        return { ...rest, tokens: { ...access, refreshToken }, lease: { owner: rest.lease.owner, deadline: at } }
      }
      case "ReconnectRequired":
        return { ...rest, tokens, since: at }
    }
  }
)

/**
 * Input for `TokenRequest.toHttp`.
 *
 * @since 0.1.0
 */
export const tokenRequest: Arbitrary.Arbitrary<TokenRequest.TokenRequest> = Draw.choose<TokenRequest.TokenRequest>([
  Arbitrary.all({ _tag: Arbitrary.Constant("Refresh"), refreshToken: secret, scopes }),
  Arbitrary.all({ _tag: Arbitrary.Constant("ClientCredentials"), scopes }),
  Arbitrary.all({
    _tag: Arbitrary.Constant("AuthorizationCode"),
    code: secret,
    redirectUri,
    codeVerifier: Draw.optional(secret),
    scopes
  })
])

/**
 * A credential of any of the three modes, or none.
 *
 * @since 0.1.0
 */
export const credential: Arbitrary.Arbitrary<Credential.Credential> = Draw.choose<Credential.Credential>([
  Arbitrary.map(text, Credential.user),
  Arbitrary.map(Draw.optional(scopes), Credential.app),
  Arbitrary.Constant(Credential.clientId),
  Arbitrary.Constant(Credential.none)
])
