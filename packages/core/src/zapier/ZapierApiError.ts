/**
 * Errors of the typed client besides `ZapierAuthError` and transport errors.
 *
 * Zapier refused the request (`ZapierApiError`), or its response is not as documented (`UnexpectedResponse`). Neither holds a
 * body, a credential or a value of a response.
 *
 * @example
 * ```ts
 * import * as Duration from "effect/Duration"
 * import { ZapierApiError } from "@zapier-workflow-auth/core/zapier/ZapierApiError"
 *
 * const error = new ZapierApiError({
 *   endpoint: "GET /v2/zaps",
 *   status: 429,
 *   code: "throttled",
 *   retryAfter: Duration.seconds(60)
 * })
 * error.isRetryable // => true
 * error.message // => "GET /v2/zaps: Zapier responded with 429 throttled. Try again in 60 s."
 * ```
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import type { Party } from "../ZapierAuthError.ts"
import * as Endpoint from "./Endpoint.ts"

const EndpointName = Schema.Literals(Endpoint.names)

const id = (name: string) => `@zapier-workflow-auth/core/zapier/ZapierApiError/${name}`

const text = Schema.optionalKey(Schema.String)

// The app's client can act on these: forbidden, gone, or changed.
const passedOn: ReadonlySet<number> = new Set([403, 404, 409])

// By status, or by its first digit.
const advice: { readonly [status: string]: string } = {
  400: "Correct the request: see Zapier's documentation of the endpoint.",
  401: "Zapier does not accept the credential. If it was just renewed, check the client application's settings.",
  403: "Request the scope that the endpoint needs, or check if Zapier has opened the endpoint to this application.",
  404: "Check the ids in the path: the object may be gone, or belong to another user.",
  409: "Read the current state and decide again.",
  429: "Try again in a minute.",
  3: "The endpoint has moved. Redirects are never followed with credentials: check the configured URLs.",
  5: "Zapier is unavailable. Try again later."
}

/**
 * Zapier refused a request: the status of its response is an error.
 *
 * `code`, `title` and `detail` come from the first error in the envelope, if any, shortened, on one line, and without text
 * that looks like a token. `requestId` is the `X-Request-Id` header, which Zapier does not document. `retryAfter` is the
 * `Retry-After` header.
 *
 * @since 0.1.0
 */
export class ZapierApiError extends Schema.TaggedError<ZapierApiError>(id("ZapierApiError"))("ZapierApiError", {
  endpoint: EndpointName,
  status: Schema.Int,
  code: text,
  title: text,
  detail: text,
  requestId: text,
  retryAfter: Schema.optionalKey(Schema.DurationFromMillis)
}) {
  override readonly name = "ZapierApiError"

  /** True if the same call may succeed later by itself. */
  get isRetryable(): boolean {
    return this.status === 429 || this.status >= 500
  }

  /** Reconnecting does not help: an unusable token is a `ZapierAuthError`. */
  readonly needsReconnect = false

  /** The party at fault: mostly the app, for a wrong request. */
  get blames(): Party {
    return this.isRetryable || passedOn.has(this.status) ? "Zapier" : "Caller"
  }

  /** The HTTP status with which a web app can respond to its own client. */
  get httpStatus(): number {
    if (passedOn.has(this.status)) return this.status
    return this.status === 429 ? 503 : this.isRetryable ? 502 : 500
  }

  override get message(): string {
    const { code, detail, endpoint, requestId, retryAfter, status, title } = this
    const what = [status, code ?? title].filter((part) => part !== undefined).join(" ")
    const next =
      retryAfter === undefined
        ? (advice[status] ?? advice[Math.floor(status / 100)] ?? "Correct the request.")
        : `Try again in ${Math.ceil(Duration.toSeconds(retryAfter))} s.`
    const about = detail === undefined ? "" : ` It says: "${detail}"`
    const request = requestId === undefined ? "" : ` Its request id is ${requestId}.`
    return `${endpoint}: Zapier responded with ${what}.${about}${request} ${next}`
  }
}

/**
 * Zapier's successful response is not as documented: the status, the body, or a link to another origin.
 *
 * `problem` names the deviation, without a value of the response.
 *
 * @since 0.1.0
 */
export class UnexpectedResponse extends Schema.TaggedError<UnexpectedResponse>(id("UnexpectedResponse"))(
  "UnexpectedResponse",
  { endpoint: EndpointName, status: Schema.Int, problem: Schema.String }
) {
  override readonly name = "UnexpectedResponse"

  /** The next response will probably be the same. */
  readonly isRetryable = false

  /** Reconnecting does not help. */
  readonly needsReconnect = false

  /** The party at fault. */
  readonly blames = "Zapier"

  /** The HTTP status with which a web app can respond to its own client. */
  readonly httpStatus = 502

  override get message(): string {
    return `${this.endpoint}: Zapier responded with ${this.status}, but ${this.problem}. Use ZapierHttpClient.call to get the raw response.`
  }
}
