/**
 * Takes over tokens that an app got without this library, so that its users need not connect again.
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
 * A user's tokens that the app has already, from before it used this library.
 *
 * @since 0.1.0
 */
export interface Row {
  /** The app's own name for its user, the same that `authorizationUrl` takes. */
  readonly subject: string
  /** The user's newest refresh token. It works once: nothing else may use it from now on. */
  readonly refreshToken: string | Redacted.Redacted
  /** What the user has granted: a list, or text with spaces. If it is not known, what the app asked for. */
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
    : refuse("scopes", 'say what the user has granted, such as ["zap"] or "zap zap:write"')
}

// March 1973 in milliseconds; in seconds, the year 5138.
const leastMillis = 100_000_000_000

const timeOf = (value: unknown): Checked<number> => {
  const time = typeof value === "string" ? Date.parse(value) : Number(value)
  if (!Number.isFinite(time)) {
    return refuse("expiresAt", "give a Date, its text in ISO 8601, or milliseconds since the epoch, or leave it out")
  }
  return time < leastMillis
    ? refuse("expiresAt", "give milliseconds since the epoch, not seconds, or leave it out")
    : Result.succeed(time)
}

const lifetime = TokenOutcome.documentedLifetime * 1000

// Stands for a token that is not known: as a rejected one, it is never sent.
const unknown = { accessToken: Tokens.secret("unknown"), obtainedAt: 0, expiresAt: 0 }

const accessOf = (given: unknown, expiresAt: unknown): Checked<Omit<Tokens.Access, "scopes">> => {
  if (given === undefined || given === null) return Result.succeed(unknown)
  return Result.flatMap(tokenOf("accessToken", given), (accessToken) =>
    expiresAt === undefined || expiresAt === null
      ? Result.succeed(unknown)
      : Result.map(timeOf(expiresAt), (time) => ({ accessToken, obtainedAt: time - lifetime, expiresAt: time }))
  )
}

// Types do not keep a row of a database from holding anything.
const parse = (row: unknown): Checked<{ readonly subject: string; readonly tokens: Tokens.Tokens }> =>
  Result.gen(function* () {
    if (!CallerChecks.isRecord(row)) return yield* refuse("row", "give an object with subject, refreshToken and scopes")
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
 * Adopts the tokens of a user. True if it did; a user who has a grant already keeps it, so that it may be run again. Nothing
 * is sent to Zapier.
 *
 * Fails with `InvalidConfig`, which names the member of the row that is no use, and `StoreFailed`.
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
