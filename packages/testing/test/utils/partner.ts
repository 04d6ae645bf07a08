/** A White Label partner, made with `jose`: its keys, its JWTs, and its requests to the token endpoint. */
import * as Jose from "jose"
import * as FakeHttp from "../../src/fake/FakeHttp.ts"
import type * as FakeWhiteLabel from "../../src/fake/FakeWhiteLabel.ts"
import { basic } from "./flow.ts"

export const issuer = "https://acme.example"

export const audience = "connect.zapier.com"

export const app = {
  clientId: "partner-1",
  clientSecret: "s3cret",
  name: "Acme",
  redirectUris: [`${issuer}/connected`]
}

export const types = {
  jwt: "urn:ietf:params:oauth:token-type:external-jwt",
  accessToken: "urn:ietf:params:oauth:token-type:access-token",
  connectToken: "urn:ietf:params:oauth:token-type:connect-token"
}

export const grantType = "urn:ietf:params:oauth:grant-type:token-exchange"

export interface Key {
  readonly algorithm: string
  readonly kid: string
  readonly privateKey: Jose.CryptoKey
  readonly publicKey: Jose.CryptoKey
  readonly jwk: FakeWhiteLabel.Jwk
}

export const key = async (kid: string, algorithm = "ES256"): Promise<Key> => {
  const { privateKey, publicKey } = await Jose.generateKeyPair(algorithm, { extractable: true })
  const jwk = { ...(await Jose.exportJWK(publicKey)), kid, alg: algorithm, use: "sig" }
  return { algorithm, kid, privateKey, publicKey, jwk: jwk as unknown as FakeWhiteLabel.Jwk }
}

/** Made once: an RSA key takes a while. */
export const current: Promise<Key> = key("current")

/** Claims that are right, at a time in seconds. One that is `undefined` is left out. */
export const claims = (at: number, changes: { readonly [name: string]: unknown } = {}): Jose.JWTPayload => ({
  sub: "user-1",
  org_id: "tenant-1",
  iss: issuer,
  aud: audience,
  iat: at,
  nbf: at,
  exp: at + 300,
  jti: crypto.randomUUID(),
  ...changes
})

export const sign = (
  { algorithm, kid, privateKey }: Key,
  payload: Jose.JWTPayload,
  header: { readonly [name: string]: unknown } = {}
): Promise<string> =>
  new Jose.CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
    .setProtectedHeader({ alg: algorithm, kid, typ: "JWT", ...header })
    .sign(privateKey)

export const exchangeFields = (jwt: string) => ({
  grant_type: grantType,
  subject_token: jwt,
  subject_token_type: types.jwt,
  requested_token_type: types.accessToken
})

export const connectFields = (accessToken: string, resource: string) => ({
  grant_type: grantType,
  subject_token: accessToken,
  subject_token_type: types.accessToken,
  requested_token_type: types.connectToken,
  scope: "connection:write",
  resource
})

export const tokenRequest = (
  fields: { readonly [name: string]: string },
  { clientId, clientSecret }: { readonly clientId: string; readonly clientSecret: string } = app
): FakeHttp.FakeRequest =>
  FakeHttp.form("POST", "/oauth/token/", fields, { authorization: basic(clientId, clientSecret) })
