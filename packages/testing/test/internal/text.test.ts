import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Seeded from "../../src/internal/seeded.ts"
import * as Text from "../../src/internal/text.ts"

const key = Seeded.keyOf("zapier")

// The name of a text that was given, and of no other.
const nameOf = (key: Seeded.Key, text: string): Text.Name | undefined => {
  const name = Text.read(key, text)
  return name !== undefined && Text.write(key, name) === text ? name : undefined
}

const numbers = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000_000 }))

const name = Schema.Struct({
  kind: Schema.Literals(["Code", "AccessToken", "RefreshToken"]),
  grant: numbers,
  serial: numbers
})

describe("the text of a name", () => {
  it.prop("has 30 letters and digits, and is read again", [name], ([name]) => {
    const text = Text.write(key, name)
    assert.match(text, /^[A-Za-z0-9]{30}$/)
    assert.deepStrictEqual(nameOf(key, text), name)
  })

  it.prop("is nothing to another seed", [name], ([name]) => {
    assert.strictEqual(nameOf(Seeded.keyOf("another"), Text.write(key, name)), undefined)
  })

  it.prop(
    "is nothing once any letter is another",
    [name, Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 29 }))],
    ([name, at]) => {
      const text = Text.write(key, name)
      const other = text[at] === "x" ? "y" : "x"
      assert.strictEqual(nameOf(key, `${text.slice(0, at)}${other}${text.slice(at + 1)}`), undefined)
    }
  )

  it("is another for each kind, grant and serial number, from the first letters on", () => {
    const beginnings = new Set<string>()
    const kinds = ["Code", "AccessToken", "RefreshToken"] as const
    for (const kind of kinds) {
      for (let grant = 0; grant < 100; grant++) {
        for (let serial = 0; serial < 100; serial++) {
          beginnings.add(Text.write(key, { kind, grant, serial }).slice(0, 12))
        }
      }
    }
    assert.strictEqual(beginnings.size, 30_000)
  })
})

it.each(["", "short", "A".repeat(31), "A".repeat(30), "-".repeat(30), "\u{1f600}".repeat(15)])(
  "an unknown text has no name: %j",
  (text) => {
    assert.strictEqual(nameOf(key, text), undefined)
  }
)
