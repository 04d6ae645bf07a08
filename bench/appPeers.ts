/** Clients that others have written, and this library, as an app uses them that calls as itself, and has no token yet. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { ConfidentialClientApplication } from "@azure/msal-node"
import { OAuth2Client as BadgatewayClient, OAuth2Fetch } from "@badgateway/oauth2-client"
import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as ZapierUrls from "@zapier-workflow-auth/core/ZapierUrls"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as OpenidClient from "openid-client"
import { ClientCredentials } from "simple-oauth2"
import * as Peers from "./peers.ts"

/** Deletes an enrollment, and says the status; rejects where the client does. */
type Delete = (id: string) => Promise<number>

const scope = "promotions:write"

const pathOf = (id: string) => `/v2/promotions/${id}`

// Nothing here is an Effect. @effect-diagnostics globalFetch:off globalDate:off
const deleteBy =
  ({ origin }: Peers.App, accessToken: () => Promise<string>): Delete =>
  async (id) => {
    const headers = { authorization: `Bearer ${await accessToken()}` }
    const response = await fetch(`${origin}${pathOf(id)}`, { method: "DELETE", headers })
    await response.arrayBuffer()
    return response.status
  }

interface Token {
  readonly accessToken: string
  /** In milliseconds since the epoch. */
  readonly expiresAt: number
}

// Those that leave it to the app to keep the token: it asks for one when it has none that is good.
const keeping = (app: Peers.App, ask: () => Promise<Token>): Delete => {
  let current: Token | undefined
  return deleteBy(app, async () => {
    if (current === undefined || Date.now() >= current.expiresAt) current = await ask()
    return current.accessToken
  })
}

const simpleOauth2 = (app: Peers.App): Delete => {
  const client = new ClientCredentials({
    client: { id: app.clientId, secret: app.clientSecret },
    auth: { tokenHost: app.origin, tokenPath: "/oauth/token/" }
  })
  return keeping(app, async () => {
    const { token } = await client.getToken({ scope })
    return { accessToken: String(token["access_token"]), expiresAt: Peers.after(Number(token["expires_in"])) }
  })
}

const openidClient = (app: Peers.App): Delete => {
  const server = { issuer: app.origin, token_endpoint: Peers.tokenUrl(app) }
  const config = new OpenidClient.Configuration(server, app.clientId, app.clientSecret)
  OpenidClient.allowInsecureRequests(config)
  return keeping(app, async () => {
    const { access_token, expires_in } = await OpenidClient.clientCredentialsGrant(config, { scope })
    return { accessToken: access_token, expiresAt: Peers.after(expires_in) }
  })
}

// These keep it themselves.

const badgateway = (app: Peers.App): Delete => {
  const { clientId, clientSecret, origin } = app
  const client = new BadgatewayClient({ clientId, clientSecret, tokenEndpoint: Peers.tokenUrl(app) })
  const fetcher = new OAuth2Fetch({
    client,
    getNewToken: () => client.clientCredentials({ scope: [scope] }),
    scheduleRefresh: false
  })
  return async (id) => {
    const response = await fetcher.fetch(`${origin}${pathOf(id)}`, { method: "DELETE" })
    await response.arrayBuffer()
    return response.status
  }
}

const msal = (app: Peers.App): Delete => {
  const authority = "https://zapier.com"
  const client = new ConfidentialClientApplication({
    auth: {
      clientId: app.clientId,
      clientSecret: app.clientSecret,
      authority,
      knownAuthorities: ["zapier.com"],
      // It takes no authority without https, and asks none for its metadata when they are given.
      authorityMetadata: JSON.stringify({
        issuer: authority,
        authorization_endpoint: `${authority}/authorize`,
        token_endpoint: Peers.tokenUrl(app),
        jwks_uri: `${authority}/jwks`
      })
    },
    system: { protocolMode: "OIDC" }
  })
  return deleteBy(app, async () => {
    const result = await client.acquireTokenByClientCredential({ scopes: [scope] })
    return result?.accessToken ?? ""
  })
}

const ours = ({ clientId, clientSecret, origin, redirectUri }: Peers.App): Delete => {
  const runtime = ManagedRuntime.make(
    ZapierNode.layerMemory({
      application: { clientId, clientSecret, redirectUris: [redirectUri] },
      urls: ZapierUrls.at(origin),
      httpClient: NodeHttpClient.layerUndiciOptions({ connections: 256 })
    })
  )
  return (enrollment_id) =>
    runtime.runPromise(
      ZapierHttpClient.use((zapier) =>
        zapier.call("DELETE /v2/promotions/{enrollment_id}", { path: { enrollment_id } })
      ).pipe(
        Effect.tap((response) => response.arrayBuffer),
        Effect.map(({ status }) => status)
      )
    )
}

export const appPeers = {
  [Peers.oursName]: ours,
  "simple-oauth2": simpleOauth2,
  "openid-client": openidClient,
  "@badgateway/oauth2-client": badgateway,
  "@azure/msal-node": msal
}

export type Name = keyof typeof appPeers

export const names = Object.keys(appPeers) as ReadonlyArray<Name>
