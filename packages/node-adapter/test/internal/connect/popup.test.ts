import { describe, expect, it } from "@effect/vitest"
import * as Popup from "../../../src/internal/connect/popup.ts"

describe("a request for a popup", () => {
  it.each([
    ["mode=popup&id=1-2", "1-2"],
    ["mode=popup", ""],
    ["mode=popup&id=%22%3E%3Cscript%3E", ""],
    [`mode=popup&id=${"a".repeat(65)}`, ""],
    ["mode=page&id=1", undefined],
    ["id=1", undefined],
    ["", undefined]
  ])("%j asks for %j", (query, id) => expect(Popup.asked(new URLSearchParams(query))).toBe(id))

  it.each(["", "1-2", "a".repeat(64)])("is still %j when all else is left out", (id) => {
    expect(Popup.asked(new URLSearchParams(Popup.queryOf(id)))).toBe(id)
  })
})
