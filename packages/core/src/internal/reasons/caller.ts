/** Reasons that the calling code can act on. */
import * as Schema from "effect/Schema"
import { tagged } from "./tagged.ts"

/**
 * A setting or argument is invalid. `setting` names it; `problem` says what to do.
 *
 * @since 0.1.0
 */
export class InvalidConfig extends tagged<InvalidConfig>()("InvalidConfig", {
  setting: Schema.String,
  problem: Schema.String
}) {
  readonly isRetryable = false
  readonly needsReconnect = false
  readonly blames = "Caller"
  readonly httpStatus = 500
  override get message(): string {
    return `${this.setting}: ${this.problem}`
  }
}

/**
 * The API responded 401 and the token was renewed, but the request's streamed body is used up. Send it again.
 *
 * @since 0.1.0
 */
export class RequestNotReplayable extends tagged<RequestNotReplayable>()("RequestNotReplayable", {
  method: Schema.String,
  path: Schema.String
}) {
  readonly isRetryable = true
  readonly needsReconnect = false
  readonly blames = "Caller"
  readonly httpStatus = 503
  override get message(): string {
    return `${this.method} ${this.path} got a 401 response, and its streamed body cannot be sent twice. The token has been renewed: send the request again, or use text or bytes as its body.`
  }
}

/**
 * Code that the app gave to the library failed, for example the `subject` function of the Connect routes.
 *
 * `option` names it, `operation` says what it is for, and `problem` names the error without its message.
 *
 * @since 0.1.0
 */
export class AppCodeFailed extends tagged<AppCodeFailed>()("AppCodeFailed", {
  option: Schema.String,
  operation: Schema.String,
  problem: Schema.String
}) {
  readonly isRetryable = true
  readonly needsReconnect = false
  readonly blames = "Caller"
  readonly httpStatus = 503
  override get message(): string {
    return `The app's own code for ${this.option} could not ${this.operation}: ${this.problem}. Check that code and what it calls, then try again.`
  }
}

/**
 * The client was closed. Work in progress has ended, and nothing new begins.
 *
 * @since 0.1.0
 */
export class Closed extends tagged<Closed>()("Closed", {}) {
  readonly isRetryable = false
  readonly needsReconnect = false
  readonly blames = "Caller"
  readonly httpStatus = 503
  override get message(): string {
    return "This client was closed. Make a new one, or close it only after the last call."
  }
}
