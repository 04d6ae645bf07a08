import { createServer, request } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as FakeControl from "../../src/fake/FakeControl.ts"
import * as FakeControlServer from "../../src/fake/FakeControlServer.ts"
import * as FakeZapier from "../../src/FakeZapier.ts"

const app = { name: "Acme", clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] }

const served = (options?: FakeControlServer.Options, host = "127.0.0.1") =>
  FakeControlServer.layer(options).pipe(
    Layer.provideMerge(FakeZapier.layer({ apps: [app], seed: "the same" })),
    Layer.provide(SecureRandom.layerWebCrypto),
    Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { host, port: 0 })),
    Layer.merge(FetchHttpClient.layer)
  )

const { FakeControlServer: Service } = FakeControlServer

const get = Effect.fnUntraced(function* (url: string, bearer?: Redacted.Redacted) {
  const bare = HttpClientRequest.get(url)
  return yield* HttpClient.execute(bearer === undefined ? bare : HttpClientRequest.bearerToken(bare, bearer))
})

// `fetch` does not let anybody choose the name.
const statusAs = (url: string, host: string, token: string) =>
  Effect.promise(
    () =>
      new Promise((resolve, reject) => {
        const headers = { host, authorization: `Bearer ${token}` }
        const sent = request(url, { headers }, (answer) => resolve(answer.resume().statusCode))
        sent.on("error", reject).end()
      })
  )

describe("layer", () => {
  it.effect("serves the fake, and the API beside it, which no log and no rate limit counts", () =>
    Effect.gen(function* () {
      const { apiUrl, token } = yield* Service
      const zapier = yield* FakeZapier.FakeZapier
      const origin = new URL(apiUrl).origin
      assert.strictEqual((yield* get(`${origin}/v1/apps?client_id=abc`)).status, 200)
      for (let index = 0; index < 70; index++) yield* get(`${apiUrl}state`, token)
      const answer = yield* get(`${apiUrl}requests`, token)
      assert.strictEqual(answer.status, 200)
      const requests = (yield* answer.json) as ReadonlyArray<unknown>
      assert.lengthOf(requests, 1)
      assert.lengthOf(yield* zapier.requests, 1)
      const act = HttpClientRequest.post(`${apiUrl}advance`).pipe(
        HttpClientRequest.bearerToken(token),
        HttpClientRequest.bodyJsonUnsafe({ by: "10 hours" })
      )
      assert.strictEqual((yield* HttpClient.execute(act)).status, 204)
      assert.strictEqual((yield* zapier.state).clockOffset, 36_000_000)
    }).pipe(Effect.provide(served()))
  )

  it.effect("opens the page by the address that it gives, and by no other", () =>
    Effect.gen(function* () {
      const { token, url } = yield* Service
      const [address = "", query] = Redacted.value(url).split("?")
      assert.strictEqual(query, `token=${Redacted.value(token)}`)
      assert.strictEqual((yield* get(address)).status, 403)
      const opened = yield* Effect.provideService(get(Redacted.value(url)), FetchHttpClient.RequestInit, {
        redirect: "manual"
      })
      assert.strictEqual(opened.status, 303)
      const cookie = opened.headers["set-cookie"]?.split(";", 1)[0] ?? ""
      const page = yield* HttpClient.get(address, { headers: { cookie } })
      assert.include(yield* page.text, "Fake Zapier")
    }).pipe(Effect.provide(served()))
  )

  it.effect("draws its secrets from randomness, not from the fake's seed, and prints none of them", () =>
    Effect.gen(function* () {
      const tokens: Array<string> = []
      for (let index = 0; index < 2; index++) {
        const service = yield* Effect.provide(Service, served())
        const token = Redacted.value(service.token)
        assert.match(token, /^[\w-]{32}$/)
        assert.notInclude(JSON.stringify(service), token)
        tokens.push(token)
      }
      assert.notStrictEqual(tokens[0], tokens[1])
    })
  )

  it.effect("takes a token that it is given", () =>
    Effect.gen(function* () {
      const { apiUrl } = yield* Service
      assert.strictEqual((yield* get(`${apiUrl}state`, Redacted.make("0123456789abcdef"))).status, 200)
      assert.strictEqual((yield* get(`${apiUrl}state`, Redacted.make("0123456789abcdeF"))).status, 401)
    }).pipe(Effect.provide(served({ token: Redacted.make("0123456789abcdef") })))
  )

  it.effect.each(["", "short", "with a space in it", "with;a;semicolon;in;it"])(
    "refuses the token %o, and does not say it",
    Effect.fnUntraced(function* (token) {
      const exit = yield* Effect.exit(Layer.build(served({ token: Redacted.make(token) })))
      const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
      assert.instanceOf(error, FakeControl.FakeControlError)
      assert.include(error.problem, "at least 16 characters")
    })
  )

  it.effect.each([
    [{ tokn: "x" }, "The options cannot be used: tokn is unknown; known: token, links, onAction."],
    [{ onAction: "x" }, "The options cannot be used: onAction: Expected a function"],
    [{ links: [{ name: "Sample app", url: "javascript:alert(1)" }] }, "links[0].url: Expected a whole URL"]
  ] as const)("rejects the options %j, and lists the possible ones", ([options, problem]) =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(Layer.build(served(options as FakeControlServer.Options)))
      const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
      assert.instanceOf(error, FakeControl.FakeControlError)
      assert.include(error.problem, problem)
    })
  )

  it.effect("responds only to the names of its own machine", () =>
    Effect.gen(function* () {
      const { apiUrl, token } = yield* Service
      const as = (host: string) => statusAs(`${apiUrl}state`, host, Redacted.value(token))
      assert.strictEqual(yield* as("localhost"), 200)
      assert.strictEqual(yield* as("evil.example"), 403)
    }).pipe(Effect.provide(served()))
  )

  it.effect("where it listens on all addresses, gives one of this machine, and asks where requests come from", () =>
    Effect.gen(function* () {
      const { apiUrl, token } = yield* Service
      assert.match(apiUrl, /^http:\/\/localhost:\d+\/_control\/api\/$/)
      const local = apiUrl.replace("localhost", "127.0.0.1")
      assert.strictEqual((yield* get(`${local}state`, token)).status, 200)
    }).pipe(Effect.provide(served({}, "0.0.0.0")))
  )
})

describe("all other ways to run the fake", () => {
  it.effect("have no control page", () =>
    Effect.gen(function* () {
      const { address } = yield* HttpServer.HttpServer
      const fetch = yield* FakeZapier.fetch
      for (const path of ["/_control/", "/_control/api/state"]) {
        assert.strictEqual((yield* get(`${HttpServer.formatAddress(address)}${path}`)).status, 404)
        const answer = yield* Effect.promise(() => fetch(`https://zapier.com${path}`))
        assert.strictEqual(answer.status, 404)
      }
    }).pipe(
      Effect.provide(
        FakeZapier.layerServer.pipe(
          Layer.provideMerge(FakeZapier.layer()),
          Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 })),
          Layer.merge(FetchHttpClient.layer)
        )
      )
    )
  )
})
