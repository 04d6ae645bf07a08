import { describe, expect, it } from "@effect/vitest"
import * as Page from "./attack/page.ts"
import * as Attack from "./attack/run.ts"
import * as Wire from "./attack/wire.ts"
import * as Command from "./command.ts"

const attack = (...args: ReadonlyArray<string>) => Command.run("attack.ts", args)

// Fewer than the command's default, and more than a flood's bounds.
const size = "300"

describe("npm run attack", () => {
  it("no attack succeeds", async () => {
    const { code, stderr, stdout } = await attack("--json", "--size", size)
    expect(stdout, stderr).toMatch(/^[^\n]+\n$/)
    const line = JSON.parse(stdout)
    expect(line.successes).toEqual([])
    expect(line).toMatchObject({ scenario: "attack", passed: true })
    expect(line.cases).toBeGreaterThan(800)
    for (const { cases, defended, kind } of line.kinds) expect(defended, kind).toBe(cases)
    expect(code).toBe(0)
  })

  it("says how it is used", async () => {
    const { code, stderr, stdout } = await attack("--help")
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" })
    expect(stderr).toContain("--kind")
  })

  it.each(["--nonsense", "--size=0", "--size=-1", "--size=1.5", "--size=", "--kind=nonsense", "more"])(
    "takes no %s",
    async (argument) => {
      const { code, stderr, stdout } = await attack(argument)
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" })
      expect(stderr).toMatch(/^usage: /)
    }
  )
})

describe("an app that trusts the attacker's origin", () => {
  const run = (only: string) => Attack.run({ size: 1, only, origins: ["https://evil.example"] })

  it("is led astray by return addresses, which is noticed", async () => {
    const { successes, tallies } = await run("open redirects")
    expect(successes.length).toBeGreaterThan(10)
    expect(successes).toContainEqual(
      expect.stringMatching(/return="https:\/\/evil\.example": the callback redirects there/)
    )
    expect(tallies[0]).toMatchObject({ kind: "open redirects", defended: (tallies[0]?.cases ?? 0) - successes.length })
  })

  it("disconnects for the attacker's forms, which is noticed", async () => {
    const { successes } = await run("cross-site requests")
    expect(successes).toContainEqual(
      expect.stringMatching(/a form of another site to disconnect a user: the grant is gone/)
    )
    expect(successes).toContainEqual(
      expect.stringMatching(/a link of another site to begin a consent: a cookie is set/)
    )
  })
})

describe("what a response has to be", () => {
  const page = [
    "HTTP/1.1 400 Bad Request",
    "Cache-Control: no-store",
    "Referrer-Policy: no-referrer",
    "X-Content-Type-Options: nosniff",
    "Content-Type: text/html; charset=utf-8",
    "Content-Security-Policy: default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "",
    "<p>words</p>"
  ]

  it("is told from what lacks a header", () => {
    expect(Page.lacks(Wire.parse(page.join("\r\n")))).toBe(undefined)
    for (const missing of page.slice(1, 6)) {
      const without = page.filter((line) => line !== missing)
      expect(Page.lacks(Wire.parse(without.join("\r\n"))), missing).toBeTypeOf("string")
    }
  })

  it.each([
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<p onclick='alert(1)'>",
    '<a href="javascript:alert(1)">',
    '<meta http-equiv="refresh" content="0;url=//evil.example">'
  ])("is told from what runs %s", (markup) => {
    expect(Page.runs(Wire.parse([...page.slice(0, -1), markup].join("\r\n")))).toBeTypeOf("string")
  })
})

describe("a response", () => {
  it("is read as it came", () => {
    const raw =
      "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    const response = Wire.parse(`HTTP/1.1 100 Continue\r\n\r\n${raw}`)
    expect([response.status, response.body, Wire.headersOf(response, "set-cookie")]).toEqual([
      200,
      "abcde",
      ["a=1", "b=2"]
    ])
  })

  it("that never came has no status", () => {
    expect(Wire.parse("")).toMatchObject({ status: 0, headers: [], body: "" })
  })
})
