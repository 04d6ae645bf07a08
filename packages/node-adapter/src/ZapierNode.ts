/**
 * Everything that a Node program needs to talk to Zapier, with sensible defaults.
 *
 * @since 0.1.0
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import type { AppCredentialStore } from "@zapier-workflow-auth/core/store/AppCredentialStore"
import type { AttemptStore } from "@zapier-workflow-auth/core/store/AttemptStore"
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import type { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import * as MemoryStores from "@zapier-workflow-auth/core/store/MemoryStores"
import type * as Settings from "@zapier-workflow-auth/core/Settings"
import * as TokenEndpoint from "@zapier-workflow-auth/core/oauth/TokenEndpoint"
import * as ZapierAuth from "@zapier-workflow-auth/core/ZapierAuth"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as ZapierHttpClient from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import * as SecureRandom from "effect/crypto/SecureRandom"
import type { HttpClient } from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import type { NoExcessProperties } from "effect/Types"
import * as EmbeddedStores from "./EmbeddedStores.ts"

/**
 * Which app, which Zapier, and how requests are sent. All have defaults. `E` and `R` are what the layers among them fail with
 * and need: the layers that are made of them do so, too.
 *
 * @since 0.1.0
 */
export interface Options<E = ZapierAuthError, R = never> {
  /**
   * Client id, secret and redirect URIs, or where they come from: a secret manager, see `ClientApplication.layerEffect`.
   * Default: from the environment, see `ClientApplication.layerConfig`.
   */
  readonly application?: ClientApplication.Options | Layer.Layer<ClientApplication.ClientApplication, E, R> | undefined
  /** Where Zapier is. Default: production. */
  readonly urls?: ZapierUrls.Urls | undefined
  /**
   * How requests are sent. It must not retry or follow redirects by itself. Default: undici, with as many connections as
   * there are requests at a time; `NodeHttpClient.layerUndiciOptions({ connections })` bounds them.
   */
  readonly httpClient?: Layer.Layer<HttpClient, E, R> | undefined
  /** Timeouts and lifetimes: for example how long a caller waits for a token (`requestTimeout`). */
  readonly settings?: Settings.Options | undefined
  /** Whether a request is refused before it is sent when its scope was not granted. Default: yes. */
  readonly checkScopes?: boolean | undefined
}

/**
 * What the layers among the options fail with and need.
 *
 * @since 0.1.0
 */
export type LayersOf<O> =
  | Extract<O[keyof O], Layer.Any>
  | (O extends { readonly stores?: infer S } ? Extract<NonNullable<S>[keyof NonNullable<S>], Layer.Any> : never)

type Services = ZapierAuth.ZapierAuth | ZapierHttpClient.ZapierHttpClient

type Stores = GrantStore | AttemptStore | AppCredentialStore

type ErrorOf<O> = ZapierAuthError | Layer.Error<LayersOf<O>>

type NeededBy<O> = Layer.Services<LayersOf<O>>

const layerApplication = <E, R>(
  application: Options<E, R>["application"]
): Layer.Layer<ClientApplication.ClientApplication, E, R> => {
  if (application === undefined) return ClientApplication.layerConfig
  return "clientId" in application ? ClientApplication.layer(application) : application
}

const servicesOf = <E, R>(options: Options<E, R>): Layer.Layer<Services, ZapierAuthError | E, Stores | R> =>
  ZapierHttpClient.layer({ checkScopes: options.checkScopes }).pipe(
    Layer.provideMerge(ZapierAuth.layer(options.settings)),
    Layer.provide(TokenEndpoint.layer),
    Layer.provide([
      options.httpClient ?? NodeHttpClient.layerUndici,
      NodeCrypto.layerDigest,
      SecureRandom.layerWebCrypto,
      Layer.succeed(ZapierUrls.ZapierUrls, options.urls ?? ZapierUrls.production),
      layerApplication(options.application)
    ])
  )

/**
 * `ZapierAuth` and `ZapierHttpClient` over Node's HTTP and cryptography, with the stores that you provide.
 *
 * Fails with `InvalidConfig` when the settings or the client application are not usable, and as the layers among the options
 * do, whose requirements it keeps.
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
export const layerWithoutStores = <O extends NoExcessProperties<Options<unknown, unknown>, O> = {}>(
  options?: O
): Layer.Layer<Services, ErrorOf<O>, Stores | NeededBy<O>> =>
  servicesOf((options ?? {}) as Options<ErrorOf<O>, NeededBy<O>>)
/**
 * `ZapierAuth` and `ZapierHttpClient` with stores in memory, which end with the process: for tests, and for trying things
 * out.
 *
 * Fails with `InvalidConfig` when the settings or the client application are not usable, and as the layers among the options
 * do, whose requirements it keeps.
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
 * As `Options`, and where grants are kept.
 *
 * @since 0.1.0
 */
export interface EmbeddedOptions<E = ZapierAuthError, R = never> extends Options<E, R> {
  /** Where users' grants are kept. Default: in the user's data directory, see `EmbeddedStores`. */
  readonly stores?: EmbeddedStores.Options<E, R> | undefined
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
export const layer = <O extends NoExcessProperties<EmbeddedOptions<unknown, unknown>, O> = {}>(
  options?: O
): Layer.Layer<Services, ErrorOf<O>, NeededBy<O>> => {
  const given = (options ?? {}) as EmbeddedOptions<ErrorOf<O>, NeededBy<O>>
  return servicesOf(given).pipe(Layer.provide(EmbeddedStores.layer(given.stores)))
}
