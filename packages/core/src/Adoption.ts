/**
 * Takes over tokens that an app obtained without this library, so that its users need not reconnect.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Scopes from "./oauth/Scopes.ts"
import * as TokenOutcome from "./oauth/TokenOutcome.ts"
import * as Tokens from "./oauth/Tokens.ts"
import { ZapierAuth } from "./ZapierAuth.ts"
import type { ZapierAuthError } from "./ZapierAuthError.ts"
import * as CallerChecks from "./internal/callerChecks.ts"

/**
 * A user's existing tokens, from before the app used this library.
 *
 * @since 0.1.0
 */
export interface Row {
  /** The app's own id of its user, as passed to `authorizationUrl`. */
  readonly subject: string
  /** The user's newest refresh token. It works once: no other program may use it from now on. */
  readonly refreshToken: string | Redacted.Redacted
  /** The granted scopes: a list, or text with spaces. If unknown, the requested ones. */
  readonly scopes: string | ReadonlyArray<Scopes.Scope>
  /** The access token. Without it, or without `expiresAt`, the first call refreshes. */
  readonly accessToken?: string | Redacted.Redacted | null | undefined
  /** When the access token expires: a `Date`, its text in ISO 8601, or milliseconds since the epoch. */
  readonly expiresAt?: Date | string | number | null | undefined
}

type Checked<A> = Result.Result<A, ZapierAuthError>

const refuse = (setting: string, problem: string): Checked<never> => Result.fail(CallerChecks.invalid(setting, problem))

const tokenOf = (setting: string, value: unknown): Checked<typeof Tokens.Secret.Type> => {
  const text = Redacted.isRedacted(value) ? Redacted.value(value) : value
  return typeof text === "string" && Tokens.isBearable(text)
    ? Result.succeed(Tokens.secret(text))
    : refuse(setting, "give the token as Zapier issued it: text of printable ASCII, without spaces around it")
}

const scopesOf = (value: unknown): Checked<ReadonlyArray<Scopes.Scope>> => {
  const scopes = typeof value === "string" || Array.isArray(value) ? Scopes.parseGranted(value) : []
  return scopes.length > 0
    ? Result.succeed(scopes)
    : refuse("scopes", 'give the granted scopes, such as ["zap"] or "zap zap:write"')
}

// March 1973 in milliseconds; in seconds, the year 5138.
const leastMillis = 100_000_000_000

const timeOf = (value: unknown): Checked<number> => {
  const time = typeof value === "string" ? Date.parse(value) : Number(value)
  if (!Number.isFinite(time)) {
    return refuse("expiresAt", "give a Date, its text in ISO 8601, or milliseconds since the epoch, or omit it")
  }
  return time < leastMillis
    ? refuse("expiresAt", "give milliseconds since the epoch, not seconds, or omit it")
    : Result.succeed(time)
}

const lifetime = TokenOutcome.documentedLifetime * 1000

// Stands for an unknown token: it counts as rejected, so it is never sent.
const unknown = { accessToken: Tokens.secret("unknown"), obtainedAt: 0, expiresAt: 0 }

const accessOf = (given: unknown, expiresAt: unknown): Checked<Omit<Tokens.Access, "scopes">> => {
  if (given === undefined || given === null) return Result.succeed(unknown)
  return Result.flatMap(tokenOf("accessToken", given), (accessToken) =>
    expiresAt === undefined || expiresAt === null
      ? Result.succeed(unknown)
      : Result.map(timeOf(expiresAt), (time) => ({ accessToken, obtainedAt: time - lifetime, expiresAt: time }))
  )
}

// A database row may hold anything, despite its type.
const parse = (row: unknown): Checked<{ readonly subject: string; readonly tokens: Tokens.Tokens }> =>
  Result.gen(function* () {
    if (!CallerChecks.isRecord(row)) return yield* refuse("row", "pass an object with subject, refreshToken and scopes")
    const { accessToken, expiresAt, refreshToken, scopes, subject } = row
    const wrong = CallerChecks.subject(subject)
    if (wrong !== undefined) return yield* Result.fail(wrong)
    const tokens = {
      ...(yield* accessOf(accessToken, expiresAt)),
      refreshToken: yield* tokenOf("refreshToken", refreshToken),
      scopes: yield* scopesOf(scopes)
    }
    return { subject: subject as string, tokens }
  })

/**
 * Adopts a user's tokens. Returns true if it did, and false if the user already has a grant, which is kept.
 *
 * It can be repeated, and sends nothing to Zapier. Fails with `InvalidConfig`, which names the invalid member of the row, and
 * with `StoreFailed`.
 *
 * @example
 * ```ts
 * import * as Adoption from "@zapier-workflow-auth/core/Adoption"
 * import * as Stream from "effect/Stream"
 *
 * export const adoptAll = (rows: Stream.Stream<Adoption.Row>) =>
 *   Stream.runForEach(rows, Adoption.adopt)
 * ```
 *
 * @since 0.1.0
 */
export const adopt = Effect.fn("Adoption.adopt")(function* (row: Row) {
  const { subject, tokens } = yield* Effect.fromResult(parse(row))
  return yield* (yield* ZapierAuth).adopt(subject, tokens)
})
