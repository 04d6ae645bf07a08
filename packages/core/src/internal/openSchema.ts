/**
 * Schemas that Zapier may extend at any time: unknown members and values survive decoding and encoding. Types name only
 * documented members, so that a misspelled one does not compile.
 */
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"

const anyMember = Schema.Record(Schema.String, Schema.Unknown)

/** An object with these members and, at run time, any others. */
export const struct = <const F extends Schema.Struct.Fields>(
  fields: F
): Schema.Codec<Schema.Struct.Type<F>, Schema.Struct.Encoded<F>> =>
  Schema.StructWithRest(Schema.Struct(fields), [anyMember]) as never

/** One of the documented texts, or any other. */
export const literals = <const L extends ReadonlyArray<string>>(
  ...known: L
): Schema.Codec<L[number] | (string & {}), string> =>
  Schema.String.annotate({ examples: known, expected: `text such as ${known.join(", ")}` })

// An element with a comma would be read as two.
const Element = Schema.String.check(Schema.isPattern(/^[^,]+$/, { expected: "text without a comma" }))

/** A list in a query parameter, separated by commas. */
export const commaSeparated: Schema.Codec<ReadonlyArray<string>, string> = Schema.String.pipe(
  Schema.decodeTo(
    Schema.Array(Element),
    SchemaTransformation.transform({
      decode: (text: string): ReadonlyArray<string> => (text === "" ? [] : text.split(",")),
      encode: (elements: ReadonlyArray<string>) => elements.join(",")
    })
  )
)

/** A list of the documented texts, or any others. */
export const commaSeparatedLiterals = <const L extends ReadonlyArray<string>>(
  ..._known: L
): Schema.Codec<ReadonlyArray<L[number] | (string & {})>, string> => commaSeparated

// An empty or dot segment would name another endpoint; an unpaired surrogate has no encoding.
const isSegment = (text: string) => text !== "." && text !== ".." && text.isWellFormed()

/** A path parameter. */
export const pathParameter = Schema.NonEmptyString.check(
  Schema.makeFilter(isSegment, { expected: "text that is one segment of a path" })
)
