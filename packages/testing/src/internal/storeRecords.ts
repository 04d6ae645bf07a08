/** Records and texts for the laws of stores: whether two records are the same, and texts that a store may mix up. */
import * as Arbitrary from "effect/Arbitrary"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

const isObject = (value: unknown): value is { readonly [name: string]: unknown } =>
  typeof value === "object" && value !== null

/**
 * Where two records differ first, secrets included: `Redacted` values look alike to every other comparison. No value is
 * told.
 */
export const difference = (a: unknown, b: unknown, path = ""): string | undefined => {
  const place = path === "" ? "the record" : path
  if (Redacted.isRedacted(a) && Redacted.isRedacted(b)) return difference(Redacted.value(a), Redacted.value(b), place)
  if (Redacted.isRedacted(a) || Redacted.isRedacted(b)) return place
  if (!isObject(a) || !isObject(b)) return a === b ? undefined : place
  if (Array.isArray(a) !== Array.isArray(b)) return place
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const found = difference(a[name], b[name], path === "" ? name : `${path}.${name}`)
    if (found !== undefined) return found
  }
  return undefined
}

// What a careless key would mix up: separators, quotes, escapes, patterns, halves of surrogate pairs, the ends of Unicode.
const parts = [
  ...Array.from("aAbé\"',[]{}\\\0:;/|-%_*?\t\n 😀\uffff\u{10ffff}\ufffd"),
  "\ud800",
  "\udc00",
  "e\u0301",
  "\\u0000",
  "__proto__"
]

/** Texts of all kinds of characters. */
export const awkward: Arbitrary.Arbitrary<string> = Arbitrary.map(
  Arbitrary.schema(Schema.Union([Schema.String, Schema.Array(Schema.Literals(parts)).check(Schema.isMaxLength(6))])),
  (text) => (typeof text === "string" ? text : text.join(""))
)

/** Different texts that look alike to somebody: without case, white space, accents, or what a database cannot store. */
export const lookalikes: ReadonlyArray<string> = [
  ["", " ", "\0", "\t", "\n", "\r\n", "\u00a0", "\u200b", "null", "undefined", "0", "00", "1", "01", "1.0", "1e0"],
  ["user", "User", "USER", " user", "user ", "user\0", "user\0a", "user\n", "us", "user\u200b", "\ufeffuser"],
  ["%", "%%", "_", "__", "user%", "user_", "us%r", "us_r", "*", "?", "\\", "\\\\", "\\%", "\\_", "\\0", "\\u0000"],
  ["é", "e\u0301", "e", "E\u0301", "É", "ß", "ss", "SS", "\ufb00", "ff", "i", "I", "\u0130", "\u0131"],
  ["\ud800", "\udc00", "\ud83d", "\ude00", "😀", "😁", "\ufffd", "\ufffd\ufffd", "\\ud800", "\uffff", "\u{10ffff}"],
  ['"', '""', "'", "''", "'; --", "[", "]", ",", '","', ":", "/", "//", ".", "..", "__proto__", "constructor"]
].flat()

// Letters in no order, so that compressing them does not help much; the same each time.
const noise = (length: number) => {
  let state = 1
  let text = ""
  while (text.length < length) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    text += String.fromCodePoint(97 + ((state >>> 24) % 26))
  }
  return text
}

/** Texts of a thousand characters that differ at one end, or in length. */
export const long: ReadonlyArray<string> = ["", "a", "b"].flatMap((end) => [
  `${noise(1_000)}${end}`,
  `${end}x${noise(1_000)}`
])

/** Texts that a record has to bear. */
export const values: ReadonlyArray<readonly [name: string, text: string]> = [
  ["NUL", "a\0b\0"],
  ["quotes and escapes", "\"'`\\\\u0000\\\"''%_$1?;--"],
  ["white space", " \t\r\n\u2028\u2029\u00a0 "],
  ["accents, and the same in two characters", "éé e\u0301"],
  ["emoji", "😀👩‍👩‍👧‍👦\u{10ffff}\uffff"],
  ["half of a surrogate pair", "a\ud800b\udc00"],
  ["markup", '{"_tag":"Absent"}</script>]]>'],
  ["a megabyte", noise(1_000_000)]
]

/** Every way to make two texts of one, next to each other, or with a character of it between them. */
export const splits = (text: string): ReadonlyArray<readonly [string, string]> => {
  const places = Array.from({ length: text.length + 1 }, (_, place) => place)
  return [
    ...places.map((place) => [text.slice(0, place), text.slice(place)] as const),
    ...places.slice(0, -1).map((place) => [text.slice(0, place), text.slice(place + 1)] as const)
  ]
}
