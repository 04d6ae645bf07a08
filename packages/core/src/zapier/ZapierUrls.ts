/**
 * Where Zapier is. The default is production; point it at a fake in tests and while developing.
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
  /** The consent page that also signs new users up (current documentation). */
  readonly authorize: string
  /** The consent page of the older documentation. */
  readonly authorizeLegacy: string
  /** The token endpoint; the slash at its end matters to Zapier. */
  readonly token: string
  /** The origin of the API, without a slash at its end. */
  readonly api: string
  /** The origin of the Connect UI of White Label, without a slash at its end. */
  readonly connect: string
}

/**
 * Those of the real Zapier.
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
 * A server that has everything at one origin, as the fake has.
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
 * Checks the URLs: secrets and tokens go there, so they are https, or at least on this machine. Fails with `InvalidConfig`.
 *
 * @example
 * ```ts
 * import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
 * import * as Result from "effect/Result"
 *
 * Result.isSuccess(ZapierUrls.check(ZapierUrls.at("http://127.0.0.1:9270"))) // => true
 *
 * // The client secret would go over the network in clear.
 * Result.isFailure(ZapierUrls.check(ZapierUrls.at("http://10.0.0.1"))) // => true
 * ```
 *
 * @since 0.1.0
 */
export const check = (urls: Urls): Result.Result<Urls, InvalidConfig> => {
  if (typeof urls !== "object" || urls === null) {
    return Result.fail(
      new InvalidConfig({ setting: "urls", problem: "give what ZapierUrls.at makes, or leave it out" })
    )
  }
  for (const name of names) {
    const problem = UriProblem.server(urls[name])
    if (problem === undefined) continue
    const advice = "give the URL of Zapier or of a fake; ZapierUrls.at makes all of them"
    return Result.fail(new InvalidConfig({ setting: `urls.${name}`, problem: `${problem}; ${advice}` }))
  }
  return Result.succeed(urls)
}

/**
 * The URLs in use.
 *
 * @since 0.1.0
 */
export const ZapierUrls = Context.Reference<Urls>("@zapier-workflow-auth/core/zapier/ZapierUrls", {
  defaultValue: () => production
})
