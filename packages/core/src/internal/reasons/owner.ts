/** Reasons that the app's owner can do something about. */
import * as Schema from "effect/Schema"
import { id } from "./id.ts"

/**
 * Zapier does not know the client id, or the secret is wrong (`invalid_client`, RFC 6749 section 5.2). No grant is
 * harmed by it.
 *
 * @since 0.1.0
 */
export class ClientRejected extends Schema.TaggedError<ClientRejected>(id("ClientRejected"))("ClientRejected", {}) {
  readonly isRetryable = false
  readonly needsReconnect = false
  override get message(): string {
    return "Zapier rejected the client id or secret. Compare both with the Developer Platform (Embed, Settings, Credentials); regenerating the secret ends the previous one at once. Users stay connected."
  }
}

/**
 * The scopes that were granted do not allow the endpoint. Nothing was sent.
 *
 * @since 0.1.0
 */
export class InsufficientScope extends Schema.TaggedError<InsufficientScope>(id("InsufficientScope"))(
  "InsufficientScope",
  {
    endpoint: Schema.String,
    anyOf: Schema.Array(Schema.String)
  }
) {
  readonly isRetryable = false
  readonly needsReconnect = true
  override get message(): string {
    return `${this.endpoint} needs ${this.anyOf.join(" or ")}, which was not granted. Ask for it in a new authorization URL.`
  }
}

/**
 * The consent page came back with an error other than a denial (RFC 6749 section 4.1.2.1).
 *
 * @since 0.1.0
 */
export class AuthorizationRefused extends Schema.TaggedError<AuthorizationRefused>(id("AuthorizationRefused"))(
  "AuthorizationRefused",
  {
    error: Schema.String
  }
) {
  get isRetryable(): boolean {
    return this.error === "server_error" || this.error === "temporarily_unavailable"
  }
  readonly needsReconnect = true
  override get message(): string {
    return this.isRetryable
      ? `Zapier could not show the consent page (${this.error}). Start again later with a new authorization URL.`
      : `Zapier refused the authorization request (${this.error}). Check the scopes and the redirect URI that were asked for.`
  }
}

/**
 * The token endpoint refused the request for a reason that is the app's to mend: `invalid_request`, `invalid_scope`,
 * `unauthorized_client`, `unsupported_grant_type` (RFC 6749 section 5.2).
 *
 * @since 0.1.0
 */
export class TokenRequestRefused extends Schema.TaggedError<TokenRequestRefused>(id("TokenRequestRefused"))(
  "TokenRequestRefused",
  {
    error: Schema.String
  }
) {
  readonly isRetryable = false
  readonly needsReconnect = false
  override get message(): string {
    return `Zapier's token endpoint refused the request (${this.error}). Check the app's scopes, redirect URIs and grant types.`
  }
}
