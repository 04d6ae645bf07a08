/** Reasons for attacks, and for mistakes that look like one. */
import * as Schema from "effect/Schema"
import { tagged } from "./tagged.ts"

/**
 * A callback does not belong to a pending consent attempt of this user. Nothing was exchanged.
 *
 * - `Unknown`: no such attempt. It never began, expired long ago, or its user has begun many more since
 * - `AlreadyUsed`: its `state` was already used
 * - `OtherSubject`: another user began it
 * - `OtherBrowser`: it began in another browser, if the app checks that
 *
 * @since 0.1.0
 */
export class StateMismatch extends tagged<StateMismatch>()("StateMismatch", {
  why: Schema.Literals(["Unknown", "AlreadyUsed", "OtherSubject", "OtherBrowser"])
}) {
  readonly isRetryable = false
  readonly needsReconnect = true
  readonly blames = "User"
  readonly httpStatus = 400
  override get message(): string {
    const why = {
      Unknown: "unknown or expired login attempt",
      AlreadyUsed: "its state was already used",
      OtherSubject: "another user began the login",
      OtherBrowser: "the login began in another browser"
    }
    return `The callback was refused: ${why[this.why]}. Nothing was exchanged. Start again with a new authorization URL.`
  }
}

/**
 * A callback does not have the form of RFC 6749 section 4.1.2. Nothing was exchanged.
 *
 * @since 0.1.0
 */
export class InvalidCallback extends tagged<InvalidCallback>()("InvalidCallback", {
  problem: Schema.String
}) {
  readonly isRetryable = false
  readonly needsReconnect = true
  readonly blames = "User"
  readonly httpStatus = 400
  override get message(): string {
    return `The callback was refused: ${this.problem}. Nothing was exchanged. Start again with a new authorization URL.`
  }
}

/**
 * A request with a credential was not sent, because its URL is not Zapier's API.
 *
 * @since 0.1.0
 */
export class UntrustedOrigin extends tagged<UntrustedOrigin>()("UntrustedOrigin", {
  origin: Schema.String,
  expected: Schema.String
}) {
  readonly isRetryable = false
  readonly needsReconnect = false
  readonly blames = "Caller"
  readonly httpStatus = 500
  override get message(): string {
    return `The request to ${this.origin} was not sent: Zapier credentials go only to ${this.expected}. Use a path, or another HTTP client for other services.`
  }
}
