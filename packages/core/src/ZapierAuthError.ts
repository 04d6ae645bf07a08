/**
 * The one error of this library: `ZapierAuthError`, whose `reason` says what happened. Reasons are grouped by who can
 * do something about them. Each knows whether trying again later can help (`isRetryable`), whether the user has to go
 * through the consent page again (`needsReconnect`), whose fault it is (`blames`), and by which HTTP status an app tells its
 * own client (`httpStatus`); each message says what to do next. No reason ever holds a token,
 * a code, a secret, a `state`, a raw body, or a cause that might.
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

  /** The error of a reason. Takes what the schema's own constructor takes, too. */
  static override make(this: void, given: Reason | { readonly reason: Reason }): ZapierAuthError {
    return new ZapierAuthError("reason" in given ? given : { reason: given })
  }

  /** Whether the same call may succeed later without anybody doing anything. */
  get isRetryable(): boolean {
    return this.reason.isRetryable
  }

  /** Whether the user has to go through the consent page (again). */
  get needsReconnect(): boolean {
    return this.reason.needsReconnect
  }

  /** Whose fault it is. */
  get blames(): Party {
    return this.reason.blames
  }

  /** How long to wait before the same call may succeed, where Zapier has said so. */
  get retryAfter(): Duration.Duration | undefined {
    return "retryAfter" in this.reason ? this.reason.retryAfter : undefined
  }

  /** The status by which a web app tells its own client of the error, where it has no better one. */
  get httpStatus(): number {
    return this.reason.httpStatus
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
