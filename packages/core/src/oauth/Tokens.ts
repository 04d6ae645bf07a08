/**
 * What a token answer grants, as the library keeps it. Tokens are `Redacted`: they do not show in logs, errors,
 * `inspect` or `JSON.stringify`, and only `Redacted.value` opens them.
 *
 * @since 0.1.0
 */
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Scopes from "./Scopes.ts"

/**
 * A secret text. Encoding it to JSON fails on purpose; a store that has to write it uses a codec of its own.
 *
 * @since 0.1.0
 */
export const Secret = Schema.Redacted(Schema.NonEmptyString, { disallowJsonEncode: true })

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
  scopes: Schema.Array(Scopes.Scope),
  /** When the request for it began: the base of its lifetime. */
  obtainedAt: Instant,
  /** When it is to be taken as expired. */
  expiresAt: Instant
}

/**
 * An access token and what is known of it.
 *
 * @since 0.1.0
 */
export const Access = Schema.Struct(accessFields)

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
  /** Which consent it descends from; `app` for the app's own. */
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
export const Tokens = Schema.Struct({ ...accessFields, refreshToken: Schema.optionalKey(Secret) })

/**
 * @since 0.1.0
 */
export type Tokens = typeof Tokens.Type

/**
 * Whether the access token has time left.
 *
 * @param now milliseconds since the epoch
 *
 * @since 0.1.0
 */
export const isLive = (access: Pick<Access, "expiresAt">, now: number): boolean => now < access.expiresAt

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
 * The same access, as one that has no time left: the API said so.
 *
 * @param now milliseconds since the epoch
 *
 * @since 0.1.0
 */
export const expire = <A extends Pick<Access, "expiresAt">>(access: A, now: number): A =>
  access.expiresAt <= now ? access : { ...access, expiresAt: now }

/**
 * Wraps a text that must not show.
 *
 * @since 0.1.0
 */
export const secret = (text: string): typeof Secret.Type => Redacted.make(text)
