/**
 * `ZapierPromise` with all of its dependencies in a few files, Effect and the stores' drivers included.
 *
 * It starts in less than half the time of hundreds of modules. Use it for functions that are deployed without a bundler; with
 * a bundler, use `ZapierPromise` itself.
 *
 * Options and client are the same, except for Effect layers, because a process that imports both has two copies of Effect.
 *
 * @example
 * ```ts
 * import * as ZapierPromise from "@zapier-workflow-auth/node-adapter/bundled/ZapierPromise"
 *
 * const zapier = ZapierPromise.make({
 *   application: { clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/zapier/callback"] },
 *   stores: "memory"
 * })
 *
 * await zapier.status("ada") // => { ok: true, value: { _tag: "Absent", subject: "ada" } }
 * await zapier.close()
 * ```
 *
 * @since 0.1.0
 */
import type * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as Layer from "effect/Layer"
import type * as Promises from "../ZapierPromise.ts"
import { make as makeClient } from "../ZapierPromise.ts"

export type {
  ApiFailure,
  CallOptions,
  ConnectOptions,
  Failure,
  Result,
  SignalOptions,
  Token,
  ZapierPromise
} from "../ZapierPromise.ts"

/**
 * The options of `ZapierPromise.make`, without layers.
 *
 * @since 0.1.0
 */
export interface Options extends Omit<Promises.Options, "application"> {
  /** Client id, secret and redirect URIs; or a function that reads them, called at each use. */
  readonly application?:
    | ClientApplication.Options
    | (() => ClientApplication.Options | PromiseLike<ClientApplication.Options>)
    | undefined
}

/**
 * Makes a client, like `ZapierPromise.make`.
 *
 * @since 0.1.0
 */
export const make = (options?: Options): Promises.ZapierPromise => {
  // JavaScript may pass a layer. It belongs to another copy of Effect, which does not recognize redacted values of this one.
  if (!Layer.isLayer(options?.application)) return makeClient(options)
  throw new TypeError(
    "application: pass plain options or a function here. To pass a layer, import @zapier-workflow-auth/node-adapter/ZapierPromise"
  )
}

export { IterationError, toResponse } from "../ZapierPromise.ts"
