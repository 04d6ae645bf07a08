/**
 * Encodes records as JSON, for stores outside the process. Secrets are in plain: readers of the text can use the tokens.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { InClear } from "../internal/inClear.ts"
import * as Tuple from "effect/Tuple"
import * as AppCredential from "../machine/AppCredential.ts"
import * as ConsentAttempt from "../machine/ConsentAttempt.ts"
import type { Grant } from "./GrantStore.ts"
import * as UserGrant from "../machine/UserGrant.ts"
import * as Tokens from "../oauth/Tokens.ts"
import type { Stored } from "./VersionedStore.ts"

/**
 * Encodes and decodes records of one kind.
 *
 * @since 0.1.0
 */
export interface RecordCodec<A> {
  /** Encodes a record. */
  readonly encode: (record: A) => string
  /** Decodes a record. None if the text is not such a record. */
  readonly decode: (text: string) => Option.Option<A>
}

/**
 * Makes a codec for the records of a schema.
 *
 * One schema serves both directions, so that a transformed field, such as a duration, is read as it was written. Secrets of
 * `Tokens.Secret` are written in plain.
 *
 * @example
 * ```ts
 * import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
 * import * as RecordCodec from "@zapier-workflow-auth/core/store/RecordCodec"
 * import * as Schema from "effect/Schema"
 *
 * const Pause = Schema.Struct({ for: Schema.Duration, token: Tokens.Secret })
 *
 * const { decode, encode } = RecordCodec.make(Pause)
 * ```
 *
 * @since 0.1.0
 */
export const make = <A, I>(schema: Schema.Codec<A, I>): RecordCodec<A> => {
  const storage = Schema.fromJsonString(Schema.toCodecJson(schema))
  const decode = Schema.decodeUnknownOption(storage)
  // Validate on reading only: a failed write would lose a token.
  const encode = Schema.encodeEffect(storage, { disableChecks: true })
  return {
    encode: (record) => Effect.runSync(Effect.provideService(encode(record), InClear, true)),
    decode: (text) => decode(text)
  }
}

/**
 * The `problem` of `StoreFailed` for a record that its codec cannot decode.
 *
 * @since 0.1.0
 */
export const unreadable =
  "this version of the library does not understand the record, and has not changed it; it was altered, or a newer version wrote it"

// Lazy, so that programs with records in memory start faster.
const lazily = <A, I>(schema: () => Schema.Codec<A, I>): RecordCodec<A> => {
  let made: RecordCodec<A> | undefined
  const codec = () => (made ??= make(schema()))
  return { encode: (record) => codec().encode(record), decode: (text) => codec().decode(text) }
}

const sealable = () => Schema.fieldsAssign({ seal: Schema.optionalKey(Tokens.Secret) })

/**
 * The codec of users' grants.
 *
 * @example
 * ```ts
 * import * as RecordCodec from "@zapier-workflow-auth/core/store/RecordCodec"
 * import * as Option from "effect/Option"
 *
 * RecordCodec.grant.decode("{}") // => Option.none()
 * ```
 *
 * @since 0.1.0
 */
export const grant: RecordCodec<Grant> = /* @__PURE__ */ lazily(() => {
  const { Active, ReconnectRequired, Refreshing } = UserGrant.State.cases
  return Schema.Union([Active, Refreshing, ReconnectRequired]).mapMembers(Tuple.map(sealable()))
})

/**
 * The codec of consent attempts.
 *
 * @since 0.1.0
 */
export const attempt: RecordCodec<Stored<ConsentAttempt.Stored>> = /* @__PURE__ */ lazily(() => {
  const { Completed, Denied, Exchanging, Expired, Failed, Pending } = ConsentAttempt.Stored.cases
  return Schema.Union([Completed, Denied, Exchanging, Expired, Failed, Pending]).mapMembers(Tuple.map(sealable()))
})

/**
 * The codec of the app's own tokens.
 *
 * @since 0.1.0
 */
export const appCredential: RecordCodec<Stored<AppCredential.State>> = /* @__PURE__ */ lazily(() => {
  const { Absent, Active, Requesting } = AppCredential.State.cases
  return Schema.Union([Absent, Active, Requesting]).mapMembers(Tuple.map(sealable()))
})
