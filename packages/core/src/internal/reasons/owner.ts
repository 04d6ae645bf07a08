/** Reasons that the app's owner can do something about. */
import * as Schema from "effect/Schema"
import { tagged } from "./tagged.ts"

/**
 * Zapier does not know the client id, or the secret is wrong (`invalid_client`, RFC 6749 section 5.2). No grant is
 * harmed by it.
 *
 * @since 0.1.0
 */
export class ClientRejected extends tagged<ClientRejected>()("ClientRejected", {}) {
  readonly isRetryable = false
  readonly needsReconnect = false
  readonly blames = "AppOwner"
  readonly httpStatus = 500
  override get message(): string {
    return "Zapier rejected the client id or secret. Compare both with the Developer Platform (Embed, Settings, Credentials); regenerating the secret ends the previous one at once. Users stay connected."
  }
}

/**
 * The scopes that were granted do not allow the endpoint. Nothing was sent.
 *
 * The app decides what it asks for, so connecting again helps only after it asks for more: `anyOf` are the scopes of which
 * one would do, and `mode` says whose token lacks them.
 *
 * @since 0.1.0
 */
export class InsufficientScope extends tagged<InsufficientScope>()("InsufficientScope", {
  endpoint: Schema.String,
  anyOf: Schema.Array(Schema.String),
  mode: Schema.optionalKey(Schema.Literals(["User", "WhiteLabel", "App"]))
}) {
  readonly isRetryable = false
  // The same consent again would grant the same scopes again, for ever.
  readonly needsReconnect = false
  readonly blames = "AppOwner"
  readonly httpStatus = 403
  override get message(): string {
    const missing = `${this.endpoint} needs ${this.anyOf.join(" or ")}, which was not granted.`
    return this.mode === "App"
      ? `${missing} Name it in the scopes of the app's token, and check in the Developer Platform that the app may have it.`
      : `${missing} Add it to the scopes that the app asks for, and only then let the user connect again: the same scopes would fail the same way.`
  }
}

// The server's own trouble: the same authorization request may work later.
const passing = new Set(["server_error", "temporarily_unavailable"])

/**
 * The consent page came back with an error other than a denial (RFC 6749 section 4.1.2.1). Connecting again helps only where
 * Zapier itself was in trouble (`isRetryable`); else the app has to ask in another way first.
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
      : `Zapier refused the authorization request (${this.error}). Check the scopes and the redirect URI that were asked for.`
  }
}

/**
 * The token endpoint refused the request for a reason that is the app's to mend: `invalid_request`, `invalid_scope`,
 * `unauthorized_client`, `unsupported_grant_type` (RFC 6749 section 5.2). `check` says what to look at where
 * that is something else than scopes, redirect URIs and grant types.
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
