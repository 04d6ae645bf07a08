/**
 * Texts that a careless store or cipher would mix up. What holds of every store is in the testing package.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"

// Separators, quotes, escapes, and halves of surrogate pairs.
const Awkward = Schema.Union([
  Schema.String,
  Schema.Array(
    Schema.Literals(["a", '"', ",", "[", "]", "\\", "\\u0000", "\0", ":", "/", "|", " ", "-", "\ud800", "😀"])
  ).check(Schema.isMaxLength(6))
])

/** Texts of all kinds of characters. */
export const awkward: Arbitrary.Arbitrary<string> = Arbitrary.map(Arbitrary.schema(Awkward), (text) =>
  typeof text === "string" ? text : text.join("")
)
