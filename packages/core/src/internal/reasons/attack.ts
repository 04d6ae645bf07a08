/** An attack, or a mistake that looks like one. */
import * as Schema from "effect/Schema"
import { tagged } from "./tagged.ts"

/**
 * A callback does not belong to a consent that this user is waiting for. Nothing was exchanged.
 *
 * - `Unknown`: no such attempt: never begun, or long ago, or its user has begun many more since
 * - `AlreadyUsed`: its `state` has been used
 * - `OtherSubject`: it was begun by another user
 * - `OtherBrowser`: it was begun in another browser, where an app looks at that
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
      Unknown: "its state is not one that is waited for",
      AlreadyUsed: "its state has already been used",
      OtherSubject: "it was begun by another user",
      OtherBrowser: "it was begun in another browser"
    }
    return `The callback was refused: ${why[this.why]}. Nothing was exchanged; start again with a new authorization URL.`
  }
}

/**
 * A callback is not of the form that RFC 6749 section 4.1.2 gives it. Nothing was exchanged.
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
    return `The callback was refused: ${this.problem}. Nothing was exchanged; start again with a new authorization URL.`
  }
}

/**
 * A request with a credential was about to go somewhere else than to Zapier's API. It was not sent.
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
    return `Refused to send a Zapier credential to ${this.origin}: it goes to ${this.expected} only. Use a path, or another HTTP client for other services.`
  }
}
