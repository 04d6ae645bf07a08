/** Markup, headers and scripts in every part of a request, and the headers that keep pages harmless. */
import { attemptCookie, type Browser, from, type Header, type Visit, withNote } from "../browser.ts"
import { atEachSite, type Case, first, type Kind, type Seen, when } from "../case.ts"
import * as Page from "../page.ts"
import type { Site } from "../sites.ts"
import { secretsOf, type Stage } from "../stage.ts"
import * as Wire from "../wire.ts"

// The payload, and the part that must not appear in the response.
const payloads: ReadonlyArray<readonly [sent: string, harmful: string]> = [
  ["<script>alert('planted')</script>", "<script>alert('planted')"],
  ["\"><img src=x onerror=alert('planted')>", "<img src=x"],
  ["'><svg/onload=alert('planted')>", "<svg/onload"],
  ["</title></p></main><base href=//evil.example/>", "<base href"],
  ["\" onfocus=alert('planted') autofocus x=\"", '" onfocus='],
  ["{{constructor.constructor('planted')()}}${planted}<%= planted %>", "<%= planted"],
  ["+ADw-script+AD4-alert('planted')+ADw-/script+AD4-", "<script"],
  ["planted\r\nSet-Cookie: planted=1\r\n\r\n<script>", "\r\nSet-Cookie: planted"]
]

// Data is harmless as long as browsers do not take it for a page.
const isData = (response: Wire.Response) => Wire.headerOf(response, "content-type").startsWith("application/json")

const seenIn = (response: Wire.Response, harmful: string): Seen =>
  when(response.status === 0, "there is no response") ??
  // The app's own error page may say that Zapier, or the app, is at fault.
  (response.status >= 500 || response.body !== "" ? Page.lacks(response) : undefined) ??
  when(!isData(response) && response.body.includes(harmful), "the response contains it unescaped") ??
  when(
    response.headers.some(([name, value]) => name === "set-cookie" && value.startsWith("planted")),
    "the response has a header of theirs"
  ) ??
  Page.runs(response)

type Try = (stage: Stage, site: Site, payload: string) => Promise<Wire.Response>

// Line breaks cannot be sent in a header.
const inHeader = (payload: string) => payload.replaceAll(/[\r\n]+/g, " ")

const fresh = (stage: Stage, site: Site): Browser => stage.browser(site, stage.user("ada"))

const visiting =
  (target: (payload: string, site: Site) => string, visit: (payload: string, site: Site) => Visit = () => ({})): Try =>
  (stage, site, payload) =>
    fresh(stage, site).visit(target(encodeURIComponent(payload), site), visit(payload, site))

const withHeader = (name: string, target = "/zapier/callback?code=a&state=b"): Try =>
  visiting(
    () => target,
    (payload) => ({ headers: [[name, inHeader(payload)], ...from.nowhere] })
  )

const places: ReadonlyArray<readonly [string, Try]> = [
  [
    "error_description",
    async (stage, site, payload) => {
      const browser = fresh(stage, site)
      const { state } = secretsOf(await stage.deny(await stage.begin(browser)))
      const query = new URLSearchParams({
        error: "server_error",
        error_description: payload,
        error_uri: payload,
        state
      })
      return browser.visit(`/zapier/callback?${query}`, { headers: from.otherSite })
    }
  ],
  [
    "error",
    async (stage, site, payload) => {
      const browser = fresh(stage, site)
      const { state } = secretsOf(await stage.deny(await stage.begin(browser)))
      return browser.visit(`/zapier/callback?error=${encodeURIComponent(payload)}&state=${state}`)
    }
  ],
  ["state", visiting((payload) => `/zapier/callback?code=a&state=${payload}`)],
  ["code", visiting((payload) => `/zapier/callback?code=${payload}&state=b`)],
  ["return", visiting((payload) => `/zapier/connect?return=${payload}`)],
  [
    "return, with a path",
    visiting(
      (payload) => `/zapier/connect?return=/${payload}`,
      () => ({ headers: from.otherSite })
    )
  ],
  ["a query's name", visiting((payload) => `/zapier/callback?${payload}=${payload}`)],
  ["a path", visiting((payload) => `/zapier/callback/${payload}`)],
  [
    "the user's name",
    (stage, site, payload) => {
      const name = inHeader(payload).replaceAll(/[;.]/g, "")
      return stage.browser(site, name).visit("/zapier/callback?error=a&state=b")
    }
  ],
  [
    "the status of a user's name",
    (stage, site, payload) => stage.browser(site, inHeader(payload).replaceAll(/[;.]/g, "")).visit("/zapier/status")
  ],
  [
    "a cookie's value",
    async (stage, site, payload) => {
      const browser = fresh(stage, site)
      const callback = await stage.callback(browser)
      const [name, value] = attemptCookie(browser)
      browser.cookies.set(name, withNote(value, `/${payload}`))
      return browser.visit(callback, { headers: from.otherSite })
    }
  ],
  ["Referer", withHeader("Referer", "/zapier/connect")],
  [
    "Origin",
    visiting(
      () => "/zapier/disconnect",
      (payload) => ({ method: "POST", headers: [["Origin", inHeader(payload)]] })
    )
  ],
  ["Accept", withHeader("Accept")],
  [
    "User-Agent and Accept-Language",
    (stage, site, payload) =>
      fresh(stage, site).visit("/zapier/callback?code=a&state=b", {
        headers: ["User-Agent", "Accept-Language"].map((name): Header => [name, inHeader(payload)])
      })
  ],
  [
    "Host",
    visiting(
      () => "/zapier/connect",
      (payload) => ({ host: inHeader(payload).replaceAll(" ", "") })
    )
  ]
]

const ofPlaces = places.flatMap(([place, attempt]) =>
  payloads.map(([payload, harmful]) =>
    atEachSite(`${JSON.stringify(payload)} in ${place} to be returned unescaped`, async (stage, site) =>
      seenIn(await attempt(stage, site, payload), harmful)
    )
  )
)

const ofJson = payloads.map(([payload, harmful]) =>
  atEachSite(`${JSON.stringify(payload)} to be returned as a page when data is requested`, async (stage, site) => {
    const headers: ReadonlyArray<Header> = [["Accept", "application/json"]]
    const response = await fresh(stage, site).visit(`/zapier/callback?error=${encodeURIComponent(payload)}`, {
      headers
    })
    return (
      when(!Wire.headerOf(response, "content-type").startsWith("application/json"), "the response is not data") ??
      seenIn(response, harmful) ??
      Page.lacks(response)
    )
  })
)

const pages: ReadonlyArray<readonly [string, (stage: Stage, site: Site) => Promise<Wire.Response>]> = [
  ["the confirmation page", (stage, site) => fresh(stage, site).visit("/zapier/connect", { headers: from.otherSite })],
  ["the redirect to Zapier", (stage, site) => fresh(stage, site).visit("/zapier/connect")],
  ["a rejected address", (stage, site) => fresh(stage, site).visit("/zapier/connect?return=//evil.example")],
  ["connect without a session", (stage, site) => stage.browser(site).visit("/zapier/connect")],
  ["a callback without parameters", (stage, site) => fresh(stage, site).visit("/zapier/callback")],
  ["a callback of another browser", (stage, site) => fresh(stage, site).visit("/zapier/callback?code=a&state=b")],
  [
    "a successful callback",
    async (stage, site) => {
      const browser = fresh(stage, site)
      return browser.visit(await stage.callback(browser), { headers: from.otherSite })
    }
  ],
  [
    "a repeated callback",
    async (stage, site) => {
      const browser = fresh(stage, site)
      return browser.visit(await stage.connect(browser))
    }
  ],
  [
    "a denial",
    async (stage, site) => {
      const browser = fresh(stage, site)
      return browser.visit(await stage.deny(await stage.begin(browser)), { headers: from.otherSite })
    }
  ],
  [
    "a callback without a session",
    async (stage, site) => {
      const browser = fresh(stage, site)
      const callback = await stage.callback(browser)
      browser.cookies.delete("session")
      return browser.visit(callback)
    }
  ],
  ["a rejected disconnect", (stage, site) => fresh(stage, site).visit("/zapier/disconnect", { method: "POST" })],
  [
    "a disconnect",
    (stage, site) =>
      fresh(stage, site).visit("/zapier/disconnect", { method: "POST", headers: [["Origin", site.origin]] })
  ],
  ["the status", (stage, site) => fresh(stage, site).visit("/zapier/status")],
  ["the status without a session", (stage, site) => stage.browser(site).visit("/zapier/status")],
  [
    "a prefetch",
    (stage, site) => fresh(stage, site).visit("/zapier/callback", { headers: [["Sec-Purpose", "prefetch"]] })
  ],
  [
    "a failure as data",
    (stage, site) => fresh(stage, site).visit("/zapier/callback", { headers: [["Accept", "application/json"]] })
  ]
]

const ofPages = pages.map(([page, visit]) =>
  atEachSite(`${page} to be cached, framed, leaked as a referrer or misread`, async (stage, site) => {
    const response = await visit(stage, site)
    return when(response.status === 0, "there is no response") ?? Page.lacks(response) ?? Page.runs(response)
  })
)

const cookies = atEachSite(
  "the cookie of an attempt, by script, by other hosts or in requests of other sites",
  async (stage, site) => {
    const response = await fresh(stage, site).visit("/zapier/connect?return=/settings")
    const isSecure = site.origin.startsWith("https:")
    for (const cookie of Wire.headersOf(response, "set-cookie")) {
      const has = (attribute: RegExp) => attribute.test(cookie)
      const seen =
        when(!has(/; *httponly/i), "scripts can read it") ??
        when(!has(/; *samesite=(?:lax|strict)/i), "requests of other sites carry it") ??
        when(has(/; *domain=/i), "other hosts get it") ??
        when(!has(/; *(?:max-age|expires)=/i), "it never expires") ??
        when(isSecure && !has(/; *secure/i), "it is sent over plain http") ??
        when(isSecure && !cookie.startsWith("__Host-"), "neighboring hosts can set it")
      if (seen !== undefined) return seen
    }
    return when(Wire.headersOf(response, "set-cookie").length !== 1, "the response does not set exactly one cookie")
  }
)

const raw: ReadonlyArray<readonly [string, string]> = [
  [
    "a line break in the request's target",
    "GET /zapier/connect?return=/a\r\nX-Planted: 1 HTTP/1.1\r\nHost: HOST\r\n\r\n"
  ],
  ["a bare line feed in a header", "GET /zapier/connect HTTP/1.1\r\nHost: HOST\nSet-Cookie: planted=1\r\n\r\n"],
  ["a bare carriage return in a header", "GET /zapier/connect HTTP/1.1\r\nHost: HOST\rSet-Cookie: planted=1\r\n\r\n"],
  ["NUL in a header", "GET /zapier/connect HTTP/1.1\r\nHost: HOST\r\nAccept: a\u0000b\r\n\r\n"],
  ["a folded header", "GET /zapier/connect HTTP/1.1\r\nHost: HOST\r\nAccept: a\r\n Set-Cookie: planted=1\r\n\r\n"],
  ["a header whose name has a space", "GET /zapier/connect HTTP/1.1\r\nHost: HOST\r\nSet-Cookie : planted=1\r\n\r\n"]
]

const ofBytes: ReadonlyArray<Case> = raw.map(([what, bytes]) =>
  atEachSite(`${what} to split a response`, async (stage, site) => {
    // Closes the connection, however the server reads the request.
    const ending = bytes.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")
    const response = await stage.raw(site, ending.replaceAll("HOST", new URL(site.origin).host))
    return first(
      () => when(/\r\n(?:set-cookie: *planted|x-planted)/i.test(response.raw), "the response has a header of theirs"),
      () => when((response.raw.match(/^HTTP\/1\.1 /gm) ?? []).length > 1, "there are two responses"),
      () => when(response.status >= 500, `the response is ${response.status}`)
    )
  })
)

export const injection: Kind = {
  name: "injection",
  cases: [...ofPlaces, ...ofJson, ...ofPages, cookies, ...ofBytes]
}
