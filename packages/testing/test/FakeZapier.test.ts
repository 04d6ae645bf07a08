import { assert, describe, it } from "@effect/vitest"
import { createServer } from "node:http"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as FakeZapier from "../src/FakeZapier.ts"

const layerInProcess = Layer.provideMerge(FakeZapier.layerHttpClient, FakeZapier.layer())

const layerOverHttp = FakeZapier.layerServer.pipe(
  Layer.provideMerge(FakeZapier.layer()),
  Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 })),
  Layer.provideMerge(NodeHttpClient.layerUndici)
)

const redirectUri = "https://acme.example/callback"

const register = Effect.flatMap(FakeZapier.FakeZapier, (zapier) =>
  zapier.registerApp({ name: "Acme", redirectUris: [redirectUri], clientId: "id", clientSecret: "secret" })
)

const authorizationUrl = (origin = "https://api.zapier.com") =>
  `${origin}/v2/authorize?${new URLSearchParams({
    response_type: "code",
    client_id: "id",
    redirect_uri: redirectUri,
    scope: "zap",
    state: "xyz"
  })}`

const tokenRequest = (
  origin: string,
  body: (request: HttpClientRequest.HttpClientRequest) => HttpClientRequest.HttpClientRequest
) => HttpClientRequest.post(`${origin}/oauth/token/`).pipe(HttpClientRequest.basicAuth("id", "secret"), body)

const clientCredentials = { grant_type: "client_credentials", scope: "zap" }

const formData = () => {
  const form = new FormData()
  for (const [name, value] of Object.entries(clientCredentials)) form.append(name, value)
  return form
}

describe("in process", () => {
  it.effect("knows the apps that it was made with", () => {
    const fake = FakeZapier.layer({ apps: [{ name: "Acme", redirectUris: [redirectUri], clientId: "given" }] })
    return Effect.gen(function* () {
      const response = yield* HttpClient.get("https://api.zapier.com/v1/apps?client_id=given")
      assert.strictEqual(response.status, 200)
    }).pipe(Effect.provide(Layer.provideMerge(FakeZapier.layerHttpClient, fake)))
  })

  it.effect("serves Zapier's real URLs without sockets", () =>
    Effect.gen(function* () {
      yield* register
      const response = yield* HttpClient.get("https://api.zapier.com/v1/apps?client_id=id")
      assert.strictEqual(response.status, 200)
      assert.deepInclude((yield* response.json) as object, { total: 12 })
    }).pipe(Effect.provide(layerInProcess))
  )

  it.effect.each([
    ["urlencoded", HttpClientRequest.bodyUrlParams(clientCredentials)],
    ["multipart", HttpClientRequest.bodyFormData(formData())],
    [
      "streamed",
      HttpClientRequest.bodyStream(
        Stream.make(new TextEncoder().encode(new URLSearchParams(clientCredentials).toString())),
        { contentType: "application/x-www-form-urlencoded" }
      )
    ]
  ] as const)("takes %s bodies", ([, body]) =>
    Effect.gen(function* () {
      yield* register
      const response = yield* HttpClient.execute(tokenRequest("https://zapier.com", body))
      assert.deepInclude((yield* response.json) as object, { scope: "zap" })
    }).pipe(Effect.provide(layerInProcess))
  )

  it.effect("takes its time from the clock, and from a clock of its own on top", () =>
    Effect.gen(function* () {
      const zapier = yield* FakeZapier.FakeZapier
      yield* register
      const token = yield* HttpClient.execute(
        tokenRequest("https://zapier.com", HttpClientRequest.bodyUrlParams({ grant_type: "client_credentials" }))
      )
      const { access_token } = (yield* token.json) as { access_token: string }
      const status = Effect.map(
        HttpClient.execute(
          HttpClientRequest.make("DELETE")("https://api.zapier.com/v2/promotions/x").pipe(
            HttpClientRequest.bearerToken(access_token)
          )
        ),
        (response) => response.status
      )
      yield* TestClock.adjust("9 hours")
      assert.strictEqual(yield* status, 404)
      yield* zapier.advance("1 hour")
      assert.strictEqual(yield* status, 401)
    }).pipe(Effect.provide(layerInProcess))
  )

  it.effect("approves, denies, revokes, and remembers what it was asked and what it issued", () =>
    Effect.gen(function* () {
      const zapier = yield* FakeZapier.FakeZapier
      yield* register
      const approved = new URL(yield* zapier.approve(authorizationUrl())).searchParams
      const denied = new URL(yield* zapier.deny(authorizationUrl())).searchParams
      assert.strictEqual(denied.get("error"), "access_denied")
      const code = approved.get("code") ?? ""
      const exchange = tokenRequest(
        "https://zapier.com",
        HttpClientRequest.bodyUrlParams({ grant_type: "authorization_code", code, redirect_uri: redirectUri })
      )
      const { access_token, refresh_token } = (yield* (yield* HttpClient.execute(exchange)).json) as {
        access_token: string
        refresh_token: string
      }
      const refresh = tokenRequest(
        "https://zapier.com",
        HttpClientRequest.bodyUrlParams({ grant_type: "refresh_token", refresh_token })
      )
      yield* HttpClient.execute(refresh)
      const origins = (yield* zapier.issued).map(({ origin }) => origin)
      assert.deepStrictEqual(origins, [
        { _tag: "Code", code },
        { _tag: "RefreshToken", refreshToken: refresh_token }
      ])
      yield* zapier.revoke({ clientId: "id" })
      yield* zapier.endAccessToken(access_token)
      assert.strictEqual((yield* HttpClient.execute(refresh)).status, 400)
      assert.deepStrictEqual(
        (yield* zapier.requests).map(({ request, status }) => [request.path, status]),
        [
          ["/oauth/token/", 200],
          ["/oauth/token/", 200],
          ["/oauth/token/", 400]
        ]
      )
      const error = yield* Effect.flip(zapier.approve("nonsense"))
      assert.strictEqual(error._tag, "FakeControlError")
    }).pipe(Effect.provide(layerInProcess))
  )

  it.effect("remembers only the latest", () =>
    Effect.gen(function* () {
      const zapier = yield* FakeZapier.FakeZapier
      for (let index = 0; index < 25; index++) yield* HttpClient.get(`https://api.zapier.com/${index}`)
      const paths = (yield* zapier.requests).map(({ request }) => request.path)
      assert.deepStrictEqual(
        paths,
        Array.from({ length: 10 }, (_, index) => `/${index + 15}`)
      )
    }).pipe(Effect.provide(Layer.provideMerge(FakeZapier.layerHttpClient, FakeZapier.layer({ remember: 10 }))))
  )
})

describe("as a fetch function", () => {
  it.effect("answers without Effect", () =>
    Effect.gen(function* () {
      yield* register
      const fetch = yield* FakeZapier.fetch
      const apps = yield* Effect.promise(() => fetch("https://api.zapier.com/v1/apps?client_id=id"))
      assert.strictEqual(apps.status, 200)
      const token = yield* Effect.promise(() =>
        fetch("https://zapier.com/oauth/token/", {
          method: "POST",
          headers: { authorization: `Basic ${btoa("id:secret")}` },
          body: formData()
        })
      )
      assert.deepInclude((yield* Effect.promise(() => token.json())) as object, { scope: "zap" })
    }).pipe(Effect.provide(FakeZapier.layer()))
  )
})

describe("over HTTP", () => {
  const origin = Effect.map(HttpServer.HttpServer, ({ address }) => HttpServer.formatAddress(address))

  it.effect("serves the consent page, and redirects with the code", () =>
    Effect.gen(function* () {
      yield* register
      const url = authorizationUrl(yield* origin)
      const page = yield* HttpClient.get(url)
      assert.match(page.headers["content-type"] ?? "", /text\/html/)
      assert.include(yield* page.text, "Allow Acme")
      const allow = HttpClientRequest.post(url).pipe(HttpClientRequest.bodyUrlParams({ decision: "allow" }))
      const { headers, status } = yield* HttpClient.execute(allow)
      assert.strictEqual(status, 302)
      assert.match(headers["location"] ?? "", /^https:\/\/acme\.example\/callback\?code=\w{30}&state=xyz$/)
    }).pipe(Effect.provide(layerOverHttp))
  )

  it.effect("takes urlencoded bodies, and multipart bodies of the platform's fetch", () =>
    Effect.gen(function* () {
      yield* register
      const base = yield* origin
      const urlencoded = yield* HttpClient.execute(
        tokenRequest(base, HttpClientRequest.bodyUrlParams(clientCredentials))
      )
      assert.deepInclude((yield* urlencoded.json) as object, { scope: "zap", expires_in: 36_000 })
      assert.strictEqual(urlencoded.headers["cache-control"], "no-store")
      const multipart = yield* Effect.promise(() =>
        // The platform's own encoder of forms is what is tried here. @effect-diagnostics-next-line globalFetchInEffect:off
        globalThis.fetch(`${base}/oauth/token/`, {
          method: "POST",
          headers: { authorization: `Basic ${btoa("id:secret")}` },
          body: formData()
        })
      )
      assert.deepInclude((yield* Effect.promise(() => multipart.json())) as object, { scope: "zap" })
    }).pipe(Effect.provide(layerOverHttp))
  )

  it.effect("passes statuses, challenges and empty bodies through", () =>
    Effect.gen(function* () {
      yield* register
      const base = yield* origin
      const unauthorized = yield* HttpClient.get(`${base}/v2/zaps`)
      assert.deepStrictEqual(
        [unauthorized.status, unauthorized.headers["www-authenticate"]],
        [401, 'Bearer realm="api"']
      )
      const slash = yield* HttpClient.post(`${base}/oauth/token`)
      assert.deepStrictEqual([slash.status, slash.headers["location"]], [301, "/oauth/token/"])
    }).pipe(Effect.provide(layerOverHttp))
  )
})
