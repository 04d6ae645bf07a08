/** The transport of the layers, the Promise facade and the command line: undici, with the environment's proxies. */
// oxlint-disable-next-line no-restricted-imports -- published with the part of it that is used, see bundleTransport.ts
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { InvalidConfig, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as Layer from "effect/Layer"

// Loaded on demand, because it takes a tenth of a second. Bundlers find only the default export of a CommonJS module.
const loadUndici = Effect.promise(() => import("undici"))

/** The value of a variable. The lower-case name takes precedence, as in curl. */
const variable = (name: string): Effect.Effect<string> =>
  Config.String(name.toLowerCase()).pipe(
    Effect.catch(() => Config.String(name)),
    Effect.orElseSucceed(() => "")
  )

// The value is not shown, because it may hold a password.
const proxy = Effect.fnUntraced(function* (setting: string) {
  const url = yield* variable(setting)
  if (url === "" || (URL.canParse(url) && /^(?:https?|socks5?):$/.test(new URL(url).protocol))) return url
  return yield* ZapierAuthError.make(
    new InvalidConfig({ setting, problem: "give the URL of a proxy, such as http://proxy.example:3128" })
  )
})

// Servers on this machine, such as the fake, are not behind a proxy.
const loopback = "localhost,127.0.0.1,[::1]"

const proxies = Effect.gen(function* () {
  const httpProxy = yield* proxy("HTTP_PROXY")
  const httpsProxy = yield* proxy("HTTPS_PROXY")
  return { httpProxy, httpsProxy, noProxy: `${yield* variable("NO_PROXY")},${loopback}` }
})

const dispatcher = (options: Effect.Success<typeof proxies>) =>
  Effect.acquireRelease(
    Effect.map(loadUndici, ({ default: Undici }) =>
      options.httpProxy === "" && options.httpsProxy === "" ? new Undici.Agent() : new Undici.EnvHttpProxyAgent(options)
    ),
    (dispatcher) => Effect.promise(() => dispatcher.destroy())
  )

/** Provides the client. Loads undici with the first request. */
export const layer: Layer.Layer<HttpClient.HttpClient, ZapierAuthError> = Layer.effect(
  HttpClient.HttpClient,
  Effect.gen(function* () {
    const agent = Layer.effect(NodeHttpClient.Dispatcher, dispatcher(yield* proxies))
    const scope = yield* Effect.scope
    let client: HttpClient.HttpClient | undefined
    const made = yield* Layer.buildWithScope(Layer.provide(NodeHttpClient.layerUndiciNoDispatcher, agent), scope).pipe(
      Effect.map((context) => (client = Context.get(context, HttpClient.HttpClient))),
      Effect.uninterruptible,
      Effect.cached
    )
    return HttpClient.makeWith<HttpClientError, never, HttpClientError, never>(
      (request) =>
        client === undefined
          ? Effect.flatMap(made, ({ postprocess }) => postprocess(request))
          : client.postprocess(request),
      Effect.succeed
    )
  })
)
