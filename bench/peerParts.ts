/** Building blocks of clients, whether they call for a user or for the app itself. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { OAuth2Client as BadgatewayClient } from "@badgateway/oauth2-client"
import type * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import type * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as OpenidClient from "openid-client"

/** The app, and the server's address. */
export interface App {
  readonly origin: string
  readonly clientId: string
  readonly clientSecret: string
  readonly redirectUri: string
}

export interface Token {
  readonly accessToken: string
  /** In milliseconds since the epoch. */
  readonly expiresAt: number
}

export type Method = "GET" | "DELETE"

/** Calls the API at a path, and returns the status; rejects if the client does. */
export type Call = (path: string) => Promise<number>

export const tokenUrl = ({ origin }: App) => `${origin}/oauth/token/`

// Nothing here is an Effect. @effect-diagnostics globalFetch:off globalDate:off

/** The time in this many seconds, in milliseconds since the epoch. */
export const after = (seconds: number | undefined) => Date.now() + (seconds ?? 0) * 1_000

/** Reads a response, as an app would, and returns its status. */
export const statusOf = async (response: Response) => {
  await response.arrayBuffer()
  return response.status
}

/** Calls with the token that is given for each call. */
export const calling =
  (method: Method, { origin }: App, accessToken: () => Promise<string>): Call =>
  async (path) => {
    const headers = { authorization: `Bearer ${await accessToken()}` }
    return statusOf(await fetch(`${origin}${path}`, { method, headers }))
  }

/** The app's part: before each call it checks whether its token has expired, and gets another one. */
export const keeping = <T extends Token>(first: T, renew: (ended: T) => Promise<T>) => {
  let current = first
  return async () => {
    if (Date.now() >= current.expiresAt) current = await renew(current)
    return current.accessToken
  }
}

export const simpleOauth2Options = ({ clientId, clientSecret, origin }: App) => ({
  client: { id: clientId, secret: clientSecret },
  auth: { tokenHost: origin, tokenPath: "/oauth/token/" }
})

export const openidConfiguration = (app: App) => {
  const server = { issuer: app.origin, token_endpoint: tokenUrl(app) }
  const config = new OpenidClient.Configuration(server, app.clientId, app.clientSecret)
  OpenidClient.allowInsecureRequests(config)
  return config
}

export const badgatewayClient = (app: App) =>
  new BadgatewayClient({ clientId: app.clientId, clientSecret: app.clientSecret, tokenEndpoint: tokenUrl(app) })

export const zapierOptions = ({ clientId, clientSecret, origin, redirectUri }: App): ZapierNode.Options => ({
  application: { clientId, clientSecret, redirectUris: [redirectUri] },
  urls: ZapierUrls.at(origin),
  httpClient: NodeHttpClient.layerUndiciOptions({ connections: 256 })
})

/** A call with this library. */
export const zapierCall = (method: Method, credential: Credential.Credential, path: string) =>
  ZapierHttpClient.use((zapier) => zapier.as(credential).execute(HttpClientRequest.make(method)(path))).pipe(
    Effect.tap((response) => response.arrayBuffer),
    Effect.map(({ status }) => status)
  )
