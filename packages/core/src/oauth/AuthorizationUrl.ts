/**
 * Builds the URL of the consent page: the authorization request of RFC 6749 section 4.1.1 with Zapier's additions.
 *
 * Sources: RFC 6749 section 4.1.1; RFC 7636 section 4.3 (PKCE); Zapier's "Authentication" and "Create Account" pages of
 * the Workflow API.
 *
 * @since 0.1.0
 */
import * as Redacted from "effect/Redacted"
import * as Scopes from "./Scopes.ts"
import type { Urls } from "../zapier/ZapierUrls.ts"

/**
 * Values to prefill in Zapier's sign-up form, for users without an account.
 *
 * @since 0.1.0
 */
export interface SignUp {
  readonly email?: string | undefined
  readonly firstName?: string | undefined
  readonly lastName?: string | undefined
}

/**
 * The user's origin, for Zapier's statistics.
 *
 * @since 0.1.0
 */
export interface Campaign {
  readonly referer?: string | undefined
  readonly utmCampaign?: string | undefined
  readonly utmContent?: string | undefined
  readonly utmMedium?: string | undefined
  readonly utmSource?: string | undefined
}

/**
 * The consent page: `Current` also signs up new users; `Legacy` is the one of the older documentation.
 *
 * @since 0.1.0
 */
export type Page = "Current" | "Legacy"

/**
 * Options of the consent page.
 *
 * @since 0.1.0
 */
export interface PageOptions {
  /** Values to prefill in Zapier's sign-up form, for users without an account. */
  readonly signUp?: SignUp | undefined
  /** The user's origin, for Zapier's statistics. */
  readonly campaign?: Campaign | undefined
  /** The consent page. Default: `Current`. */
  readonly page?: Page | undefined
}

/**
 * The parameters of an authorization URL.
 *
 * @since 0.1.0
 */
export interface Parameters extends PageOptions {
  readonly clientId: string
  /** A registered redirect URI, in exactly the registered spelling. */
  readonly redirectUri: string
  /** The scopes to request. */
  readonly scopes: ReadonlyArray<Scopes.Scope>
  /** A random value, compared with the one in the callback. */
  readonly state: Redacted.Redacted
  /** PKCE's S256 challenge. Zapier does not document PKCE; servers ignore unknown parameters (RFC 6749 section 3.1). */
  readonly codeChallenge?: string | undefined
}

/**
 * Builds the URL. It is `Redacted` because it contains `state`; unwrap it where you redirect the browser.
 *
 * @example
 * ```ts
 * import * as Redacted from "effect/Redacted"
 * import * as AuthorizationUrl from "@zapier-workflow-auth/core/oauth/AuthorizationUrl"
 * import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
 *
 * const url = AuthorizationUrl.build(ZapierUrls.production, {
 *   clientId: "abc",
 *   redirectUri: "https://app.example/zapier/callback",
 *   scopes: ["zap", "zap:write"],
 *   state: Redacted.make("xyz")
 * })
 *
 * Redacted.value(url).startsWith("https://api.zapier.com/v2/authorize?response_type=code&client_id=abc") // => true
 * ```
 *
 * @since 0.1.0
 */
export const build = (urls: Urls, parameters: Parameters): Redacted.Redacted => {
  const { campaign, codeChallenge, signUp } = parameters
  const query: ReadonlyArray<readonly [string, string | undefined]> = [
    ["response_type", "code"],
    ["client_id", parameters.clientId],
    ["redirect_uri", parameters.redirectUri],
    ["scope", Scopes.format(parameters.scopes)],
    ["response_mode", "query"],
    ["state", Redacted.value(parameters.state)],
    ["code_challenge", codeChallenge],
    ["code_challenge_method", codeChallenge === undefined ? undefined : "S256"],
    ["sign_up_email", signUp?.email],
    ["sign_up_first_name", signUp?.firstName],
    ["sign_up_last_name", signUp?.lastName],
    ["referer", campaign?.referer],
    ["utm_campaign", campaign?.utmCampaign],
    ["utm_content", campaign?.utmContent],
    ["utm_medium", campaign?.utmMedium],
    ["utm_source", campaign?.utmSource]
  ]
  const url = new URL(parameters.page === "Legacy" ? urls.authorizeLegacy : urls.authorize)
  for (const [name, value] of query) {
    if (value !== undefined) url.searchParams.append(name, value)
  }
  return Redacted.make(url.href, { label: "authorization URL" })
}
