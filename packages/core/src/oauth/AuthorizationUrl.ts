/**
 * The URL that a user's browser is sent to for consent: the authorization request of RFC 6749 section 4.1.1, with what
 * Zapier adds.
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
 * What Zapier fills into its form for people who have no account yet.
 *
 * @since 0.1.0
 */
export interface SignUp {
  readonly email?: string | undefined
  readonly firstName?: string | undefined
  readonly lastName?: string | undefined
}

/**
 * Where the user came from, for Zapier's statistics.
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
 * The consent page: `Current` also signs new users up, `Legacy` is that of the older documentation.
 *
 * @since 0.1.0
 */
export type Page = "Current" | "Legacy"

/**
 * What may be said about the page that the user sees.
 *
 * @since 0.1.0
 */
export interface PageOptions {
  /** What Zapier fills into its form for people without an account. */
  readonly signUp?: SignUp | undefined
  /** Where the user came from, for Zapier's statistics. */
  readonly campaign?: Campaign | undefined
  /** Which consent page. Default: the current one. */
  readonly page?: Page | undefined
}

/**
 * What an authorization URL says.
 *
 * @since 0.1.0
 */
export interface Parameters extends PageOptions {
  readonly clientId: string
  /** One that is registered, spelled exactly as it is there. */
  readonly redirectUri: string
  /** What to ask for. */
  readonly scopes: ReadonlyArray<Scopes.Scope>
  /** Random, and compared on return. */
  readonly state: Redacted.Redacted
  /** PKCE's S256 challenge. Zapier does not document PKCE; servers ignore what they do not know (RFC 6749 section 3.1). */
  readonly codeChallenge?: string | undefined
}

/**
 * Builds the URL. It holds `state`, so it is `Redacted`: open it where the browser is redirected.
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
