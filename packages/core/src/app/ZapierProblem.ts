/**
 * Problem details (RFC 9457) for an app's own clients, with the status that each reason defines.
 *
 * An `HttpApi` that lists `errors` among its errors responds with 409, 502 or 503 instead of 500 for all. Effect allows one
 * status for each schema, so each status has its own. Handlers fail with the library's errors; their clients get a
 * `ZapierProblem`.
 *
 * `ProblemDetails` decides the content: details for operators stay on the server.
 *
 * @example
 * ```ts
 * import * as ZapierProblem from "@zapier-workflow-auth/core/app/ZapierProblem"
 * import { ReconnectRequired, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
 * import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
 * import * as Schema from "effect/Schema"
 *
 * HttpApiEndpoint.get("zaps", "/zaps", { success: Schema.Array(Schema.String), error: ZapierProblem.errors })
 *
 * const error = ZapierAuthError.make(new ReconnectRequired({ why: "Revoked" }))
 * ZapierProblem.of(error).status // => 409
 * ZapierProblem.of(error).title // => "Reconnect required"
 * ```
 *
 * @since 0.1.0
 */
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import { toCallError } from "../internal/callErrors.ts"
import * as ProblemDetails from "../ProblemDetails.ts"
import { isZapierAuthError } from "../ZapierAuthError.ts"
import type { ApiError } from "../zapier/ZapierApiClient.ts"
import { UnexpectedResponse, ZapierApiError } from "../zapier/ZapierApiError.ts"

// The response body, as in `ProblemDetails`.
const Body = Schema.Struct({
  type: Schema.String,
  title: Schema.String,
  status: Schema.Int,
  detail: Schema.optionalKey(Schema.String),
  /** The reason's `_tag`, or that of the error if it is not a `ZapierAuthError`. */
  reason: Schema.String,
  isRetryable: Schema.Boolean,
  needsReconnect: Schema.Boolean,
  /** The scopes of which one is missing. Reconnecting helps once the app requests one. */
  anyOf: Schema.optionalKey(Schema.Array(Schema.String))
})

/**
 * The error that clients of the app get: `ProblemDetails`, with `anyOf` if a scope is missing.
 *
 * @since 0.1.0
 */
export class ZapierProblem extends Schema.Error<ZapierProblem>("@zapier-workflow-auth/core/app/ZapierProblem")({
  ...Body.fields,
  /** Seconds to wait: the `Retry-After` header. */
  retryAfter: Schema.optionalKey(Schema.Int)
}) {
  /** For `Effect.catchTag`; not sent. */
  get _tag(): "ZapierProblem" {
    return "ZapierProblem"
  }

  override get message(): string {
    return this.detail ?? this.title
  }
}

const explain = ({ _tag, reason }: HttpClientError.HttpClientError): ProblemDetails.Explained =>
  reason._tag === "EncodeError" || reason._tag === "InvalidUrlError"
    ? {
        _tag,
        message: "The request to Zapier could not be made.",
        isRetryable: false,
        needsReconnect: false,
        blames: "Caller",
        httpStatus: 500
      }
    : {
        _tag,
        message: "The request to Zapier failed. Try again later.",
        isRetryable: true,
        needsReconnect: false,
        blames: "Network",
        httpStatus: 502
      }

const explainRefusal = (error: ZapierApiError): ProblemDetails.Explained => {
  const { _tag, blames, httpStatus, isRetryable, needsReconnect, retryAfter, status } = error
  const message = isRetryable ? "Zapier is busy or unavailable. Try again later." : `Zapier responded with ${status}.`
  return { _tag, message, isRetryable, needsReconnect, blames, httpStatus, retryAfter }
}

const explainUnexpected = (error: UnexpectedResponse): ProblemDetails.Explained => {
  const { _tag, blames, httpStatus, isRetryable, needsReconnect } = error
  return { _tag, message: "Zapier's response could not be read.", isRetryable, needsReconnect, blames, httpStatus }
}

const explainAny = (error: ApiError): ProblemDetails.Explained => {
  switch (error._tag) {
    case "ZapierAuthError":
      return error.reason
    case "ZapierApiError":
      return explainRefusal(error)
    case "UnexpectedResponse":
      return explainUnexpected(error)
    case "HttpClientError":
      return explain(error)
  }
}

const missingScopes = (error: ApiError): { readonly anyOf?: ReadonlyArray<string> } =>
  error._tag === "ZapierAuthError" && error.reason._tag === "InsufficientScope" ? { anyOf: error.reason.anyOf } : {}

/**
 * Converts an error to a problem for the app's clients.
 *
 * @since 0.1.0
 */
export const of = (error: ApiError): ZapierProblem => {
  const known = toCallError(error)
  const explained = explainAny(known)
  const seconds = ProblemDetails.retryAfter(explained)
  return new ZapierProblem({
    ...ProblemDetails.make(explained),
    ...missingScopes(known),
    ...(seconds === undefined ? {} : { retryAfter: seconds })
  })
}

interface Sent {
  readonly body: typeof Body.Type
  readonly headers: { readonly "retry-after"?: string }
}

const sent = (failure: Failure): Sent => {
  const { retryAfter, ...body } = Schema.encodeSync(ZapierProblem)(problemOf(failure))
  return { body, headers: retryAfter === undefined ? {} : { "retry-after": `${retryAfter}` } }
}

/**
 * Makes a response from an error, for apps without an `HttpApi`.
 *
 * @example
 * ```ts
 * import * as ZapierProblem from "@zapier-workflow-auth/core/app/ZapierProblem"
 * import { StoreFailed, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
 *
 * const reason = new StoreFailed({ store: "grant store", operation: "read", problem: "it is locked" })
 * const { headers, status } = ZapierProblem.toResponse(ZapierAuthError.make(reason))
 * status // => 503
 * headers["retry-after"] // => "60"
 * ```
 *
 * @since 0.1.0
 */
export const toResponse = (error: ApiError): HttpServerResponse.HttpServerResponse => {
  const { body, headers } = sent(error)
  const { status } = body
  return HttpServerResponse.jsonUnsafe(body, { status, headers, contentType: ProblemDetails.mediaType })
}

/**
 * The errors of handlers and clients. A server may fail with any; a client gets a `ZapierProblem`, or its own
 * `HttpClientError` if the app cannot be reached.
 *
 * @since 0.1.0
 */
export type Failure = ZapierProblem | ApiError

/**
 * True for an error of a call to Zapier, by the typed client or another.
 *
 * @since 0.1.0
 */
export const isApiError = (u: unknown): u is ApiError =>
  isZapierAuthError(u) ||
  HttpClientError.isHttpClientError(u) ||
  u instanceof ZapierApiError ||
  u instanceof UnexpectedResponse

const Failure = Schema.Union([Schema.toType(ZapierProblem), Schema.declare(isApiError)])

const problemOf = (failure: Failure): ZapierProblem => (failure instanceof ZapierProblem ? failure : of(failure))

const ofStatus = <const Status extends number>(status: Status) =>
  Failure.check(Schema.makeFilter((failure) => problemOf(failure).status === status)).pipe(
    HttpApiSchema.encodeToWithHeaders(
      {
        body: Body.pipe(HttpApiSchema.asJson({ contentType: ProblemDetails.mediaType }), HttpApiSchema.status(status)),
        headers: { "retry-after": Schema.optionalKey(Schema.String) }
      },
      {
        decode: ({ body, headers }) => {
          const seconds = Number(headers["retry-after"])
          return new ZapierProblem({ ...body, status, ...(Number.isInteger(seconds) ? { retryAfter: seconds } : {}) })
        },
        encode: sent
      }
    )
  )

/**
 * The errors of an `HttpApi` endpoint or middleware that calls Zapier, one schema for each status.
 *
 * @since 0.1.0
 */
export const errors = [
  ofStatus(400),
  ofStatus(403),
  ofStatus(404),
  ofStatus(409),
  ofStatus(500),
  ofStatus(502),
  ofStatus(503)
] as const
