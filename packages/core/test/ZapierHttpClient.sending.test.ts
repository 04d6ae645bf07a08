/** How calls are sent: with no redirect followed, and nothing of the program's traces. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Tracer from "effect/Tracer"
import * as Credential from "../src/zapier/Credential.ts"
import { ZapierHttpClient } from "../src/ZapierHttpClient.ts"
import * as TestZapier from "./utils/TestZapier.ts"

const { subject } = TestZapier

const asUser = Credential.user(subject)

// Every way to make a request, with each credential.
const sendAll = Effect.gen(function* () {
  yield* TestZapier.connect(subject)
  const client = yield* ZapierHttpClient
  const responses = [
    yield* client.call("GET /v2/zaps", { credential: asUser }),
    yield* client.forUser(subject).get("/v2/zaps"),
    yield* client.as(asUser).get("/v2/zaps"),
    yield* client.call("GET /v1/apps"),
    yield* client.call("DELETE /v2/promotions/{enrollment_id}", { path: { enrollment_id: "1" } }),
    yield* client.as(Credential.none).get("/v1/categories")
  ]
  return responses.map(({ status }) => status)
})

const tokens = { access_token: "access-token-1", refresh_token: "refresh-token-1", expires_in: 36_000 }

/** Over a `fetch` whose API redirects elsewhere. */
const make = (requestInit?: RequestInit) =>
  Effect.map(Effect.provide(HttpClient.HttpClient, FetchHttpClient.layer), (client) => {
    const sent: Array<{ readonly url: string; readonly init: RequestInit }> = []
    const fetch = (url: URL | string, init: RequestInit = {}) => {
      const { href, pathname } = new URL(url)
      sent.push({ url: href, init })
      return Promise.resolve(
        pathname === "/oauth/token/"
          ? Response.json(tokens)
          : new Response(null, { status: 302, headers: { location: "https://elsewhere.example/" } })
      )
    }
    const layer = TestZapier.make(() => client)
      .layer()
      .pipe(
        Layer.provide(
          requestInit === undefined ? Layer.empty : Layer.succeed(FetchHttpClient.RequestInit, requestInit)
        ),
        Layer.provideMerge(Layer.succeed(FetchHttpClient.Fetch, fetch as typeof globalThis.fetch))
      )
    return { sent, layer }
  })

describe("Calls", () => {
  it.effect.each([undefined, { redirect: "follow", cache: "no-store" }] as const)(
    "follow no redirect with any options of fetch: %o",
    (requestInit) =>
      Effect.gen(function* () {
        const { layer, sent } = yield* make(requestInit)
        expect(yield* Effect.provide(sendAll, layer)).toEqual(Array.from({ length: 6 }, () => 302))
        const calls = sent.filter(({ url }) => url.startsWith("https://api.zapier.com/"))
        expect(calls.map(({ init }) => init.redirect)).toEqual(Array.from({ length: 6 }, () => "manual"))
        expect(calls.every(({ init: { cache } }) => cache === requestInit?.cache)).toBe(true)
        expect(sent.every(({ url }) => !url.includes("elsewhere"))).toBe(true)
      })
  )

  it.effect("have no trace headers, and leave the program's own tracing as it is", () =>
    Effect.gen(function* () {
      const { layer, sent } = yield* make()
      const kinds: Array<Tracer.SpanKind> = []
      const tracer = Tracer.make({
        span: (options) => {
          kinds.push(options.kind)
          return new Tracer.NativeSpan(options)
        }
      })
      const traced = Effect.withSpan(Effect.andThen(sendAll, HttpClient.TracerPropagationEnabled), "outer")
      expect(yield* traced.pipe(Effect.provide(layer), Effect.provideService(Tracer.Tracer, tracer))).toBe(true)
      const names = sent.flatMap(({ init }) => [...new Headers(init.headers).keys()])
      expect([...new Set(names)].toSorted()).toEqual(["accept", "authorization", "content-type"])
      expect(kinds.filter((kind) => kind === "client").length).toBe(sent.length)
    })
  )
})
