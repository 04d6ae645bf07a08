/** Reasons that only the user can do something about. */
import * as Schema from "effect/Schema"
import { tagged } from "./tagged.ts"

/**
 * The user said no on Zapier's consent page (`error=access_denied`).
 *
 * @since 0.1.0
 */
export class ConsentDenied extends tagged<ConsentDenied>()("ConsentDenied", {}) {
  readonly isRetryable = false
  readonly needsReconnect = true
  readonly blames = "User"
  readonly httpStatus = 403
  override get message(): string {
    return "The user did not allow access on Zapier's consent page. Offer to connect again when the user wants to."
  }
}

/**
 * The user came back from the consent page too late, or Zapier took the code for expired, used or foreign.
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
      ? "The user took too long on the consent page. Start again with a new authorization URL."
      : "Zapier did not take the authorization code (expired, used, or issued for another redirect URI). Start again with a new authorization URL."
  }
}

/**
 * The answer to a code exchange never arrived, or it was a 5xx (`status`) that does not say whether the exchange was carried
 * out. A code works once, so it is not tried again.
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
        ? "Zapier's answer to the code exchange did not arrive"
        : `Zapier answered the code exchange with status ${this.status}, which does not say whether it was carried out`
    return `${happened}, and a code works only once. Start again with a new authorization URL.`
  }
}

/**
 * Why a user has to connect (again).
 *
 * - `NeverConnected`: there is no grant: never connected, or disconnected
 * - `Revoked`: Zapier refused the refresh token: revoked by the user, or used elsewhere
 * - `ResponseLost`: Zapier refused the refresh token after an earlier refresh had brought no usable answer
 * - `NoRefreshToken`: the access token ended and Zapier never gave a refresh token
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
  Revoked: "Zapier no longer takes this user's refresh token (revoked by the user, or used by another program)",
  ResponseLost: "An earlier refresh brought no usable answer, and Zapier no longer takes the old refresh token",
  NoRefreshToken: "The access token has ended and Zapier gave no refresh token"
}

/**
 * Only the user can restore access, by going through the consent page. Nothing is sent to Zapier until then.
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
