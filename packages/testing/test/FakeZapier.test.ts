import { assert, describe, it } from "@effect/vitest"
import { createServer } from "node:http"
import { inspect } from "node:util"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import type * as FakeControl from "../src/fake/FakeControl.ts"
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

  it.effect("approves, denies, revokes, and logs requests and issued tokens", () =>
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

describe("the control of a test", () => {
  const layer = Layer.provideMerge(
    FakeZapier.layerHttpClient,
    FakeZapier.layer({
      apps: [{ name: "Acme", redirectUris: [redirectUri], clientId: "id", clientSecret: "secret" }],
      settings: { rateLimits: false }
    })
  )

  const send = Effect.fnUntraced(function* (fields: Record<string, string>) {
    const request = tokenRequest("https://zapier.com", HttpClientRequest.bodyUrlParams(fields))
    return (yield* (yield* HttpClient.execute(request)).json) as { access_token: string; refresh_token: string }
  })

  const connect = Effect.fnUntraced(function* (user?: string) {
    const zapier = yield* FakeZapier.FakeZapier
    const callback = new URL(yield* zapier.approve(authorizationUrl(), { user }))
    const code = callback.searchParams.get("code") ?? ""
    return { code, ...(yield* send({ grant_type: "authorization_code", code, redirect_uri: redirectUri })) }
  })

  const refresh = (refresh_token: string) => send({ grant_type: "refresh_token", refresh_token })

  const statusOf = (accessToken: string) =>
    HttpClient.execute(
      HttpClientRequest.bearerToken(HttpClientRequest.get("https://api.zapier.com/v2/zaps"), accessToken)
    ).pipe(Effect.map(({ status }) => status))

  it.effect("approves as a user who was added, and denies as one", () =>
    Effect.gen(function* () {
      const zapier = yield* FakeZapier.FakeZapier
      const { id } = yield* zapier.registerUser({ email: "bob@example.com", firstName: "Bob" })
      const { access_token } = yield* connect("bob@example.com")
      const [grant] = HashMap.values((yield* zapier.state).grants)
      assert.strictEqual(grant?.userId, id)
      assert.strictEqual(grant?.accessTokens[0]?.accessToken, access_token)
      const denied = yield* zapier.deny(authorizationUrl(), { user: "bob@example.com" })
      assert.strictEqual(new URL(denied).searchParams.get("error"), "access_denied")
    }).pipe(Effect.provide(layer))
  )

  it.effect("knows the origin of each token", () =>
    Effect.gen(function* () {
      const zapier = yield* FakeZapier.FakeZapier
      const first = yield* connect()
      const second = yield* refresh(first.refresh_token)
      const other = yield* connect()
      const third = yield* refresh(second.refresh_token)
      const chain = yield* zapier.tokenFamily(third.access_token)
      assert.deepStrictEqual(
        chain.map(({ accessToken, origin }) => [accessToken, origin]),
        [
          [first.access_token, { _tag: "Code", code: first.code }],
          [second.access_token, { _tag: "RefreshToken", refreshToken: first.refresh_token }],
          [third.access_token, { _tag: "RefreshToken", refreshToken: second.refresh_token }]
        ]
      )
      assert.deepStrictEqual(yield* zapier.tokenFamily(third.refresh_token), chain)
      assert.lengthOf(yield* zapier.tokenFamily(other.access_token), 1)
      assert.lengthOf(yield* zapier.tokenFamily("unknown"), 0)
    }).pipe(Effect.provide(layer))
  )

  it.effect("restores a snapshot, including logs and time", () =>
    Effect.gen(function* () {
      const zapier = yield* FakeZapier.FakeZapier
      const { access_token, refresh_token } = yield* connect()
      yield* zapier.advance("9 hours")
      const snapshot = yield* zapier.snapshot
      const [issued, requests] = [yield* zapier.issued, yield* zapier.requests]
      const once = yield* refresh(refresh_token)
      yield* zapier.revoke({ user: "ada@example.com" })
      yield* zapier.setFaults([{ fault: { _tag: "ResponseLost" } }])
      yield* TestClock.adjust("5 hours")
      yield* zapier.restore(snapshot)
      assert.deepStrictEqual([yield* zapier.issued, yield* zapier.requests], [issued, requests])
      assert.strictEqual(yield* statusOf(access_token), 200)
      assert.deepStrictEqual(yield* refresh(refresh_token), once)
      // It can be restored again.
      yield* zapier.restore(snapshot)
      assert.lengthOf(yield* zapier.requests, 1)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* statusOf(access_token), 401)
    }).pipe(Effect.provide(layer))
  )

  it.effect("begins anew, and gives the same tokens for the same calls", () =>
    Effect.gen(function* () {
      const zapier = yield* FakeZapier.FakeZapier
      const life = Effect.gen(function* () {
        const bob = yield* zapier.registerUser({ email: "bob@example.com" })
        const app = yield* zapier.registerApp({ name: "Other", redirectUris: [] })
        const { clientSecret } = yield* zapier.regenerateSecret(app.clientId)
        const first = yield* connect(bob.email)
        yield* zapier.addFault({ fault: { _tag: "MalformedJson" }, share: 0.5 })
        const lines: Array<string> = []
        for (let i = 0; i < 20; i++) yield* HttpClient.get("https://api.zapier.com/v1/categories")
        for (const { line } of yield* zapier.requests) lines.push(line)
        yield* zapier.setFaults([])
        return { bob, app, clientSecret, first, second: yield* refresh(first.refresh_token), lines }
      })
      const once = yield* life
      yield* zapier.advance("1 hour")
      yield* zapier.reset
      assert.deepStrictEqual([yield* zapier.requests, yield* zapier.issued, yield* zapier.time], [[], [], 0])
      assert.deepStrictEqual(yield* life, once)
    }).pipe(Effect.provide(layer))
  )

  it.effect("sets the clock, which goes on from there", () =>
    Effect.gen(function* () {
      const zapier = yield* FakeZapier.FakeZapier
      yield* TestClock.adjust("1 hour")
      yield* zapier.setTime(1_000)
      yield* TestClock.adjust("1 second")
      yield* zapier.advance(500)
      assert.strictEqual(yield* zapier.time, 2_500)
    }).pipe(Effect.provide(layer))
  )

  it.effect("reports invalid input, and changes nothing", () =>
    Effect.gen(function* () {
      const zapier = yield* FakeZapier.FakeZapier
      const before = yield* zapier.state
      const refused: ReadonlyArray<Effect.Effect<unknown, FakeControl.FakeControlError>> = [
        zapier.registerApp({ name: "", redirectUris: [] }),
        zapier.registerUser({ email: "ada@example.com" }),
        zapier.regenerateSecret("unknown"),
        zapier.approve("nonsense"),
        zapier.deny("nonsense"),
        zapier.revoke({}),
        zapier.changeSettings({ graceMillis: -1 }),
        zapier.setFaults([{ fault: { _tag: "ServerError", status: 200 } }]),
        zapier.addFault({ fault: { _tag: "ResponseLost" }, times: 0 }),
        zapier.advance("some time" as "1 hour"),
        zapier.advance("-1 hour"),
        zapier.setTime(Number.NaN)
      ]
      for (const operation of refused) {
        const result = yield* Effect.result(operation)
        assert.isAtLeast(result._tag === "Failure" ? result.failure.message.length : 0, 20)
      }
      assert.strictEqual(yield* zapier.state, before)
    }).pipe(Effect.provide(layer))
  )

  it("is not had with options that make no sense", () => {
    assert.throws(() => FakeZapier.make({ settings: { codeLifetime: -1 } }), /codeLifetime/)
  })

  it.effect("shows no secret when it or its logs are printed", () =>
    Effect.gen(function* () {
      const zapier = yield* FakeZapier.FakeZapier
      const { access_token, code, refresh_token } = yield* connect()
      yield* statusOf(access_token)
      const printed = [zapier, yield* zapier.snapshot, yield* zapier.requests].map(
        (value) => `${inspect(value, { depth: 9 })} ${JSON.stringify(value)}`
      )
      for (const secret of [access_token, code, refresh_token, "secret"]) assert.notInclude(printed.join(), secret)
      assert.include(printed[1], "FakeZapier.Snapshot")
    }).pipe(Effect.provide(layer))
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
