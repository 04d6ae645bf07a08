/** Text for people, in the columns of a terminal; and JSON that is indented as it comes. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { displayWidth } from "effect/cli/CliOutput"
import * as PrettyJson from "../../src/cli/prettyJson.ts"
import { nearest } from "../../src/cli/nearest.ts"
import * as Table from "../../src/cli/table.ts"
import { columns, wrap } from "../../src/cli/wrap.ts"

const wordsOf = (text: string) => text.split(/\s+/).filter((word) => word !== "")

const longest = (text: string) => Math.max(...wordsOf(text).map(displayWidth), 0)

describe("wrapped text", () => {
  it.effect.prop("fits the columns, and has the same words", { text: Schema.String }, ({ text }) =>
    Effect.sync(() => {
      const line = `x${text.replaceAll(/\s+/g, " ")}`
      const wrapped = wrap(line, { indent: "  " })
      expect(wordsOf(wrapped)).toEqual(wordsOf(line))
      for (const each of wrapped.split("\n")) {
        expect(displayWidth(each)).toBeLessThanOrEqual(Math.max(columns, 2 + longest(line)))
      }
    })
  )

  it("keeps a command on an indented line in one piece", () => {
    const command = `  zapier-workflow-auth login --subject ${"x ".repeat(60)}`
    expect(wrap(`Run:\n${command}`)).toBe(`Run:\n${command}`)
  })
})

describe("a table", () => {
  const cell = Schema.String.check(Schema.isMaxLength(60))

  it.effect.prop(
    "fits the columns, and shows every cell",
    { rows: Schema.Array(Schema.Tuple([cell, cell, cell])), note: cell },
    ({ note, rows }) =>
      Effect.sync(() => {
        const plain = rows.map((row) => row.map((text) => text.replaceAll(/[^\p{L}\p{N} ]/gu, "").trim()))
        const table = Table.format([{ cells: ["ONE", "TWO", "THREE"] }, ...plain.map((cells) => ({ cells }))])
        for (const row of plain) for (const text of wordsOf(row.join(" "))) expect(table).toContain(text)
        for (const line of table.split("\n")) {
          // A cell without blanks is not broken.
          if (displayWidth(line) > columns) expect(longest(line)).toBeGreaterThan(columns - 60)
        }
        expect(Table.format([{ cells: ["a", "b"], note }]).split("\n")[0]).toBe("a  b")
      })
  )
})

describe("indented JSON", () => {
  it.effect.prop(
    "is what JSON.stringify makes of it, however it is cut into pieces",
    { value: Schema.Json, size: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9 })) },
    ({ size, value }) =>
      Effect.sync(() => {
        for (const text of [JSON.stringify(value), JSON.stringify(value, null, 3)]) {
          const next = PrettyJson.make()
          let shown = ""
          for (let at = 0; at < text.length; at += size) shown += next(text.slice(at, at + size))
          expect(shown).toBe(JSON.stringify(value, null, 2))
        }
      })
  )

  it("keeps every digit of a number, and the words of what is no JSON", () => {
    expect(PrettyJson.make()('{"a":12345678901234567890.50}')).toBe('{\n  "a": 12345678901234567890.50\n}')
    expect(PrettyJson.make()("upstream is  away")).toBe("upstream is away")
  })
})

it("the nearest text is the one with the fewest wrong letters, and none is far", () => {
  expect(nearest("GET /v2/zapz", ["GET /v2/apps", "GET /v2/zaps", "GET /v1/zaps"])).toBe("GET /v2/zaps")
  expect(nearest("POST /v9/new", ["GET /v2/apps", "GET /v2/zaps"])).toBe(undefined)
})
