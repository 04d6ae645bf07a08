/**
 * Describes an app for a scenario: a layer over an `HttpClient`, and the functions that its users reach.
 *
 * @since 0.1.0
 */
import type { ClientApplication } from "@zapier-workflow-auth/core/oauth/ClientApplication"
import type { Digest } from "effect/crypto/Digest"
import type { SecureRandom } from "effect/crypto/SecureRandom"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { HttpClient } from "effect/http/HttpClient"
import type * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import type { Shown, Subject } from "./ScenarioHistory.ts"

/**
 * The services that the runner provides to an app: a client for the fake, the application registered there with its
 * currently configured secret, and randomness and digests that need no promise.
 *
 * @since 0.1.0
 */
export type Provided = HttpClient | ClientApplication | Digest | SecureRandom

/**
 * Any error of an app. `shows` says what a user sees then.
 *
 * @since 0.1.0
 */
export type Anything = {} | null | undefined

/**
 * An app. Its functions may fail with anything, which is what the user sees.
 *
 * @since 0.1.0
 */
export interface App<R, S = never, A = never> {
  /** Makes what survives a restart, such as the app's database. Built once for each run. */
  readonly stores?: Layer.Layer<S, Anything> | undefined
  /** The contents of the stores, which must hold no secret in clear. Read at the end. */
  readonly stored?: Effect.Effect<unknown, Anything, NoInfer<S>> | undefined
  /** The app itself, built at every start. */
  readonly layer: Layer.Layer<R, Anything, S | Provided>
  /** How many instances run over the same stores. They serve in turn, and their clocks differ a little. Default: 1. */
  readonly instances?: number | undefined
  /** The previous version, for a rolling deployment: it runs first, and each restarted instance is the app itself. */
  readonly before?: Layer.Layer<R, Anything, S | Provided> | undefined
  /** Begins to connect a user. Returns the URL that the browser is sent to. */
  readonly logIn: (subject: Subject) => Effect.Effect<string, Anything, NoInfer<R>>
  /** Handles the callback URL with which the browser returns, for the user signed in as `subject`. */
  readonly comeBack: (callback: string, subject: Subject) => Effect.Effect<unknown, Anything, NoInfer<R>>
  /**
   * Handles the same in another browser of the user, which is signed in but has not begun the login. Leave it out if
   * the app does not distinguish browsers.
   */
  readonly comeBackElsewhere?:
    | ((callback: string, subject: Subject) => Effect.Effect<unknown, Anything, NoInfer<R>>)
    | undefined
  /** The redirect URI of the browser's callback. Default: `https://acme.example/callback`. */
  readonly redirectUri?: string | undefined
  /**
   * True if the app reads its secret only at its start, so that it is restarted when the secret changes. Default:
   * false.
   */
  readonly restartsForSecret?: boolean | undefined
  /** Does something with Zapier for a user. */
  readonly call: (subject: Subject) => Effect.Effect<unknown, Anything, NoInfer<R>>
  /** Does the same in another browser of the user. */
  readonly callElsewhere?: ((subject: Subject) => Effect.Effect<unknown, Anything, NoInfer<R>>) | undefined
  /** Ends the app's access for a user. */
  readonly disconnect: (subject: Subject) => Effect.Effect<unknown, Anything, NoInfer<R>>
  /** The app's other functions: plain data, drawn from a schema. */
  readonly actions?: Actions<R, A> | undefined
  /**
   * What the user sees when one of these functions has ended so. Default: `ScenarioShown.byDefault`, which knows the
   * library's own errors, and HTTP responses.
   */
  readonly shows?: ((exit: Exit.Exit<unknown, unknown>, subject: Subject | undefined) => Shown) | undefined
  /** Returns true if an error asks the user to connect again, for errors that the default does not know. */
  readonly asksToReconnect?: ((error: unknown) => boolean) | undefined
  /** Limits that the app may choose. */
  readonly expects?: Expects | undefined
}

/**
 * Limits that an app may choose without breaking a rule. Durations are `Duration.Input`.
 *
 * @since 0.1.0
 */
export interface Expects {
  /** How long after a failure users may still be asked to try later. Default: 10 minutes. */
  readonly recoversWithin?: Duration.Input | undefined
  /** How long users may be shown outdated data. Default: 5 minutes. */
  readonly showsOldFor?: Duration.Input | undefined
  /** How long after a disconnect other processes may still send the user's token. Default: 1 minute. */
  readonly disconnectWithin?: Duration.Input | undefined
  /**
   * How long before its expiry a token may be refreshed. Default: a tenth of its lifetime, or 5 minutes if that is
   * longer.
   */
  readonly expiryMargin?: Duration.Input | undefined
  /** The scopes that the app needs. If given, it has to ask for them, and no request may need others. */
  readonly scopes?: ReadonlyArray<string> | undefined
  /** True if a login may end in another browser of the same user. Default: false. */
  readonly otherBrowsers?: boolean | undefined
  /** Other hosts that may receive Zapier's secrets. Default: none. */
  readonly hosts?: ReadonlyArray<string> | undefined
  /**
   * Requests that must not be carried out twice for one action of a user. Default: those endpoints that create
   * something.
   */
  readonly once?: ReadonlyArray<string> | undefined
}

/**
 * Other actions of users: each is drawn from the schema, and carried out by `run`.
 *
 * @since 0.1.0
 */
export interface Actions<R, A> {
  readonly schema: Schema.Schema<A>
  /** The user who does it, if one does. */
  readonly subject?: ((action: A) => Subject | undefined) | undefined
  readonly run: (action: A) => Effect.Effect<unknown, Anything, NoInfer<R>>
}

/**
 * Returns the app unchanged, with its types inferred.
 *
 * @since 0.1.0
 */
export const make = <R, S = never, A = never>(app: App<R, S, A>): App<R, S, A> => app
