/** The client application of a model, as the fake sees it: what it is registered as, and its requests. */
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as TokenRequest from "@zapier-workflow-auth/core/oauth/TokenRequest"
import type * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as FakeControl from "../../fake/FakeControl.ts"
import * as FakeHttp from "../../fake/FakeHttp.ts"
import * as FakeServer from "../../fake/FakeServer.ts"
import type * as FakeState from "../../fake/FakeState.ts"

export const redirectUri = "https://app.example/callback"

export const clientId = "app"

const credentials = { clientId, clientSecret: "a secret", redirectUris: [redirectUri] }

const application = Result.getOrThrow(ClientApplication.make(credentials))

/** A fake that knows the application. It limits no rates: what was sent before would then be part of every state. */
export const register = (knobs: Partial<FakeState.Knobs>): FakeState.FakeState =>
  Result.getOrThrow(
    FakeControl.make({ knobs: { ...knobs, rateLimits: false }, apps: [{ name: "App", ...credentials }] })
  )

export const tokenRequest = (request: TokenRequest.TokenRequest): FakeHttp.FakeRequest => {
  const { body, headers, method, url } = TokenRequest.toHttp(request, application, ZapierUrls.production.token)
  return FakeHttp.request(method, url, { headers, body: body._tag === "Uint8Array" ? body.body : "" })
}

/** The status of the API's answer to a call with this access token. */
export const callApi = (
  server: FakeState.FakeState,
  [method, path]: readonly [method: string, path: string],
  access: Tokens.Access,
  now: number
): number => {
  const authorization = `Bearer ${Redacted.value(access.accessToken)}`
  return FakeServer.handle(server, FakeHttp.request(method, path, { headers: { authorization } }), now).response.status
}
