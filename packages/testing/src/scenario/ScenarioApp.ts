/**
 * An app as a scenario sees it: a layer over an `HttpClient`, and the functions that its users reach.
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
import type { Shown, Subject } from "./ScenarioSeen.ts"

/**
 * What the runner gives to an app: the way to the fake, the client application that is registered there, with its secret
 * as it is configured now, and randomness and digests that need no promise.
 *
 * @since 0.1.0
 */
export type Provided = HttpClient | ClientApplication | Digest | SecureRandom

/**
 * What an app may fail with. What a user is shown then, `shows` says.
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
  /** What is in the stores, where that must hold no secret in clear. It is looked at in the end. */
  readonly stored?: Effect.Effect<unknown, Anything, NoInfer<S>> | undefined
  /** The app itself, built anew at every start. */
  readonly layer: Layer.Layer<R, Anything, S | Provided>
  /** How many instances of it run over the same stores. They serve in turn, and their clocks differ a little. Default: 1. */
  readonly instances?: number | undefined
  /** The version before: it runs first, and each instance that is started anew is the app itself: a rolling deployment. */
  readonly before?: Layer.Layer<R, Anything, S | Provided> | undefined
  /** A user wants to connect. Gives the URL that the browser is sent to. */
  readonly logIn: (subject: Subject) => Effect.Effect<string, Anything, NoInfer<R>>
  /** The browser has come back with that URL, for the user who is signed in as `subject`. */
  readonly comeBack: (callback: string, subject: Subject) => Effect.Effect<unknown, Anything, NoInfer<R>>
  /**
   * The same in another browser of the user, which is signed in, too, and has not begun the login. Without it, the app knows
   * no browsers.
   */
  readonly comeBackElsewhere?:
    | ((callback: string, subject: Subject) => Effect.Effect<unknown, Anything, NoInfer<R>>)
    | undefined
  /** Where the browser comes back to. Default: `https://acme.example/callback`. */
  readonly redirectUri?: string | undefined
  /** Whether the app has its secret from its start: it is restarted when there is a new one. Default: false. */
  readonly restartsForSecret?: boolean | undefined
  /** Does something with Zapier for a user. */
  readonly call: (subject: Subject) => Effect.Effect<unknown, Anything, NoInfer<R>>
  /** The same in another browser of the user. */
  readonly callElsewhere?: ((subject: Subject) => Effect.Effect<unknown, Anything, NoInfer<R>>) | undefined
  /** A user wants the app to have no access any more. */
  readonly disconnect: (subject: Subject) => Effect.Effect<unknown, Anything, NoInfer<R>>
  /** What else it can do: plain data, drawn from a schema. */
  readonly actions?: Actions<R, A> | undefined
  /**
   * What the user is shown when one of these functions has ended so. Default: `ScenarioShown.byDefault`, which knows the
   * library's own errors, and responses of HTTP.
   */
  readonly shows?: ((exit: Exit.Exit<unknown, unknown>, subject: Subject | undefined) => Shown) | undefined
  /** Whether that error tells a user to connect again, where that is all that the default does not know. */
  readonly asksToReconnect?: ((error: unknown) => boolean) | undefined
  /** What is the app's own to decide. */
  readonly expects?: Expects | undefined
}

/**
 * What is an app's own to decide, and no fault: a rule allows as much. Times as in `Duration.Input`.
 *
 * @since 0.1.0
 */
export interface Expects {
  /** How long after trouble is over users may still be asked to try later. Default: 10 minutes. */
  readonly recoversWithin?: Duration.Input | undefined
  /** For how long users may be shown what was true before. Default: 5 minutes. */
  readonly showsOldFor?: Duration.Input | undefined
  /** How long after a disconnect the user's token may still be sent, by other processes. Default: 1 minute. */
  readonly disconnectWithin?: Duration.Input | undefined
  /** How long before its end a token may be renewed. Default: a tenth of its life, or 5 minutes where that is more. */
  readonly renewsAhead?: Duration.Input | undefined
  /** The scopes that the app needs. If they are said, it has to ask for them, and no request may need others. */
  readonly scopes?: ReadonlyArray<string> | undefined
  /** Whether a login may end in another browser of the same user. Default: false. */
  readonly otherBrowsers?: boolean | undefined
  /** Other hosts that may be sent secrets of Zapier's. Default: none. */
  readonly hosts?: ReadonlyArray<string> | undefined
  /** Requests that must not be carried out twice for one deed. Default: those of the table that create something. */
  readonly once?: ReadonlyArray<string> | undefined
}

/**
 * What else users do in the app: each is drawn from the schema, and carried out by `run`.
 *
 * @since 0.1.0
 */
export interface Actions<R, A> {
  readonly schema: Schema.Schema<A>
  /** Whose action it is, where it is a user's. */
  readonly subject?: ((action: A) => Subject | undefined) | undefined
  readonly run: (action: A) => Effect.Effect<unknown, Anything, NoInfer<R>>
}

/**
 * The app as it is, with its types inferred.
 *
 * @since 0.1.0
 */
export const make = <R, S = never, A = never>(app: App<R, S, A>): App<R, S, A> => app
