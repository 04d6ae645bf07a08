/**
 * Validates callers' arguments at run time, because JavaScript programs ignore types. Each check returns an error or
 * `undefined`.
 */
import * as Scopes from "../oauth/Scopes.ts"
import { InvalidConfig, ZapierAuthError } from "../ZapierAuthError.ts"
import * as TextProblem from "./textProblem.ts"

type Checked = ZapierAuthError | undefined

export const invalid = (setting: string, problem: string): ZapierAuthError =>
  ZapierAuthError.make(new InvalidConfig({ setting, problem }))

/** True for an object with named members. */
export const isRecord = (value: unknown): value is { readonly [name: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

// Every store accepts keys of this many bytes of UTF-8.
const longestKey = 1_000

// A fast path for most subjects, because every call has one.
const plainSubject = /^[\x20-\x7E]{1,255}$/

const subjectChecks = [
  TextProblem.unpaired,
  TextProblem.holds(/\p{Cc}/u, "a control character"),
  TextProblem.longerThan(longestKey)
]

export const subject = (value: unknown): Checked => {
  if (typeof value === "string" && plainSubject.test(value)) return undefined
  const problem = TextProblem.first(value, ...subjectChecks)
  return problem === undefined ? undefined : invalid("subject", `${problem}; give the app's own id of the user`)
}

/** @param least the minimum number of scopes */
export const scopes = (value: unknown, least: 0 | 1): Checked => {
  if (!Array.isArray(value)) return invalid("scopes", 'give a list of scopes, such as ["zap"]')
  if (value.length < least) {
    return invalid("scopes", "request at least one scope; Endpoint.leastScopes finds them")
  }
  if (!value.every((scope) => typeof scope === "string" && Scopes.isAskable(scope))) {
    return invalid("scopes", "give each scope as a separate text, without spaces, commas, quotes or backslashes")
  }
  const problem = TextProblem.longerThan(longestKey)(Scopes.format(value))
  return problem === undefined ? undefined : invalid("scopes", `${problem}; request fewer`)
}

const isOptional =
  (is: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === undefined || is(value)

const isText = (value: unknown) => typeof value === "string"

const isBoolean = isOptional((value) => typeof value === "boolean")

const isTexts = isOptional((value) => isRecord(value) && Object.values(value).every(isOptional(isText)))

const authorizationParts: ReadonlyArray<readonly [string, (value: unknown) => boolean, string]> = [
  ["redirectUri", isOptional(isText), "give one of the application's redirect URIs, as text"],
  ["incremental", isBoolean, "give true or false"],
  ["pkce", isBoolean, "give true or false"],
  ["page", isOptional((value) => value === "Current" || value === "Legacy"), 'give "Current" or "Legacy"'],
  ["signUp", isTexts, "give an object of texts: email, firstName, lastName"],
  ["campaign", isTexts, "give an object of texts: referer, utmCampaign, utmContent, utmMedium, utmSource"]
]

/** Checks the options of an authorization request. */
export const authorization = (options: unknown): Checked => {
  if (!isRecord(options)) return invalid("options", 'pass an object, such as { subject: "ada", scopes: ["zap"] }')
  const wrong = subject(options["subject"]) ?? scopes(options["scopes"], 1)
  if (wrong !== undefined) return wrong
  const part = authorizationParts.find(([name, is]) => !is(options[name]))
  return part && invalid(part[0], part[2])
}

// The types that a query can be parsed to. Others are mistakes: a request, a map, a promise of the parameters.
const parsed: ReadonlySet<string> = new Set(["Object", "URL", "URLSearchParams"].map((name) => `[object ${name}]`))

const isQuery = (input: unknown) =>
  isRecord(input) && parsed.has(Object.prototype.toString.call(input)) && typeof input["on"] !== "function"

/** Checks a callback's type and its subject. The content comes from the browser and is validated elsewhere. */
export const callback = (input: unknown, options: unknown): Checked => {
  if (typeof input !== "string" && !isQuery(input)) {
    return invalid("input", "give the callback's URL as text, for example request.url, or its query parameters")
  }
  return isRecord(options)
    ? subject(options["subject"])
    : invalid("options", "pass an object with the subject: the user who is signed in where the callback arrived")
}
