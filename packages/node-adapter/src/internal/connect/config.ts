/** Validates the options of the routes once, because JavaScript programs ignore types. */
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
import type { AuthorizationOptions } from "@zapier-workflow-auth/core/ZapierAuth"
import { InvalidConfig, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Failures from "./failures.ts"
import type { Given } from "../../ConnectTexts.ts"
import { callbackPath } from "./paths.ts"
import * as ReturnUrl from "./returnUrl.ts"
import * as Words from "./words.ts"

type Consent = Pick<AuthorizationOptions, "incremental" | "pkce" | "signUp" | "campaign" | "page">

type ChooseScopes<R> = (
  request: HttpServerRequest,
  subject: string
  // The app's own function may fail with any error.
) => Effect.Effect<ReadonlyArray<Scopes.Scope>, unknown, R>

type ChooseTenant<R> = (
  request: HttpServerRequest,
  subject: string
  // The app's own function may fail with any error.
) => Effect.Effect<string, unknown, R>

interface Options<R = never> extends Consent {
  readonly redirectUri: string
  readonly scopes: ReadonlyArray<Scopes.Scope> | ChooseScopes<R>
  readonly path?: `/${string}` | undefined
  readonly returnTo?: `/${string}` | undefined
  readonly signIn?: string | undefined
  readonly origins?: ReadonlyArray<string> | undefined
  readonly texts?: Given | undefined
  readonly whiteLabel?: { readonly tenant: ChooseTenant<R>; readonly theme?: string | undefined } | undefined
  readonly respond?: unknown
}

/** The validated options of White Label's routes. */
export interface WhiteLabel<R = never> {
  readonly tenant: (request: HttpServerRequest, subject: string) => Effect.Effect<string, ZapierAuthError, R>
  readonly theme: string | undefined
}

/** The validated options. `R` is what the app's functions that choose scopes and tenant require. */
export interface Config<R = never> {
  readonly redirectUri: string
  readonly scopes: (
    request: HttpServerRequest,
    subject: string
  ) => Effect.Effect<ReadonlyArray<Scopes.Scope>, ZapierAuthError, R>
  /** The options of the consent. */
  readonly consent: Consent
  /** The app's own origin, as browsers see it. */
  readonly origin: string
  /** More origins of the app. */
  readonly others: ReadonlyArray<string>
  /** The return address if none is given. */
  readonly home: string
  /** The sign-in page. */
  readonly signIn: string | undefined
  /** The path of the routes, as browsers see it. */
  readonly publicPath: string
  /** The path of the routes in this server. */
  readonly path: string
  /** The app's own texts. */
  readonly texts: Words.Find
  /** Set if White Label users connect apps. */
  readonly whiteLabel: WhiteLabel<R> | undefined
}

type Check<A> = Result.Result<A, ZapierAuthError>

const invalid = (setting: string, problem: string) =>
  Result.fail(ZapierAuthError.make(new InvalidConfig({ setting, problem })))

const noOptions = invalid("options", "pass an object with redirectUri and scopes")

const isScopes = (value: unknown): value is ReadonlyArray<Scopes.Scope> =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((scope) => typeof scope === "string" && Scopes.isAskable(scope))

const wrongScopes = invalid("scopes", 'give a list of at least one scope, such as ["zap"]')

const choosing = ["scopes", "choose scopes"] as const

export const scopesFailed = Failures.toError(...choosing)

const scopesOf = <R>(scopes: Options<R>["scopes"]): Check<Config<R>["scopes"]> => {
  if (isScopes(scopes)) return Result.succeed(() => Effect.succeed(scopes))
  if (!Predicate.isFunction(scopes)) return wrongScopes
  return Result.succeed((request, subject) =>
    Effect.filterOrElse(
      // @effect-diagnostics-next-line anyUnknownInErrorContext:off
      Failures.ofApp(...choosing, () => scopes(request, subject)),
      isScopes,
      () => Effect.fromResult(wrongScopes)
    )
  )
}

const naming = ["whiteLabel.tenant", "name the signed-in user's tenant"] as const

export const tenantFailed = Failures.toError(...naming)

const whiteLabelOf = <R>(given: Options<R>["whiteLabel"]): Check<WhiteLabel<R> | undefined> => {
  if (given === undefined) return Result.succeed(undefined)
  if (!Predicate.isObject(given) || !Predicate.isFunction(given.tenant)) {
    return invalid("whiteLabel.tenant", "pass a function that returns the id of the signed-in user's tenant")
  }
  const { tenant, theme } = given
  if (theme !== undefined && typeof theme !== "string") return invalid("whiteLabel.theme", "pass a text")
  return Result.succeed({
    theme,
    tenant: (request, subject) =>
      Effect.filterOrElse(
        // @effect-diagnostics-next-line anyUnknownInErrorContext:off
        Failures.ofApp(...naming, () => tenant(request, subject)),
        (tenant): tenant is string => typeof tenant === "string" && tenant !== "",
        (tenant) => Effect.fail(Failures.useless(...naming, tenant, "the tenant's id as text"))
      )
  })
}

const isOrigin = (text: unknown): text is string =>
  typeof text === "string" && URL.canParse(text) && new URL(text).origin === text

const originsOf = (origins: unknown = []): Check<ReadonlyArray<string>> => {
  if (!Array.isArray(origins)) return invalid("origins", 'give a list, such as ["https://www.acme.example"]')
  const odd = origins.findIndex((other) => !isOrigin(other))
  return odd === -1
    ? Result.succeed(origins)
    : invalid("origins", `${JSON.stringify(origins[odd])} is not an origin: give one such as https://www.acme.example`)
}

// The router does not find paths that browsers escape; a star matches any path, and a semicolon ends one.
const isRoutable = (path: string) => /^(?:\/[\w.~!$&'()+,=:@|[\]-]+)*$/.test(path)

const pathOf = (path: unknown, publicPath: string): Check<string> => {
  if (path === undefined) {
    return isRoutable(publicPath)
      ? Result.succeed(publicPath)
      : invalid("path", `the redirect URI's path ${publicPath} cannot be routed: give another path for this server`)
  }
  return typeof path === "string" && path !== "" && isRoutable(path)
    ? Result.succeed(path)
    : invalid("path", "give the path of the routes, such as /zapier: letters, digits and -._~ without a trailing slash")
}

const isAddress = (value: unknown, origin: string, others: ReadonlyArray<string>): value is string =>
  typeof value === "string" && ReturnUrl.parse(value, origin, others) !== undefined

const publicPathOf = (redirectUri: unknown): Check<string> =>
  typeof redirectUri === "string" &&
  ClientApplication.isRedirectUri(redirectUri) &&
  // Browsers return to these routes, so they cannot use an app's own scheme.
  /^https?:$/.test(new URL(redirectUri).protocol) &&
  new URL(redirectUri).pathname.endsWith(callbackPath) &&
  // A path that begins with two slashes would lead to another host.
  !new URL(redirectUri).pathname.startsWith("//")
    ? Result.succeed(new URL(redirectUri).pathname.slice(0, -callbackPath.length))
    : invalid(
        "redirectUri",
        `give one of the application's redirect URIs that ends with ${callbackPath}, with https unless it points to this machine`
      )

/** The path of the routes in this server, or an empty text for invalid options, which are refused elsewhere. */
export const mountPath = ({ path, redirectUri }: Pick<Options, "path" | "redirectUri">): string =>
  Result.getOrElse(
    Result.flatMap(publicPathOf(redirectUri), (publicPath) => pathOf(path, publicPath)),
    () => ""
  )

/** Validates the options that only `toWebHandler` has. */
export const parseWeb = (options: unknown): Check<void> => {
  if (!Predicate.isObject(options)) return noOptions
  const { subject, zapier }: { readonly subject?: unknown; readonly zapier?: unknown } = options
  if (!Predicate.isFunction(subject)) return invalid("subject", "pass a function that returns the user id of a request")
  return Layer.isLayer(zapier) ? Result.void : invalid("zapier", "pass a layer, such as ZapierNode.layer()")
}

export const parse = <R = never>(options: Options<R>): Check<Config<R>> =>
  Result.gen(function* () {
    if (!Predicate.isObject(options)) return yield* noOptions
    const { campaign, incremental, page, pkce, redirectUri, respond, returnTo = "/", signIn, signUp } = options
    const publicPath = yield* publicPathOf(redirectUri)
    const { origin } = new URL(redirectUri)
    const others = yield* originsOf(options.origins)
    const scopes = yield* scopesOf(options.scopes)
    const path = yield* pathOf(options.path, publicPath)
    const texts = yield* Words.make(options.texts)
    const whiteLabel = yield* whiteLabelOf(options.whiteLabel)
    if (!isAddress(returnTo, origin, []) || !returnTo.startsWith("/")) {
      return yield* invalid("returnTo", "give a path of the app, such as /settings")
    }
    if (signIn !== undefined && !isAddress(signIn, origin, others)) {
      return yield* invalid("signIn", "give a path of the app, such as /sign-in, or an address at one of its origins")
    }
    if (respond !== undefined && !Predicate.isFunction(respond)) {
      return yield* invalid("respond", "pass a function that returns an Effect of a response")
    }
    return {
      redirectUri,
      scopes,
      consent: { campaign, incremental, page, pkce, signUp },
      origin,
      others,
      home: returnTo,
      signIn,
      publicPath,
      path,
      texts,
      whiteLabel
    }
  })
