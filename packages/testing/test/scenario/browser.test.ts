import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Browser from "../../src/scenario/internal/browser.ts"

const origin = "https://acme.example"

let now = 0

const browserWith = (...cookies: ReadonlyArray<string>) => {
  const browser = Browser.make(() => now)
  const headers = new Headers()
  for (const cookie of cookies) headers.append("set-cookie", cookie)
  browser.keep(`${origin}/account/login`, headers)
  return browser
}

const sentTo = (
  browser: Browser.Browser,
  path: string,
  {
    initiator = "same-origin",
    method = "GET",
    site = origin
  }: { initiator?: Browser.Initiator; method?: string; site?: string } = {}
) => browser.request({ method, url: `${site}${path}` }, initiator).headers.get("cookie")

describe("a browser's cookies", () => {
  it("are sent where their path is, by default that of the page, and nowhere else", () => {
    const browser = browserWith("a=1", "b=2; Path=/", "c=3; Path=/zaps")
    expect(sentTo(browser, "/")).toBe("b=2")
    expect(sentTo(browser, "/account/x")).toBe("a=1; b=2")
    expect(sentTo(browser, "/zaps/1")).toBe("c=3; b=2")
    expect(sentTo(browser, "/zapsack")).toBe("b=2")
  })

  it("are sent to the host that has set them, or to its domain, and securely", () => {
    const browser = browserWith(
      "a=1; Path=/",
      "b=2; Path=/; Domain=acme.example",
      "c=3; Path=/; Secure",
      "d=4; Path=/; Domain=evil.example"
    )
    expect(sentTo(browser, "/")).toBe("a=1; b=2; c=3")
    expect(sentTo(browser, "/", { site: "https://www.acme.example" })).toBe("b=2")
    expect(sentTo(browser, "/", { site: "https://evil.example" })).toBe(null)
    expect(sentTo(browser, "/", { site: "http://acme.example" })).toBe("a=1; b=2")
  })

  it("end in their time, and at once with Max-Age=0", () => {
    now = 1_000_000
    const browser = browserWith(
      "a=1; Path=/; Max-Age=10",
      `b=2; Path=/; Expires=${DateTime.toDateUtc(DateTime.makeUnsafe(now + 20_000)).toUTCString()}`
    )
    now += 9_999
    expect(sentTo(browser, "/")).toBe("a=1; b=2")
    now += 1
    expect(sentTo(browser, "/")).toBe("b=2")
    browser.keep(`${origin}/`, new Headers({ "set-cookie": "b=; Path=/; Max-Age=0" }))
    expect(sentTo(browser, "/")).toBe(null)
  })

  it("are not all sent when another site has led to the page", () => {
    const browser = browserWith(
      "a=1; Path=/",
      "b=2; Path=/; SameSite=Lax",
      "c=3; Path=/; SameSite=Strict",
      "d=4; Path=/; SameSite=None; Secure"
    )
    expect(sentTo(browser, "/", { initiator: "cross-site" })).toBe("a=1; b=2; d=4")
    expect(sentTo(browser, "/", { initiator: "cross-site", method: "POST" })).toBe("d=4")
  })

  it("follow the prefixes of their names", () => {
    const browser = browserWith(
      "__Host-a=1; Secure; Path=/",
      "__Host-b=2; Path=/",
      "__Secure-c=3; Path=/",
      "d=4; Path=/; SameSite=None"
    )
    expect(sentTo(browser, "/")).toBe("__Host-a=1")
  })
})

describe("a browser's redirects", () => {
  const to = (status: number, location?: string) =>
    Browser.redirected(
      { method: "POST", url: `${origin}/zapier/disconnect`, body: "a=1" },
      new Response(null, { status, headers: location === undefined ? {} : { location } })
    )

  it("become GET, or keep their method and body", () => {
    expect(to(303, "../zaps")).toEqual({ method: "GET", url: `${origin}/zaps` })
    expect(to(302, "https://other.example/")).toEqual({ method: "GET", url: "https://other.example/" })
    expect(to(307, "/again")).toEqual({ method: "POST", url: `${origin}/again`, body: "a=1" })
    expect(to(200, "/zaps")).toBe(undefined)
    expect(to(303)).toBe(undefined)
  })
})
