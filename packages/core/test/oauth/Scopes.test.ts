import { describe, expect, expectTypeOf, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import * as Scopes from "../../src/oauth/Scopes.ts"

const isScope = Schema.is(Scopes.Scope)

// Texts with much white space of many kinds.
const Spaced = Schema.Array(
  Schema.Union([Schema.String, Schema.Literals([" ", "\t", "\n", "\u00a0", "zap", "zap:write"])])
)
const texts = Arbitrary.map(Arbitrary.schema(Spaced), (pieces) => pieces.join(""))

describe("Scopes", () => {
  it("knows the scopes that Zapier documents", () => {
    expect([...Scopes.known].sort()).toEqual([
      "action:run",
      "authentication",
      "authentication:write",
      "connection:read",
      "connection:webhook:read",
      "connection:webhook:write",
      "connection:write",
      "external",
      "mcp:run",
      "profile",
      "promotions:read",
      "promotions:write",
      "zap",
      "zap:account:all",
      "zap:all",
      "zap:delete",
      "zap:pause",
      "zap:runs",
      "zap:update",
      "zap:write"
    ])
    expect(Scopes.known.every(Scopes.isToken)).toBe(true)
  })

  it("takes a scope that it does not know", () => {
    expect(isScope("zap:teleport")).toBe(true)
    expectTypeOf("zap:teleport").toExtend<Scopes.Scope>()
  })

  it.each(["", " ", "zap zap:write", "zap\t", "\nzap"])("does not take %j for one scope", (text) => {
    expect(isScope(text)).toBe(false)
    expect(Scopes.isToken(text)).toBe(false)
  })

  it.each(['za"p', "za\\p", "zäp", "zap\u007f", "zap\u0000"])("%j is no scope token of RFC 6749", (text) => {
    expect(Scopes.isToken(text)).toBe(false)
  })

  it("the characters of a scope token are those of RFC 6749 section 3.3", () => {
    const taken = Array.from({ length: 256 }, (_, code) => code).filter((code) =>
      Scopes.isToken(String.fromCharCode(code))
    )
    const documented = [0x21, ...range(0x23, 0x5b), ...range(0x5d, 0x7e)]
    expect(taken).toEqual(documented)
  })
})

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

describe("Scopes.parse", () => {
  it.each([
    ["", []],
    [" \t\n ", []],
    ["zap", ["zap"]],
    ["zap zap:write  zap", ["zap", "zap:write"]],
    [" authentication\tzap\r\n", ["authentication", "zap"]],
    ["zap:teleport zap", ["zap:teleport", "zap"]]
  ])("%j", (text, scopes) => {
    expect(Scopes.parse(text)).toEqual(scopes)
  })

  it.prop("gives scopes, each once, for any text", [texts], ([text]) => {
    const scopes = Scopes.parse(text)
    expect(scopes.every(isScope)).toBe(true)
    expect(new Set(scopes).size).toBe(scopes.length)
  })

  it.prop(
    "loses nothing but white space and repetitions, and keeps the order of first appearance",
    [texts],
    ([text]) => {
      const words = text.split(/\s/).filter((word) => word !== "")
      const scopes = Scopes.parse(text)
      expect(new Set(scopes)).toEqual(new Set(words))
      const places = scopes.map((scope) => words.indexOf(scope))
      expect(places).toEqual([...places].sort((a, b) => a - b))
    }
  )

  it.prop("reads what format writes", [Schema.UniqueArray(Scopes.Scope)], ([scopes]) => {
    expect(Scopes.parse(Scopes.format(scopes))).toEqual(scopes)
  })
})

describe("Scopes.format", () => {
  it("separates by one space, as the scope parameter has it", () => {
    expect(Scopes.format(["zap", "zap:write"])).toBe("zap zap:write")
    expect(Scopes.format(new Set(["zap"]))).toBe("zap")
    expect(Scopes.format([])).toBe("")
  })
})

describe("Scopes.allows", () => {
  it.each([
    [["zap"], "zap", true],
    [["zap:all"], "zap", true],
    [["zap:account:all"], "zap", true],
    [["zap:account:all"], "zap:all", true],
    [["zap:all"], "zap:account:all", false],
    [["zap"], "zap:all", false],
    [["zap"], "zap:write", false],
    [["zap:write"], "zap", false],
    [["zap:all"], "zap:runs", false],
    [[], "zap", false],
    [["profile", "zap:all"], "zap", true]
  ])("%j allows %s: %s", (granted, required, expected) => {
    expect(Scopes.allows(granted, required)).toBe(expected)
  })

  const scopes = Schema.Union([Schema.Literals(Scopes.known), Schema.String.check(Schema.isPattern(/^[a-z:]{1,8}$/))])

  it.prop("each granted scope is allowed", [Schema.Array(scopes), scopes], ([granted, scope]) => {
    expect(Scopes.allows([...granted, scope], scope)).toBe(true)
  })

  it.prop("a further scope takes nothing away", [Schema.Array(scopes), scopes, scopes], ([granted, more, required]) => {
    if (Scopes.allows(granted, required)) expect(Scopes.allows([more, ...granted], required)).toBe(true)
  })

  it.prop(
    "a scope outside the family of zap is allowed by itself alone",
    [Schema.Array(scopes), scopes],
    ([granted, required]) => {
      if (required === "zap" || required === "zap:all") return
      expect(Scopes.allows(granted, required)).toBe(granted.includes(required))
    }
  )

  it.each(["toString", "constructor", "__proto__"])("%s is a scope like any other", (scope) => {
    expect(Scopes.allows(["zap"], scope)).toBe(false)
    expect(Scopes.allows([scope], scope)).toBe(true)
  })
})

describe("Scopes.parseGranted", () => {
  it.each([
    ["zap zap:write", ["zap", "zap:write"]],
    ["zap, zap:write,zap", ["zap", "zap:write"]],
    ["zap;zap:write", ["zap", "zap:write"]],
    ["zap|zap:write", ["zap", "zap:write"]],
    ["zap+zap:write", ["zap", "zap:write"]],
    ["zap%20zap:write", ["zap", "zap:write"]],
    ['["zap", "zap:write"]', ["zap", "zap:write"]],
    [
      ["zap zap:write", 5, null, "zap"],
      ["zap", "zap:write"]
    ],
    // A scope that is not known may have any of these characters.
    ["zap;new-scope", ["zap;new-scope"]],
    ["https://zapier.com/auth/zap", ["https://zapier.com/auth/zap"]],
    [";", [";"]],
    ["", []],
    [{}, []],
    [undefined, []]
  ])("of %j is %j", (scope, expected) => {
    expect(Scopes.parseGranted(scope)).toEqual(expected)
  })
})
