/** Keys and texts for the conformance suite that a store may confuse. */
import type * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import * as Draw from "../../internal/draw.ts"

/** The keys and records of a kind of store. */
export interface Kind<Key, A> {
  /** A key with this name, in plain letters. */
  readonly keyOf: (place: string, name: string) => Key
  /** Distinct keys that look alike in some way. */
  readonly lookalikes: (place: string) => ReadonlyArray<Key>
  /** Keys of a thousand characters, if the store takes keys of that length. */
  readonly long?: (place: string) => ReadonlyArray<Key>
  /** Generated sets of distinct keys. */
  readonly awkward: Arbitrary.Arbitrary<(place: string) => ReadonlyArray<Key>>
  /** All possible records. */
  readonly records: Arbitrary.Arbitrary<A>
  /** Adapts the record so that it may be stored under the key. */
  readonly fit: (key: Key, record: A) => A
  /** A record that holds the number. */
  readonly record: (key: Key, number: number) => A
  readonly numberOf: (record: A) => number | undefined
  /** The record with this seal. */
  readonly sealed: (record: A, seal: typeof Tokens.Secret.Type) => A
  /** A record with the text in every field that takes any text. */
  readonly recordOfText: (key: Key, text: string) => A
}

// Parts that a careless key would confuse: separators, quotes, escapes, patterns, unpaired surrogates, the ends of
// Unicode.
const parts = [
  ...Array.from("aAbé\"',[]{}\\\0:;/|-%_*?\t\n 😀\uffff\u{10ffff}\ufffd"),
  "\ud800",
  "\udc00",
  "e\u0301",
  "\\u0000",
  "__proto__"
]

/** Texts with all kinds of characters. */
export const awkward: Arbitrary.Arbitrary<string> = Arbitrary.map(
  Arbitrary.schema(Schema.Union([Schema.String, Schema.Array(Schema.Literals(parts)).check(Schema.isMaxLength(6))])),
  (text) => (typeof text === "string" ? text : text.join(""))
)

/** Distinct texts that some databases confuse: by case, white space, accents, or characters that they cannot store. */
export const lookalikes: ReadonlyArray<string> = [
  ["", " ", "\0", "\t", "\n", "\r\n", "\u00a0", "\u200b", "null", "undefined", "0", "00", "1", "01", "1.0", "1e0"],
  ["user", "User", "USER", " user", "user ", "user\0", "user\0a", "user\n", "us", "user\u200b", "\ufeffuser"],
  ["%", "%%", "_", "__", "user%", "user_", "us%r", "us_r", "*", "?", "\\", "\\\\", "\\%", "\\_", "\\0", "\\u0000"],
  ["é", "e\u0301", "e", "E\u0301", "É", "ß", "ss", "SS", "\ufb00", "ff", "i", "I", "\u0130", "\u0131"],
  ["\ud800", "\udc00", "\ud83d", "\ude00", "😀", "😁", "\ufffd", "\ufffd\ufffd", "\\ud800", "\uffff", "\u{10ffff}"],
  ['"', '""', "'", "''", "'; --", "[", "]", ",", '","', ":", "/", "//", ".", "..", "__proto__", "constructor"]
].flat()

// Random letters, so that they hardly compress; the same each time.
const noise = (length: number) => {
  let state = 1
  let text = ""
  while (text.length < length) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    text += String.fromCodePoint(97 + ((state >>> 24) % 26))
  }
  return text
}

// Texts of a thousand characters that differ at one end, or in length.
const long = ["", "a", "b"].flatMap((end) => [`${noise(1_000)}${end}`, `${end}x${noise(1_000)}`])

/** A text of this length. */
export const large = (length: number): readonly [name: string, text: string] => [`${length} characters`, noise(length)]

/** The size of a record's texts, unless a store declares another. */
export const megabyte = 1_000_000

/** Texts that a record has to preserve. */
export const values: ReadonlyArray<readonly [name: string, text: string]> = [
  ["NUL", "a\0b\0"],
  ["quotes and escapes", "\"'`\\\\u0000\\\"''%_$1?;--"],
  ["white space", " \t\r\n\u2028\u2029\u00a0 "],
  ["accents, and the same in two characters", "éé e\u0301"],
  ["emoji", "😀👩‍👩‍👧‍👦\u{10ffff}\uffff"],
  ["half of a surrogate pair", "a\ud800b\udc00"],
  ["markup", '{"_tag":"Absent"}</script>]]>']
]

// Splits a text into two at every place, also leaving out the character between them.
const splits = (text: string): ReadonlyArray<readonly [string, string]> => {
  const split = (left: number) =>
    Array.from(
      { length: text.length + 1 - left },
      (_, place) => [text.slice(0, place), text.slice(place + left)] as const
    )
  return [...split(0), ...split(1)]
}

type Keys<Key> = Pick<Kind<Key, never>, "keyOf" | "lookalikes" | "long" | "awkward">

/** Keys made of two texts. The unique prefix of a check begins the first. */
export const pairs = <Key>(make: (first: string, second: string) => Key): Keys<Key> => ({
  keyOf: (place, name) => make(place, name),
  lookalikes: (place) =>
    lookalikes.flatMap((text) => [make(place, text), make(`${place}${text}~`, ""), make(`${place}!${text}`, text)]),
  long: (place) => long.flatMap((text) => [make(place, text), make(`${place}${text}`, "a")]),
  awkward: Arbitrary.map(
    awkward,
    (text) => (place) => splits(text).map(([first, second]) => make(`${place}${first}`, second))
  )
})

/** Keys that are digests in base64url. */
export const digests: Keys<string> = {
  keyOf: (place, name) => `${place}${name}`,
  lookalikes: (place) =>
    ["", ..."abc ABC Abc ab a-b a_b ab- ab_ -ab _ab 0 00 1 1e0 - _ -- __".split(" ")].map((text) => `${place}${text}`),
  awkward: Arbitrary.map(
    Arbitrary.array(Draw.pattern(/^[aAbBzZ09_-]{0,6}$/), { maxLength: 12 }),
    (texts) => (place) => {
      const alike = texts.flatMap((text) => [text, text.toUpperCase(), text.toLowerCase(), text.replaceAll("-", "_")])
      return Array.from(new Set(alike), (text) => `${place}${text}`)
    }
  )
}
