/** Foreign host names in requests, and paths that programs read differently. Only the settings say where the app is. */
import { from, type Header } from "../browser.ts"
import { atEachSite, type Case, first, type Kind, when } from "../case.ts"
import * as Wire from "../wire.ts"

const evil = "evil.example"

const names: ReadonlyArray<readonly [string, ReadonlyArray<Header>, host?: string]> = [
  ["a foreign Host", [], evil],
  ["a Host with a foreign port", [], `acme.example:1`],
  ["a Host with a user", [], `acme.example@${evil}`],
  ["a Host with a path", [], `${evil}/acme.example`],
  ["a Host in other letters", [], "ACME.EXAMPLE."],
  ["X-Forwarded-Host", [["X-Forwarded-Host", evil]]],
  [
    "X-Forwarded-Host and Proto",
    [
      ["X-Forwarded-Host", evil],
      ["X-Forwarded-Proto", "http"]
    ]
  ],
  [
    "X-Forwarded-Port and Prefix",
    [
      ["X-Forwarded-Port", "1"],
      ["X-Forwarded-Prefix", `//${evil}`]
    ]
  ],
  [
    "X-Forwarded-Server and X-Host",
    [
      ["X-Forwarded-Server", evil],
      ["X-Host", evil]
    ]
  ],
  [
    "X-Forwarded-Scheme",
    [
      ["X-Forwarded-Scheme", "http"],
      ["X-Forwarded-Ssl", "off"]
    ]
  ],
  ["Forwarded", [["Forwarded", `host=${evil};proto=http;for=127.0.0.1`]]],
  [
    "X-Original-URL",
    [
      ["X-Original-URL", "/zapier/disconnect"],
      ["X-Rewrite-URL", "/zapier/disconnect"]
    ]
  ],
  [
    "X-Original-Host",
    [
      ["X-Original-Host", evil],
      ["X-HTTP-Host-Override", evil]
    ]
  ],
  [
    "CF-Connecting-IP and the like",
    [
      ["CF-Connecting-IP", "127.0.0.1"],
      ["X-Real-IP", "127.0.0.1"],
      ["X-Client-IP", evil]
    ]
  ]
]

/** A login with the foreign name in each request leads to the usual place. */
const ofNames = names.map(([what, headers, host]): Case =>
  atEachSite(`${what} to lead a login elsewhere`, async (stage, site) => {
    const browser = stage.browser(site, stage.user("ada"))
    const named = host === undefined ? {} : { host }
    const begun = await browser.visit("/zapier/connect", { headers: [...headers, ...from.ownPage], ...named })
    // A rejection is fine.
    if (begun.status >= 400 && begun.status < 500) return undefined
    const consent = Wire.headerOf(begun, "location")
    const isSecure = site.origin.startsWith("https:")
    const cookies = Wire.headersOf(begun, "set-cookie")
    const seen =
      when(begun.status !== 303, `the response is ${begun.status}`) ??
      when(
        new URL(consent).searchParams.get("redirect_uri") !== site.redirectUri,
        "it asks for another redirect URI"
      ) ??
      when(begun.raw.replace(consent, "").includes(evil), "the response contains it") ??
      when(
        isSecure && !cookies.every((cookie) => /^__Host-.*; *secure/i.test(cookie)),
        "the cookie lacks __Host- or Secure"
      )
    if (seen !== undefined) return seen
    const callback = await stage.approve(consent)
    const response = await browser.visit(callback, { headers: [...headers, ...from.otherSite], ...named })
    return (
      when(response.raw.includes(evil), "the callback's response contains it") ??
      when(Wire.headerOf(response, "location") !== "/", "the callback redirects elsewhere")
    )
  })
)

const pageNames = names.map(([what, headers, host]): Case =>
  atEachSite(`${what} to get into a page`, async (stage, site) => {
    const named = host === undefined ? {} : { host }
    const browser = stage.browser(site, stage.user("ada"))
    const pages = await Promise.all([
      browser.visit("/zapier/connect", { headers: [...headers, ...from.otherSite.slice(0, 3)], ...named }),
      browser.visit("/zapier/callback?code=a&state=b", { headers, ...named }),
      browser.visit("/zapier/status", { headers, ...named })
    ])
    return (
      when(
        pages.some(({ raw }) => raw.includes(evil)),
        "a page contains it"
      ) ??
      when(
        pages.some(({ status }) => status === 0 || status >= 500),
        "a page fails"
      )
    )
  })
)

// PATH is a route of the app.
const targets: ReadonlyArray<readonly [string, (path: string) => string]> = [
  ["two slashes", (path) => `/${path}`],
  ["three slashes", (path) => `//${path}`],
  ["a slash at the end", (path) => `${path}/`],
  ["a double slash in the middle", (path) => path.replace("/zapier/", "/zapier//")],
  ["capital letters", (path) => path.toUpperCase()],
  [
    "an encoded letter",
    (path) =>
      path
        .replace("zapier/", "zapier/%")
        .replace(/%(.)/, (_, letter: string) => `%${letter.charCodeAt(0).toString(16)}`)
  ],
  ["an encoded slash", (path) => path.replace("zapier/", "zapier%2F")],
  ["an encoded slash at the end", (path) => `${path}%2f`],
  ["a dot", (path) => path.replace("zapier/", "zapier/./")],
  ["two dots", (path) => path.replace("/zapier/", "/zapier/other/../")],
  ["encoded dots", (path) => path.replace("/zapier/", "/zapier/other/%2e%2e/")],
  ["doubly encoded dots", (path) => path.replace("/zapier/", "/zapier/other/%252e%252e/")],
  ["dots beyond the root", (path) => `/../..${path}`],
  ["a backslash", (path) => path.replace("/zapier/", "/zapier\\")],
  ["a path parameter", (path) => `${path};a=b`],
  ["a path parameter in the middle", (path) => path.replace("/zapier/", "/zapier;a=b/")],
  ["NUL at the end", (path) => `${path}%00`],
  ["a line break at the end", (path) => `${path}%0a`],
  ["an ending", (path) => `${path}.css`],
  ["an ending behind a slash", (path) => `${path}/style.css`],
  ["a fragment", (path) => `${path}#/`],
  ["a broken escape", (path) => `${path}%`],
  ["a broken escape in the middle", (path) => path.replace("zapier/", "zapier/%E0%A4%A")],
  ["a foreign origin in front", (path) => `http://evil.example${path}`],
  ["a foreign host in front", (path) => `//evil.example${path}`],
  ["a target without a slash", (path) => path.slice(1)],
  ["a star", () => "*"],
  ["a long path", (path) => `/${"a/".repeat(2_000)}..${path}`]
]

/** However a target is spelled, the rules of its route hold, or it matches no route. */
const ofTargets = targets.map(([what, spell]): Case =>
  atEachSite(`${what} in a path to get around a route's rules`, async (stage, site) => {
    const user = stage.user("ada")
    const browser = stage.browser(site, user)
    await stage.connect(browser)
    const callback = await stage.callback(stage.browser(site, stage.user("eve")), undefined, "eve")
    const [path = "", query = ""] = callback.split("?")
    const evilPost = { method: "POST", headers: [["Origin", "https://evil.example"]] } as const
    const visits = [
      await browser.visit(`${spell(path)}?${query}`, { headers: from.otherSite }),
      await browser.visit(spell("/zapier/disconnect"), evilPost),
      await browser.visit(spell("/zapier/disconnect")),
      await browser.visit(spell("/zapier/connect"), { headers: from.otherSite })
    ]
    const nobody = await stage.browser(site).visit(spell("/zapier/status"))
    return first(
      () => when(stage.exchanges(callback) > 0, "a prepared link is accepted"),
      async () => when(!(await stage.isConnected(site, user)), "the grant is gone"),
      () =>
        when(
          visits.some(({ headers }) => headers.some(([name]) => name === "set-cookie")),
          "a consent begins"
        ),
      () => when(nobody.status < 400 && nobody.status > 0, "the status is shown without a session"),
      () =>
        when(
          visits.some(({ status }) => status >= 500),
          "a response is 500 or more"
        ),
      () =>
        when(
          visits.some(({ raw }) => raw.includes("evil.example")),
          "a response contains their host"
        )
    )
  })
)

// A second request behind the first, which a proxy may take for its body.
const smuggled = "GET /zapier/disconnect HTTP/1.1\r\nHost: x\r\n\r\n"

const framings: ReadonlyArray<readonly [string, string]> = [
  ["two lengths", "Content-Length: 0\r\nContent-Length: 40"],
  ["a length and chunks", "Content-Length: 4\r\nTransfer-Encoding: chunked"],
  ["chunks in another coding", "Transfer-Encoding: chunked, identity"],
  ["a length with a sign", "Content-Length: +0"],
  ["a length in hexadecimal", "Content-Length: 0x10"],
  ["two hosts", "Host: evil.example\r\nContent-Length: 0"],
  ["an upgrade", "Connection: Upgrade\r\nUpgrade: websocket"]
]

const ofFramings = framings.map(([what, headers]): Case =>
  atEachSite(`${what} to hide a request in another`, async (stage, site) => {
    const user = stage.user("ada")
    await stage.connect(stage.browser(site, user))
    const host = new URL(site.origin).host
    const head = `POST /zapier/disconnect HTTP/1.1\r\nHost: ${host}\r\nCookie: session=${user}\r\n${headers}`
    const { raw, status } = await stage.raw(site, `${head}\r\nConnection: close\r\n\r\n0\r\n\r\n${smuggled}`)
    return first(
      () => when(status >= 500, `the response is ${status}`),
      () => when((raw.match(/^HTTP\/1\.1 /gm) ?? []).length > 1, "there are two responses"),
      async () => when(!(await stage.isConnected(site, user)), "the grant is gone")
    )
  })
)

const versions = ["1.0", "2.0", "0.9", "1.1.1"].map((version): Case =>
  atEachSite(`HTTP/${version} without a Host to lead a login elsewhere`, async (stage, site) => {
    const headers: ReadonlyArray<Header> = [["Cookie", `session=${stage.user("ada")}`]]
    const { raw, status } = await stage.raw(site, Wire.bytesOf({ target: "/zapier/connect", headers, version }))
    const redirect = /redirect_uri=([^&\r]+)/.exec(raw)?.[1]
    return (
      when(status >= 500, `the response is ${status}`) ??
      when(
        redirect !== undefined && decodeURIComponent(redirect) !== site.redirectUri,
        "it asks for another redirect URI"
      )
    )
  })
)

export const hosts: Kind = {
  name: "hosts and origins",
  cases: [...ofNames, ...pageNames, ...ofTargets, ...ofFramings, ...versions]
}
