/** Clients that others have written, and this library, as an app uses them for one user's grant that it has loaded. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { OAuth2Client as BadgatewayClient, OAuth2Fetch } from "@badgateway/oauth2-client"
import * as Credential from "@zapier-workflow-auth/core/Credential"
import { GrantStore } from "@zapier-workflow-auth/core/GrantStore"
import * as Tokens from "@zapier-workflow-auth/core/Tokens"
import * as UserGrant from "@zapier-workflow-auth/core/UserGrant"
import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as ZapierUrls from "@zapier-workflow-auth/core/ZapierUrls"
import * as SqlStores from "@zapier-workflow-auth/node-adapter/SqlStores"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import * as Arctic from "arctic"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import { OAuth2Client as GoogleClient } from "google-auth-library"
import * as OpenidClient from "openid-client"
import { AuthorizationCode } from "simple-oauth2"
import * as Database from "./database.ts"

export interface Grant {
  readonly accessToken: string
  readonly refreshToken: string
  /** In milliseconds since the epoch. */
  readonly expiresAt: number
}

/** The app, and where the server is. */
export interface App {
  readonly origin: string
  readonly clientId: string
  readonly clientSecret: string
  readonly redirectUri: string
}

export interface Options extends App {
  readonly grant: Grant
  /** The store that all processes share. The others know none: an app loads the grant, and gives it to them. */
  readonly database: Database.Database
}

/** Calls the API at a path, and says the status; rejects where the client does. */
export type Call = (path: string) => Promise<number>

type Peer = (options: Options) => Promise<Call>

export const tokenUrl = ({ origin }: App) => `${origin}/oauth/token/`

// Those that leave calls to the app: it asks before each whether the token has ended, and renews it.
// Nothing here is an Effect. @effect-diagnostics globalFetch:off globalDate:off
const renewing = ({ grant, origin }: Options, renew: (refreshToken: string) => Promise<Grant>): Call => {
  let current = grant
  return async (path) => {
    if (Date.now() >= current.expiresAt) current = await renew(current.refreshToken)
    const headers = { authorization: `Bearer ${current.accessToken}` }
    const response = await fetch(`${origin}${path}`, { headers })
    await response.arrayBuffer()
    return response.status
  }
}

// No client at all: the token is a constant.
const constant: Peer = async (options) => renewing(options, () => Promise.reject(new Error("the token has ended")))

/** In milliseconds since the epoch: so many seconds from now. */
export const after = (seconds: number | undefined) => Date.now() + (seconds ?? 0) * 1_000

const simpleOauth2: Peer = async (options) => {
  const { clientId, clientSecret, origin } = options
  const client = new AuthorizationCode({
    client: { id: clientId, secret: clientSecret },
    auth: { tokenHost: origin, tokenPath: "/oauth/token/" }
  })
  return renewing(options, async (refresh_token) => {
    const { token } = await client.createToken({ refresh_token }).refresh()
    return {
      accessToken: String(token["access_token"]),
      refreshToken: String(token["refresh_token"]),
      expiresAt: after(Number(token["expires_in"]))
    }
  })
}

const openidClient: Peer = async (options) => {
  const server = { issuer: options.origin, token_endpoint: tokenUrl(options) }
  const config = new OpenidClient.Configuration(server, options.clientId, options.clientSecret)
  OpenidClient.allowInsecureRequests(config)
  return renewing(options, async (refreshToken) => {
    const { access_token, expires_in, refresh_token = "" } = await OpenidClient.refreshTokenGrant(config, refreshToken)
    return { accessToken: access_token, refreshToken: refresh_token, expiresAt: after(expires_in) }
  })
}

const arctic: Peer = async (options) => {
  const client = new Arctic.OAuth2Client(options.clientId, options.clientSecret, options.redirectUri)
  return renewing(options, async (refreshToken) => {
    const tokens = await client.refreshAccessToken(tokenUrl(options), refreshToken, [])
    return {
      accessToken: tokens.accessToken(),
      refreshToken: tokens.refreshToken(),
      expiresAt: after(tokens.accessTokenExpiresInSeconds())
    }
  })
}

// These two renew by themselves.

const badgateway: Peer = async (options) => {
  const { clientId, clientSecret, grant, origin } = options
  const client = new BadgatewayClient({ clientId, clientSecret, tokenEndpoint: tokenUrl(options) })
  const fetcher = new OAuth2Fetch({
    client,
    getNewToken: () => null,
    getStoredToken: () => ({ ...grant }),
    scheduleRefresh: false
  })
  return async (path) => {
    const response = await fetcher.fetch(`${origin}${path}`)
    await response.arrayBuffer()
    return response.status
  }
}

const google: Peer = async (options) => {
  const { clientId, clientSecret, grant, origin } = options
  const client = new GoogleClient({
    clientId,
    clientSecret,
    endpoints: { oauth2TokenUrl: tokenUrl(options) },
    forceRefreshOnFailure: true
  })
  const { accessToken: access_token, expiresAt: expiry_date, refreshToken: refresh_token } = grant
  client.setCredentials({ access_token, refresh_token, expiry_date })
  return async (path) => (await client.request({ url: `${origin}${path}` })).status
}

const subject = "ada"

const ours: Peer = async ({ clientId, clientSecret, database, grant, origin, redirectUri }) => {
  const stores = Layer.provideMerge(SqlStores.layer, Database.layer(database))
  const zapier = ZapierNode.layerWithoutStores({
    application: { clientId, clientSecret, redirectUris: [redirectUri] },
    urls: ZapierUrls.at(origin),
    httpClient: NodeHttpClient.layerUndiciOptions({ connections: 256 })
  })
  const runtime = ManagedRuntime.make(Layer.provideMerge(zapier, stores))
  const tokens = {
    accessToken: Tokens.secret(grant.accessToken),
    refreshToken: Tokens.secret(grant.refreshToken),
    scopes: ["zap"],
    obtainedAt: grant.expiresAt - 36_000_000,
    expiresAt: grant.expiresAt
  }
  // Of several processes, one is the first.
  const adopt = GrantStore.use(({ compareAndSet }) =>
    compareAndSet({ clientId, subject }, Option.none(), UserGrant.granted(grant.refreshToken, tokens))
  )
  await runtime.runPromise(adopt)
  const call = (path: string) =>
    ZapierHttpClient.use((zapier) => zapier.as(Credential.user(subject)).get(path)).pipe(
      Effect.tap((response) => response.arrayBuffer),
      Effect.map(({ status }) => status)
    )
  return (path) => runtime.runPromise(call(path))
}

export const oursName = "this library"

export const constantName = "fetch, with a constant token"

const clients = {
  [oursName]: ours,
  "simple-oauth2": simpleOauth2,
  "openid-client": openidClient,
  arctic,
  "@badgateway/oauth2-client": badgateway,
  "google-auth-library": google
}

export const peers = { ...clients, [constantName]: constant }

export type Name = keyof typeof peers

/** Those that renew tokens. */
export const names = Object.keys(clients) as ReadonlyArray<keyof typeof clients>
