/**
 * The one error of this library. Its `reason` says what happened; its message says what to do next.
 *
 * Reasons are grouped by who can act. Each knows if a retry can help (`isRetryable`), if the user must reconnect
 * (`needsReconnect`), who is at fault (`blames`), and which HTTP status a web app should respond with (`httpStatus`). No
 * reason ever holds a token, code, secret, `state`, raw body, or a cause that might.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { ReconnectRequired, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
 *
 * const call = Effect.fail(ZapierAuthError.make(new ReconnectRequired({ why: "Revoked" })))
 *
 * call.pipe(Effect.catchReason("ZapierAuthError", "ReconnectRequired", () => Effect.succeed("show the button")))
 * ```
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Attack from "./internal/reasons/attack.ts"
import * as Caller from "./internal/reasons/caller.ts"
import * as Infrastructure from "./internal/reasons/infrastructure.ts"
import type { Party } from "./internal/reasons/party.ts"
import * as Owner from "./internal/reasons/owner.ts"
import { tagged } from "./internal/reasons/tagged.ts"
import * as Time from "./internal/reasons/time.ts"
import * as User from "./internal/reasons/user.ts"

export * from "./internal/reasons/caller.ts"
export * from "./internal/reasons/user.ts"
export * from "./internal/reasons/owner.ts"
export * from "./internal/reasons/time.ts"
export * from "./internal/reasons/attack.ts"
export * from "./internal/reasons/infrastructure.ts"
export { Party } from "./internal/reasons/party.ts"

/**
 * All reasons.
 *
 * @since 0.1.0
 */
export const Reason = Schema.Union([
  Caller.InvalidConfig,
  Caller.RequestNotReplayable,
  Caller.AppCodeFailed,
  Caller.Closed,
  User.ConsentDenied,
  User.ConsentExpired,
  User.ExchangeOutcomeUnknown,
  User.ReconnectRequired,
  Owner.ClientRejected,
  Owner.InsufficientScope,
  Owner.AuthorizationRefused,
  Owner.TokenRequestRefused,
  Time.RateLimited,
  Time.ServiceUnavailable,
  Time.TransportFailed,
  Time.RefreshOutcomeUnknown,
  Time.ResponsePending,
  Attack.StateMismatch,
  Attack.InvalidCallback,
  Attack.UntrustedOrigin,
  Infrastructure.MalformedResponse,
  Infrastructure.StoreFailed,
  Infrastructure.DecryptionFailed,
  Infrastructure.ApplicationUnavailable,
  Infrastructure.StartFailed,
  Infrastructure.IllegalTransition
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
export class ZapierAuthError extends tagged<ZapierAuthError>()("ZapierAuthError", {
  reason: Reason
}) {
  readonly [TypeId] = TypeId
  override readonly name = "ZapierAuthError"

  /** Makes the error from a reason, or from the arguments of the schema's own constructor. */
  static override make(this: void, given: Reason | { readonly reason: Reason }): ZapierAuthError {
    return new ZapierAuthError("reason" in given ? given : { reason: given })
  }

  /** True if the same call may succeed later by itself. */
  get isRetryable(): boolean {
    return this.reason.isRetryable
  }

  /** True if the user must go through the consent page (again). */
  get needsReconnect(): boolean {
    return this.reason.needsReconnect
  }

  /** The party at fault. */
  get blames(): Party {
    return this.reason.blames
  }

  /** How long to wait before a retry, if Zapier has said so. */
  get retryAfter(): Duration.Duration | undefined {
    return "retryAfter" in this.reason ? this.reason.retryAfter : undefined
  }

  /** The HTTP status with which a web app can respond to its own client. */
  get httpStatus(): number {
    return this.reason.httpStatus
  }

  override get message(): string {
    return this.reason.message
  }

  /** The form in logs and `inspect`. */
  override toJSON(): unknown {
    return { _tag: this._tag, message: this.message, reason: this.reason }
  }
}

/**
 * True for a `ZapierAuthError`.
 *
 * @since 0.1.0
 */
export const isZapierAuthError = (u: unknown): u is ZapierAuthError => Predicate.hasProperty(u, TypeId)
