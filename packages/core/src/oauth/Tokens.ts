/**
 * The tokens of a token response. They are `Redacted`: hidden in logs, errors, `inspect` and `JSON.stringify`, and readable
 * only with `Redacted.value`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaIssue from "effect/SchemaIssue"
import { InClear } from "../internal/inClear.ts"
import * as Scopes from "./Scopes.ts"

const forbidden = /* @__PURE__ */ new SchemaIssue.Forbidden({ message: "Cannot serialize Redacted" })

/**
 * A secret text. Encoding it as JSON fails on purpose; stores use `RecordCodec`.
 *
 * @since 0.1.0
 */
export const Secret = /* @__PURE__ */ Schema.Redacted(Schema.NonEmptyString).annotate({
  toCodecJson: () =>
    Schema.link<Redacted.Redacted>()(Schema.NonEmptyString, {
      decode: SchemaGetter.transform((plain: string) => Redacted.make(plain)),
      encode: SchemaGetter.transformEffect((secret: Redacted.Redacted) =>
        Effect.flatMap(InClear, (isAllowed) =>
          isAllowed ? Effect.succeed(Redacted.value(secret)) : Effect.fail(forbidden)
        )
      )
    })
})

/**
 * A point in time, in milliseconds since the epoch.
 *
 * @since 0.1.0
 */
export const Instant = Schema.Finite

const accessFields = {
  /** The access token. */
  accessToken: Secret,
  /** The granted scopes. */
  scopes: /* @__PURE__ */ Schema.Array(Scopes.Scope),
  /** When its request began: the base of its lifetime. */
  obtainedAt: Instant,
  /** When it counts as expired. */
  expiresAt: Instant,
  /** When it replaced a token that the API had rejected, if it did. */
  replacedAt: /* @__PURE__ */ Schema.optionalKey(Instant)
}

/**
 * An access token, its scopes and its times.
 *
 * @since 0.1.0
 */
export const Access = /* @__PURE__ */ Schema.Struct(accessFields)

/**
 * @since 0.1.0
 */
export type Access = typeof Access.Type

/**
 * An access token with its family and generation, which identify it if the API rejects it.
 *
 * @since 0.1.0
 */
export interface UsableAccess extends Access {
  /** The token family: the consent it descends from, or `app` for the app's own. */
  readonly family: string
  /** Rises by one with every renewal. */
  readonly generation: number
}

/**
 * The tokens of a token response. Without `refreshToken`, the previous refresh token stays valid (RFC 6749 section 6).
 *
 * @since 0.1.0
 */
export const Tokens = /* @__PURE__ */ (() =>
  Schema.Struct({ ...accessFields, refreshToken: Schema.optionalKey(Secret) }))()

/**
 * @since 0.1.0
 */
export type Tokens = typeof Tokens.Type

/**
 * Tokens with a refresh token.
 *
 * @since 0.1.0
 */
export const Renewable = /* @__PURE__ */ (() => Schema.Struct({ ...accessFields, refreshToken: Secret }))()

/**
 * @since 0.1.0
 */
export type Renewable = typeof Renewable.Type

// In characters. Node accepts this much for all headers together; other servers accept less.
const longestHeader = 16_384

/**
 * True if a header can carry the text as an access token.
 *
 * It must be printable ASCII (RFC 6749 appendix A.12), without surrounding white space, which would be lost on the way, and
 * at most 16 kB long.
 *
 * @example
 * ```ts
 * import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
 *
 * Tokens.isBearable("mF_9.B5f-4.1JqM") // => true
 * Tokens.isBearable("two\nlines") // => false
 * ```
 *
 * @since 0.1.0
 */
export const isBearable = (text: string): boolean =>
  text.length <= longestHeader && /^[\x21-\x7E](?:[\x20-\x7E]*[\x21-\x7E])?$/.test(text)

/**
 * True if the access token has not expired and the API has not rejected it.
 *
 * @param now milliseconds since the epoch
 *
 * @example
 * ```ts
 * import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
 *
 * Tokens.isLive({ obtainedAt: 0, expiresAt: 36_000_000 }, 1_000) // => true
 * Tokens.isLive({ obtainedAt: 0, expiresAt: 36_000_000 }, 36_000_000) // => false
 * ```
 *
 * @since 0.1.0
 */
export const isLive = (access: Pick<Access, "obtainedAt" | "expiresAt">, now: number): boolean =>
  now < access.expiresAt && !isRejected(access)

/**
 * When to replace a live access token: `ahead` before it expires, but never before its last tenth.
 *
 * The bound keeps tokens with a short life from being replaced at each use.
 *
 * @param ahead milliseconds
 *
 * @since 0.1.0
 */
export const dueAt = (access: Pick<Access, "obtainedAt" | "expiresAt">, ahead: number): number =>
  access.expiresAt - Math.min(ahead, (access.expiresAt - access.obtainedAt) / 10)

/**
 * True if the API has rejected the access token. Its lifetime is then zero, so that no clock revives it.
 *
 * @since 0.1.0
 */
export const isRejected = (access: Pick<Access, "obtainedAt" | "expiresAt">): boolean =>
  access.expiresAt <= access.obtainedAt

/**
 * Marks the access token as rejected by the API.
 *
 * @since 0.1.0
 */
export const reject = <A extends Pick<Access, "obtainedAt" | "expiresAt">>(access: A): A =>
  isRejected(access) ? access : { ...access, expiresAt: access.obtainedAt }

/**
 * True if the access token replaced a rejected one less than `interval` ago.
 *
 * If the API rejects it too, the endpoint is more likely at fault than the token.
 *
 * @param now milliseconds since the epoch
 * @param interval milliseconds
 *
 * @since 0.1.0
 */
export const isReplacement = ({ replacedAt }: Pick<Access, "replacedAt">, now: number, interval: number): boolean =>
  replacedAt !== undefined && replacedAt <= now && now - replacedAt < interval

/**
 * Wraps a secret text.
 *
 * @since 0.1.0
 */
export const secret = (text: string): typeof Secret.Type => Redacted.make(text)
