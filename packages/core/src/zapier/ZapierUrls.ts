/**
 * Zapier's addresses. The default is production; use a fake in tests and during development.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Result from "effect/Result"
import * as UriProblem from "../internal/uriProblem.ts"
import { InvalidConfig } from "../ZapierAuthError.ts"

/**
 * Zapier's addresses.
 *
 * Sources: Zapier's "Authentication" and "Create Account" pages of the Workflow API.
 *
 * @since 0.1.0
 */
export interface Urls {
  /** The current consent page, which also signs up new users. */
  readonly authorize: string
  /** The consent page of the older documentation. */
  readonly authorizeLegacy: string
  /** The token endpoint. Keep its trailing slash: without it, Zapier may redirect. */
  readonly token: string
  /** The origin of the API, without a trailing slash. */
  readonly api: string
  /** The origin of the Connect UI of White Label, without a slash at its end. */
  readonly connect: string
}

/**
 * The addresses of the real Zapier.
 *
 * @since 0.1.0
 */
export const production: Urls = {
  authorize: "https://api.zapier.com/v2/authorize",
  authorizeLegacy: "https://zapier.com/oauth/authorize/",
  token: "https://zapier.com/oauth/token/",
  api: "https://api.zapier.com",
  connect: "https://connect.zapier.com"
}

/**
 * Makes the URLs of a server that has everything at one origin, such as the fake.
 *
 * @example
 * ```ts
 * import * as Layer from "effect/Layer"
 * import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
 *
 * Layer.succeed(ZapierUrls.ZapierUrls, ZapierUrls.at("http://127.0.0.1:3000"))
 * ```
 *
 * @since 0.1.0
 */
export const at = (origin: string): Urls => {
  const base = origin.replace(/\/+$/, "")
  return {
    authorize: `${base}/v2/authorize`,
    authorizeLegacy: `${base}/oauth/authorize/`,
    token: `${base}/oauth/token/`,
    api: base,
    connect: base
  }
}

const names = Object.keys(production) as ReadonlyArray<keyof Urls>

/**
 * Validates the URLs. Secrets go there, so they must use https or point to this machine. Fails with `InvalidConfig`.
 *
 * @example
 * ```ts
 * import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
 * import * as Result from "effect/Result"
 *
 * Result.isSuccess(ZapierUrls.check(ZapierUrls.at("http://127.0.0.1:9270"))) // => true
 *
 * // The client secret would be sent unencrypted.
 * Result.isFailure(ZapierUrls.check(ZapierUrls.at("http://10.0.0.1"))) // => true
 * ```
 *
 * @since 0.1.0
 */
export const check = (urls: Urls): Result.Result<Urls, InvalidConfig> => {
  if (typeof urls !== "object" || urls === null) {
    return Result.fail(new InvalidConfig({ setting: "urls", problem: "pass the result of ZapierUrls.at, or omit it" }))
  }
  for (const name of names) {
    const problem = UriProblem.server(urls[name])
    if (problem === undefined) continue
    const advice = "give the URL of Zapier or of a fake server; ZapierUrls.at makes all four"
    return Result.fail(new InvalidConfig({ setting: `urls.${name}`, problem: `${problem}; ${advice}` }))
  }
  return Result.succeed(urls)
}

/**
 * The configured URLs. Default: production.
 *
 * @since 0.1.0
 */
export const ZapierUrls = Context.Reference<Urls>("@zapier-workflow-auth/core/zapier/ZapierUrls", {
  defaultValue: () => production
})
