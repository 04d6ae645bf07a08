/** "Connect Zapier" in a client without Effect: the options of its routes. What the routes do is loaded when one is used. */
import { InvalidConfig, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as EffectResult from "effect/Result"
import type { Asked, Outcome, WebOptions } from "../../ZapierConnect.ts"
import * as Config from "../connect/config.ts"
import { callbackPath } from "../connect/paths.ts"
import type { Failure } from "./failure.ts"
import { invalid } from "./input.ts"

/**
 * The app's own name for the user who is signed in; `undefined`, `null` or an empty text if nobody is.
 *
 * @since 0.1.0
 */
export type Subject = string | null | undefined

type Told<O> = O extends { readonly error: ZapierAuthError } ? Omit<O, "error"> & { readonly error: Failure } : O

/**
 * What came of a request to one of the routes: `Outcome` of `ZapierConnect`, with failures as plain values.
 *
 * @since 0.1.0
 */
export type ConnectOutcome = Told<Outcome>

/**
 * What is asked for, for whom, and how the app answers. Scopes and subject are all that most apps give.
 *
 * @since 0.1.0
 */
export interface ConnectOptions extends Omit<WebOptions, "redirectUri" | "respond" | "subject" | "zapier"> {
  /**
   * One of the application's redirect URIs. It ends with `/callback`, and is where the browser sees this app: behind a proxy,
   * the proxy's address. The other routes are beside it. Default: the first of the application's that ends so. Give it where
   * the application is read by a function.
   */
  readonly redirectUri?: string | undefined
  /**
   * Who is signed in, by the session that a request belongs to. If it throws or gives what is no text, the routes answer with 503 and
   * log why. Leave it out where `handler` is told with each request, as the adapters for web frameworks do.
   */
  readonly subject?: ((request: Request) => Subject | PromiseLike<Subject>) | undefined
  /**
   * Answers in the app's own words, where it has any; `undefined` leaves the outcome to the library, and so does a function
   * that throws, which is logged. Headers that keep caches and other sites out are added to its answer. Where
   * `outcome.popup` is set, give `undefined`.
   */
  readonly respond?:
    | ((outcome: ConnectOutcome, asked: Asked) => Response | undefined | PromiseLike<Response | undefined>)
    | undefined
}

/** Options that were checked. */
export interface Checked {
  readonly options: ConnectOptions & { readonly redirectUri: string }
  readonly config: Config.Config
}

type Check<A> = EffectResult.Result<A, ZapierAuthError>

const refuse = (setting: string, problem: string): Check<never> => EffectResult.fail(invalid(setting, problem))

const inConnect = (error: ZapierAuthError): ZapierAuthError =>
  error.reason._tag === "InvalidConfig"
    ? ZapierAuthError.make(
        new InvalidConfig({ setting: `connect.${error.reason.setting}`, problem: error.reason.problem })
      )
    : error

/**
 * @param given none where the app has no routes
 * @param redirectUris those of the application, as far as they are known
 */
export const check = (
  given: ConnectOptions | undefined,
  redirectUris: ReadonlyArray<string>
): Check<Checked | undefined> => {
  if (given === undefined) return EffectResult.succeed(undefined)
  if (!Predicate.isObject(given)) return refuse("connect", "give an object with scopes and subject")
  const { respond, subject } = given
  if (subject !== undefined && !Predicate.isFunction(subject)) {
    return refuse("connect.subject", "give a function from a request to its user's name")
  }
  if (respond !== undefined && !Predicate.isFunction(respond)) {
    return refuse("connect.respond", "give a function from an outcome to a Response")
  }
  const redirectUri = given.redirectUri ?? redirectUris.find((uri) => uri.split("?")[0]?.endsWith(callbackPath))
  if (redirectUri === undefined) {
    return refuse(
      "connect.redirectUri",
      `give one of the application's redirect URIs that ends with ${callbackPath}: no other is known`
    )
  }
  const options = { ...given, redirectUri }
  const { scopes } = given
  const config = Config.parse({
    ...options,
    respond: undefined,
    // The app's own function is called later.
    scopes: typeof scopes === "function" ? () => Effect.succeed([]) : scopes
  })
  return EffectResult.mapBoth(config, { onFailure: inConnect, onSuccess: (config) => ({ options, config }) })
}
