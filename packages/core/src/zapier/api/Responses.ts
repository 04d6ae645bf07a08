/**
 * Schemas shared by the responses of many endpoints: pages and errors.
 *
 * Decoding keeps undocumented members. They exist at run time, but not in the types.
 *
 * Sources: Zapier's OpenAPI description (2024.11.0), and its page "Responses".
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Open from "../../internal/openSchema.ts"

const { Finite, NullOr, String, Unknown, optionalKey } = Schema

/**
 * Links to other pages of version 2.
 *
 * @since 0.1.0
 */
export const Links = Open.struct({ next: optionalKey(NullOr(String)), prev: optionalKey(NullOr(String)) })

/**
 * The number of entries, and the part of them on this page.
 *
 * @since 0.1.0
 */
export const Meta = Open.struct({ count: Finite, limit: NullOr(Finite), offset: optionalKey(Finite) })

/**
 * Like `Meta`, for endpoints for which Zapier documents no members.
 *
 * @since 0.1.0
 */
export const FreeformMeta = Open.struct({
  count: optionalKey(Finite),
  limit: optionalKey(NullOr(Finite)),
  offset: optionalKey(Finite)
})

/**
 * A page of version 2.
 *
 * @internal
 */
export const page = <S extends Schema.Codec<unknown, unknown>>(entry: S) =>
  Open.struct({ links: Links, meta: Meta, data: Schema.Array(entry) })

/**
 * A page of version 2 that may lack its entries.
 *
 * @internal
 */
export const pageOrNone = <S extends Schema.Codec<unknown, unknown>>(entry: S) =>
  Open.struct({ links: Links, meta: Meta, data: optionalKey(Schema.Array(entry)) })

/**
 * A page of version 2 with undocumented counts.
 *
 * @internal
 */
export const freeformPage = <S extends Schema.Codec<unknown, unknown>>(entry: S) =>
  Open.struct({ links: Links, meta: FreeformMeta, data: Schema.Array(entry) })

/**
 * A page of version 1.
 *
 * @internal
 */
export const pageV1 = <S extends Schema.Codec<unknown, unknown>>(entry: S) =>
  Open.struct({ next: NullOr(String), previous: NullOr(String), count: Finite, objects: Schema.Array(entry) })

/**
 * The addresses of an image in four sizes.
 *
 * @since 0.1.0
 */
export const Images = Open.struct({ url_16x16: String, url_32x32: String, url_64x64: String, url_128x128: String })

/**
 * One error of the envelope. `status` is a number in some responses and text in others.
 *
 * @since 0.1.0
 */
export const ErrorObject = Open.struct({
  status: optionalKey(NullOr(Schema.Union([Finite, String]))),
  code: optionalKey(NullOr(String)),
  title: optionalKey(NullOr(String)),
  detail: optionalKey(NullOr(String)),
  source: optionalKey(
    NullOr(Open.struct({ pointer: optionalKey(String), parameter: optionalKey(String), header: optionalKey(String) }))
  ),
  meta: optionalKey(NullOr(Open.struct({})))
})

/**
 * The envelope of errors, in the style of JSON:API.
 *
 * @since 0.1.0
 */
export const ErrorResponse = Open.struct({ errors: Schema.Array(ErrorObject) })

const at = <S extends Schema.Top>(schema: S, status: number) => schema.pipe(HttpApiSchema.status(status))

/**
 * The errors of every endpoint, by the statuses that Zapier documents.
 *
 * @internal
 */
export const errors = [400, 401, 403, 404, 409, 429, 500, 503, 504].map((status) => at(ErrorResponse, status))

/**
 * A response with a body. The documented status comes first; the other of 200 and 201 is accepted too.
 *
 * @internal
 */
export const body = <S extends Schema.Top>(schema: S, status: 200 | 201 = 200) =>
  [at(schema, status), at(schema, status === 200 ? 201 : 200)] as const

/**
 * A response that Zapier does not document: any body with 200, 201 or 202, or none with 204.
 *
 * @internal
 */
export const undocumented = [...[200, 201, 202].map((status) => at(Unknown, status)), HttpApiSchema.NoContent] as const
