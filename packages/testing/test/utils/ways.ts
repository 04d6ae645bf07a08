/** The ways to reach the fake, each as a client that sends a request and sees what comes of it. */
import { createServer } from "node:http"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { FetchInterceptor } from "@mswjs/interceptors/fetch"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpServer from "effect/http/HttpServer"
import type { ServeError } from "effect/http/HttpServerError"
import * as Layer from "effect/Layer"
import * as FakeZapier from "../../src/FakeZapier.ts"

export interface Sent {
  readonly method?: "GET" | "POST" | "DELETE" | undefined
  readonly url: string
  readonly headers?: { readonly [name: string]: string } | undefined
  readonly form?: { readonly [name: string]: string } | undefined
}

/** There is no answer, or no whole one. */
export class Broken extends Data.TaggedError("Broken")<{ readonly cause: unknown }> {}

const broken = (cause: unknown) => new Broken({ cause })

export interface Answer {
  readonly status: number
  readonly headers: { readonly [name: string]: string | undefined }
  readonly text: Effect.Effect<string, Broken>
}

/** Interrupting what it gives is giving up. */
export class Client extends Context.Service<Client, (sent: Sent) => Effect.Effect<Answer, Broken>>()("test/Client") {}

const ofHttpClient =
  (client: HttpClient.HttpClient, toUrl: (url: string) => string): Client["Service"] =>
  ({ form, headers = {}, method = "GET", url }) => {
    const request = HttpClientRequest.make(method)(toUrl(url), { headers })
    const sent = form === undefined ? request : HttpClientRequest.bodyUrlParams(request, form)
    return client.execute(sent).pipe(
      Effect.map(({ headers, status, text }) => ({ headers, status, text: Effect.mapError(text, broken) })),
      Effect.mapError(broken)
    )
  }

const ofFetch =
  (
    fetch: typeof globalThis.fetch,
    toInput: (url: string, init: RequestInit) => Parameters<typeof fetch>
  ): Client["Service"] =>
  ({ form, headers = {}, method = "GET", url }) =>
    Effect.tryPromise({
      try: async (signal) => {
        const body = form === undefined ? null : new URLSearchParams(form)
        const response = await fetch(...toInput(url, { method, headers, body, signal, redirect: "manual" }))
        return {
          status: response.status,
          headers: Object.fromEntries(response.headers),
          text: Effect.tryPromise({ try: () => response.text(), catch: broken })
        }
      },
      catch: broken
    })

const clientLayer = <E, R>(client: Effect.Effect<Client["Service"], E, R>) => Layer.effect(Client, client)

const inProcess = clientLayer(Effect.map(HttpClient.HttpClient, (client) => ofHttpClient(client, (url) => url))).pipe(
  Layer.provide(FakeZapier.layerHttpClient)
)

const asTexts = (url: string, init: RequestInit): [string, RequestInit] => [url, init]

const asFetch = (toInput: Parameters<typeof ofFetch>[1]) =>
  clientLayer(Effect.map(FakeZapier.fetch, (fetch) => ofFetch(fetch, toInput)))

// What MSW stands on. The whole process has one `fetch`, until the scope ends.
const interceptor = Effect.acquireRelease(
  Effect.sync(() => new FetchInterceptor()),
  (interceptor) => Effect.sync(() => interceptor.dispose())
)

const intercepted = clientLayer(
  Effect.gen(function* () {
    const fetch = yield* FakeZapier.fetch
    const made = yield* interceptor
    // It waits for what its listeners promise.
    // oxlint-disable-next-line typescript/no-misused-promises
    made.on("request", async ({ controller, request }) => {
      controller.respondWith(await fetch(request).catch(() => Response.error()))
    })
    made.apply()
    // It is what the interceptor has put there. @effect-diagnostics-next-line globalFetch:off
    return ofFetch((...input) => globalThis.fetch(...input), asTexts)
  })
)

const overHttp = clientLayer(
  Effect.gen(function* () {
    const client = yield* HttpClient.HttpClient
    const { address } = yield* HttpServer.HttpServer
    const origin = HttpServer.formatAddress(address)
    return ofHttpClient(client, (url) => url.replace(/^https:\/\/[^/]+/, origin))
  })
).pipe(
  Layer.provide(NodeHttpClient.layerUndici),
  Layer.provide(FakeZapier.layerServer),
  Layer.provide(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 }))
)

type Way = readonly [name: string, layer: Layer.Layer<Client, ServeError, FakeZapier.FakeZapier>]

export const ways: ReadonlyArray<Way> = [
  ["an HttpClient", inProcess],
  ["fetch with a text", asFetch(asTexts)],
  ["fetch with a URL", asFetch((url, init) => [new URL(url), init])],
  ["fetch with a Request", asFetch((url, init) => [new Request(url, init)])],
  ["a handler of requests that are intercepted", intercepted],
  ["HTTP", overHttp]
]
