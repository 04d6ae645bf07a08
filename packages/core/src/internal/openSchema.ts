/**
 * Schemas for what somebody else may extend at any time: members and values that are not known yet survive decoding and
 * encoding. Types name only what is documented, so that a misspelled member does not compile.
 */
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"

const anyMember = Schema.Record(Schema.String, Schema.Unknown)

/** An object with these members and, at run time, any others. */
export const struct = <const F extends Schema.Struct.Fields>(
  fields: F
): Schema.Codec<Schema.Struct.Type<F>, Schema.Struct.Encoded<F>> =>
  Schema.StructWithRest(Schema.Struct(fields), [anyMember]) as never

/** Text that is one of these as far as is documented, and may be another. */
export const literals = <const L extends ReadonlyArray<string>>(
  ...known: L
): Schema.Codec<L[number] | (string & {}), string> =>
  Schema.String.annotate({ examples: known, expected: `text such as ${known.join(", ")}` })

// An element with a comma in it would be read as two.
const Element = Schema.String.check(Schema.isPattern(/^[^,]+$/, { expected: "text without a comma" }))

/** A list in a query parameter: its elements, separated by commas. */
export const commaSeparated: Schema.Codec<ReadonlyArray<string>, string> = Schema.String.pipe(
  Schema.decodeTo(
    Schema.Array(Element),
    SchemaTransformation.transform({
      decode: (text: string): ReadonlyArray<string> => (text === "" ? [] : text.split(",")),
      encode: (elements: ReadonlyArray<string>) => elements.join(",")
    })
  )
)

/** A list of texts that are one of these as far as is documented. */
export const commaSeparatedLiterals = <const L extends ReadonlyArray<string>>(
  ..._known: L
): Schema.Codec<ReadonlyArray<L[number] | (string & {})>, string> => commaSeparated

// An empty segment or a dot segment would name another endpoint; half a surrogate pair has no encoding.
const isSegment = (text: string) => text !== "." && text !== ".." && text.isWellFormed()

/** A parameter of a path. */
export const pathParameter = Schema.NonEmptyString.check(
  Schema.makeFilter(isSegment, { expected: "text that is one segment of a path" })
)
