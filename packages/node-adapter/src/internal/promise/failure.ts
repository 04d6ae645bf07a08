/** What did not work, as plain values. */
import { type Party, Reason, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import type { UnexpectedResponse, ZapierApiError } from "@zapier-workflow-auth/core/zapier/ZapierApiError"
import type { CallError } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Schema from "effect/Schema"
import * as CallFailure from "../callFailure.ts"

interface Common {
  /** What happened, and what to do next. */
  readonly message: string
  /** Whether the same call may succeed later without anybody doing anything. */
  readonly isRetryable: boolean
  /** Whether the user has to go through the consent page (again). */
  readonly needsReconnect: boolean
  /** Whose fault it is. */
  readonly blames: Party
  /** The status by which a web app tells its own client, where it has no better one: see `toResponse`. */
  readonly httpStatus: number
}

type Plain<R> = R extends typeof Reason.Encoded ? R & Common : never

/**
 * Why something did not work: the reasons of `ZapierAuthError` as plain values, told apart by `_tag`. `retryAfter` is in
 * milliseconds.
 *
 * `CallFailed` is a call of the API that was not answered: whether it was carried out is not known, unless it has a `code`.
 * That is the platform's, `ECONNREFUSED` for example, and the call never reached Zapier.
 *
 * @since 0.1.0
 */
export type Failure = Plain<typeof Reason.Encoded> | ({ readonly _tag: "CallFailed"; readonly code?: string } & Common)

/**
 * Why a typed call did not work: as `Failure`, or because Zapier refused it (`ZapierApiError`, with the `status`), or responded
 * with something else than it documents (`UnexpectedResponse`). `retryAfter` is in milliseconds.
 *
 * @since 0.1.0
 */
export type ApiFailure =
  | Failure
  | (typeof ZapierApiError.Encoded & Common)
  | (typeof UnexpectedResponse.Encoded & Common)

/**
 * What came of an operation: a value, or a failure to switch over.
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
