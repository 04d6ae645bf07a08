/**
 * What a runtime with `fetch` and Web Crypto needs to talk to Zapier, without Node: Cloudflare Workers, for example.
 *
 * `ZapierConnect`, `ZapierPromise.fromLayer`, `stores/SqlStores` and `stores/DurableObjectClient` need no Node either. A bundler
 * that leaves out what is not used, as those for workers do, leaves nothing of Node in a worker that imports these.
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
 * Which app, which Zapier, and how requests are sent.
 *
 * @since 0.1.0
 */
export interface Options {
  /** Client id, secret and redirect URIs: a worker has its secrets in the `env` that it is given. */
  readonly application: ClientApplication.Options
  /** Where Zapier is. Default: production. */
  readonly urls?: ZapierUrls.Urls | undefined
  /** How requests are sent, such as the fake's `fetch` in a test. Default: `globalThis.fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined
  /**
   * Timeouts and lifetimes. Default: those of the core, but nothing is renewed ahead (`expiryMargin`): a worker ends with its
   * response. Set a margin where `waitUntil` keeps it going.
   */
  readonly settings?: Settings.Options | undefined
  /** Whether a request is refused before it is sent when its scope was not granted. Default: yes. */
  readonly checkScopes?: boolean | undefined
}

/**
 * `ZapierAuth` and `ZapierHttpClient` over `fetch` and Web Crypto, with the stores that you provide.
 *
 * Fails with `InvalidConfig` when the settings, the URLs or the client application are not usable.
 *
 * @example
 * ```ts
 * import * as DurableObjectClient from "@zapier-workflow-auth/node-adapter/stores/DurableObjectClient"
 * import * as SqlStores from "@zapier-workflow-auth/node-adapter/stores/SqlStores"
 * import * as ZapierPromise from "@zapier-workflow-auth/node-adapter/ZapierPromise"
 * import * as ZapierWeb from "@zapier-workflow-auth/node-adapter/ZapierWeb"
 * import * as Layer from "effect/Layer"
 *
 * // In the constructor of a Durable Object: `ctx`, and what it needs of `env`.
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
  // Workers refuse a `fetch` that is called as a method of something else. It is what the client is made of.
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
