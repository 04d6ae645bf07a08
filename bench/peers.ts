/** Other OAuth clients and this library, used by an app for one user's loaded grant. */
import { OAuth2Fetch } from "@badgateway/oauth2-client"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import * as SqlStores from "@zapier-workflow-auth/node-adapter/stores/SqlStores"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import * as Arctic from "arctic"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import { OAuth2Client as GoogleClient } from "google-auth-library"
import * as OpenidClient from "openid-client"
import { AuthorizationCode } from "simple-oauth2"
import * as Database from "./database.ts"
import * as Parts from "./peerParts.ts"

export interface Grant extends Parts.Token {
  readonly refreshToken: string
}

export interface Options extends Parts.App {
  readonly grant: Grant
  /**
   * The store that all processes share. The other clients have none: the app loads the grant, and passes it to them.
   */
  readonly database: Database.SqlDatabase
}

type Peer = (options: Options) => Promise<Parts.Call>

const method = "GET"

// Clients that leave calls to the app, and the time of a refresh.
const renewing = (options: Options, renew: (refreshToken: string) => Promise<Grant>) =>
  Parts.calling(
    method,
    options,
    Parts.keeping(options.grant, ({ refreshToken }) => renew(refreshToken))
  )

// No client at all: the token is a constant.
const constant: Peer = async (options) => renewing(options, () => Promise.reject(new Error("the token has ended")))

const simpleOauth2: Peer = async (options) => {
  const client = new AuthorizationCode(Parts.simpleOauth2Options(options))
  return renewing(options, async (refresh_token) => {
    const { token } = await client.createToken({ refresh_token }).refresh()
    return {
      accessToken: String(token["access_token"]),
      refreshToken: String(token["refresh_token"]),
      expiresAt: Parts.after(Number(token["expires_in"]))
    }
  })
}

const openidClient: Peer = async (options) => {
  const config = Parts.openidConfiguration(options)
  return renewing(options, async (refreshToken) => {
    const { access_token, expires_in, refresh_token = "" } = await OpenidClient.refreshTokenGrant(config, refreshToken)
    return { accessToken: access_token, refreshToken: refresh_token, expiresAt: Parts.after(expires_in) }
  })
}

const arctic: Peer = async (options) => {
  const client = new Arctic.OAuth2Client(options.clientId, options.clientSecret, options.redirectUri)
  return renewing(options, async (refreshToken) => {
    const tokens = await client.refreshAccessToken(Parts.tokenUrl(options), refreshToken, [])
    return {
      accessToken: tokens.accessToken(),
      refreshToken: tokens.refreshToken(),
      expiresAt: Parts.after(tokens.accessTokenExpiresInSeconds())
    }
  })
}

// These two refresh by themselves.

const badgateway: Peer = async (options) => {
  const fetcher = new OAuth2Fetch({
    client: Parts.badgatewayClient(options),
    getNewToken: () => null,
    getStoredToken: () => ({ ...options.grant }),
    scheduleRefresh: false
  })
  return async (path) => Parts.statusOf(await fetcher.fetch(`${options.origin}${path}`))
}

const google: Peer = async (options) => {
  const { clientId, clientSecret, grant, origin } = options
  const client = new GoogleClient({
    clientId,
    clientSecret,
    endpoints: { oauth2TokenUrl: Parts.tokenUrl(options) },
    forceRefreshOnFailure: true
  })
  const { accessToken: access_token, expiresAt: expiry_date, refreshToken: refresh_token } = grant
  client.setCredentials({ access_token, refresh_token, expiry_date })
  return async (path) => (await client.request({ url: `${origin}${path}` })).status
}

const subject = "ada"

const ours: Peer = async (options) => {
  const { clientId, database, grant } = options
  const stores = Layer.provideMerge(SqlStores.layer, Database.layer(database))
  const zapier = ZapierNode.layerWithoutStores(Parts.zapierOptions(options))
  const runtime = ManagedRuntime.make(Layer.provideMerge(zapier, stores))
  const tokens = {
    accessToken: Tokens.secret(grant.accessToken),
    refreshToken: Tokens.secret(grant.refreshToken),
    scopes: ["zap"],
    obtainedAt: grant.expiresAt - 36_000_000,
    expiresAt: grant.expiresAt
  }
  // One of several processes is the first.
  const adopt = GrantStore.use(({ compareAndSet }) =>
    compareAndSet({ clientId, subject }, Option.none(), UserGrant.granted(grant.refreshToken, tokens))
  )
  await runtime.runPromise(adopt)
  return (path) => runtime.runPromise(Parts.zapierCall(method, Credential.user(subject), path))
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

/** Clients that refresh tokens. */
export const names = Object.keys(clients) as ReadonlyArray<keyof typeof clients>
