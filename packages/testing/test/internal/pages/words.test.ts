import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as FakeFault from "../../../src/fake/FakeFault.ts"
import * as Words from "../../../src/internal/pages/words.ts"

describe("words", () => {
  it.each([
    [0, "0 s"],
    [999, "0 s"],
    [59_999, "59 s"],
    [60_000, "1 min"],
    [3_599_000, "59 min 59 s"],
    [35_999_000, "9 h 59 min"],
    [36_000_000, "10 h"],
    [90_000_000, "1 d 1 h"]
  ])("say of %i milliseconds: %s", (millis, words) => {
    assert.strictEqual(Words.duration(millis), words)
  })

  it.each([
    [0, "1970-01-01 00:00:00 UTC", "00:00:00"],
    [1_764_042_288_999, "2025-11-25 03:44:48 UTC", "03:44:48"]
  ])("say when %i is", (at, moment, clock) => {
    assert.deepStrictEqual([Words.moment(at), Words.clock(at)], [moment, clock])
  })

  // Not a number is what they have to bear. @effect-diagnostics-next-line schemaNumber:off
  it.prop("formats any time, even beyond the calendar", [Schema.Number], ([at]) => {
    assert.notInclude(Words.moment(at), "Invalid")
  })

  it.each([
    [0, "The same as this machine's clock."],
    [60_000, "1 min ahead of this machine's clock."],
    [-3_600_000, "1 h behind this machine's clock."]
  ])("say how far a clock is off: %i", (millis, words) => {
    assert.strictEqual(Words.offset(millis), words)
  })

  it("say of each kind of fault something else", () => {
    const words = FakeFault.ofEachKind.map(Words.fault)
    assert.lengthOf(new Set(words), FakeFault.ofEachKind.length)
  })

  it.each([
    [{}, "Any request: once"],
    [{ times: 3, nth: 2 }, "Any request: after 1 more, 3 times"],
    [{ share: 0.5 }, "Any request: 50 % of them, always"],
    [{ match: { endpoint: "GET /v2/zaps", user: "ada" } }, "Requests to GET /v2/zaps for ada: once"],
    [{ match: { endpoint: "authorize" } }, "Requests to the consent page: once"]
  ] as const)("describe the requests of a rule: %o", (rule, words) => {
    assert.strictEqual(Words.scope({ fault: { _tag: "ResponseLost" }, ...rule }), words)
  })
})
