/** Other OAuth clients and this library, used by an app that calls as itself and has no token yet. */
import { ConfidentialClientApplication } from "@azure/msal-node"
import { OAuth2Fetch } from "@badgateway/oauth2-client"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as OpenidClient from "openid-client"
import { ClientCredentials } from "simple-oauth2"
import * as Parts from "./peerParts.ts"
import * as Peers from "./peers.ts"

/** Deletes an enrollment. */
type Peer = (app: Parts.App) => Parts.Call

const method = "DELETE"

const scope = "promotions:write"

// Clients that leave keeping the token to the app.
const keeping = (app: Parts.App, ask: () => Promise<Parts.Token>) =>
  Parts.calling(method, app, Parts.keeping({ accessToken: "", expiresAt: 0 }, ask))

const simpleOauth2: Peer = (app) => {
  const client = new ClientCredentials(Parts.simpleOauth2Options(app))
  return keeping(app, async () => {
    const { token } = await client.getToken({ scope })
    return { accessToken: String(token["access_token"]), expiresAt: Parts.after(Number(token["expires_in"])) }
  })
}

const openidClient: Peer = (app) => {
  const config = Parts.openidConfiguration(app)
  return keeping(app, async () => {
    const { access_token, expires_in } = await OpenidClient.clientCredentialsGrant(config, { scope })
    return { accessToken: access_token, expiresAt: Parts.after(expires_in) }
  })
}

// Clients that keep the token themselves.

const badgateway: Peer = (app) => {
  const client = Parts.badgatewayClient(app)
  const fetcher = new OAuth2Fetch({
    client,
    getNewToken: () => client.clientCredentials({ scope: [scope] }),
    scheduleRefresh: false
  })
  return async (path) => Parts.statusOf(await fetcher.fetch(`${app.origin}${path}`, { method }))
}

const msal: Peer = (app) => {
  const authority = "https://zapier.com"
  const client = new ConfidentialClientApplication({
    auth: {
      clientId: app.clientId,
      clientSecret: app.clientSecret,
      authority,
      knownAuthorities: ["zapier.com"],
      // It accepts only an https authority, and requests no metadata if it is given.
      authorityMetadata: JSON.stringify({
        issuer: authority,
        authorization_endpoint: `${authority}/authorize`,
        token_endpoint: Parts.tokenUrl(app),
        jwks_uri: `${authority}/jwks`
      })
    },
    system: { protocolMode: "OIDC" }
  })
  return Parts.calling(method, app, async () => {
    const result = await client.acquireTokenByClientCredential({ scopes: [scope] })
    return result?.accessToken ?? ""
  })
}

const ours: Peer = (app) => {
  const runtime = ManagedRuntime.make(ZapierNode.layerMemory(Parts.zapierOptions(app)))
  return (path) => runtime.runPromise(Parts.zapierCall(method, Credential.app(), path))
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
