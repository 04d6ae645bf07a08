/** OAuth clients that others have written, behind one face, so that each can be put through the same flow. */
import { OAuth2Client as BadgatewayClient } from "@badgateway/oauth2-client"
import * as Arctic from "arctic"
import * as OAuth4WebApi from "oauth4webapi"
import { AuthorizationCode, ClientCredentials, type Token } from "simple-oauth2"

export interface Settings {
  /** Where the server is. */
  readonly origin: string
  readonly clientId: string
  readonly clientSecret: string
  readonly redirectUri: string
}

export interface Tokens {
  readonly accessToken: string
  readonly refreshToken: string | undefined
}

/** Whatever a client throws is in its own manner; `errorCode` finds the OAuth error in it. */
export interface Client {
  readonly authorizationUrl: (state: string) => Promise<string>
  readonly exchange: (callback: URL, state: string) => Promise<Tokens>
  readonly refresh: (refreshToken: string) => Promise<Tokens>
  /** Nothing where the client does not know this grant. */
  readonly clientCredentials: (() => Promise<Tokens>) | undefined
}

const scopes = ["zap", "zap:write"]

const endpoints = (origin: string) => ({ authorize: `${origin}/v2/authorize`, token: `${origin}/oauth/token/` })

const codeOf = (callback: URL) => callback.searchParams.get("code") ?? ""

const oauth4webapi = ({ clientId, clientSecret, origin, redirectUri }: Settings): Client => {
  const { authorize, token } = endpoints(origin)
  const server = { issuer: origin, authorization_endpoint: authorize, token_endpoint: token }
  const client = { client_id: clientId }
  const by = OAuth4WebApi.ClientSecretBasic(clientSecret)
  const overHttp = { [OAuth4WebApi.allowInsecureRequests]: true }
  const toTokens = ({ access_token, refresh_token }: OAuth4WebApi.TokenEndpointResponse): Tokens => ({
    accessToken: access_token,
    refreshToken: refresh_token
  })
  return {
    authorizationUrl: async (state) => {
      const url = new URL(authorize)
      url.search = new URLSearchParams({
        response_type: "code",
        client_id: clientId,
        redirect_uri: redirectUri,
        scope: scopes.join(" "),
        state
      }).toString()
      return url.href
    },
    exchange: async (callback, state) => {
      const parameters = OAuth4WebApi.validateAuthResponse(server, client, callback, state)
      const response = await OAuth4WebApi.authorizationCodeGrantRequest(
        server,
        client,
        by,
        parameters,
        redirectUri,
        OAuth4WebApi.nopkce,
        overHttp
      )
      return toTokens(await OAuth4WebApi.processAuthorizationCodeResponse(server, client, response))
    },
    refresh: async (refreshToken) => {
      const response = await OAuth4WebApi.refreshTokenGrantRequest(server, client, by, refreshToken, overHttp)
      return toTokens(await OAuth4WebApi.processRefreshTokenResponse(server, client, response))
    },
    clientCredentials: async () => {
      const scope = new URLSearchParams({ scope: scopes.join(" ") })
      const response = await OAuth4WebApi.clientCredentialsGrantRequest(server, client, by, scope, overHttp)
      return toTokens(await OAuth4WebApi.processClientCredentialsResponse(server, client, response))
    }
  }
}

const simpleOauth2 = ({ clientId, clientSecret, origin, redirectUri }: Settings): Client => {
  const client = { id: clientId, secret: clientSecret }
  const auth = { tokenHost: origin, tokenPath: "/oauth/token/" }
  const users = new AuthorizationCode({ client, auth: { ...auth, authorizePath: "/v2/authorize" } })
  const app = new ClientCredentials({ client, auth })
  const toTokens = ({ access_token, refresh_token }: Token): Tokens => ({
    accessToken: access_token as string,
    refreshToken: refresh_token as string | undefined
  })
  return {
    authorizationUrl: async (state) => users.authorizeURL({ redirect_uri: redirectUri, scope: scopes, state }),
    exchange: async (callback) =>
      toTokens((await users.getToken({ code: codeOf(callback), redirect_uri: redirectUri })).token),
    refresh: async (refresh_token) => toTokens((await users.createToken({ refresh_token }).refresh()).token),
    clientCredentials: async () => toTokens((await app.getToken({ scope: scopes })).token)
  }
}

const arctic = ({ clientId, clientSecret, origin, redirectUri }: Settings): Client => {
  const { authorize, token } = endpoints(origin)
  const client = new Arctic.OAuth2Client(clientId, clientSecret, redirectUri)
  const toTokens = (tokens: Arctic.OAuth2Tokens): Tokens => ({
    accessToken: tokens.accessToken(),
    refreshToken: tokens.hasRefreshToken() ? tokens.refreshToken() : undefined
  })
  return {
    authorizationUrl: async (state) => client.createAuthorizationURL(authorize, state, scopes).href,
    exchange: async (callback) => toTokens(await client.validateAuthorizationCode(token, codeOf(callback), null)),
    refresh: async (refreshToken) => toTokens(await client.refreshAccessToken(token, refreshToken, [])),
    clientCredentials: undefined
  }
}

const badgateway = ({ clientId, clientSecret, origin, redirectUri }: Settings): Client => {
  const { authorize, token } = endpoints(origin)
  const client = new BadgatewayClient({
    clientId,
    clientSecret,
    authorizationEndpoint: authorize,
    tokenEndpoint: token,
    authenticationMethod: "client_secret_post"
  })
  const toTokens = (tokens: { readonly accessToken: string; readonly refreshToken: string | null }): Tokens => ({
    accessToken: tokens.accessToken,
    refreshToken: tokens.refreshToken ?? undefined
  })
  return {
    authorizationUrl: (state) => client.authorizationCode.getAuthorizeUri({ redirectUri, state, scope: scopes }),
    exchange: async (callback) =>
      toTokens(await client.authorizationCode.getToken({ code: codeOf(callback), redirectUri })),
    refresh: async (refreshToken) =>
      toTokens(await client.refreshToken({ accessToken: "", refreshToken, expiresAt: null })),
    clientCredentials: async () => toTokens(await client.clientCredentials({ scope: scopes }))
  }
}

export const all: { readonly [name: string]: (settings: Settings) => Client } = {
  oauth4webapi,
  "simple-oauth2": simpleOauth2,
  arctic,
  "@badgateway/oauth2-client": badgateway
}

/** The error of RFC 6749 section 5.2 that the server answered with, wherever a client has put it. */
export const errorCode = (error: unknown): string => {
  if (error instanceof OAuth4WebApi.ResponseBodyError) return error.error
  // Where there is a challenge, this client looks at nothing else.
  if (error instanceof OAuth4WebApi.WWWAuthenticateChallengeError) return error.cause[0]?.parameters.error ?? ""
  if (error instanceof Arctic.OAuth2RequestError) return error.code
  const { data, oauth2Code } = error as {
    readonly oauth2Code?: string
    readonly data?: { readonly payload?: { readonly error?: string } }
  }
  const code = oauth2Code ?? data?.payload?.error
  if (code === undefined) throw error
  return code
}
