/**
 * What came of a token request. `interpret` reads an HTTP answer; the outcomes without an answer are made by the shell.
 *
 * An answer is read by its content and not by its `Content-Type`: Zapier documents a token answer whose header says
 * `multipart/form-data` over a body of JSON. What is not a valid answer becomes `Malformed`, never an exception, and no
 * outcome repeats what a body held.
 *
 * A successful answer may have replaced the tokens at Zapier, so that nothing usable in it is thrown away. The access
 * token is read strictly; everything beside it is optional, and treated as missing where it cannot be used:
 *
 * | member | usable | otherwise |
 * |---|---|---|
 * | `access_token` | printable ASCII that a header can carry (RFC 6749 appendix A.12) | `Malformed` |
 * | `refresh_token` | any text that is not blank and well-formed | the old one stays good (RFC 6749 section 6) |
 * | `scope` | scopes separated by white space or commas, also as a list | what was asked for (RFC 6749 section 5.1) |
 * | `expires_in` | a finite positive number, also fractional, also as text; at most a year | Zapier's documented 36,000 s; should the token end earlier, the API's 401 tells |
 * | `token_type` | `Bearer` in any case | taken as `Bearer` |
 *
 * A body that is not JSON, but parameters as a form has them, is read as well. `oddities` names the members that are not
 * as RFC 6749 has them, whether they could be used or not.
 *
 * Sources: RFC 6749 sections 5.1 and 5.2 and appendix A; RFC 6750 section 2.1; RFC 9110 section 10.2.3 (`Retry-After`);
 * Zapier's "Authentication" and "Rate limiting" pages of the Workflow API.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Headers from "effect/http/Headers"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Reason } from "../ZapierAuthError.ts"
import * as OAuthError from "../internal/oauthError.ts"
import * as Scopes from "./Scopes.ts"
import * as Tokens from "./Tokens.ts"

/**
 * A part of a token response that is not as RFC 6749 has it: a member, or the `body` that is not JSON.
 *
 * @since 0.1.0
 */
export const Oddity = Schema.Literals(["body", "error", "expires_in", "refresh_token", "scope", "token_type"])

/**
 * @since 0.1.0
 */
export type Oddity = typeof Oddity.Type

/**
 * - `Granted`: tokens. `oddities` says what else in the response is not as it should be, if anything.
 * - `InvalidGrant`: the code or refresh token is not taken.
 * - `InvalidClient`: the client id or secret is not taken.
 * - `Refused`: another error of RFC 6749 section 5.2.
 * - `RateLimited`: 429. `retryAfter` in milliseconds.
 * - `Unavailable`: 5xx, or an error code that says as much. It may have been processed all the same.
 * - `Malformed`: an answer that says nothing; after a 2xx it may have been processed. `refreshToken` where that much of it
 *   can be used.
 * - `NotSent`: it never left, or never reached a server.
 * - `NotTried`: it was not sent: for the reason, or because no time was left.
 * - `NoResponse`: it left, and no whole answer came back in time.
 *
 * @since 0.1.0
 */
export type TokenOutcome =
  | {
      readonly _tag: "Granted"
      readonly tokens: Tokens.Tokens
      readonly oddities?: ReadonlyArray<Oddity> | undefined
    }
  | { readonly _tag: "InvalidGrant" }
  | { readonly _tag: "InvalidClient" }
  | { readonly _tag: "Refused"; readonly error: string }
  | { readonly _tag: "RateLimited"; readonly retryAfter: number }
  | { readonly _tag: "Unavailable"; readonly status: number; readonly retryAfter: number | undefined }
  | {
      readonly _tag: "Malformed"
      readonly status: number
      readonly problem: string
      readonly refreshToken?: typeof Tokens.Secret.Type | undefined
    }
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
 * @internal
 */
export const coolDown = 60_000

/**
 * The longest pause that an answer is granted, in milliseconds.
 *
 * @internal
 */
export const longestPause = 60 * 60 * 1000

/**
 * The longest body that is read of an answer, in bytes.
 *
 * @internal
 */
export const longestBody = 64 * 1024

// The longest header that is read, in characters. An HTTP date has 33 at most.
const longestHeader = 100

const secondsOf = (expiresIn: unknown): number | undefined => {
  const seconds = typeof expiresIn === "string" ? Number(expiresIn) : expiresIn
  return typeof seconds === "number" && seconds > 0 && seconds < Infinity ? seconds : undefined
}

/**
 * The life of a token in milliseconds, out of whatever an answer has as `expires_in`.
 *
 * @internal
 */
export const lifetime = (expiresIn: unknown): number => {
  const seconds = Math.min(secondsOf(expiresIn) ?? documentedLifetime, longestLifetime)
  return Math.max(1, Math.floor(seconds * 1000))
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
  if (header.length > longestHeader) return coolDown
  const date = headers["date"] ?? ""
  const sentAt = Result.match(Headers.parseHttpDate(date.length > longestHeader ? "" : date), {
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
  /** Whether the body was longer than `longestBody`, so that no more of it was read. Default: no. */
  readonly isTruncated?: boolean | undefined
}

interface Body {
  readonly [member: string]: unknown
}

const parseJson = Option.liftThrowable((text: string): unknown => JSON.parse(text))

const isJsonObject = (value: unknown): value is Body => Predicate.isObject(value) && !Array.isArray(value)

const readJson = (text: string): Body | undefined => Option.getOrUndefined(Option.filter(parseJson(text), isJsonObject))

// Parameters and nothing else, so that no page is taken for them.
const isForm = (text: string) => /^[\w.~*+%:/,-]+=[\w.~*+%:/,=&-]*$/.test(text)

const readForm = (text: string): Body | undefined =>
  isForm(text) ? Object.fromEntries(new URLSearchParams(text)) : undefined

/**
 * True once a body that is still being read says all that it can: a JSON object is complete.
 *
 * @internal
 */
export const isComplete = (body: string): boolean => {
  const text = body.trim()
  return text.endsWith("}") && readJson(text) !== undefined
}

const isBearable = (token: unknown): token is string => typeof token === "string" && Tokens.isBearable(token)

// A form carries any text.
const isPresentable = (token: unknown): token is string =>
  typeof token === "string" && token.trim() !== "" && token.isWellFormed()

// Content types that may be repeated: a header can hold anything.
const contentTypes = new Set([
  "application/json",
  "application/octet-stream",
  "application/problem+json",
  "application/x-www-form-urlencoded",
  "application/xhtml+xml",
  "application/xml",
  "multipart/form-data",
  "text/html",
  "text/plain",
  "text/xml"
])

const describeType = (headers: Answer["headers"]): string => {
  const type = headers["content-type"]?.slice(0, longestHeader).split(";", 1)[0]?.trim().toLowerCase()
  if (type === undefined || type === "") return ""
  return ` (Content-Type: ${contentTypes.has(type) ? type : "another"})`
}

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

// The codes of a server in trouble (RFC 6749 section 4.1.2.1), which some servers use at the token endpoint as well.
const interpretError = (error: string, status: number, retryAfter: number | undefined): TokenOutcome => {
  switch (error) {
    case "server_error":
    case "temporarily_unavailable":
      return { _tag: "Unavailable", status, retryAfter }
    case "invalid_grant":
      return { _tag: "InvalidGrant" }
    case "invalid_client":
      return { _tag: "InvalidClient" }
    default:
      return { _tag: "Refused", error: OAuthError.sanitize(error) }
  }
}

const odditiesOf = (body: Body, isForm: boolean): ReadonlyArray<Oddity> => {
  const isOdd: { readonly [oddity in Oddity]: (value: unknown) => boolean } = {
    body: () => isForm,
    error: () => true,
    expires_in: (value) => (secondsOf(value) ?? Infinity) > longestLifetime,
    refresh_token: (value) => !isBearable(value),
    scope: (value) => typeof value !== "string" || value.trim() === "" || !Scopes.parse(value).every(Scopes.isAskable),
    token_type: (value) => typeof value !== "string" || !/^bearer$/i.test(value)
  }
  return Oddity.literals.filter((oddity) => {
    // A member that is null is as good as missing.
    const value = oddity === "body" ? body : body[oddity]
    return value !== undefined && value !== null && isOdd[oddity](value)
  })
}

const interpretSuccess = (status: number, body: Body, isForm: boolean, asked: Asked): TokenOutcome => {
  const { access_token, expires_in, refresh_token, scope } = body
  if (!isBearable(access_token)) {
    const isMissing = access_token === undefined || access_token === null || access_token === ""
    const problem = isMissing ? "it holds no access token" : "it holds an access token that no header can carry"
    const kept = isPresentable(refresh_token) ? { refreshToken: Tokens.secret(refresh_token) } : {}
    return { _tag: "Malformed", status, problem, ...kept }
  }
  const scopes = Scopes.parseGranted(scope)
  const oddities = odditiesOf(body, isForm)
  return {
    _tag: "Granted",
    tokens: {
      accessToken: Tokens.secret(access_token),
      scopes: scopes.length === 0 ? asked.scopes : scopes,
      obtainedAt: asked.startedAt,
      expiresAt: asked.startedAt + lifetime(expires_in),
      ...(isPresentable(refresh_token) ? { refreshToken: Tokens.secret(refresh_token) } : {})
    },
    ...(oddities.length === 0 ? {} : { oddities })
  }
}

/**
 * Whether a status says what the outcome is, whatever the body holds.
 *
 * @internal
 */
export const isDecidedBy = (status: number): boolean =>
  status < 200 || (status >= 300 && status < 400) || status === 429 || status >= 500

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
  // The beginning of a body says nothing. A byte order mark is white space to `trim`, and not to JSON.
  const text = answer.isTruncated === true ? "" : answer.body.trim()
  const json = readJson(text)
  const body = json ?? readForm(text)
  const isSuccess = status < 300
  const error = body?.["error"]
  // Some servers report errors with the status 200. An access token beside one is taken all the same: it would be lost.
  if (isErrorCode(error) && !(isSuccess && isBearable(body?.["access_token"])))
    return interpretError(error, status, pause)
  if (status === 401) return { _tag: "InvalidClient" }
  if (isSuccess && body !== undefined) return interpretSuccess(status, body, json === undefined, asked)
  const problem =
    answer.isTruncated === true
      ? `it is longer than ${longestBody / 1024} kB`
      : isSuccess
        ? "it is not a JSON object"
        : "it holds no error code"
  return { _tag: "Malformed", status, problem: `${problem}${describeType(answer.headers)}` }
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
