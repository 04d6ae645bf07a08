/** The reason that a White Label partner's JWT could not be signed. */
import * as Schema from "effect/Schema"
import { tagged } from "./tagged.ts"

/**
 * The JWT of a White Label user could not be signed, so nothing was sent: the signer, a KMS for example, failed, or gave what
 * is no signature. `problem` says so by the name of the error, never by its text.
 *
 * @since 0.1.0
 */
export class SigningFailed extends tagged<SigningFailed>()("SigningFailed", {
  problem: Schema.String
}) {
  readonly isRetryable = true
  readonly needsReconnect = false
  readonly blames = "AppOwner"
  readonly httpStatus = 503
  override get message(): string {
    return `The JWT for Zapier could not be signed: ${this.problem}. Nothing was sent. Check the key or KMS, then try again.`
  }
}
