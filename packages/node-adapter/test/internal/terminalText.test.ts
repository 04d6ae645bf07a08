import { execFileSync } from "node:child_process"
import { describe, expect, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { shown, typed } from "../../src/cli/shown.ts"
import { oneLine, printable, quote } from "../../src/internal/terminalText.ts"

const pieces = [
  "a'\"\\$`",
  " ",
  "\n",
  "\t",
  "\r",
  "\r\n",
  "\u0000",
  "\u0007",
  "\u001b[2J",
  "\u001b]0;title\u0007",
  "\u007f",
  "\u0080",
  "\u009b31m",
  "\u009d0;title\u009c",
  "\u061c",
  "\u200e",
  "\u2028",
  "\u202e",
  "\u2066",
  "日本",
  "😀",
  "\ud800",
  "\\u001b"
]

// All kinds of texts, and many of those that do something to a terminal.
const Text = Schema.Union([Schema.String, Schema.Array(Schema.Literals(pieces))])

const toText = (drawn: typeof Text.Type) => (typeof drawn === "string" ? drawn : drawn.join(""))

/** Everything that a terminal obeys, as code points, apart from what begins a line or a column. */
const isUnsafe = (text: string) =>
  Array.from(text.replaceAll("\r\n", "\n"), (character) => character.codePointAt(0) ?? 0).some(
    (code) =>
      (code < 0x20 && code !== 0x09 && code !== 0x0a) ||
      (code >= 0x7f && code <= 0x9f) ||
      [0x061c, 0x200e, 0x200f, 0x2028, 0x2029].includes(code) ||
      (code >= 0x202a && code <= 0x202e) ||
      (code >= 0x2066 && code <= 0x2069)
  )

describe("printable", () => {
  it.prop("holds nothing that a terminal obeys", { text: Text }, ({ text }) => {
    expect(isUnsafe(printable(toText(text)))).toBe(false)
  })

  it.prop("leaves all else as it is, and is done once", { text: Text }, ({ text }) => {
    const safe = printable(toText(text))
    expect(printable(safe)).toBe(safe)
    if (!isUnsafe(toText(text))) expect(safe).toBe(toText(text))
  })

  it.prop("leaves JSON the same JSON", { text: Text }, ({ text }) => {
    expect(JSON.parse(printable(JSON.stringify(toText(text))))).toBe(toText(text))
  })

  it.each(["\u001b", "\u009b", "\u0085", "\r", "\u202e", "\u2028", "\u0000", "\u007f"])(
    "shows %j as its code",
    (character) => {
      const code = character.charCodeAt(0).toString(16).padStart(4, "0")
      expect(printable(`a${character}b`)).toBe(`a\\u${code}b`)
    }
  )
})

describe("oneLine and shown", () => {
  it.prop("are one line without a tab, and hold nothing that a terminal obeys", { text: Text }, ({ text }) => {
    for (const safe of [oneLine(toText(text)), shown(toText(text))]) {
      expect(safe).not.toMatch(/[\n\t\r]/)
      expect(isUnsafe(safe)).toBe(false)
    }
    expect(JSON.parse(shown(toText(text)))).toBe(toText(text))
  })
})

describe("quote and typed", () => {
  it.prop("are one line that a terminal can show", { text: Text }, ({ text }) => {
    for (const safe of [quote(toText(text)), typed(toText(text))]) {
      expect(safe).not.toMatch(/[\n\t\r]/)
      expect(isUnsafe(safe)).toBe(false)
    }
  })

  it
    .skipIf(process.platform === "win32")
    .each([
      "",
      "it's",
      "a b",
      "$(rm x) `y` \\",
      "日本 😀",
      ...pieces.filter((piece) => piece.isWellFormed() && piece !== "\u0000"),
      "a\u001b\n7'\\"
    ])("gives a shell %j back", (text) => {
    for (const word of [quote(text), typed(text)]) {
      expect(execFileSync("bash", ["-c", `printf %s ${word}`], { encoding: "utf8" })).toBe(text)
    }
  })
})
