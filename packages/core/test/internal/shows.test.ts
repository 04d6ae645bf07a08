import { describe, expect, it } from "@effect/vitest"
import { shows } from "../../src/internal/shows.ts"

const secret = "s3cret"

const cyclic: { self?: unknown } = {}
cyclic.self = cyclic

const throwing = Object.defineProperty({}, "hidden", {
  get: () => {
    throw new Error("not for you")
  }
})

const holding: ReadonlyArray<readonly [string, unknown]> = [
  ["a text", `Bearer ${secret}`],
  ["a message", new Error(`Headers.append: "Bearer ${secret}" is an invalid header value`)],
  ["a cause of a cause", new Error("a", { cause: new Error("b", { cause: { deep: [secret] } }) })],
  ["one of many errors", new AggregateError([new Error("a"), new Error(secret)])],
  ["a property that is not enumerable", Object.defineProperty({}, "hidden", { value: secret })],
  ["a symbol's property", { [Symbol("hidden")]: secret }],
  ["a name of a property", { [secret]: 1 }],
  ["headers", new Headers({ authorization: `Bearer ${secret}` })],
  ["a request", new Request("https://api.example", { headers: { authorization: secret } })],
  ["a URL", new URL(`https://api.example/?token=${secret}`)],
  ["a map", new Map([["a", new Set([secret])]])],
  ["bytes", new TextEncoder().encode(`refresh_token=${secret}`)],
  ["what it says of itself", { toJSON: () => ({ secret }) }],
  ["what throws when it is looked at", throwing],
  ["more than is looked through", Array.from({ length: 3_000 }, (_, n) => ({ n }))]
]

describe("shows", () => {
  it.each(holding)("finds a secret in %s", (_, value) => {
    expect(shows(value, ["other", secret])).toBe(true)
  })

  it.each([undefined, null, 1, "text", () => secret, new Error("a", { cause: new Error("b") }), cyclic, new Headers()])(
    "finds none in %s",
    (value) => {
      expect(shows(value, [secret])).toBe(false)
    }
  )

  it("looks at nothing where there is no secret", () => {
    expect(shows(throwing, [])).toBe(false)
  })
})
