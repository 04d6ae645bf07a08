/**
 * The time to turn a callback into tokens: `state` is checked, the code exchanged, the response parsed. The token
 * endpoint is a function in the same process that gives every client the same response. This library also looks up and
 * spends its consent attempt, and stores the grant, in memory; others leave that to the app. Rounds are interleaved.
 */
import { OAuth2Client as BadgatewayClient } from "@badgateway/oauth2-client"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as OAuth4WebApi from "oauth4webapi"
import * as OpenidClient from "openid-client"
import { medianOf, spreadOf } from "../measure.ts"
import { type Report, round, say } from "../report.ts"

export const name = "exchange"

/** Exchanges of each client in a round. */
export const calls = 1_000

const rounds = 15

// Relative to the rate of a single request through Effect's `HttpClient`, so that a slowdown is noticed.
const bound = 0.15

const app = { clientId: "bench", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] as const }

const [redirectUri] = app.redirectUris

const origin = "https://zapier.com"

const tokenUrl = `${origin}/oauth/token/`

const body = JSON.stringify({
  access_token: "a".repeat(30),
  expires_in: 36_000,
  token_type: "Bearer",
  scope: "zap zap:write",
  refresh_token: "r".repeat(30)
})

const headers = { "content-type": "application/json", "cache-control": "no-store" }

const answer = async () => new Response(body, { headers })

interface Client {
  /** Begins a consent, and returns its callback. */
  readonly begin: () => Promise<URL>
  readonly exchange: (callback: URL) => Promise<unknown>
}

const callbackOf = (state: string) => new URL(`${redirectUri}?code=${"c".repeat(30)}&state=${state}`)

const ours = (): Client => {
  const runtime = ManagedRuntime.make(
    ZapierNode.layerMemory({
      application: app,
      // All consents of a round are begun before the first is completed.
      settings: { attemptsPerSubject: 1_000_000 },
      httpClient: Layer.provide(FetchHttpClient.layer, Layer.succeed(FetchHttpClient.Fetch, answer))
    })
  )
  const options = { subject: "ada", scopes: ["zap", "zap:write"] }
  return {
    begin: () =>
      runtime.runPromise(
        Effect.map(
          ZapierAuth.use((auth) => auth.authorizationUrl(options)),
          ({ url }) => callbackOf(new URL(Redacted.value(url)).searchParams.get("state") ?? "")
        )
      ),
    exchange: (callback) => runtime.runPromise(ZapierAuth.use((auth) => auth.handleCallback(callback, options)))
  }
}

// Effect alone: the request, and its response through a schema, without `state` and store.
const bare = (): Client => {
  const Answer = Schema.Struct({ access_token: Schema.String, refresh_token: Schema.String, expires_in: Schema.Finite })
  const runtime = ManagedRuntime.make(
    Layer.provide(FetchHttpClient.layer, Layer.succeed(FetchHttpClient.Fetch, answer))
  )
  return withState((callback) =>
    runtime.runPromise(
      HttpClientRequest.post(tokenUrl).pipe(
        HttpClientRequest.basicAuth(app.clientId, app.clientSecret),
        HttpClientRequest.bodyUrlParams({
          grant_type: "authorization_code",
          code: callback.searchParams.get("code") ?? "",
          redirect_uri: redirectUri
        }),
        HttpClient.execute,
        Effect.flatMap(HttpClientResponse.schemaBodyJson(Answer))
      )
    )
  )
}

const withState = (exchange: (callback: URL, state: string) => Promise<unknown>): Client => {
  const state = OpenidClient.randomState()
  return { begin: async () => callbackOf(state), exchange: (callback) => exchange(callback, state) }
}

const openidClient = (): Client => {
  const config = new OpenidClient.Configuration(
    { issuer: origin, token_endpoint: tokenUrl },
    app.clientId,
    app.clientSecret
  )
  config[OpenidClient.customFetch] = answer
  return withState((callback, expectedState) =>
    OpenidClient.authorizationCodeGrant(config, callback, { expectedState }, { redirect_uri: redirectUri })
  )
}

const oauth4webapi = (): Client => {
  const server = { issuer: origin, token_endpoint: tokenUrl }
  const client = { client_id: app.clientId }
  const by = OAuth4WebApi.ClientSecretBasic(app.clientSecret)
  return withState(async (callback, state) => {
    const parameters = OAuth4WebApi.validateAuthResponse(server, client, callback, state)
    const response = await OAuth4WebApi.authorizationCodeGrantRequest(
      server,
      client,
      by,
      parameters,
      redirectUri,
      OAuth4WebApi.nopkce,
      { [OAuth4WebApi.customFetch]: answer }
    )
    return OAuth4WebApi.processAuthorizationCodeResponse(server, client, response)
  })
}

const badgateway = (): Client => {
  const client = new BadgatewayClient({
    clientId: app.clientId,
    clientSecret: app.clientSecret,
    tokenEndpoint: tokenUrl,
    fetch: answer
  })
  return withState((callback, state) =>
    client.authorizationCode.getTokenFromCodeRedirect(callback, { redirectUri, state })
  )
}

const clients = {
  "this library": ours(),
  "effect/http, one request": bare(),
  "openid-client": openidClient(),
  oauth4webapi: oauth4webapi(),
  "@badgateway/oauth2-client": badgateway()
}

// Exchanges per second. The consents are begun before the clock starts.
const rateOf = async (count: number, { begin, exchange }: Client) => {
  const callbacks: Array<URL> = []
  for (let index = 0; index < count; index++) callbacks.push(await begin())
  const began = performance.now()
  for (const callback of callbacks) await exchange(callback)
  return (count * 1_000) / (performance.now() - began)
}

export const run = (calls: number) =>
  Effect.promise(async () => {
    const measured = Object.entries(clients).map(([name, client]) => ({ name, client, rates: [] as Array<number> }))
    for (const { client } of measured) await rateOf(calls * 3, client)
    for (let index = 0; index < rounds; index++) {
      for (const { client, rates } of measured) {
        global.gc?.()
        rates.push(await rateOf(calls, client))
      }
    }
    const perSecond = Object.fromEntries(measured.map(({ name, rates }) => [name, spreadOf(rates)]))
    const medians = new Map(measured.map(({ name, rates }) => [name, medianOf(rates)]))
    const ratioTo = (other: keyof typeof clients) =>
      round((medians.get("this library") ?? 0) / (medians.get(other) ?? 0), 2)
    const ratio = ratioTo("effect/http, one request")
    const openidRatio = ratioTo("openid-client")
    say(`exchange: ${ratio} times the rate of one request through Effect, ${openidRatio} times that of openid-client`)
    return {
      scenario: name,
      passed: ratio >= bound,
      calls: calls * rounds,
      bound,
      ratio,
      openidRatio,
      perSecond
    } satisfies Report
  })
