/** The options of "Connect Zapier" for clients without Effect. The routes themselves are loaded on first use. */
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
 * The app's own id of the signed-in user; `undefined`, `null` or an empty text if signed out.
 *
 * @since 0.1.0
 */
export type Subject = string | null | undefined

type PlainOutcome<O> = O extends { readonly error: ZapierAuthError }
  ? Omit<O, "error"> & { readonly error: Failure }
  : O

/**
 * The outcome of a request to the routes: `Outcome` of `ZapierConnect`, with failures as plain values.
 *
 * @since 0.1.0
 */
export type ConnectOutcome = PlainOutcome<Outcome>

/**
 * The options of the routes. Most apps need only `scopes` and `subject`.
 *
 * @since 0.1.0
 */
export interface ConnectOptions extends Omit<WebOptions, "redirectUri" | "respond" | "subject" | "zapier"> {
  /**
   * One of the application's redirect URIs. It ends with `/callback`, and is the address that browsers use: behind a proxy,
   * the proxy's. The other routes are beside it. Default: the application's first one that ends so. Set it if a function
   * reads the application.
   */
  readonly redirectUri?: string | undefined
  /**
   * Returns the signed-in user of a request's session. If it throws or returns something else, the routes respond with 503
   * and log the cause. Omit it if you pass it to `handler` with each request, as the adapters for web frameworks do.
   */
  readonly subject?: ((request: Request) => Subject | PromiseLike<Subject>) | undefined
  /**
   * Makes the app's own response to an outcome; `undefined` for the default one. If it throws, the error is logged and the
   * default applies. Headers that prevent caching and embedding are added. Return `undefined` if `outcome.popup` is set.
   */
  readonly respond?:
    | ((outcome: ConnectOutcome, asked: Asked) => Response | undefined | PromiseLike<Response | undefined>)
    | undefined
}

/** The validated options. */
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

// The app's own function is called later.
const checkedWhiteLabel = (given: ConnectOptions["whiteLabel"]) =>
  Predicate.isObject(given) && Predicate.isFunction(given.tenant)
    ? { ...given, tenant: () => Effect.succeed("") }
    : (given as undefined)

/**
 * @param given `undefined` if the app has no routes
 * @param redirectUris those of the application, as far as known
 */
export const check = (
  given: ConnectOptions | undefined,
  redirectUris: ReadonlyArray<string>
): Check<Checked | undefined> => {
  if (given === undefined) return EffectResult.succeed(undefined)
  if (!Predicate.isObject(given)) return refuse("connect", "pass an object with scopes and subject")
  const { respond, subject } = given
  if (subject !== undefined && !Predicate.isFunction(subject)) {
    return refuse("connect.subject", "pass a function that returns the user id of a request")
  }
  if (respond !== undefined && !Predicate.isFunction(respond)) {
    return refuse("connect.respond", "pass a function that returns a Response")
  }
  const redirectUri = given.redirectUri ?? redirectUris.find((uri) => uri.split("?")[0]?.endsWith(callbackPath))
  if (redirectUri === undefined) {
    return refuse(
      "connect.redirectUri",
      `set one of the application's redirect URIs that ends with ${callbackPath}: none was found`
    )
  }
  const options = { ...given, redirectUri }
  const { scopes } = given
  const config = Config.parse({
    ...options,
    whiteLabel: checkedWhiteLabel(given.whiteLabel),
    respond: undefined,
    // The app's own function is called later.
    scopes: typeof scopes === "function" ? () => Effect.succeed([]) : scopes
  })
  return EffectResult.mapBoth(config, { onFailure: inConnect, onSuccess: (config) => ({ options, config }) })
}
