/**
 * Records as text, for stores that keep them outside of the process: JSON, with the secrets in plain. Whoever may read
 * the text may use the tokens in it.
 *
 * @since 0.1.0
 */
import type * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Tuple from "effect/Tuple"
import * as AppCredential from "../machine/AppCredential.ts"
import * as ConsentAttempt from "../machine/ConsentAttempt.ts"
import type { Grant } from "./GrantStore.ts"
import * as UserGrant from "../machine/UserGrant.ts"
import * as Tokens from "../oauth/Tokens.ts"
import type { Stored } from "./VersionedStore.ts"

/**
 * Writes and reads records of one kind.
 *
 * @since 0.1.0
 */
export interface RecordCodec<A> {
  /** The text of a record. */
  readonly encode: (record: A) => string
  /** The record of a text, or nothing if it is not the text of such a record. */
  readonly decode: (text: string) => Option.Option<A>
}

// Secrets refuse to be encoded by accident; here it is meant.
const reveal = (value: unknown): unknown => {
  if (Redacted.isRedacted(value)) return Redacted.value(value)
  if (Array.isArray(value)) return value.map(reveal)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, reveal(part)]))
}

const make = <A>(schema: Schema.ConstraintDecoder<A>): RecordCodec<A> => {
  const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.toCodecJson(schema)))
  return { encode: (record) => JSON.stringify(reveal(record)), decode: (text) => decode(text) }
}

const sealable = Schema.fieldsAssign({ seal: Schema.optionalKey(Tokens.Secret) })

const { Active, ReconnectRequired, Refreshing } = UserGrant.State.cases
const { Completed, Denied, Exchanging, Expired, Failed, Pending } = ConsentAttempt.Stored.cases
const app = AppCredential.State.cases

/**
 * Users' grants.
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
export const grant: RecordCodec<Grant> = make(
  Schema.Union([Active, Refreshing, ReconnectRequired]).mapMembers(Tuple.map(sealable))
)

/**
 * Consent attempts.
 *
 * @since 0.1.0
 */
export const attempt: RecordCodec<Stored<ConsentAttempt.Stored>> = make(
  Schema.Union([Completed, Denied, Exchanging, Expired, Failed, Pending]).mapMembers(Tuple.map(sealable))
)

/**
 * The app's own tokens.
 *
 * @since 0.1.0
 */
export const appCredential: RecordCodec<Stored<AppCredential.State>> = make(
  Schema.Union([app.Absent, app.Active, app.Requesting]).mapMembers(Tuple.map(sealable))
)
