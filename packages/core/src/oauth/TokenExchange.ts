/**
 * The token exchanges (RFC 8693) of White Label.
 *
 * A JWT is exchanged for an access token, and the access token for a connect token. Zapier's pages name the flow, the scope of
 * a connect token, and `resource`. The names of the grant and of the token types are from third-party code only.
 *
 * Sources: RFC 8693 section 2.1; Zapier's "Token exchange" page of White Label.
 *
 * @since 0.1.0
 */
import * as Redacted from "effect/Redacted"
import * as Scopes from "./Scopes.ts"
import type { TokenRequest } from "./TokenRequest.ts"
import type * as Tokens from "./Tokens.ts"

const tokenType = (name: string) => `urn:ietf:params:oauth:token-type:${name}`

const exchange = (
  _tag: "TokenExchange" | "ConnectToken",
  subjectToken: typeof Tokens.Secret.Type,
  {
    from,
    more = {},
    scopes,
    to
  }: {
    readonly from: string
    readonly to: string
    readonly scopes: ReadonlyArray<Scopes.Scope>
    readonly more?: { readonly [parameter: string]: string }
  }
): TokenRequest => {
  const parameters = {
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    subject_token: Redacted.value(subjectToken),
    subject_token_type: tokenType(from),
    requested_token_type: tokenType(to),
    ...(scopes.length === 0 ? {} : { scope: Scopes.format(scopes) }),
    ...more
  }
  return { _tag, scopes, parameters: Redacted.make(Object.entries(parameters)) }
}

/**
 * Exchanges a partner's JWT for an access token.
 *
 * @param scopes the requested scopes; with none, Zapier chooses
 *
 * @since 0.1.0
 */
export const accessToken = (jwt: typeof Tokens.Secret.Type, scopes: ReadonlyArray<Scopes.Scope>): TokenRequest =>
  exchange("TokenExchange", jwt, { from: "external-jwt", to: "access-token", scopes })

/**
 * Exchanges an access token for a connect token.
 *
 * @param resource the absolute URL where the connect token will be used
 *
 * @since 0.1.0
 */
export const connectToken = (access: typeof Tokens.Secret.Type, resource: string): TokenRequest =>
  exchange("ConnectToken", access, {
    from: "access-token",
    to: "connect-token",
    scopes: ["connection:write"],
    more: { resource }
  })
