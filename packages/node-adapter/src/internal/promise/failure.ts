/** Failures as plain values. */
import { type Party, Reason, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import type { UnexpectedResponse, ZapierApiError } from "@zapier-workflow-auth/core/zapier/ZapierApiError"
import type { CallError } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Schema from "effect/Schema"
import * as CallFailure from "../callFailure.ts"

interface Common {
  /** The message: what happened, and what to do next. */
  readonly message: string
  /** True if the same call may succeed later by itself. */
  readonly isRetryable: boolean
  /** True if the user must go through the consent page (again). */
  readonly needsReconnect: boolean
  /** The party at fault. */
  readonly blames: Party
  /** The HTTP status with which a web app can respond to its own client: see `toResponse`. */
  readonly httpStatus: number
}

type Plain<R> = R extends typeof Reason.Encoded ? R & Common : never

/**
 * The failure of an operation: the reasons of `ZapierAuthError` as plain values. Switch over `_tag`.
 *
 * `retryAfter` is in milliseconds. `CallFailed` is an API call without a response: it is unknown if it was carried out,
 * unless it has a `code`. That is the platform's, for example `ECONNREFUSED`, and means that the call never reached Zapier.
 *
 * @since 0.1.0
 */
export type Failure = Plain<typeof Reason.Encoded> | ({ readonly _tag: "CallFailed"; readonly code?: string } & Common)

/**
 * The failure of a typed call: a `Failure`, Zapier's refusal, or an undocumented response.
 *
 * `ZapierApiError` has the `status` of the refusal. `retryAfter` is in milliseconds.
 *
 * @since 0.1.0
 */
export type ApiFailure =
  | Failure
  | (typeof ZapierApiError.Encoded & Common)
  | (typeof UnexpectedResponse.Encoded & Common)

/**
 * The result of an operation: a value, or a failure.
 *
 * @since 0.1.0
 */
export type Result<A, E = Failure> =
  | { readonly ok: true; readonly value: A }
  | { readonly ok: false; readonly error: E }

const encode = Schema.encodeSync(Reason)

export const ofError = (error: CallError): Failure => {
  if (error instanceof ZapierAuthError) {
    const { blames, httpStatus, isRetryable, message, needsReconnect, reason } = error
    return { ...encode(reason), message, isRetryable, needsReconnect, blames, httpStatus }
  }
  return {
    _tag: "CallFailed",
    ...CallFailure.of(error),
    isRetryable: true,
    needsReconnect: false,
    blames: "Network",
    httpStatus: 502
  }
}
