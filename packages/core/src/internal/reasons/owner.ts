/** Reasons that the app's owner can act on. */
import * as Schema from "effect/Schema"
import { tagged } from "./tagged.ts"

/**
 * The client id is unknown to Zapier, or the secret is wrong (`invalid_client`, RFC 6749 section 5.2). Grants are unaffected.
 *
 * @since 0.1.0
 */
export class ClientRejected extends tagged<ClientRejected>()("ClientRejected", {}) {
  readonly isRetryable = false
  readonly needsReconnect = false
  readonly blames = "AppOwner"
  readonly httpStatus = 500
  override get message(): string {
    return "Zapier rejected the client id or secret. Compare both with the Developer Platform (Embed, Settings, Credentials); regenerating the secret invalidates the previous one at once. Users stay connected."
  }
}

/**
 * The granted scopes do not allow the endpoint. Nothing was sent.
 *
 * Reconnecting helps only after the app requests another scope: any one of `anyOf` is enough. `mode` says whose token lacks
 * it.
 *
 * @since 0.1.0
 */
export class InsufficientScope extends tagged<InsufficientScope>()("InsufficientScope", {
  endpoint: Schema.String,
  anyOf: Schema.Array(Schema.String),
  mode: Schema.optionalKey(Schema.Literals(["User", "WhiteLabel", "App"]))
}) {
  readonly isRetryable = false
  // The same consent would grant the same scopes again.
  readonly needsReconnect = false
  readonly blames = "AppOwner"
  readonly httpStatus = 403
  override get message(): string {
    const missing = `${this.endpoint} needs ${this.anyOf.join(" or ")}, which was not granted.`
    return this.mode === "App"
      ? `${missing} Request it for the app's token, and check in the Developer Platform that the app may have it.`
      : `${missing} Add it to the scopes that the app requests, and only then let the user reconnect: the same scopes would fail again.`
  }
}

// Temporary errors of Zapier: the same request may work later.
const passing = new Set(["server_error", "temporarily_unavailable"])

/**
 * The consent page returned an error other than a denial (RFC 6749 section 4.1.2.1).
 *
 * Reconnecting helps only if Zapier itself had a problem (`isRetryable`); otherwise the app must change its request.
 *
 * @since 0.1.0
 */
export class AuthorizationRefused extends tagged<AuthorizationRefused>()("AuthorizationRefused", {
  error: Schema.String
}) {
  get isRetryable(): boolean {
    return passing.has(this.error)
  }
  get needsReconnect(): boolean {
    return this.isRetryable
  }
  get blames(): "AppOwner" | "Zapier" {
    return this.isRetryable ? "Zapier" : "AppOwner"
  }
  get httpStatus(): number {
    return this.isRetryable ? 503 : 500
  }
  override get message(): string {
    return this.isRetryable
      ? `Zapier could not show the consent page (${this.error}). Start again later with a new authorization URL.`
      : `Zapier refused the authorization request (${this.error}). Check the requested scopes and the redirect URI.`
  }
}

/**
 * The token endpoint refused the request, for a reason that the app must correct.
 *
 * Such errors are `invalid_request`, `invalid_scope`, `unauthorized_client` and `unsupported_grant_type` (RFC 6749 section
 * 5.2). `check` names the things to check, if other than scopes, redirect URIs and grant types.
 *
 * @since 0.1.0
 */
export class TokenRequestRefused extends tagged<TokenRequestRefused>()("TokenRequestRefused", {
  error: Schema.String,
  check: Schema.optionalKey(Schema.String)
}) {
  readonly isRetryable = false
  readonly needsReconnect = false
  readonly blames = "AppOwner"
  readonly httpStatus = 500
  override get message(): string {
    const check = this.check ?? "the app's scopes, redirect URIs and grant types"
    return `Zapier's token endpoint refused the request (${this.error}). Check ${check}.`
  }
}
