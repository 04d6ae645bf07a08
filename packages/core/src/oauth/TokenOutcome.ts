/**
 * What came of a token request. `interpret` reads an HTTP answer; the outcomes without an answer are made by the shell.
 *
 * An answer is read by its content and not by its `Content-Type`: Zapier documents a token answer whose header says
 * `multipart/form-data` over a body of JSON. What is not a valid answer becomes `Malformed`, never an exception, and no
 * outcome repeats what a body held.
 *
 * The members of a successful answer, where the server is vague:
 *
 * | member | what it says | what is done |
 * |---|---|---|
 * | `expires_in` | a positive number, also fractional, also as text | taken, at most a year |
 * | `expires_in` | missing, null, zero, negative, not a number | Zapier's documented 36,000 s; should the token end earlier, the API's 401 tells |
 * | `scope` | missing, null or empty | the scopes that were asked for (RFC 6749 section 5.1) |
 * | `refresh_token` | missing, null or empty | the old one stays good (RFC 6749 section 6) |
 * | `token_type` | `Bearer` in any case, or missing | taken |
 * | anything else | of another type or empty | `Malformed` |
 *
 * Sources: RFC 6749 sections 5.1 and 5.2; RFC 9110 section 10.2.3 (`Retry-After`); Zapier's "Authentication" and "Rate
 * limiting" pages of the Workflow API.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Headers from "effect/http/Headers"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Reason } from "../ZapierAuthError.ts"
import * as OAuthError from "./OAuthError.ts"
import * as Scopes from "./Scopes.ts"
import * as Tokens from "./Tokens.ts"

/**
 * - `Granted`: tokens.
 * - `InvalidGrant`: the code or refresh token is not taken.
 * - `InvalidClient`: the client id or secret is not taken.
 * - `Refused`: another error of RFC 6749 section 5.2.
 * - `RateLimited`: 429. `retryAfter` in milliseconds.
 * - `Unavailable`: 5xx. It may have been processed all the same.
 * - `Malformed`: an answer that says nothing; after a 2xx it may have been processed.
 * - `NotSent`: it never left, or never reached a server.
 * - `NotTried`: it was not sent: for the reason, or because no time was left.
 * - `NoResponse`: it left, and no whole answer came back in time.
 *
 * @since 0.1.0
 */
export type TokenOutcome =
  | { readonly _tag: "Granted"; readonly tokens: Tokens.Tokens }
  | { readonly _tag: "InvalidGrant" }
  | { readonly _tag: "InvalidClient" }
  | { readonly _tag: "Refused"; readonly error: string }
  | { readonly _tag: "RateLimited"; readonly retryAfter: number }
  | { readonly _tag: "Unavailable"; readonly status: number; readonly retryAfter: number | undefined }
  | { readonly _tag: "Malformed"; readonly status: number; readonly problem: string }
  | { readonly _tag: "NotSent"; readonly code: string }
  | { readonly _tag: "NotTried"; readonly reason?: Reason | undefined }
  | { readonly _tag: "NoResponse" }

/**
 * How long Zapier's access tokens live, in seconds, where an answer does not say.
 *
 * @since 0.1.0
 */
export const documentedLifetime = 36_000

const longestLifetime = 365 * 24 * 60 * 60

/**
 * How long to pause after a 429 that does not say, or says it in no known way, in milliseconds: Zapier's documented cool-down.
 *
 * @since 0.1.0
 */
export const coolDown = 60_000

/**
 * The longest pause that an answer is granted, in milliseconds.
 *
 * @since 0.1.0
 */
export const longestPause = 60 * 60 * 1000

/**
 * The life of a token in milliseconds, out of whatever an answer has as `expires_in`.
 *
 * @since 0.1.0
 */
export const lifetime = (expiresIn: unknown): number => {
  const seconds = typeof expiresIn === "string" ? Number(expiresIn) : expiresIn
  const usable = typeof seconds === "number" && seconds > 0
  return Math.max(1, Math.floor((usable ? Math.min(seconds, longestLifetime) : documentedLifetime) * 1000))
}

/**
 * How long a response asks to wait by its `Retry-After` header, in milliseconds: at most an hour, and the documented
 * cool-down when the header cannot be read. `undefined` without the header.
 *
 * An HTTP date is measured from the response's own `Date`, because the clocks of the two machines may differ; from `now`
 * where there is none.
 *
 * @param headers names in lower case
 * @param now milliseconds since the epoch
 *
 * @example
 * ```ts
 * import * as TokenOutcome from "@zapier-workflow-auth/core/oauth/TokenOutcome"
 *
 * TokenOutcome.retryAfter({ "retry-after": "30" }, 0) // => 30000
 * TokenOutcome.retryAfter({ "retry-after": "soon" }, 0) // => 60000
 * TokenOutcome.retryAfter({}, 0) // => undefined
 * ```
 *
 * @since 0.1.0
 */
export const retryAfter = (headers: Answer["headers"], now: number): number | undefined => {
  const header = headers["retry-after"]
  if (header === undefined) return undefined
  const sentAt = Result.match(Headers.parseHttpDate(headers["date"] ?? ""), {
    onFailure: () => now,
    onSuccess: DateTime.toEpochMillis
  })
  return Result.match(Headers.parseRetryAfter(header), {
    onFailure: () => coolDown,
    onSuccess: (value) => Math.min(Duration.toMillis(Headers.retryAfterDelay(value, sentAt)), longestPause)
  })
}

/**
 * What is read of an HTTP answer.
 *
 * @since 0.1.0
 */
export interface Answer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: { readonly [name: string]: string | undefined }
  readonly body: string
}

const Json = Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown))

const decodeJson = Schema.decodeUnknownOption(Json)

const absentOr = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))

const decodeSuccess = Schema.decodeUnknownOption(
  Schema.Struct({
    access_token: Schema.NonEmptyString,
    token_type: absentOr(Schema.String.check(Schema.isPattern(/^bearer$/i))),
    refresh_token: absentOr(Schema.String),
    scope: absentOr(Schema.String),
    expires_in: Schema.optionalKey(Schema.Unknown)
  })
)

const isErrorCode = Schema.is(Schema.NonEmptyString)

/**
 * What the request was, as far as its answer depends on it.
 *
 * @since 0.1.0
 */
export interface Asked {
  /** What was asked for: granted, if the answer does not say otherwise. */
  readonly scopes: ReadonlyArray<Scopes.Scope>
  /** When the request began, in milliseconds since the epoch: the base of `expires_in`. */
  readonly startedAt: number
  /** When the answer came, in milliseconds since the epoch: the base of a `Retry-After` date, should the answer have none. */
  readonly now: number
}

const interpretError = (error: string): TokenOutcome => {
  switch (error) {
    case "invalid_grant":
      return { _tag: "InvalidGrant" }
    case "invalid_client":
      return { _tag: "InvalidClient" }
    default:
      return { _tag: "Refused", error: OAuthError.sanitize(error) }
  }
}

const interpretSuccess = (status: number, body: unknown, asked: Asked): TokenOutcome =>
  Option.match(decodeSuccess(body), {
    onNone: () => ({ _tag: "Malformed", status, problem: "it holds no access token of type Bearer" }),
    onSome: ({ access_token, expires_in, refresh_token, scope }) => {
      const scopes = Scopes.parse(scope ?? "")
      return {
        _tag: "Granted",
        tokens: {
          accessToken: Tokens.secret(access_token),
          scopes: scopes.length === 0 ? asked.scopes : scopes,
          obtainedAt: asked.startedAt,
          expiresAt: asked.startedAt + lifetime(expires_in),
          ...(refresh_token ? { refreshToken: Tokens.secret(refresh_token) } : {})
        }
      }
    }
  })

/**
 * Reads an answer of the token endpoint. Never throws.
 *
 * @example
 * ```ts
 * import * as TokenOutcome from "@zapier-workflow-auth/core/oauth/TokenOutcome"
 *
 * const asked = { scopes: ["zap"], startedAt: 0, now: 50 }
 *
 * TokenOutcome.interpret({ status: 400, headers: {}, body: '{"error": "invalid_grant"}' }, asked)
 * // => { _tag: "InvalidGrant" }
 * TokenOutcome.interpret({ status: 200, headers: {}, body: "<html>" }, asked)
 * // => { _tag: "Malformed", status: 200, problem: "it is not a JSON object" }
 * ```
 *
 * @since 0.1.0
 */
export const interpret = (answer: Answer, asked: Asked): TokenOutcome => {
  const { status } = answer
  const pause = retryAfter(answer.headers, asked.now)
  if (status === 429) return { _tag: "RateLimited", retryAfter: pause ?? coolDown }
  if (status >= 500) return { _tag: "Unavailable", status, retryAfter: pause }
  // A fetch that may not follow a redirect shows it with the status 0.
  if (status < 200 || (status >= 300 && status < 400)) {
    return { _tag: "Malformed", status, problem: "it is a redirect, and a credential does not follow one" }
  }
  const body = decodeJson(answer.body)
  const error = Option.isSome(body) ? body.value["error"] : undefined
  const isSuccess = status < 300
  // Some servers report errors with the status 200. An access token beside one is taken all the same: it would be lost.
  if (isErrorCode(error) && !(isSuccess && Option.isSome(Option.flatMap(body, decodeSuccess)))) {
    return interpretError(error)
  }
  if (!isSuccess) {
    return status === 401 ? { _tag: "InvalidClient" } : { _tag: "Malformed", status, problem: "it holds no error code" }
  }
  return Option.isNone(body)
    ? { _tag: "Malformed", status, problem: "it is not a JSON object" }
    : interpretSuccess(status, body.value, asked)
}

/**
 * Whether the server may have acted on a request although it did not say so.
 *
 * @since 0.1.0
 */
export const mayHaveActed = (outcome: TokenOutcome): boolean =>
  outcome._tag === "NoResponse" ||
  outcome._tag === "Unavailable" ||
  (outcome._tag === "Malformed" && outcome.status >= 200 && outcome.status < 300)
