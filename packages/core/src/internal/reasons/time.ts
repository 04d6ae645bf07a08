/** Reasons that pass by themselves. */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { connectHint } from "./connectHint.ts"
import { tagged } from "./tagged.ts"

// Seconds, for people.
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
 * Zapier's token endpoint is not able to answer (5xx).
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
    return `Zapier's token endpoint answered ${this.status}. Try again ${this.retryAfter === undefined ? "later" : `in ${seconds(this.retryAfter)}`}; nothing was lost.`
  }
}

/**
 * The token request never reached Zapier: no name, no route, no connection, no TLS handshake, or a certificate that was
 * not accepted. `code` is the platform's, `ECONNREFUSED` for example, or `PROXY_` and the status that a proxy refused with.
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
  /** What to look at, by `code`: the clock, DNS, a proxy, a firewall. One sentence without its full stop. */
  get hint(): string {
    return connectHint(this.code)
  }
  override get message(): string {
    return `Zapier's token endpoint could not be reached (${this.code}). ${this.hint}; nothing was lost.`
  }
}

/**
 * A token request was sent and its answer did not arrive in time, or was cut off. The refresh token is kept and will be
 * presented again; only a clear refusal ends the grant. `of` is `app` where a token of the app itself was asked for, of
 * which another can be had.
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
    const next = this.of === "app" ? "another token is asked for" : "the same refresh token will be presented once more"
    return `Zapier's answer to the token request did not arrive, so its outcome is not known. Try again: ${next}.`
  }
}

/**
 * The token request is open, and no response has come for as long as a caller waits (`requestTimeout`). The response is
 * stored when it comes. `of`: the code of a consent, or a token; after a code, look at the user's status.
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
        ? "The user is connected once it responds: look at the user's status in a minute"
        : "Try again: the response is stored when it comes"
    return `Zapier has not responded to the token request for ${seconds(this.waited)}. ${next}.`
  }
}
