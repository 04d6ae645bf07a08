/** The fake on a local socket, a connected user, and the library that calls it over real HTTP. */
import { createServer } from "node:http"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import type { FakeRequest } from "@zapier-workflow-auth/testing/fake/FakeHttp"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"

export const subject = "ada"

export const app = {
  name: "Acme",
  clientId: "bench",
  clientSecret: "s3cret",
  redirectUris: ["https://acme.example/callback"]
}

interface Options {
  /** Connections at once. Client and server share one process's file descriptors, so there has to be a limit. */
  readonly connections: number
  /** How long a response of the API is under way. Default: not at all. */
  readonly delay?: ((request: FakeRequest) => Duration.Input) | undefined
}

export const tokenPath = "/oauth/token/"

/** The fake, which decides a response when a request arrives, and delays its delivery. */
export const delayed = (delay: (request: FakeRequest) => Duration.Input) =>
  Layer.effect(
    FakeZapier.FakeZapier,
    Effect.map(FakeZapier.FakeZapier, (fake) =>
      FakeZapier.FakeZapier.of({
        ...fake,
        handle: (request) => {
          const millis = Duration.toMillis(delay(request))
          return millis > 0 ? Effect.tap(fake.handle(request), Effect.sleep(millis)) : fake.handle(request)
        }
      })
    )
  )

// Nothing counted may be forgotten, and nothing delayed: a storm exceeds Zapier's rate limits.
const fakeOptions = { apps: [app], remember: 100_000, settings: { rateLimits: false } }

const client = ({ connections }: Options) =>
  Layer.unwrap(
    Effect.map(HttpServer.HttpServer, ({ address }) =>
      ZapierNode.layerMemory({
        application: app,
        urls: ZapierUrls.at(HttpServer.formatAddress(address)),
        httpClient: NodeHttpClient.layerUndiciOptions({ connections })
      })
    )
  )

export const layer = (options: Options) =>
  Layer.merge(FakeZapier.layerServer, client(options)).pipe(
    Layer.provideMerge(
      Layer.provide(
        delayed((request) => (request.path === tokenPath ? 0 : (options.delay?.(request) ?? 0))),
        FakeZapier.layer(fakeOptions)
      )
    ),
    Layer.provide(
      NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0, backlog: options.connections })
    )
  )

/** The user connects. */
export const connect = Effect.fnUntraced(function* (scopes: ReadonlyArray<string>) {
  const auth = yield* ZapierAuth
  const fake = yield* FakeZapier.FakeZapier
  const { url } = yield* auth.authorizationUrl({ subject, scopes })
  yield* auth.handleCallback(yield* fake.approve(Redacted.value(url)), { subject })
})

export interface Storm {
  readonly calls: number
  /** By the server's own record. */
  readonly tokenRequests: number
  /** Calls that ended with an error, or with an unexpected status. */
  readonly failedCalls: number
  readonly seconds: number
}

export const countTokenRequests = Effect.map(
  Effect.flatMap(FakeZapier.FakeZapier, ({ requests }) => requests),
  (entries) => entries.filter(({ request }) => request.path === tokenPath).length
)

/** Makes all calls at once. The bodies are read, as an app would. */
export const storm = Effect.fnUntraced(function* <E, R>(
  calls: number,
  status: number,
  call: (index: number) => Effect.Effect<HttpClientResponse, E, R>
) {
  const before = yield* countTokenRequests
  const began = performance.now()
  const one = (index: number) => Effect.exit(Effect.tap(call(index), (response) => response.arrayBuffer))
  const indices = Array.from({ length: calls }, (_, index) => index)
  const exits = yield* Effect.forEach(indices, one, { concurrency: "unbounded" })
  const failed = exits.filter((exit) => exit._tag === "Failure" || exit.value.status !== status)
  return {
    calls,
    tokenRequests: (yield* countTokenRequests) - before,
    failedCalls: failed.length,
    seconds: (performance.now() - began) / 1_000
  } satisfies Storm
})
