/** What a fake says of its own address, where it is served. */
import { createServer, request } from "node:http"
import type { AddressInfo } from "node:net"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as TokenEndpoint from "@zapier-workflow-auth/core/oauth/TokenEndpoint"
import * as MemoryStores from "@zapier-workflow-auth/core/store/MemoryStores"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
import * as ZapierApiClient from "@zapier-workflow-auth/core/zapier/ZapierApiClient"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import * as ZapierAuth from "@zapier-workflow-auth/core/ZapierAuth"
import * as ZapierHttpClient from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as FakeControlServer from "../src/fake/FakeControlServer.ts"
import * as FakeZapier from "../src/FakeZapier.ts"
import * as Markup from "./utils/Markup.ts"

const app = { name: "Acme", clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] }

const served = (host = "127.0.0.1") =>
  FakeZapier.layerServer.pipe(
    Layer.provideMerge(FakeZapier.layer({ apps: [app] })),
    Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { host, port: 0 }))
  )

const links = [{ name: "Sample <app>", url: "http://127.0.0.1:9272/?a=b&c" }]

const controlled = FakeControlServer.layer({ links }).pipe(
  Layer.provideMerge(FakeZapier.layer({ apps: [app] })),
  Layer.provide(SecureRandom.layerWebCrypto),
  Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 }))
)

const Page = Schema.Struct({
  data: Schema.Array(Schema.Struct({ title: Schema.String })),
  links: Schema.Struct({ next: Schema.NullOr(Schema.String) })
})

type Headers = { readonly [name: string]: string }

interface Answer {
  readonly status: number | undefined
  readonly headers: { readonly [name: string]: unknown }
  readonly body: string
}

const portOf = Effect.map(HttpServer.HttpServer, ({ address }) => ("port" in address ? address.port : 0))

// `fetch` does not let anybody choose the name that is asked by.
const ask = Effect.fnUntraced(function* (path: string, headers: Headers = {}, method = "GET") {
  const port = yield* portOf
  return yield* Effect.promise(
    () =>
      new Promise<Answer>((resolve, reject) => {
        const sent = request({ host: "127.0.0.1", port, path, method, headers }, (response) => {
          let body = ""
          response.setEncoding("utf8")
          response.on("data", (part: string) => (body += part))
          response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, body }))
        })
        sent.on("error", reject).end()
      })
  )
})

describe("links", () => {
  it.effect("of each kind of list lead back to where they were asked, and on from there", () =>
    Effect.gen(function* () {
      const origin = `http://127.0.0.1:${yield* portOf}`
      const paths = [
        ["/v1/categories?limit=5", "next"],
        ["/v1/apps?per_page=5&client_id=abc", "next_url"],
        ["/v1/apps?client_id=abc", "mutual:zap_templates"],
        ["/v2/apps?limit=5&client_id=abc", "next"],
        ["/v2/apps?limit=5&offset=5&client_id=abc", "previous"],
        ["/v2/whitelabel/apps?limit=5", "next"]
      ] as const
      for (const [path, member] of paths) {
        const link = new RegExp(`"${member}":"([^"]+)"`).exec((yield* ask(path)).body)?.[1] ?? ""
        assert.isTrue(link.startsWith(`${origin}/`), link)
        const { status } = yield* ask(`${link.slice(origin.length)}&client_id=abc`)
        assert.strictEqual(status, 200, link)
      }
    }).pipe(Effect.provide(served()))
  )

  const baseFor = Effect.fnUntraced(function* (headers: Headers) {
    const { body } = yield* ask("/v1/categories?limit=5", headers)
    return String(JSON.parse(body).next).split("/v1/", 1)[0]
  })

  it.effect.each<readonly [string, Headers]>([
    ["http://localhost:9270", { host: "localhost:9270" }],
    ["http://zapier:9270", { host: "zapier:9270" }],
    ["http://10.1.2.3", { host: "10.1.2.3" }],
    ["http://[::1]:9270", { host: "[::1]:9270" }],
    ["http://zapier.localhost", { host: "Zapier.localhost" }],
    ["http://zapier.test", { host: "zapier.test" }],
    [
      "https://zapier.test/v/1",
      {
        host: "fake",
        "x-forwarded-host": "zapier.test, b",
        "x-forwarded-proto": "https",
        "x-forwarded-prefix": "/v/1/"
      }
    ],
    ["http://fake/zapier", { host: "fake", "x-forwarded-prefix": "/zapier" }],
    ["http://fake", { host: "fake", "x-forwarded-prefix": "//evil.example" }],
    ["http://fake", { host: "fake", "x-forwarded-prefix": "/a/../b" }],
    ["http://fake", { host: "fake", "x-forwarded-prefix": "/a?b" }]
  ])("lead to %s, asked so", ([expected, headers]) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* baseFor(headers), expected)
    }).pipe(Effect.provide(served()))
  )

  it.effect.each([
    { host: "evil.example" },
    { host: "localhost.evil.example" },
    { host: "127.0.0.1.evil.example" },
    { host: "user@evil" },
    { host: "fake:99999" },
    { host: "fake", "x-forwarded-host": "evil.example" },
    { host: "" }
  ])("lead to the fake's own address, asked by a name that a stranger may own: %j", (headers) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* baseFor(headers), `http://127.0.0.1:${yield* portOf}`)
    }).pipe(Effect.provide(served()))
  )

  it.effect("lead to this machine, where the fake listens on all addresses", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* baseFor({ host: "evil.example" }), `http://localhost:${yield* portOf}`)
    }).pipe(Effect.provide(served("0.0.0.0")))
  )

  it.effect("lead to Zapier in process", () =>
    Effect.gen(function* () {
      const fetch = yield* FakeZapier.fetch
      const answer = yield* Effect.promise(() => fetch("http://127.0.0.1:9270/v1/categories?limit=5"))
      const { next } = (yield* Effect.promise(() => answer.json())) as { readonly next: string }
      assert.strictEqual(next, "https://api.zapier.com/v1/categories?limit=5&offset=5")
    }).pipe(Effect.provide(FakeZapier.layer()))
  )

  it.effect("of pages have the prefix that a gateway has taken off", () =>
    Effect.gen(function* () {
      const headers = { host: "fake", "x-forwarded-prefix": "/zapier" }
      const redirect = yield* ask("/oauth/authorize?a=b", headers)
      assert.strictEqual(redirect.headers["location"], "/zapier/oauth/authorize/?a=b")
      const query = new URLSearchParams({
        response_type: "code",
        client_id: "abc",
        redirect_uri: "https://acme.example/callback",
        scope: "zap"
      })
      const { body } = yield* ask(`/v2/authorize?${query}`, headers)
      assert.match(body, /<form method="post" action="\/zapier\/v2\/authorize\?/)
    }).pipe(Effect.provide(served()))
  )
})

// The library, over HTTP.
const client = (base: string) =>
  ZapierHttpClient.layer().pipe(
    Layer.provide(ZapierAuth.layer()),
    Layer.provide(TokenEndpoint.layer),
    Layer.provide(MemoryStores.layer),
    Layer.provide(ClientApplication.layer(app)),
    Layer.provide([SecureRandom.layerWebCrypto, Digest.layerWebCrypto, FetchHttpClient.layer]),
    Layer.provide(Layer.succeed(ZapierUrls.ZapierUrls, ZapierUrls.at(base)))
  )

describe("a redirect to another origin", () => {
  it.effect("is followed by no credential, of the API or of the token endpoint", () =>
    Effect.gen(function* () {
      const fake = yield* FakeZapier.FakeZapier
      yield* Effect.gen(function* () {
        const zapier = yield* ZapierHttpClient.ZapierHttpClient
        for (const status of [301, 302, 303, 307, 308] as const) {
          yield* fake.setFaults([{ fault: { _tag: "Redirected", status }, times: "Always" }])
          const answer = yield* zapier.call("GET /v1/apps")
          assert.deepStrictEqual(
            [answer.status, answer.headers["location"]],
            [status, "https://redirected.invalid/v1/apps"]
          )
          const refused = yield* Effect.flip(zapier.as(Credential.app([`zap:${status}`])).get("/v2/zaps"))
          assert.strictEqual(refused.reason._tag, "MalformedResponse")
        }
      }).pipe(Effect.provide(client(`http://127.0.0.1:${yield* portOf}`)))
    }).pipe(Effect.provide(served()))
  )
})

describe("a client behind a gateway", () => {
  // It serves the fake under a path of its own, and says so.
  const gateway = Effect.fnUntraced(function* () {
    const fake = yield* portOf
    const server = createServer(({ headers, method, url = "" }, response) => {
      if (!url.startsWith("/zapier/")) return response.writeHead(404).end()
      const forwarded = { "x-forwarded-host": headers.host, "x-forwarded-prefix": "/zapier" }
      const to = { host: "127.0.0.1", port: fake, path: url.slice("/zapier".length), method }
      return request({ ...to, headers: { ...headers, ...forwarded, host: "upstream" } }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      }).end()
    })
    yield* Effect.acquireRelease(
      Effect.promise(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()))),
      () => Effect.sync(() => server.close().closeAllConnections())
    )
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/zapier`
  })

  it.effect("follows the links of a list to its end", () =>
    Effect.gen(function* () {
      const base = yield* gateway()
      const titles = yield* Effect.gen(function* () {
        const zapier = (yield* ZapierHttpClient.ZapierHttpClient).as(Credential.clientId)
        const found: Array<string> = []
        for (let next: string | null = "/v2/apps?limit=5"; next !== null;) {
          const page: typeof Page.Type = yield* Effect.flatMap(
            zapier.get(next),
            HttpClientResponse.schemaBodyJson(Page)
          )
          found.push(...page.data.map(({ title }) => title))
          next = page.links.next
        }
        return found
      }).pipe(Effect.provide(client(base)))
      assert.strictEqual(new Set(titles).size, 12)
    }).pipe(Effect.scoped, Effect.provide(served()))
  )

  it.effect("streams a list with the typed client, there and without the gateway", () =>
    Effect.gen(function* () {
      const titles = Effect.gen(function* () {
        const zapier = yield* ZapierApiClient.make()
        const entries = zapier.apps.list.items({ credential: Credential.clientId, query: { limit: 5 } })
        return yield* Stream.runCollect(Stream.map(entries, ({ title }) => title))
      })
      for (const base of [yield* gateway(), `http://127.0.0.1:${yield* portOf}`]) {
        assert.strictEqual(new Set(yield* Effect.provide(titles, client(base))).size, 12, base)
      }
    }).pipe(Effect.scoped, Effect.provide(served()))
  )
})

describe("the front page", () => {
  const addresses = (base: string) => [`${base}/v2/authorize`, `${base}/oauth/token/`, `ZapierUrls.at("${base}")`]

  it.effect("lists all addresses, and what each endpoint accepts", () =>
    Effect.gen(function* () {
      for (const accept of ["text/html", "*/*"]) {
        const { body, headers, status } = yield* ask("/", { accept })
        assert.deepStrictEqual([status, headers["content-type"]], [200, "text/html; charset=utf-8"])
        const text = Markup.text(body)
        for (const address of addresses(`http://127.0.0.1:${yield* portOf}`)) assert.include(text, address)
        for (const name of Endpoint.names) assert.include(text, name)
        assert.notInclude(text, "_control")
        assert.notInclude(text, "s3cret")
      }
      assert.lengthOf(yield* (yield* FakeZapier.FakeZapier).requests, 0)
    }).pipe(Effect.provide(served()))
  )

  it.effect("is JSON for a program that asks for it", () =>
    Effect.gen(function* () {
      const base = `http://127.0.0.1:${yield* portOf}`
      const { body, headers, status } = yield* ask("/", { accept: "application/json" })
      assert.deepStrictEqual([status, headers["content-type"]], [200, "application/json"])
      const told = JSON.parse(body)
      assert.deepInclude(told, {
        authorize: `${base}/v2/authorize`,
        token: `${base}/oauth/token/`,
        api: base,
        controlPage: `${base}/_control/`,
        controlApi: `${base}/_control/api/`,
        links: [{ name: "Sample <app>", url: "http://127.0.0.1:9272/?a=b&c" }]
      })
      assert.lengthOf(told.endpoints, Endpoint.names.length)
      assert.deepInclude(told.endpoints, { endpoint: "GET /v1/zaps", credentials: ["User"], scopes: ["zap"] })
      const { token } = yield* FakeControlServer.FakeControlServer
      assert.notInclude(body, Redacted.value(token))
    }).pipe(Effect.provide(controlled))
  )

  it.effect("leads to the control page, and does not say its token", () =>
    Effect.gen(function* () {
      const { token } = yield* FakeControlServer.FakeControlServer
      const base = `http://127.0.0.1:${yield* portOf}`
      const { body, status } = yield* ask("/")
      assert.strictEqual(status, 200)
      assert.include(body, `href="${base}/_control/"`)
      assert.include(body, `${base}/_control/api/`)
      assert.include(Markup.text(body), "Sample <app>")
      assert.include(Markup.text(body), "http://127.0.0.1:9272/?a=b&c")
      assert.notInclude(body, Redacted.value(token))
      assert.notInclude(body, "s3cret")
    }).pipe(Effect.provide(controlled))
  )

  it.effect("has the addresses of the gateway that it is asked through", () =>
    Effect.gen(function* () {
      const { body } = yield* ask("/", { host: "zapier.test", "x-forwarded-prefix": "/fake" })
      for (const address of addresses("http://zapier.test/fake")) assert.include(Markup.text(body), address)
    }).pipe(Effect.provide(served()))
  )

  it.effect("is there for GET and HEAD only, and not in process, as at Zapier", () =>
    Effect.gen(function* () {
      const head = yield* ask("/", {}, "HEAD")
      assert.deepStrictEqual([head.status, head.body], [200, ""])
      assert.strictEqual((yield* ask("/", {}, "POST")).status, 404)
      const fetch = yield* FakeZapier.fetch
      assert.strictEqual((yield* Effect.promise(() => fetch("https://api.zapier.com/"))).status, 404)
    }).pipe(Effect.provide(served()))
  )
})
