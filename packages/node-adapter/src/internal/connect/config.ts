/** The options of the routes, checked once when they are built. */
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
import type { AuthorizationOptions } from "@zapier-workflow-auth/core/ZapierAuth"
import { from, InvalidConfig, type ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Result from "effect/Result"
import * as ReturnUrl from "./returnUrl.ts"

type Consent = Pick<AuthorizationOptions, "incremental" | "pkce" | "signUp" | "campaign" | "page">

interface Options extends Consent {
  readonly redirectUri: string
  readonly scopes: ReadonlyArray<Scopes.Scope>
  readonly path?: `/${string}` | undefined
  readonly returnTo?: `/${string}` | undefined
  readonly origins?: ReadonlyArray<string> | undefined
}

export interface Config {
  readonly redirectUri: string
  readonly scopes: ReadonlyArray<Scopes.Scope>
  /** How the consent is asked for. */
  readonly consent: Consent
  /** The app's own origin, as browsers see it. */
  readonly origin: string
  /** More origins of the app. */
  readonly others: ReadonlyArray<string>
  /** Where users go who did not say where to. */
  readonly home: string
  /** Where the routes are for browsers. */
  readonly publicPath: string
  /** Where the routes are here. */
  readonly path: string
}

export const callbackPath = "/callback"

const invalid = (setting: string, problem: string) => Result.fail(from(new InvalidConfig({ setting, problem })))

const publicPathOf = (redirectUri: string) => new URL(redirectUri).pathname.slice(0, -callbackPath.length)

export const parse = (options: Options): Result.Result<Config, ZapierAuthError> => {
  const { campaign, incremental, page, pkce, redirectUri, scopes, signUp } = options
  if (!ClientApplication.isRedirectUri(redirectUri) || !new URL(redirectUri).pathname.endsWith(callbackPath)) {
    return invalid(
      "redirectUri",
      `give one of the application's redirect URIs that ends with ${callbackPath}, with https unless it is on this machine`
    )
  }
  const { origin } = new URL(redirectUri)
  const publicPath = publicPathOf(redirectUri)
  const others = options.origins ?? []
  const home = options.returnTo ?? "/"
  if (!Array.isArray(scopes) || scopes.length === 0 || !scopes.every(Scopes.isToken)) {
    return invalid("scopes", "give a list of at least one scope, each by itself")
  }
  const odd = others.find((other) => !URL.canParse(other) || new URL(other).origin !== other)
  if (odd !== undefined) {
    return invalid("origins", `${JSON.stringify(odd)} is no origin: give one such as https://www.acme.example`)
  }
  if (ReturnUrl.parse(home, origin, []) === undefined) {
    return invalid("returnTo", "give a path of the app, such as /settings")
  }
  return Result.succeed({
    redirectUri,
    scopes,
    consent: { campaign, incremental, page, pkce, signUp },
    origin,
    others,
    home,
    publicPath,
    path: options.path ?? publicPath
  })
}

/** Where to connect, and then go to `returnTo`. */
export const connectUrl = ({ home, publicPath }: Pick<Config, "home" | "publicPath">, returnTo: string): string =>
  `${publicPath}/connect${returnTo === home ? "" : `?${new URLSearchParams({ return: returnTo })}`}`
