/**
 * Layers with everything that a Node program needs to talk to Zapier.
 *
 * @since 0.1.0
 */
import * as NodeCrypto from "@effect/platform-node-shared/NodeCrypto"
import type { AppCredentialStore } from "@zapier-workflow-auth/core/store/AppCredentialStore"
import type { AttemptStore } from "@zapier-workflow-auth/core/store/AttemptStore"
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import type { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import * as MemoryStores from "@zapier-workflow-auth/core/store/MemoryStores"
import type * as Settings from "@zapier-workflow-auth/core/Settings"
import * as TokenEndpoint from "@zapier-workflow-auth/core/oauth/TokenEndpoint"
import * as ZapierAuth from "@zapier-workflow-auth/core/ZapierAuth"
import { InvalidConfig, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as ZapierHttpClient from "@zapier-workflow-auth/core/ZapierHttpClient"
import type * as RateLimits from "@zapier-workflow-auth/core/zapier/RateLimits"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import * as SecureRandom from "effect/crypto/SecureRandom"
import type { HttpClient } from "effect/http/HttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { RateLimiter } from "effect/persistence/RateLimiter"
import type { NoExcessProperties } from "effect/Types"
import type * as EmbeddedStores from "./stores/EmbeddedStores.ts"
import * as Transport from "./internal/transport.ts"

/**
 * The options of the layers; all have defaults. `E` and `R` are the errors and requirements of layers among them.
 *
 * @since 0.1.0
 */
export interface Options<E = ZapierAuthError, R = never> {
  /**
   * Client id, secret and redirect URIs, or a layer that reads them, for example from a secret manager (see
   * `ClientApplication.layerEffect`). Default: from the environment, see `ClientApplication.layerConfig`.
   */
  readonly application?: ClientApplication.Options | Layer.Layer<ClientApplication.ClientApplication, E, R> | undefined
  /** Zapier's addresses. Default: production. */
  readonly urls?: ZapierUrls.Urls | undefined
  /** The HTTP client. It should not retry or follow redirects by itself. Default: `layerHttpClient`. */
  readonly httpClient?: Layer.Layer<HttpClient, E, R> | undefined
  /**
   * True or options to delay API calls to stay within Zapier's rate limits, see `RateLimits`. Token requests are counted but
   * not delayed. Default: false; a call beyond the limit gets 429.
   */
  readonly rateLimits?: boolean | RateLimitOptions<E, R> | undefined
  /** Timeouts and lifetimes, for example how long a caller waits for a token (`requestTimeout`). */
  readonly settings?: Settings.Options | undefined
  /** White Label, as `WhiteLabel.layer` or `ZapierWhiteLabel.layer` makes it. Default: none. */
  readonly whiteLabel?: Layer.Layer<never, E, R> | undefined
  /** True to refuse a request before sending if its scope was not granted. Default: true. */
  readonly checkScopes?: boolean | undefined
}

/**
 * The rate limits, and the limiter that counts requests.
 *
 * @since 0.1.0
 */
export interface RateLimitOptions<E = ZapierAuthError, R = never> extends RateLimits.Options {
  /**
   * Counts requests. Share one between clients or processes that reach Zapier from the same address. Default: one for this
   * client, in memory.
   */
  readonly limiter?: Layer.Layer<RateLimiter, E, R> | undefined
}

/**
 * The default HTTP client: undici, with one connection for each concurrent request. The Promise facade and the command line
 * use the same.
 *
 * It honors `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` (also in lower case), which are read once. Addresses on this machine
 * (`localhost`, `127.0.0.1`, `::1`) bypass the proxy. Fails with `InvalidConfig` if a proxy is not a URL.
 *
 * To change requests, wrap it. To limit connections, use `NodeHttpClient.layerUndiciOptions({ connections })` instead, which
 * ignores proxies.
 *
 * @example
 * ```ts
 * import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
 * import * as Effect from "effect/Effect"
 * import * as HttpClient from "effect/http/HttpClient"
 * import * as HttpClientRequest from "effect/http/HttpClientRequest"
 * import * as Layer from "effect/Layer"
 *
 * const named = HttpClient.mapRequest(HttpClientRequest.setHeader("user-agent", "acme/1.0"))
 *
 * ZapierNode.layerMemory({
 *   application: { clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] },
 *   httpClient: Layer.effect(HttpClient.HttpClient, Effect.map(HttpClient.HttpClient, named)).pipe(
 *     Layer.provide(ZapierNode.layerHttpClient)
 *   )
 * })
 * ```
 *
 * @since 0.1.0
 */
export const layerHttpClient: Layer.Layer<HttpClient, ZapierAuthError> = Transport.layer

type LayersIn<O> = Extract<O[keyof O], Layer.Any>

/**
 * The layers among the options.
 *
 * @since 0.1.0
 */
export type LayersOf<O> =
  | LayersIn<O>
  | (O extends { readonly stores?: infer S } ? LayersIn<NonNullable<S>> : never)
  | (O extends { readonly rateLimits?: infer L } ? LayersIn<Exclude<NonNullable<L>, boolean>> : never)

type Services = ZapierAuth.ZapierAuth | ZapierHttpClient.ZapierHttpClient

type Stores = GrantStore | AttemptStore | AppCredentialStore

type ErrorOf<O> = ZapierAuthError | Layer.Error<LayersOf<O>>

type NeededBy<O> = Layer.Services<LayersOf<O>>

const isOptions = <E, R>(
  application: NonNullable<Options<E, R>["application"]>
): application is ClientApplication.Options => !Layer.isLayer(application)

const layerApplication = <E, R>(
  application: Options<E, R>["application"]
): Layer.Layer<ClientApplication.ClientApplication, E | ZapierAuthError, R> => {
  if (application === undefined) return ClientApplication.layerConfig()
  return isOptions(application) ? ClientApplication.layer(application) : application
}

const httpClientOf = <E, R>(
  httpClient: Options<E, R>["httpClient"]
): Layer.Layer<HttpClient, E | ZapierAuthError, R> => {
  if (httpClient === undefined) return layerHttpClient
  if (Layer.isLayer(httpClient)) return httpClient
  const problem = "pass a layer, such as FetchHttpClient.layer, or omit it"
  return Layer.effectContext(Effect.fail(ZapierAuthError.make(new InvalidConfig({ setting: "httpClient", problem }))))
}

const loadRateLimits = Effect.promise(() => import("./internal/rateLimited.ts"))

const layerClients = <E, R>({ checkScopes, rateLimits, settings }: Options<E, R>) => {
  const calls = ZapierHttpClient.layer({ checkScopes })
  const auth = ZapierAuth.layer(settings)
  if (rateLimits === undefined || rateLimits === false) {
    return calls.pipe(Layer.provideMerge(auth), Layer.provide(TokenEndpoint.layer))
  }
  const { limiter, ...limits }: RateLimitOptions<E, R> = rateLimits === true ? {} : rateLimits
  return Layer.unwrap(
    Effect.map(loadRateLimits, ({ layer, layerLimiter, layerTokenRequests }) =>
      calls.pipe(
        Layer.provide(layer(limits)),
        Layer.provideMerge(auth),
        Layer.provide(Layer.provide(TokenEndpoint.layer, layerTokenRequests(limits))),
        Layer.provide(limiter ?? layerLimiter)
      )
    )
  )
}

const servicesOf = <E, R>(options: Options<E, R>): Layer.Layer<Services, ZapierAuthError | E, Stores | R> =>
  Layer.provide(layerClients<E, R>(options), [
    httpClientOf<E, R>(options.httpClient),
    NodeCrypto.layerDigest,
    SecureRandom.layerWebCrypto,
    Layer.succeed(ZapierUrls.ZapierUrls, options.urls ?? ZapierUrls.production),
    options.whiteLabel ?? Layer.empty,
    layerApplication<E, R>(options.application)
  ])

/**
 * Provides `ZapierAuth` and `ZapierHttpClient` with Node's HTTP and cryptography, over your own stores.
 *
 * Fails with `InvalidConfig` if the settings, the URLs or the client application are invalid, and like the layers among the
 * options, whose requirements it keeps.
 *
 * @example
 * ```ts
 * import * as PostgresClient from "@zapier-workflow-auth/node-adapter/stores/PostgresClient"
 * import * as SqlStores from "@zapier-workflow-auth/node-adapter/stores/SqlStores"
 * import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
 * import * as Layer from "effect/Layer"
 *
 * // For an app on several machines, with the URL of its Postgres in DATABASE_URL.
 * ZapierNode.layerWithoutStores().pipe(
 *   Layer.provide(SqlStores.layer.pipe(Layer.provide(PostgresClient.layerConfig())))
 * )
 * ```
 *
 * @since 0.1.0
 */
export const layerWithoutStores = <O extends NoExcessProperties<Options<unknown, unknown>, O> = {}>(
  options?: O
): Layer.Layer<Services, ErrorOf<O>, Stores | NeededBy<O>> =>
  servicesOf((options ?? {}) as Options<ErrorOf<O>, NeededBy<O>>)
/**
 * Provides `ZapierAuth` and `ZapierHttpClient` with stores in memory, for tests and experiments.
 *
 * Fails with `InvalidConfig` if the settings, the URLs or the client application are invalid, and like the layers among the
 * options, whose requirements it keeps.
 *
 * @example
 * ```ts
 * import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
 * import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
 * import * as Layer from "effect/Layer"
 *
 * const app = { name: "Acme", clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] }
 *
 * ZapierNode.layerMemory({
 *   application: app,
 *   httpClient: FakeZapier.layerHttpClient.pipe(Layer.provide(FakeZapier.layer({ apps: [app] })))
 * })
 * ```
 *
 * @since 0.1.0
 */
export const layerMemory = <O extends NoExcessProperties<Options<unknown, unknown>, O> = {}>(
  options?: O
): Layer.Layer<Services, ErrorOf<O>, NeededBy<O>> =>
  servicesOf((options ?? {}) as Options<ErrorOf<O>, NeededBy<O>>).pipe(Layer.provide(MemoryStores.layer))

/**
 * Like `Options`, with the location of the grants.
 *
 * @since 0.1.0
 */
export interface EmbeddedOptions<E = ZapierAuthError, R = never> extends Options<E, R> {
  /** The location of users' grants. Default: the user's data directory, see `EmbeddedStores`. */
  readonly stores?: EmbeddedStores.Options<E, R> | undefined
}

// Loaded on demand, because programs with other stores do not need SQLite.
const embedded = <E, R>(options: EmbeddedStores.Options<E, R> | undefined) =>
  Layer.unwrap(
    Effect.map(
      Effect.promise(() => import("./stores/EmbeddedStores.ts")),
      ({ layer }) => layer(options)
    )
  )

/**
 * Provides `ZapierAuth` and `ZapierHttpClient` with encrypted stores in a database on this machine.
 *
 * For several machines, use `layerWithoutStores` with Postgres or Redis. Fails with `InvalidConfig`, also if the database
 * cannot be kept at its location, and with `StoreFailed`.
 *
 * @example
 * ```ts no-run
 * import * as Effect from "effect/Effect"
 * import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
 * import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
 *
 * const program = Effect.gen(function* () {
 *   const zapier = yield* ZapierHttpClient
 *   const response = yield* zapier.call("GET /v1/apps")
 *   return yield* response.json
 * })
 *
 * // Calls the real Zapier.
 * await Effect.runPromise(Effect.provide(program, ZapierNode.layer()))
 * ```
 *
 * @since 0.1.0
 */
export const layer = <O extends NoExcessProperties<EmbeddedOptions<unknown, unknown>, O> = {}>(
  options?: O
): Layer.Layer<Services, ErrorOf<O>, NeededBy<O>> => {
  const given = (options ?? {}) as EmbeddedOptions<ErrorOf<O>, NeededBy<O>>
  return servicesOf(given).pipe(Layer.provide(embedded(given.stores)))
}
