import { describe, expect, it } from "@effect/vitest"
import * as Headers from "effect/http/Headers"
import * as SentCookies from "../../../src/internal/connect/sentCookies.ts"

const sent = (cookie: string) => ({ ...SentCookies.of({ headers: Headers.fromInput({ cookie }) }) })

describe("the cookies of a request", () => {
  it("are read by their names", () => {
    expect(sent("a=1; b=2;c = 3")).toEqual({ a: "1", b: "2", c: "3" })
    expect({ ...SentCookies.of({ headers: Headers.empty }) }).toEqual({})
  })

  it("have the value that came first, as browsers send the more exact one first", () => {
    expect(sent("a=1; a=2")).toEqual({ a: "1" })
  })

  it.each(["\u00A0__Host-a=2", "__Host-a\u00A0=2", "\u0085__Host-a=2", "\u00C2\u00A0__Host-a=2", "\uFEFF__Host-a=2"])(
    "are not those whose names only look alike: %j",
    (pair) => {
      expect(sent(`${pair}; b=1`)).toEqual({ b: "1" })
      expect(sent(`b=1; ${pair}; __Host-a=3`)).toEqual({ b: "1", "__Host-a": "3" })
    }
  )
})
