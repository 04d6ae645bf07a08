/**
 * How calls of the typed client fail besides `ZapierAuthError` and the transport's own error: Zapier refused a request, or
 * its response is not what it documents.
 *
 * Neither holds a body, a credential, or a value of a response.
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

// What the user may not do, what is gone, and what has changed, the app's client can do something about.
const passedOn: ReadonlySet<number> = new Set([403, 404, 409])

// By status, and else by its first digit.
const advice: { readonly [status: string]: string } = {
  400: "Correct the request; Zapier's documentation of the endpoint says what it takes.",
  401: "Zapier does not accept the credential. If it was renewed a moment ago, the client's settings are for you to check.",
  403: "Ask for the scope that the endpoint needs, or check whether Zapier has opened it to this application.",
  404: "Check the ids in the path: they may be gone, or belong to another user.",
  409: "Read what is there now, and decide again.",
  429: "Try again in a minute.",
  3: "Zapier moved the endpoint. Credentials follow no redirect: check the URLs in use.",
  5: "Zapier has trouble. Try again later."
}

/**
 * Zapier responded with another status than success. `code`, `title` and `detail` are those of the first error in the
 * envelope, as far as there is one: shortened, on one line, and without what looks like a token. `requestId` is that of an
 * `X-Request-Id` header; Zapier does not document one. `retryAfter` is what `Retry-After` says.
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

  /** Whether the same call may succeed later without anybody doing anything. */
  get isRetryable(): boolean {
    return this.status === 429 || this.status >= 500
  }

  /** Connecting again changes nothing: a token that is no use is a `ZapierAuthError`. */
  readonly needsReconnect = false

  /** Whose fault it is: what Zapier refuses is mostly the app's own request. */
  get blames(): Party {
    return this.isRetryable || passedOn.has(this.status) ? "Zapier" : "Caller"
  }

  /** The status by which a web app tells its own client, where it has no better one. */
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
 * Zapier responded with success, and with something else than it documents: another status, a body that does not decode, or a link to
 * a next page that leads elsewhere. `problem` says which, without a value of the response.
 *
 * @since 0.1.0
 */
export class UnexpectedResponse extends Schema.TaggedError<UnexpectedResponse>(id("UnexpectedResponse"))(
  "UnexpectedResponse",
  { endpoint: EndpointName, status: Schema.Int, problem: Schema.String }
) {
  override readonly name = "UnexpectedResponse"

  /** The same response is to be expected the next time. */
  readonly isRetryable = false

  /** Connecting again changes nothing. */
  readonly needsReconnect = false

  /** Whose fault it is. */
  readonly blames = "Zapier"

  /** The status by which a web app tells its own client, where it has no better one. */
  readonly httpStatus = 502

  override get message(): string {
    return `${this.endpoint}: Zapier responded with ${this.status}, but ${this.problem}. ZapierHttpClient.call returns the response as it is.`
  }
}
