/**
 * Requests to the token endpoint, as data and as HTTP requests. Pure: it decides what is sent, but not when.
 *
 * Sources: RFC 6749 sections 2.3.1 (client authentication), 4.1.3 (code), 4.4.2 (client credentials), 6 (refresh) and
 * appendix B (form encoding); RFC 7636 section 4.5 (PKCE); Zapier's "Authentication" page of the Workflow API.
 *
 * @since 0.1.0
 */
import * as Base64 from "effect/encoding/Base64"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Redacted from "effect/Redacted"
import type { Application } from "./ClientApplication.ts"
import * as Scopes from "./Scopes.ts"
import type * as Tokens from "./Tokens.ts"

/**
 * A request to the token endpoint.
 *
 * - `AuthorizationCode`: exchanges a code. `redirectUri` must be the one of the authorization request.
 * - `Refresh`: renews a user's tokens. `scopes` are those granted before; they are not sent, so that they stay the same.
 * - `ClientCredentials`: requests a token for the app itself.
 * - `TokenExchange`, `ConnectToken`: White Label requests with the parameters that `TokenExchange` makes.
 *
 * @since 0.1.0
 */
export type TokenRequest =
  | {
      readonly _tag: "AuthorizationCode"
      readonly code: typeof Tokens.Secret.Type
      readonly redirectUri: string
      readonly codeVerifier: typeof Tokens.Secret.Type | undefined
      readonly scopes: ReadonlyArray<Scopes.Scope>
    }
  | {
      readonly _tag: "Refresh"
      readonly refreshToken: typeof Tokens.Secret.Type
      readonly scopes: ReadonlyArray<Scopes.Scope>
    }
  | { readonly _tag: "ClientCredentials"; readonly scopes: ReadonlyArray<Scopes.Scope> }
  | {
      readonly _tag: "TokenExchange" | "ConnectToken"
      readonly parameters: Redacted.Redacted<Form>
      readonly scopes: ReadonlyArray<Scopes.Scope>
    }

type Form = ReadonlyArray<readonly [string, string]>

const grantOf = (request: TokenRequest): Form => {
  switch (request._tag) {
    case "AuthorizationCode":
      return [
        ["grant_type", "authorization_code"],
        ["code", Redacted.value(request.code)],
        ["redirect_uri", request.redirectUri],
        ...(request.codeVerifier === undefined
          ? []
          : [["code_verifier", Redacted.value(request.codeVerifier)] as const])
      ]
    case "Refresh":
      return [
        ["grant_type", "refresh_token"],
        ["refresh_token", Redacted.value(request.refreshToken)]
      ]
    case "ClientCredentials":
      return [
        ["grant_type", "client_credentials"],
        ...(request.scopes.length === 0 ? [] : [["scope", Scopes.format(request.scopes)] as const])
      ]
    default:
      return Redacted.value(request.parameters)
  }
}

const formEncode = (text: string) => new URLSearchParams([["", text]]).toString().slice(1)

/**
 * The `Authorization` header of HTTP Basic. Both parts are form-encoded first (RFC 6749 section 2.3.1).
 *
 * @internal
 */
export const basic = (application: Pick<Application, "clientId" | "clientSecret">): string =>
  `Basic ${Base64.encode(`${formEncode(application.clientId)}:${formEncode(Redacted.value(application.clientSecret))}`)}`

// By application, which a process uses for all its requests.
const headers = new WeakMap<Application, string>()

const basicOnce = (application: Application): string => {
  const made = headers.get(application) ?? basic(application)
  headers.set(application, made)
  return made
}

/**
 * Converts the request to HTTP: a POST of `application/x-www-form-urlencoded`.
 *
 * @param url the token endpoint
 *
 * @example
 * ```ts
 * import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
 * import * as TokenRequest from "@zapier-workflow-auth/core/oauth/TokenRequest"
 * import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
 * import * as Result from "effect/Result"
 *
 * const application = Result.getOrThrow(
 *   ClientApplication.make({ clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] })
 * )
 *
 * const { method, url } = TokenRequest.toHttp(
 *   { _tag: "ClientCredentials", scopes: ["promotions:write"] },
 *   application,
 *   ZapierUrls.production.token
 * )
 *
 * method // => "POST"
 * url // => "https://zapier.com/oauth/token/"
 * ```
 *
 * @since 0.1.0
 */
export const toHttp = (
  request: TokenRequest,
  application: Application,
  url: string
): HttpClientRequest.HttpClientRequest => {
  const inBody: Form =
    application.authentication === "Body"
      ? [
          ["client_id", application.clientId],
          ["client_secret", Redacted.value(application.clientSecret)]
        ]
      : []
  const post = HttpClientRequest.post(url).pipe(
    HttpClientRequest.acceptJson,
    HttpClientRequest.bodyUrlParams([...grantOf(request), ...inBody])
  )
  return application.authentication === "Basic"
    ? HttpClientRequest.setHeader(post, "authorization", basicOnce(application))
    : post
}
