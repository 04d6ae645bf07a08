/** Reasons that time resolves. */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { connectHint } from "./connectHint.ts"
import { tagged } from "./tagged.ts"

// Whole seconds, for messages.
const seconds = (duration: Duration.Duration) => `${Math.ceil(Duration.toSeconds(duration))} s`

/**
 * Zapier's rate limit was reached (60 requests a minute for an address, 150 for a partner; then a pause of 60 s).
 *
 * @since 0.1.0
 */
export class RateLimited extends tagged<RateLimited>()("RateLimited", {
  retryAfter: Schema.DurationFromMillis
}) {
  readonly isRetryable = true
  readonly needsReconnect = false
  readonly blames = "Zapier"
  readonly httpStatus = 503
  override get message(): string {
    return `Zapier's rate limit was reached. Try again in ${seconds(this.retryAfter)}.`
  }
}

/**
 * Zapier's token endpoint is unavailable (5xx).
 *
 * @since 0.1.0
 */
export class ServiceUnavailable extends tagged<ServiceUnavailable>()("ServiceUnavailable", {
  status: Schema.Int,
  retryAfter: Schema.optionalKey(Schema.DurationFromMillis)
}) {
  readonly isRetryable = true
  readonly needsReconnect = false
  readonly blames = "Zapier"
  readonly httpStatus = 502
  override get message(): string {
    return `Zapier's token endpoint responded with ${this.status}. Try again ${this.retryAfter === undefined ? "later" : `in ${seconds(this.retryAfter)}`}; nothing was lost.`
  }
}

/**
 * The token request never reached Zapier: name, route, connection, TLS handshake or certificate failed.
 *
 * `code` is the platform's error code, for example `ECONNREFUSED`, or `PROXY_` and the status of a proxy's refusal.
 *
 * @since 0.1.0
 */
export class TransportFailed extends tagged<TransportFailed>()("TransportFailed", {
  code: Schema.String
}) {
  readonly isRetryable = true
  readonly needsReconnect = false
  readonly blames = "Network"
  readonly httpStatus = 502
  /** Advice by `code`: clock, DNS, proxy or firewall. One sentence, without its full stop. */
  get hint(): string {
    return connectHint(this.code)
  }
  override get message(): string {
    return `Zapier's token endpoint could not be reached (${this.code}). ${this.hint}; nothing was lost.`
  }
}

/**
 * A token request was sent, but its response was lost or did not arrive in time.
 *
 * The refresh token is kept and sent once more; only a clear refusal ends the grant. `of` is `app` for the app's own token,
 * which is simply requested again.
 *
 * @since 0.1.0
 */
export class RefreshOutcomeUnknown extends tagged<RefreshOutcomeUnknown>()("RefreshOutcomeUnknown", {
  of: Schema.optionalKey(Schema.Literal("app"))
}) {
  readonly isRetryable = true
  readonly needsReconnect = false
  readonly blames = "Network"
  readonly httpStatus = 502
  override get message(): string {
    const next = this.of === "app" ? "another token will be requested" : "the same refresh token will be sent once more"
    return `Zapier's response to the token request did not arrive, so its outcome is unknown. Try again: ${next}.`
  }
}

/**
 * The token request is still open after the time that a caller waits (`requestTimeout`).
 *
 * The response is stored when it comes. `of` is `code` for the exchange of a consent's code; then check the user's status.
 *
 * @since 0.1.0
 */
export class ResponsePending extends tagged<ResponsePending>()("ResponsePending", {
  waited: Schema.DurationFromMillis,
  of: Schema.Literals(["token", "code"])
}) {
  readonly isRetryable = true
  readonly needsReconnect = false
  readonly blames = "Zapier"
  readonly httpStatus = 503
  override get message(): string {
    const next =
      this.of === "code"
        ? "The user is connected once it responds: check the user's status in a minute"
        : "Try again: the response is stored when it comes"
    return `Zapier has not yet responded to the token request, after ${seconds(this.waited)}. ${next}.`
  }
}
