import { describe, expect, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { escape, successor, unescape } from "../../src/store/KeyText.ts"

const pieces = ["a", "\\", "\\0", "\\u", "\\ud800", "\0", "\ud800", "\udfff", "😀", "d800", "\uffff", "\u{10ffff}", "%"]

// All kinds of texts, and many of those that an escape might confuse.
const Text = Schema.Union([Schema.String, Schema.Array(Schema.Literals(pieces))])

const toText = (drawn: typeof Text.Type) => (typeof drawn === "string" ? drawn : drawn.join(""))

const encoder = new TextEncoder()

const compare = (a: string, b: string) => Buffer.compare(encoder.encode(a), encoder.encode(b))

describe("escape", () => {
  it.prop("gives a text back", { text: Text }, ({ text }) => {
    expect(unescape(escape(toText(text)))).toBe(toText(text))
  })

  it.prop("gives well-formed text without NUL", { text: Text }, ({ text }) => {
    const escaped = escape(toText(text))
    expect(escaped.isWellFormed()).toBe(true)
    expect(escaped).not.toContain("\0")
  })

  it.prop("leaves ordinary text as it is", { text: Schema.String }, ({ text }) => {
    const ordinary = text.toWellFormed().replaceAll("\0", "").replaceAll("\\", "")
    expect(escape(ordinary)).toBe(ordinary)
  })

  it.prop("keeps the beginning of a text", { a: Schema.String, b: Schema.String }, ({ a, b }) => {
    const prefix = a.toWellFormed()
    expect(escape(prefix + b.toWellFormed()).startsWith(escape(prefix))).toBe(true)
  })
})

describe("successor", () => {
  it.prop(
    "comes after all texts that begin with the prefix, and before all others that come after it",
    { prefix: Text, other: Text },
    ({ other, prefix }) => {
      const from = escape(toText(prefix))
      const end = successor(from)
      const inRange = (text: string) => compare(text, from) >= 0 && (end === undefined || compare(text, end) < 0)
      expect(inRange(from + escape(toText(other)))).toBe(true)
      const text = escape(toText(other))
      expect(inRange(text)).toBe(text.startsWith(from))
    }
  )

  it.each([
    ["a", "b"],
    ["az", "a{"],
    ["\ud7ff", "\ue000"],
    ["a\u{10ffff}", "b"],
    ["\u{10ffff}", undefined],
    ["", undefined]
  ])("of %j is %j", (prefix, expected) => {
    expect(successor(prefix)).toBe(expected)
  })
})
