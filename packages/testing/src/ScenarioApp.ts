/**
 * An app as a scenario sees it: a layer over an `HttpClient`, and the functions that its users reach.
 *
 * @since 0.1.0
 */
import type { ClientApplication } from "@zapier-workflow-auth/core/oauth/ClientApplication"
import type { Digest } from "effect/crypto/Digest"
import type { SecureRandom } from "effect/crypto/SecureRandom"
import type * as Effect from "effect/Effect"
import type { HttpClient } from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import type { Subject } from "./ScenarioSeen.ts"

/**
 * What the runner gives to an app: the way to the fake, the client application that is registered there, with its secret
 * as it is configured now, and randomness and digests that need no promise.
 *
 * @since 0.1.0
 */
export type Provided = HttpClient | ClientApplication | Digest | SecureRandom

/**
 * What an app may fail with. It is shown, and nothing is made of it but by `asksToReconnect`.
 *
 * @since 0.1.0
 */
export type Anything = {} | null | undefined

/**
 * An app. Its functions may fail with anything: what they fail with is what the user sees.
 *
 * @since 0.1.0
 */
export interface App<R, S = never, A = never> {
  /** What outlives a restart, its database for example. Built once for each run. */
  readonly stores?: Layer.Layer<S, Anything> | undefined
  /** The app itself, built anew at every start. */
  readonly layer: Layer.Layer<R, Anything, S | Provided>
  /** A user wants to connect. Gives the URL that the browser is sent to. */
  readonly logIn: (subject: Subject) => Effect.Effect<string, Anything, NoInfer<R>>
  /** The browser has come back with that URL, for the user who is signed in as `subject`. */
  readonly comeBack: (callback: string, subject: Subject) => Effect.Effect<unknown, Anything, NoInfer<R>>
  /** Does something with Zapier for a user. */
  readonly call: (subject: Subject) => Effect.Effect<unknown, Anything, NoInfer<R>>
  /** A user wants the app to have no access any more. */
  readonly disconnect: (subject: Subject) => Effect.Effect<unknown, Anything, NoInfer<R>>
  /** What else it can do: plain data, drawn from a schema. */
  readonly actions?: Actions<R, A> | undefined
  /** Whether that error tells a user to connect again. Default: what `ZapierAuthError` says. */
  readonly asksToReconnect?: ((error: unknown) => boolean) | undefined
}

/**
 * What else users do in the app: each is drawn from the schema, and carried out by `run`.
 *
 * @since 0.1.0
 */
export interface Actions<R, A> {
  readonly schema: Schema.Schema<A>
  readonly run: (action: A) => Effect.Effect<unknown, Anything, NoInfer<R>>
}

/**
 * The app as it is, with its types inferred.
 *
 * @since 0.1.0
 */
export const make = <R, S = never, A = never>(app: App<R, S, A>): App<R, S, A> => app
