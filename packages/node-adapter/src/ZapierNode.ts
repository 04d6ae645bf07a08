/**
 * Everything that a Node program needs to talk to Zapier, with sensible defaults.
 *
 * @since 0.1.0
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import type { AppCredentialStore } from "@zapier-workflow-auth/core/store/AppCredentialStore"
import type { AttemptStore } from "@zapier-workflow-auth/core/store/AttemptStore"
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import type { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import * as MemoryStores from "@zapier-workflow-auth/core/store/MemoryStores"
import type * as Settings from "@zapier-workflow-auth/core/Settings"
import * as TokenEndpoint from "@zapier-workflow-auth/core/oauth/TokenEndpoint"
import * as ZapierAuth from "@zapier-workflow-auth/core/ZapierAuth"
import { from, InvalidConfig, type ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as ZapierHttpClient from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import * as SecureRandom from "effect/crypto/SecureRandom"
import type { HttpClient } from "effect/http/HttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as EmbeddedStores from "./EmbeddedStores.ts"
import * as Transport from "./internal/transport.ts"

/**
 * Which app, which Zapier, and how requests are sent. All have defaults.
 *
 * @since 0.1.0
 */
export interface Options {
  /**
   * Client id, secret and redirect URIs, or where they come from: a secret manager, see `ClientApplication.layerEffect`.
   * Default: from the environment, see `ClientApplication.layerConfig`.
   */
  readonly application?:
    | ClientApplication.Options
    | Layer.Layer<ClientApplication.ClientApplication, ZapierAuthError>
    | undefined
  /** Where Zapier is. Default: production. */
  readonly urls?: ZapierUrls.Urls | undefined
  /**
   * How requests are sent. It should not retry or follow redirects by itself. Default: `layerHttpClient`.
   */
  readonly httpClient?: Layer.Layer<HttpClient, ZapierAuthError> | undefined
  /** Timeouts and lifetimes: for example how long a caller waits for a token (`requestTimeout`). */
  readonly settings?: Settings.Options | undefined
  /** Whether a request is refused before it is sent when its scope was not granted. Default: yes. */
  readonly checkScopes?: boolean | undefined
}

const isOptions = (application: NonNullable<Options["application"]>): application is ClientApplication.Options =>
  !Layer.isLayer(application)
/**
 * How requests are sent, unless told otherwise: by undici, with as many connections as there are requests at a time. The
 * Promise facade and the command line send theirs by the same.
 *
 * `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` of the environment are honoured, also in lower case, and read once. What is on
 * this machine (`localhost`, `127.0.0.1`, `::1`) is asked without a proxy. Fails with `InvalidConfig` when a proxy is not
 * given as a URL.
 *
 * To change what is sent, put something around it. To bound the connections, give `NodeHttpClient.layerUndiciOptions({
 * connections })` in its place, which knows no proxies.
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

const layerApplication = (application: Options["application"]) => {
  if (application === undefined) return ClientApplication.layerConfig
  return isOptions(application) ? ClientApplication.layer(application) : application
}

const httpClientOf = (httpClient: Options["httpClient"]): Layer.Layer<HttpClient, ZapierAuthError> => {
  if (httpClient === undefined) return layerHttpClient
  if (Layer.isLayer(httpClient)) return httpClient
  const problem = "give a layer, such as FetchHttpClient.layer, or leave it out"
  return Layer.effectContext(Effect.fail(from(new InvalidConfig({ setting: "httpClient", problem }))))
}

/**
 * `ZapierAuth` and `ZapierHttpClient` over Node's HTTP and cryptography, with the stores that you provide.
 *
 * Fails with `InvalidConfig` when the settings, the URLs or the client application are not usable.
 *
 * @example
 * ```ts
 * import * as PostgresClient from "@zapier-workflow-auth/node-adapter/PostgresClient"
 * import * as SqlStores from "@zapier-workflow-auth/node-adapter/SqlStores"
 * import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
 * import * as Layer from "effect/Layer"
 *
 * // For an app on several machines: DATABASE_URL says where its Postgres is.
 * ZapierNode.layerWithoutStores().pipe(
 *   Layer.provide(SqlStores.layer.pipe(Layer.provide(PostgresClient.layerConfig())))
 * )
 * ```
 *
 * @since 0.1.0
 */
export const layerWithoutStores = (
  options: Options = {}
): Layer.Layer<
  ZapierAuth.ZapierAuth | ZapierHttpClient.ZapierHttpClient,
  ZapierAuthError,
  GrantStore | AttemptStore | AppCredentialStore
> =>
  ZapierHttpClient.layer({ checkScopes: options.checkScopes }).pipe(
    Layer.provideMerge(ZapierAuth.layer(options.settings)),
    Layer.provide(TokenEndpoint.layer),
    Layer.provide([
      httpClientOf(options.httpClient),
      NodeCrypto.layerDigest,
      SecureRandom.layerWebCrypto,
      Layer.succeed(ZapierUrls.ZapierUrls, options.urls ?? ZapierUrls.production),
      layerApplication(options.application)
    ])
  )

/**
 * `ZapierAuth` and `ZapierHttpClient` with stores in memory, which end with the process: for tests, and for trying things
 * out.
 *
 * Fails with `InvalidConfig` when the settings, the URLs or the client application are not usable.
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
export const layerMemory = (
  options?: Options
): Layer.Layer<ZapierAuth.ZapierAuth | ZapierHttpClient.ZapierHttpClient, ZapierAuthError> =>
  layerWithoutStores(options).pipe(Layer.provide(MemoryStores.layer))

/**
 * As `Options`, and where grants are kept.
 *
 * @since 0.1.0
 */
export interface EmbeddedOptions extends Options {
  /** Where users' grants are kept. Default: in the user's data directory, see `EmbeddedStores`. */
  readonly stores?: EmbeddedStores.Options | undefined
}

/**
 * `ZapierAuth` and `ZapierHttpClient` with stores in a database of this machine, encrypted, which outlive the process. For more than one machine give
 * `layerWithoutStores` the stores of a Postgres.
 *
 * Fails with `InvalidConfig`, also when the database cannot be kept where it is to be kept, and with `StoreFailed`.
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
 * // Asks the real Zapier.
 * await Effect.runPromise(Effect.provide(program, ZapierNode.layer()))
 * ```
 *
 * @since 0.1.0
 */
export const layer = (
  options: EmbeddedOptions = {}
): Layer.Layer<ZapierAuth.ZapierAuth | ZapierHttpClient.ZapierHttpClient, ZapierAuthError> =>
  layerWithoutStores(options).pipe(Layer.provide(EmbeddedStores.layer(options.stores)))
