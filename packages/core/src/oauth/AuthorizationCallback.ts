/**
 * The redirect back from the consent page: the authorization response of RFC 6749 section 4.1.2.
 *
 * Parsing is strict, because anyone can call a redirect URI. The callback must have exactly one `state`, and exactly one of
 * `code` and `error`, each once and not empty (RFC 6749 section 3.1 forbids repeated parameters). `state` and `code` are
 * printable ASCII (appendices A.5 and A.11) of at most 4,096 characters. A query that a framework has parsed may hold any
 * value; anything but text or a list of texts is refused. Other parameters are ignored, as section 4.1.2 requires.
 *
 * @since 0.1.0
 */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as OAuthError from "../internal/oauthError.ts"
import { InvalidCallback } from "../ZapierAuthError.ts"

/**
 * The forms of a callback: its URL, path and query, query string (with or without `?`), or parsed parameters.
 *
 * @since 0.1.0
 */
export type Input =
  | string
  | URL
  | URLSearchParams
  | { readonly [name: string]: string | ReadonlyArray<string> | undefined }

/**
 * A parsed callback.
 *
 * - `Code`: the user agreed.
 * - `Error`: the user or Zapier refused. `error` is a code that OAuth defines, or a phrase that says it is not one.
 *
 * @since 0.1.0
 */
export type Callback =
  | { readonly _tag: "Code"; readonly state: Redacted.Redacted; readonly code: Redacted.Redacted }
  | { readonly _tag: "Error"; readonly state: Redacted.Redacted; readonly error: string }

const queryOf = (text: string): string => {
  const isUrl = text.startsWith("/") || /^[a-z][a-z\d+.-]*:\/\//i.test(text)
  // A query string; URLSearchParams ignores its leading question mark.
  if (!isUrl) return text
  const beforeFragment = text.split("#", 1)[0] ?? ""
  const start = beforeFragment.indexOf("?")
  return start === -1 ? "" : beforeFragment.slice(start + 1)
}

// Frameworks ignore the declared types: some parse `code[a]=1` into an object.
const valuesOf = (input: string | object): ((name: string) => ReadonlyArray<unknown>) => {
  if (typeof input === "string") return valuesOf(new URLSearchParams(queryOf(input)))
  if (input instanceof URL) return valuesOf(input.searchParams)
  if (input instanceof URLSearchParams) return (name) => input.getAll(name)
  return (name) => {
    const value = Object.hasOwn(input, name) ? input[name as keyof typeof input] : undefined
    return value === undefined || value === null ? [] : Array.isArray(value) ? value : [value]
  }
}

// Zapier's codes have 30 characters, and our `state` has 43.
const longest = 4_096

const problemOf = (text: string): string | undefined => {
  if (text === "") return "is empty"
  if (text.length > longest) return `has more than ${longest} characters`
  return /^[\x20-\x7E]+$/.test(text) ? undefined : "has characters that are not printable ASCII"
}

/**
 * Parses a callback. Fails with `InvalidCallback`, which says what is wrong but never repeats a value.
 *
 * @example
 * ```ts
 * import * as AuthorizationCallback from "@zapier-workflow-auth/core/oauth/AuthorizationCallback"
 * import * as Result from "effect/Result"
 *
 * const tagOf = (url: string) => Result.map(AuthorizationCallback.parse(url), ({ _tag }) => _tag)
 *
 * tagOf("/zapier/callback?code=abc&state=xyz") // => Result.succeed("Code")
 * tagOf("?error=access_denied&state=xyz") // => Result.succeed("Error")
 *
 * // The code appears more than once.
 * Result.isFailure(tagOf("?code=abc&code=def&state=xyz")) // => true
 * ```
 *
 * @since 0.1.0
 */
export const parse = (input: Input): Result.Result<Callback, InvalidCallback> =>
  Result.gen(function* () {
    if (typeof input !== "string" && (typeof input !== "object" || input === null)) {
      return yield* Result.fail(
        new InvalidCallback({ problem: "the callback must be its URL or its query parameters" })
      )
    }
    const values = valuesOf(input)
    const fail = (problem: string) => Result.fail(new InvalidCallback({ problem }))
    const atMostOne = (name: string): Result.Result<string | undefined, InvalidCallback> => {
      const [first, ...more] = values(name)
      if (more.length > 0) return fail(`${name} appears more than once`)
      if (first === undefined) return Result.succeed(first)
      if (typeof first !== "string") return fail(`${name} is not text`)
      const problem = problemOf(first)
      return problem === undefined ? Result.succeed(first) : fail(`${name} ${problem}`)
    }
    const state = yield* atMostOne("state")
    const code = yield* atMostOne("code")
    const error = yield* atMostOne("error")
    if (state === undefined) return yield* fail("state is missing")
    if (code !== undefined && error !== undefined) return yield* fail("it has both code and error")
    if (code !== undefined) return { _tag: "Code", state: Redacted.make(state), code: Redacted.make(code) }
    if (error === undefined) return yield* fail("it has neither code nor error")
    return { _tag: "Error", state: Redacted.make(state), error: OAuthError.sanitize(error) }
  })
