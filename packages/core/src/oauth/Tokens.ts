/**
 * What a token answer grants, as the library keeps it. Tokens are `Redacted`: they do not show in logs, errors,
 * `inspect` or `JSON.stringify`, and only `Redacted.value` opens them.
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
 * A secret text. Encoding it to JSON fails on purpose; a store that has to write it uses `RecordCodec`.
 *
 * @since 0.1.0
 */
export const Secret = /* @__PURE__ */ Schema.Redacted(Schema.NonEmptyString, { disallowJsonEncode: true }).annotate({
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
  /** What it allows. */
  scopes: /* @__PURE__ */ Schema.Array(Scopes.Scope),
  /** When the request for it began: the base of its lifetime. */
  obtainedAt: Instant,
  /** When it is to be taken as expired. */
  expiresAt: Instant,
  /** When it replaced a token that the API had rejected, if it did. */
  replacedAt: /* @__PURE__ */ Schema.optionalKey(Instant)
}

/**
 * An access token and what is known of it.
 *
 * @since 0.1.0
 */
export const Access = /* @__PURE__ */ Schema.Struct(accessFields)

/**
 * @since 0.1.0
 */
export type Access = typeof Access.Type

/**
 * An access token with the generation that it belongs to, to be named if the API rejects it.
 *
 * @since 0.1.0
 */
export interface UsableAccess extends Access {
  /** The token family: which consent it descends from; `app` for the app's own. */
  readonly family: string
  /** One higher with every renewal. */
  readonly generation: number
}

/**
 * Everything that a token answer grants. Without `refreshToken` the old refresh token, if there is one, stays good
 * (RFC 6749 section 6).
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
 * Tokens that can be renewed: they have a refresh token.
 *
 * @since 0.1.0
 */
export const Renewable = /* @__PURE__ */ (() => Schema.Struct({ ...accessFields, refreshToken: Secret }))()

/**
 * @since 0.1.0
 */
export type Renewable = typeof Renewable.Type

// What servers take of headers at most, in characters: Node takes as much for all of them, others take less.
const longestHeader = 16_384

/**
 * True for a text that a header can carry as an access token: printable ASCII (RFC 6749 appendix A.12), without white
 * space around it, which would be lost on the way, and no longer than 16 kB.
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
 * True for an access token that has time left and that the API has not rejected.
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
 * When a live access token should be replaced: it has `ahead` left, but never while it has more than a tenth of its life
 * left, so that tokens with a short life are not replaced at each use.
 *
 * @param ahead milliseconds
 *
 * @since 0.1.0
 */
export const dueAt = (access: Pick<Access, "obtainedAt" | "expiresAt">, ahead: number): number =>
  access.expiresAt - Math.min(ahead, (access.expiresAt - access.obtainedAt) / 10)

/**
 * True for an access token that the API has rejected. Its life has no length, so that no clock brings it back.
 *
 * @since 0.1.0
 */
export const isRejected = (access: Pick<Access, "obtainedAt" | "expiresAt">): boolean =>
  access.expiresAt <= access.obtainedAt

/**
 * The same access, as one that the API has rejected.
 *
 * @since 0.1.0
 */
export const reject = <A extends Pick<Access, "obtainedAt" | "expiresAt">>(access: A): A =>
  isRejected(access) ? access : { ...access, expiresAt: access.obtainedAt }

/**
 * True for an access token that has replaced a rejected one less than `interval` ago. If the API rejects it as well, the
 * cause is more likely the endpoint than the token.
 *
 * @param now milliseconds since the epoch
 * @param interval milliseconds
 *
 * @since 0.1.0
 */
export const isReplacement = ({ replacedAt }: Pick<Access, "replacedAt">, now: number, interval: number): boolean =>
  replacedAt !== undefined && replacedAt <= now && now - replacedAt < interval

/**
 * Wraps a text that must not show.
 *
 * @since 0.1.0
 */
export const secret = (text: string): typeof Secret.Type => Redacted.make(text)
