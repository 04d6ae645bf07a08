/**
 * The one error of this library: `ZapierAuthError`, whose `reason` says what happened. Reasons are grouped by who can
 * do something about them. Each knows whether trying again later can help (`isRetryable`) and whether the user has to
 * go through the consent page again (`needsReconnect`); each message says what to do next. No reason ever holds a token,
 * a code, a secret, a `state`, a raw body, or a cause that might.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { ReconnectRequired, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
 *
 * const call = Effect.fail(new ZapierAuthError({ reason: new ReconnectRequired({ why: "Revoked" }) }))
 *
 * call.pipe(Effect.catchReason("ZapierAuthError", "ReconnectRequired", () => Effect.succeed("show the button")))
 * ```
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"

const id = (name: string) => `@zapier-workflow-auth/core/ZapierAuthError/${name}`

// Seconds, for people.
const seconds = (duration: Duration.Duration) => `${Math.ceil(Duration.toSeconds(duration))} s`

// -----------------------------------------------------------------------------
// The caller can act
// -----------------------------------------------------------------------------

/**
 * An event reached a machine in a state that has no edge for it: a bug, here or in a store.
 *
 * @since 0.1.0
 */
export class IllegalTransition extends Schema.TaggedError<IllegalTransition>(id("IllegalTransition"))(
  "IllegalTransition",
  {
    machine: Schema.String,
    state: Schema.String,
    event: Schema.String
  }
) {
  readonly isRetryable = false
  readonly needsReconnect = false
  override get message(): string {
    return `${this.machine} has no transition for ${this.event} in state ${this.state}. Nothing was changed; please report this.`
  }
}

/**
 * A setting or an argument is not usable. `setting` names it, `problem` says what to do.
 *
 * @since 0.1.0
 */
export class InvalidConfig extends Schema.TaggedError<InvalidConfig>(id("InvalidConfig"))("InvalidConfig", {
  setting: Schema.String,
  problem: Schema.String
}) {
  readonly isRetryable = false
  readonly needsReconnect = false
  override get message(): string {
    return `${this.setting}: ${this.problem}`
  }
}

/**
 * The API answered 401, the token was renewed, but the request's body was a stream that is used up. Send it again.
 *
 * @since 0.1.0
 */
export class RequestNotReplayable extends Schema.TaggedError<RequestNotReplayable>(id("RequestNotReplayable"))(
  "RequestNotReplayable",
  {
    method: Schema.String,
    path: Schema.String
  }
) {
  readonly isRetryable = true
  readonly needsReconnect = false
  override get message(): string {
    return `${this.method} ${this.path} was answered with 401 and its streamed body cannot be sent twice. The token has been renewed: send the request again, or give it a body of text or bytes.`
  }
}

// -----------------------------------------------------------------------------
// The user can act
// -----------------------------------------------------------------------------

/**
 * The user said no on Zapier's consent page (`error=access_denied`).
 *
 * @since 0.1.0
 */
export class ConsentDenied extends Schema.TaggedError<ConsentDenied>(id("ConsentDenied"))("ConsentDenied", {}) {
  readonly isRetryable = false
  readonly needsReconnect = true
  override get message(): string {
    return "The user did not allow access on Zapier's consent page. Offer to connect again when the user wants to."
  }
}

/**
 * The user came back from the consent page too late, or Zapier took the code for expired, used or foreign.
 *
 * @since 0.1.0
 */
export class ConsentExpired extends Schema.TaggedError<ConsentExpired>(id("ConsentExpired"))("ConsentExpired", {
  what: Schema.Literals(["attempt", "code"])
}) {
  readonly isRetryable = false
  readonly needsReconnect = true
  override get message(): string {
    return this.what === "attempt"
      ? "The user took too long on the consent page. Start again with a new authorization URL."
      : "Zapier did not take the authorization code (expired, used, or issued for another redirect URI). Start again with a new authorization URL."
  }
}

/**
 * The answer to a code exchange never arrived. A code works once, so it is not tried again.
 *
 * @since 0.1.0
 */
export class ExchangeOutcomeUnknown extends Schema.TaggedError<ExchangeOutcomeUnknown>(id("ExchangeOutcomeUnknown"))(
  "ExchangeOutcomeUnknown",
  {}
) {
  readonly isRetryable = false
  readonly needsReconnect = true
  override get message(): string {
    return "Zapier's answer to the code exchange did not arrive, and a code works only once. Start again with a new authorization URL."
  }
}

/**
 * Why a user has to connect (again).
 *
 * - `NeverConnected`: there is no grant: never connected, or disconnected
 * - `Revoked`: Zapier refused the refresh token: revoked by the user, or used elsewhere
 * - `AnswerLost`: Zapier refused the refresh token after an earlier answer to a refresh had been lost
 * - `NoRefreshToken`: the access token ended and Zapier never gave a refresh token
 *
 * @since 0.1.0
 */
export const ReconnectCause = Schema.Literals(["NeverConnected", "Revoked", "AnswerLost", "NoRefreshToken"])

/**
 * @since 0.1.0
 */
export type ReconnectCause = typeof ReconnectCause.Type

const reconnectCauses: { readonly [cause in ReconnectCause]: string } = {
  NeverConnected: "This user is not connected to Zapier",
  Revoked: "Zapier no longer takes this user's refresh token (revoked by the user, or used by another program)",
  AnswerLost: "The answer to an earlier refresh was lost, and Zapier no longer takes the old refresh token",
  NoRefreshToken: "The access token has ended and Zapier gave no refresh token"
}

/**
 * Only the user can restore access, by going through the consent page. Nothing is sent to Zapier until then.
 *
 * @since 0.1.0
 */
export class ReconnectRequired extends Schema.TaggedError<ReconnectRequired>(id("ReconnectRequired"))(
  "ReconnectRequired",
  {
    why: ReconnectCause
  }
) {
  readonly isRetryable = false
  readonly needsReconnect = true
  override get message(): string {
    return `${reconnectCauses[this.why]}. Send the user to a new authorization URL.`
  }
}

// -----------------------------------------------------------------------------
// The app's owner can act
// -----------------------------------------------------------------------------

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

// -----------------------------------------------------------------------------
// Only time helps
// -----------------------------------------------------------------------------

/**
 * Zapier's rate limit was reached (60 requests a minute for an address, 150 for a partner; then a pause of 60 s).
 *
 * @since 0.1.0
 */
export class RateLimited extends Schema.TaggedError<RateLimited>(id("RateLimited"))("RateLimited", {
  retryAfter: Schema.DurationFromMillis
}) {
  readonly isRetryable = true
  readonly needsReconnect = false
  override get message(): string {
    return `Zapier's rate limit was reached. Try again in ${seconds(this.retryAfter)}.`
  }
}

/**
 * Zapier's token endpoint is not able to answer (5xx).
 *
 * @since 0.1.0
 */
export class ServiceUnavailable extends Schema.TaggedError<ServiceUnavailable>(id("ServiceUnavailable"))(
  "ServiceUnavailable",
  {
    status: Schema.Int,
    retryAfter: Schema.optionalKey(Schema.DurationFromMillis)
  }
) {
  readonly isRetryable = true
  readonly needsReconnect = false
  override get message(): string {
    return `Zapier's token endpoint answered ${this.status}. Try again ${this.retryAfter === undefined ? "later" : `in ${seconds(this.retryAfter)}`}; nothing was lost.`
  }
}

/**
 * The token request never reached Zapier: no name, no route, no connection. `code` is the platform's, `ECONNREFUSED`
 * for example.
 *
 * @since 0.1.0
 */
export class TransportFailed extends Schema.TaggedError<TransportFailed>(id("TransportFailed"))("TransportFailed", {
  code: Schema.String
}) {
  readonly isRetryable = true
  readonly needsReconnect = false
  override get message(): string {
    return `Zapier's token endpoint could not be reached (${this.code}). Check the network; nothing was lost.`
  }
}

/**
 * A token request was sent and its answer did not arrive in time, or was cut off. The refresh token is kept and will be
 * presented again; only a clear refusal ends the grant.
 *
 * @since 0.1.0
 */
export class RefreshOutcomeUnknown extends Schema.TaggedError<RefreshOutcomeUnknown>(id("RefreshOutcomeUnknown"))(
  "RefreshOutcomeUnknown",
  {}
) {
  readonly isRetryable = true
  readonly needsReconnect = false
  override get message(): string {
    return "Zapier's answer to the token request did not arrive, so its outcome is not known. Try again: the same refresh token will be presented once more."
  }
}

// -----------------------------------------------------------------------------
// An attack, or a mistake that looks like one
// -----------------------------------------------------------------------------

/**
 * A callback does not belong to a consent that this user is waiting for. Nothing was exchanged.
 *
 * - `Unknown`: no such attempt: never begun, or long ago
 * - `AlreadyUsed`: its `state` has been used
 * - `OtherSubject`: it was begun by another user
 * - `OtherBrowser`: it was begun in another browser, where an app looks at that
 *
 * @since 0.1.0
 */
export class StateMismatch extends Schema.TaggedError<StateMismatch>(id("StateMismatch"))("StateMismatch", {
  why: Schema.Literals(["Unknown", "AlreadyUsed", "OtherSubject", "OtherBrowser"])
}) {
  readonly isRetryable = false
  readonly needsReconnect = true
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
export class InvalidCallback extends Schema.TaggedError<InvalidCallback>(id("InvalidCallback"))("InvalidCallback", {
  problem: Schema.String
}) {
  readonly isRetryable = false
  readonly needsReconnect = true
  override get message(): string {
    return `The callback was refused: ${this.problem}. Nothing was exchanged; start again with a new authorization URL.`
  }
}

/**
 * A request with a credential was about to go somewhere else than to Zapier's API. It was not sent.
 *
 * @since 0.1.0
 */
export class UntrustedOrigin extends Schema.TaggedError<UntrustedOrigin>(id("UntrustedOrigin"))("UntrustedOrigin", {
  origin: Schema.String,
  expected: Schema.String
}) {
  readonly isRetryable = false
  readonly needsReconnect = false
  override get message(): string {
    return `Refused to send a Zapier credential to ${this.origin}: it goes to ${this.expected} only. Use a path, or another HTTP client for other services.`
  }
}

// -----------------------------------------------------------------------------
// Zapier, and the infrastructure
// -----------------------------------------------------------------------------

/**
 * An answer of the token endpoint cannot be understood. `problem` says what is wrong with it, never what it held.
 *
 * @since 0.1.0
 */
export class MalformedResponse extends Schema.TaggedError<MalformedResponse>(id("MalformedResponse"))(
  "MalformedResponse",
  {
    status: Schema.Int,
    problem: Schema.String
  }
) {
  readonly isRetryable = true
  readonly needsReconnect = false
  override get message(): string {
    return `Zapier's token endpoint gave an answer (status ${this.status}) that cannot be understood: ${this.problem}. Check the configured URL and any proxy in between, then try again.`
  }
}

/**
 * A store could not read or write.
 *
 * @since 0.1.0
 */
export class StoreFailed extends Schema.TaggedError<StoreFailed>(id("StoreFailed"))("StoreFailed", {
  store: Schema.String,
  operation: Schema.String,
  problem: Schema.String
}) {
  readonly isRetryable = true
  readonly needsReconnect = false
  override get message(): string {
    return `The ${this.store} could not ${this.operation}: ${this.problem}. Check the store, then try again.`
  }
}

const decryptionProblems = {
  UnknownKey: "no key with its id was given. Give the key that it was encrypted with, beside the newer ones",
  NotEncrypted: "it is not encrypted. If it was stored before encryption was turned on, re-encrypt the store once",
  Altered: "the key with its id does not open it. Give the right key, or bring back the record from a copy"
} as const

/**
 * A record could not be decrypted. It is left as it is. `keyId` names the key that it was encrypted with.
 *
 * @since 0.1.0
 */
export class DecryptionFailed extends Schema.TaggedError<DecryptionFailed>(id("DecryptionFailed"))("DecryptionFailed", {
  store: Schema.String,
  problem: Schema.Literals(["UnknownKey", "NotEncrypted", "Altered"]),
  keyId: Schema.optionalKey(Schema.String)
}) {
  readonly isRetryable = false
  readonly needsReconnect = false
  override get message(): string {
    const key = this.keyId === undefined ? "" : ` (key ${this.keyId})`
    return `A record in the ${this.store} cannot be read${key}: ${decryptionProblems[this.problem]}.`
  }
}

/**
 * All reasons.
 *
 * @since 0.1.0
 */
export const Reason = Schema.Union([
  IllegalTransition,
  InvalidConfig,
  RequestNotReplayable,
  ConsentDenied,
  ConsentExpired,
  ExchangeOutcomeUnknown,
  ReconnectRequired,
  ClientRejected,
  InsufficientScope,
  AuthorizationRefused,
  TokenRequestRefused,
  RateLimited,
  ServiceUnavailable,
  TransportFailed,
  RefreshOutcomeUnknown,
  StateMismatch,
  InvalidCallback,
  UntrustedOrigin,
  MalformedResponse,
  StoreFailed,
  DecryptionFailed
])

/**
 * @since 0.1.0
 */
export type Reason = typeof Reason.Type

const TypeId = "~@zapier-workflow-auth/core/ZapierAuthError"

/**
 * The error of every operation of this library. Handle single reasons with `Effect.catchReason`.
 *
 * @since 0.1.0
 */
export class ZapierAuthError extends Schema.TaggedError<ZapierAuthError>(id("ZapierAuthError"))("ZapierAuthError", {
  reason: Reason
}) {
  readonly [TypeId] = TypeId
  override readonly name = "ZapierAuthError"

  /** Whether the same call may succeed later without anybody doing anything. */
  get isRetryable(): boolean {
    return this.reason.isRetryable
  }

  /** Whether the user has to go through the consent page (again). */
  get needsReconnect(): boolean {
    return this.reason.needsReconnect
  }

  override get message(): string {
    return this.reason.message
  }

  /** What logs and `inspect` show. */
  override toJSON(): unknown {
    return { _tag: this._tag, message: this.message, reason: this.reason }
  }
}

/**
 * Whether a value is a `ZapierAuthError`.
 *
 * @since 0.1.0
 */
export const isZapierAuthError = (u: unknown): u is ZapierAuthError => Predicate.hasProperty(u, TypeId)

/**
 * The error of a reason.
 *
 * @since 0.1.0
 */
export const from = (reason: Reason): ZapierAuthError => new ZapierAuthError({ reason })
