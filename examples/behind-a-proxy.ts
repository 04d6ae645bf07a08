/**
 * A custom HttpClient: requests to Zapier go through a proxy of the app's choice, and carry a user agent. It needs
 * `@effect/platform-node`.
 *
 * With ACME_PROXY and the three ZAPIER_ variables: `node behind-a-proxy.ts`
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { ProxyAgent } from "@effect/platform-node/Undici"
import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"

/** An HttpClient that sends requests through the app's proxy, with a user agent. */
export const throughProxy = (proxy: string) =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.map(HttpClient.HttpClient, HttpClient.mapRequest(HttpClientRequest.setHeader("user-agent", "acme/1.0")))
  ).pipe(
    Layer.provide(NodeHttpClient.layerUndiciNoDispatcher),
    Layer.provide(
      Layer.effect(
        NodeHttpClient.Dispatcher,
        Effect.acquireRelease(
          Effect.sync(() => new ProxyAgent({ uri: proxy })),
          (agent) => Effect.promise(() => agent.close())
        )
      )
    )
  )

/** The apps on Zapier. */
export const apps = Effect.gen(function* () {
  const zapier = yield* ZapierHttpClient
  const response = yield* zapier.call("GET /v1/apps")
  return yield* response.json
})

if (import.meta.main) {
  const httpClient = Layer.unwrap(Effect.map(Config.String("ACME_PROXY"), throughProxy))
  await Effect.runPromise(
    Effect.flatMap(apps, Console.log).pipe(Effect.provide(ZapierNode.layerMemory({ httpClient })))
  )
}
