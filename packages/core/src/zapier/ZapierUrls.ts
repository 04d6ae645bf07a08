/**
 * Where Zapier is. The default is production; point it at a fake in tests and while developing.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"

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
  api: "https://api.zapier.com"
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
    api: base
  }
}

/**
 * The URLs in use.
 *
 * @since 0.1.0
 */
export const ZapierUrls = Context.Reference<Urls>("@zapier-workflow-auth/core/zapier/ZapierUrls", {
  defaultValue: () => production
})
