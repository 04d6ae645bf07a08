/**
 * Secrets in tests. `Redacted` values look alike to `toEqual`, so that an assertion about them could not fail: `reveal`
 * opens them first.
 */
import * as Redacted from "effect/Redacted"
import * as Tokens from "../../src/oauth/Tokens.ts"

const mapSecrets = (value: unknown, f: (secret: Redacted.Redacted<unknown>) => unknown): unknown => {
  if (Redacted.isRedacted(value)) return f(value)
  if (Array.isArray(value)) return value.map((item) => mapSecrets(item, f))
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapSecrets(item, f)]))
}

/** The value with each secret as `{ secret: "its text" }`. */
export const reveal = (value: unknown): unknown => mapSecrets(value, (secret) => ({ secret: Redacted.value(secret) }))

/** The value with one and the same text for each secret. */
export const withSecret = <A>(value: A, text: string): A => mapSecrets(value, () => Tokens.secret(text)) as A
