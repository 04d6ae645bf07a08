/** Reads an error response into an error that may be logged. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as TokenOutcome from "../oauth/TokenOutcome.ts"
import { ErrorResponse, type ErrorObject } from "../zapier/api/Responses.ts"
import type * as Endpoint from "../zapier/Endpoint.ts"
import { ZapierApiError } from "../zapier/ZapierApiError.ts"
import * as BoundedBody from "./boundedBody.ts"

// Limits on reading an error's body, in bytes and milliseconds.
const bounds = { size: 64 * 1024, patience: 5_000 }

const longest = { code: 80, title: 120, detail: 300 }

// Characters that do not belong on one line of a log: control characters, and those that change the text direction.
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}]+/gu

// A long run of a token's characters (RFC 6750 section 2.1).
const tokenLike = /[\w~+/=.-]{24,}/g

// A UUID, which is shown because it helps to find the object.
const uuid = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}\.?$/i

/** Makes a response's text safe to show in an error. */
export const printable = (given: string, most: number): string => {
  // Cut generously first, so as not to search a megabyte for tokens.
  const line = given
    .slice(0, most * 4)
    .replace(unprintable, " ")
    .replace(tokenLike, (found) => (uuid.test(found) ? found : "…"))
    .trim()
  return line.length > most ? `${line.slice(0, most - 1)}…` : line
}

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(ErrorResponse))

// A refused guess at a Zap comes without the envelope.
const decodeMessages = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Struct({ messages: Schema.NonEmptyArray(Schema.Struct({ detail: Schema.String })) }))
)

const firstOf = (body: string): typeof ErrorObject.Type =>
  Option.getOrUndefined(decode(body))?.errors[0] ?? Option.getOrUndefined(decodeMessages(body))?.messages[0] ?? {}

const parts = (body: string) => {
  const error = firstOf(body)
  const part = (name: keyof typeof longest) => {
    const given = error[name]
    const shown = typeof given === "string" ? printable(given, longest[name]) : ""
    return shown === "" ? {} : { [name]: shown }
  }
  return { ...part("code"), ...part("title"), ...part("detail") }
}

/** Reads the error of a response, within limits of size and time. */
export const read = Effect.fnUntraced(function* (endpoint: Endpoint.Name, response: HttpClientResponse) {
  const now = yield* Clock.currentTimeMillis
  const body = yield* BoundedBody.read(response, bounds.size, () => false).pipe(
    Effect.timeoutOption(bounds.patience),
    Effect.orElseSucceed(Option.none)
  )
  const retryAfter = TokenOutcome.retryAfter(response.headers, now)
  const requestId = printable(response.headers["x-request-id"] ?? "", longest.code)
  return new ZapierApiError({
    endpoint,
    status: response.status,
    ...Option.match(body, { onNone: () => ({}), onSome: ({ body }) => parts(body) }),
    ...(requestId === "" ? {} : { requestId }),
    ...(retryAfter === undefined ? {} : { retryAfter: Duration.millis(retryAfter) })
  })
})
