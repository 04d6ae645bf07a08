/**
 * `ZapierPromise` in a few files, with all that it needs in them, Effect and the drivers of the stores included: it starts in
 * less than half of the time that hundreds of modules take. For functions that are deployed as they are; where a bundler makes
 * one file of an app, take `ZapierPromise` itself.
 *
 * The options and the client are the same, but for layers of Effect: there are two Effects in a process that has both.
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
  /** Client id, secret and redirect URIs; or a function that reads them, which is called whenever they are needed. */
  readonly application?:
    | ClientApplication.Options
    | (() => ClientApplication.Options | PromiseLike<ClientApplication.Options>)
    | undefined
}

/**
 * A client: `ZapierPromise.make`.
 *
 * @since 0.1.0
 */
export const make = (options?: Options): Promises.ZapierPromise => {
  // From JavaScript. It would be of another Effect, which knows nothing of what is redacted in this one.
  if (!Layer.isLayer(options?.application)) return makeClient(options)
  throw new TypeError(
    "application: give plain options or a function here. A layer goes to @zapier-workflow-auth/node-adapter/ZapierPromise"
  )
}

export { IterationError, toResponse } from "../ZapierPromise.ts"
