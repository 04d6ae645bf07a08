/**
 * Layers for runtimes with `fetch` and Web Crypto but without Node, such as Cloudflare Workers.
 *
 * `ZapierConnect`, `ZapierPromise.fromLayer`, `stores/SqlStores` and `stores/DurableObjectClient` do not need Node either. A
 * bundler that removes unused code, as those for workers do, leaves nothing of Node in a worker that imports these.
 *
 * @since 0.1.0
 */
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as TokenEndpoint from "@zapier-workflow-auth/core/oauth/TokenEndpoint"
import type * as Settings from "@zapier-workflow-auth/core/Settings"
import type { AppCredentialStore } from "@zapier-workflow-auth/core/store/AppCredentialStore"
import type { AttemptStore } from "@zapier-workflow-auth/core/store/AttemptStore"
import type { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import * as ZapierAuth from "@zapier-workflow-auth/core/ZapierAuth"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as ZapierHttpClient from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"

/**
 * The application, Zapier's addresses, and how requests are sent.
 *
 * @since 0.1.0
 */
export interface Options {
  /** Client id, secret and redirect URIs. A worker gets its secrets in `env`. */
  readonly application: ClientApplication.Options
  /** Zapier's addresses. Default: production. */
  readonly urls?: ZapierUrls.Urls | undefined
  /** Sends requests, for example the fake's `fetch` in a test. Default: `globalThis.fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined
  /**
   * Timeouts and lifetimes. Default: those of the core, but without early renewal (`expiryMargin: 0`), because a worker ends
   * with its response. Set a margin where `waitUntil` keeps it alive.
   */
  readonly settings?: Settings.Options | undefined
  /** True to refuse a request before sending if its scope was not granted. Default: true. */
  readonly checkScopes?: boolean | undefined
}

/**
 * Provides `ZapierAuth` and `ZapierHttpClient` with `fetch` and Web Crypto, over your own stores.
 *
 * Fails with `InvalidConfig` if the settings, the URLs or the client application are invalid.
 *
 * @example
 * ```ts
 * import * as DurableObjectClient from "@zapier-workflow-auth/node-adapter/stores/DurableObjectClient"
 * import * as SqlStores from "@zapier-workflow-auth/node-adapter/stores/SqlStores"
 * import * as ZapierPromise from "@zapier-workflow-auth/node-adapter/ZapierPromise"
 * import * as ZapierWeb from "@zapier-workflow-auth/node-adapter/ZapierWeb"
 * import * as Layer from "effect/Layer"
 *
 * // In the constructor of a Durable Object: pass `ctx`, and the application's credentials from `env`.
 * export const make = (
 *   ctx: { readonly storage: DurableObjectClient.Storage; readonly waitUntil: (promise: Promise<unknown>) => void },
 *   application: ZapierWeb.Options["application"]
 * ) =>
 *   ZapierPromise.fromLayer(
 *     ZapierWeb.layerWithoutStores({ application, settings: { expiryMargin: "5 minutes" } }).pipe(
 *       Layer.provide(SqlStores.layer),
 *       Layer.provide(DurableObjectClient.layer(ctx.storage))
 *     ),
 *     { waitUntil: (promise) => ctx.waitUntil(promise) }
 *   )
 * ```
 *
 * @since 0.1.0
 */
export const layerWithoutStores = (
  options: Options
): Layer.Layer<
  ZapierAuth.ZapierAuth | ZapierHttpClient.ZapierHttpClient,
  ZapierAuthError,
  GrantStore | AttemptStore | AppCredentialStore
> => {
  // Workers refuse a `fetch` that is called as a method of another object.
  // @effect-diagnostics-next-line globalFetch:off
  const { fetch = (input, init) => globalThis.fetch(input, init) } = options
  return ZapierHttpClient.layer({ checkScopes: options.checkScopes }).pipe(
    Layer.provideMerge(ZapierAuth.layer({ expiryMargin: 0, ...options.settings })),
    Layer.provide(TokenEndpoint.layer),
    Layer.provide([
      Layer.provide(FetchHttpClient.layer, Layer.succeed(FetchHttpClient.Fetch, fetch)),
      Digest.layerWebCrypto,
      SecureRandom.layerWebCrypto,
      Layer.succeed(ZapierUrls.ZapierUrls, options.urls ?? ZapierUrls.production),
      ClientApplication.layer(options.application)
    ])
  )
}
