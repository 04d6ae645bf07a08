/**
 * The outcomes of token requests. `interpret` reads an HTTP response; the shell reports outcomes without a response.
 *
 * A response is read by its content, not by its `Content-Type`: Zapier documents a token response with the header
 * `multipart/form-data` over a body of JSON. An invalid response becomes `Malformed`, never an exception, and no outcome
 * repeats what a body held.
 *
 * A successful response may have replaced the tokens at Zapier, so nothing usable in it is thrown away. The access token is
 * read strictly; every other member is optional and treated as missing if unusable:
 *
 * | member | usable | otherwise |
 * |---|---|---|
 * | `access_token` | printable ASCII that a header can carry (RFC 6749 appendix A.12) | `Malformed` |
 * | `refresh_token` | any well-formed text that is not blank | the old one stays valid (RFC 6749 section 6) |
 * | `scope` | scopes separated by white space or commas, also as a list | the requested scopes (RFC 6749 section 5.1) |
 * | `expires_in` | a finite positive number, also fractional, also as text; at most a year | Zapier's documented 36,000 s; if the token expires earlier, the API responds 401 |
 * | `token_type` | `Bearer` in any case | taken as `Bearer` |
 *
 * A body of form parameters instead of JSON is read too. `oddities` names the members that deviate from RFC 6749, usable or
 * not.
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
 * A part of a token response that deviates from RFC 6749: a member, or a `body` that is not JSON.
 *
 * @since 0.1.0
 */
export const Oddity = Schema.Literals(["body", "error", "expires_in", "refresh_token", "scope", "token_type"])

/**
 * @since 0.1.0
 */
export type Oddity = typeof Oddity.Type

/**
 * The outcome of a token request.
 *
 * - `Granted`: tokens. `oddities` lists deviations in the response, if any.
 * - `InvalidGrant`: the code or refresh token was refused.
 * - `InvalidClient`: the client id or secret was refused.
 * - `Refused`: another error of RFC 6749 section 5.2.
 * - `RateLimited`: 429. `retryAfter` in milliseconds.
 * - `Unavailable`: 5xx, or an equivalent error code. The request may have been processed.
 * - `Malformed`: a response without meaning; after a 2xx the request may have been processed. `refreshToken` is set if it is
 *   usable.
 * - `NotSent`: the request never left, or never reached a server.
 * - `NotTried`: not sent, for the given reason or because no time was left.
 * - `NoResponse`: the request left, and no complete response came in time.
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
 * The lifetime of Zapier's access tokens in seconds, if a response does not say.
 *
 * @since 0.1.0
 */
export const documentedLifetime = 36_000

const longestLifetime = 365 * 24 * 60 * 60

/**
 * The pause after a 429 without a readable `Retry-After`, in milliseconds: Zapier's documented cool-down.
 *
 * @internal
 */
export const coolDown = 60_000

/**
 * The longest pause that a response can impose, in milliseconds.
 *
 * @internal
 */
export const longestPause = 60 * 60 * 1000

/**
 * How much of a response's body is read at most, in bytes.
 *
 * @internal
 */
export const longestBody = 64 * 1024

// The longest header that is read, in characters. An HTTP date has at most 33.
const longestHeader = 100

const secondsOf = (expiresIn: unknown): number | undefined => {
  const seconds = typeof expiresIn === "string" ? Number(expiresIn) : expiresIn
  return typeof seconds === "number" && seconds > 0 && seconds < Infinity ? seconds : undefined
}

/**
 * Reads any value of `expires_in` as a lifetime in milliseconds.
 *
 * @internal
 */
export const lifetime = (expiresIn: unknown): number => {
  const seconds = Math.min(secondsOf(expiresIn) ?? documentedLifetime, longestLifetime)
  return Math.max(1, Math.floor(seconds * 1000))
}

/**
 * The pause that a response asks for by `Retry-After`, in milliseconds.
 *
 * At most an hour; the documented cool-down if the header cannot be read; `undefined` without the header. An HTTP date is
 * measured from the response's own `Date`, because the two machines' clocks may differ, or else from `now`.
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
export const retryAfter = (headers: TokenResponse["headers"], now: number): number | undefined => {
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
 * The relevant parts of an HTTP response.
 *
 * @since 0.1.0
 */
export interface TokenResponse {
  readonly status: number
  /** Names in lower case. */
  readonly headers: { readonly [name: string]: string | undefined }
  readonly body: string
  /** True if the body was longer than `longestBody` and the rest was not read. Default: false. */
  readonly isTruncated?: boolean | undefined
}

interface Body {
  readonly [member: string]: unknown
}

const parseJson = Option.liftThrowable((text: string): unknown => JSON.parse(text))

const isJsonObject = (value: unknown): value is Body => Predicate.isObject(value) && !Array.isArray(value)

const readJson = (text: string): Body | undefined => Option.getOrUndefined(Option.filter(parseJson(text), isJsonObject))

// Accept nothing but parameters, so that no HTML page passes.
const isForm = (text: string) => /^[\w.~*+%:/,-]+=[\w.~*+%:/,=&-]*$/.test(text)

const readForm = (text: string): Body | undefined =>
  isForm(text) ? Object.fromEntries(new URLSearchParams(text)) : undefined

/**
 * True once the partial body is a complete JSON object, so that reading can end.
 *
 * @internal
 */
export const isComplete = (body: string): boolean => {
  const text = body.trim()
  return text.endsWith("}") && readJson(text) !== undefined
}

const isBearable = (token: unknown): token is string => typeof token === "string" && Tokens.isBearable(token)

// Unlike a header, a form carries any text.
const isUsable = (token: unknown): token is string =>
  typeof token === "string" && token.trim() !== "" && token.isWellFormed()

// Content types that may be shown; others may hold anything.
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

const describeType = (headers: TokenResponse["headers"]): string => {
  const type = headers["content-type"]?.slice(0, longestHeader).split(";", 1)[0]?.trim().toLowerCase()
  if (type === undefined || type === "") return ""
  return ` (Content-Type: ${contentTypes.has(type) ? type : "another"})`
}

// A schema's parser would weigh more in a bundle.
const isErrorCode = (error: unknown): error is string => typeof error === "string" && error !== ""

/**
 * The facts of a request on which the meaning of its response depends.
 *
 * @since 0.1.0
 */
export interface Asked {
  /** The requested scopes: granted unless the response says otherwise. */
  readonly scopes: ReadonlyArray<Scopes.Scope>
  /** When the request began, in milliseconds since the epoch: the base of `expires_in`. */
  readonly startedAt: number
  /** When the response came, in milliseconds since the epoch: the base of a `Retry-After` date if it has no `Date`. */
  readonly now: number
}

// Codes of a server in trouble (RFC 6749 section 4.1.2.1), which some servers use at the token endpoint too.
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
    // Null counts as missing.
    const value = oddity === "body" ? body : body[oddity]
    return value !== undefined && value !== null && isOdd[oddity](value)
  })
}

const interpretSuccess = (status: number, body: Body, isForm: boolean, asked: Asked): TokenOutcome => {
  const { access_token, expires_in, refresh_token, scope } = body
  if (!isBearable(access_token)) {
    const isMissing = access_token === undefined || access_token === null || access_token === ""
    const problem = isMissing ? "it contains no access token" : "its access token cannot be sent in a header"
    const kept = isUsable(refresh_token) ? { refreshToken: Tokens.secret(refresh_token) } : {}
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
      ...(isUsable(refresh_token) ? { refreshToken: Tokens.secret(refresh_token) } : {})
    },
    ...(oddities.length === 0 ? {} : { oddities })
  }
}

/**
 * The outcome that the status alone determines, or `undefined` if it depends on the body.
 *
 * @param now milliseconds since the epoch
 *
 * @internal
 */
export const ofStatus = ({ headers, status }: Omit<TokenResponse, "body">, now: number): TokenOutcome | undefined => {
  const pause = retryAfter(headers, now)
  if (status === 429) return { _tag: "RateLimited", retryAfter: pause ?? coolDown }
  if (status >= 500) return { _tag: "Unavailable", status, retryAfter: pause }
  // With `redirect: "manual"`, fetch reports a redirect as status 0.
  return status < 200 || (status >= 300 && status < 400)
    ? { _tag: "Malformed", status, problem: "it is a redirect, which is never followed with credentials" }
    : undefined
}

/**
 * Interprets a response of the token endpoint. Never throws.
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
export const interpret = (response: TokenResponse, asked: Asked): TokenOutcome => {
  const decided = ofStatus(response, asked.now)
  if (decided !== undefined) return decided
  const { headers, status } = response
  // A truncated body has no meaning. `trim` also removes a byte order mark, which JSON does not allow.
  const text = response.isTruncated === true ? "" : response.body.trim()
  const json = readJson(text)
  const body = json ?? readForm(text)
  const isSuccess = status < 400
  const error = body?.["error"]
  // Some servers report errors with status 200. An access token beside the error is kept, or it would be lost.
  if (isErrorCode(error) && !(isSuccess && isBearable(body?.["access_token"])))
    return interpretError(error, status, retryAfter(headers, asked.now))
  if (status === 401) return { _tag: "InvalidClient" }
  if (isSuccess && body !== undefined) return interpretSuccess(status, body, json === undefined, asked)
  const problem =
    response.isTruncated === true
      ? `it is longer than ${longestBody / 1024} kB`
      : isSuccess
        ? "it is not a JSON object"
        : "it contains no error code"
  return { _tag: "Malformed", status, problem: `${problem}${describeType(headers)}` }
}

/**
 * True if the server may have acted on the request without saying so.
 *
 * @since 0.1.0
 */
export const mayHaveActed = (outcome: TokenOutcome): boolean =>
  outcome._tag === "NoResponse" ||
  outcome._tag === "Unavailable" ||
  (outcome._tag === "Malformed" && outcome.status >= 200 && outcome.status < 300)
