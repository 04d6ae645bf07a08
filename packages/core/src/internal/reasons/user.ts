/** Reasons that only the user can resolve. */
import * as Schema from "effect/Schema"
import { tagged } from "./tagged.ts"

/**
 * The user denied access on Zapier's consent page (`error=access_denied`).
 *
 * @since 0.1.0
 */
export class ConsentDenied extends tagged<ConsentDenied>()("ConsentDenied", {}) {
  readonly isRetryable = false
  readonly needsReconnect = true
  readonly blames = "User"
  readonly httpStatus = 403
  override get message(): string {
    return "The user denied access on Zapier's consent page. Let the user connect again at any time."
  }
}

/**
 * The consent attempt has expired, or Zapier refused the code as expired, used or foreign.
 *
 * @since 0.1.0
 */
export class ConsentExpired extends tagged<ConsentExpired>()("ConsentExpired", {
  what: Schema.Literals(["attempt", "code"])
}) {
  readonly isRetryable = false
  readonly needsReconnect = true
  readonly blames = "User"
  readonly httpStatus = 400
  override get message(): string {
    return this.what === "attempt"
      ? "The consent attempt has expired: the user was too long on the consent page. Start again with a new authorization URL."
      : "Zapier did not accept the authorization code (expired, used, or issued for another redirect URI). Start again with a new authorization URL."
  }
}

/**
 * It is unknown whether a code exchange was carried out: its response was lost, or was a 5xx (`status`).
 *
 * A code works once, so the exchange is not retried.
 *
 * @since 0.1.0
 */
export class ExchangeOutcomeUnknown extends tagged<ExchangeOutcomeUnknown>()("ExchangeOutcomeUnknown", {
  status: Schema.optionalKey(Schema.Int)
}) {
  readonly isRetryable = false
  readonly needsReconnect = true
  readonly httpStatus = 502
  get blames(): "Network" | "Zapier" {
    return this.status === undefined ? "Network" : "Zapier"
  }
  override get message(): string {
    const happened =
      this.status === undefined
        ? "Zapier's response to the code exchange did not arrive"
        : `Zapier responded to the code exchange with status ${this.status}, which does not show if it was carried out`
    return `${happened}, and a code works only once. Start again with a new authorization URL.`
  }
}

/**
 * The reason why a user must connect (again).
 *
 * - `NeverConnected`: no grant: never connected, or disconnected
 * - `Revoked`: Zapier refused the refresh token: revoked by the user, or used elsewhere
 * - `ResponseLost`: Zapier refused the refresh token after an earlier refresh got no usable response
 * - `NoRefreshToken`: the access token expired, and Zapier never gave a refresh token
 *
 * @since 0.1.0
 */
export const ReconnectCause = Schema.Literals(["NeverConnected", "Revoked", "ResponseLost", "NoRefreshToken"])

/**
 * @since 0.1.0
 */
export type ReconnectCause = typeof ReconnectCause.Type

const reconnectCauses: { readonly [cause in ReconnectCause]: string } = {
  NeverConnected: "This user is not connected to Zapier",
  Revoked: "Zapier no longer accepts this user's refresh token (revoked by the user, or used by another program)",
  ResponseLost: "An earlier refresh got no usable response, and Zapier no longer accepts the old refresh token",
  NoRefreshToken: "The access token has expired, and Zapier gave no refresh token"
}

/**
 * Only the user can restore access, on the consent page. Until then nothing is sent to Zapier.
 *
 * @since 0.1.0
 */
export class ReconnectRequired extends tagged<ReconnectRequired>()("ReconnectRequired", {
  why: ReconnectCause
}) {
  readonly isRetryable = false
  readonly needsReconnect = true
  readonly blames = "User"
  readonly httpStatus = 409
  override get message(): string {
    return `${reconnectCauses[this.why]}. Send the user to a new authorization URL.`
  }
}
