/** Requests with a user's cookies that other sites, or browsers on their own, send. */
import { from, type Header, type Visit } from "../browser.ts"
import { atEachSite, type Case, first, type Kind, type Seen, when } from "../case.ts"
import type { Site } from "../sites.ts"
import { secretsOf, type Stage } from "../stage.ts"
import * as Wire from "../wire.ts"

/** A request that would disconnect the user if it came from the app. */
const disconnecting = (wants: string, visit: (site: Site) => Visit & { readonly target?: string }): Case =>
  atEachSite(`${wants} to disconnect a user`, async (stage, site) => {
    const user = stage.user("ada")
    const browser = stage.browser(site, user)
    await stage.connect(browser)
    const { target = "/zapier/disconnect", ...sent } = visit(site)
    const { status } = await browser.visit(target, sent)
    return first(
      () => when(status === 0 || status >= 500, `the response is ${status}`),
      async () => when(!(await stage.isConnected(site, user)), "the grant is gone")
    )
  })

const posted = (wants: string, headers: (site: Site) => ReadonlyArray<Header>) =>
  disconnecting(wants, (site) => ({ method: "POST", headers: headers(site) }))

const looksLike: ReadonlyArray<readonly [string, (site: Site) => string]> = [
  ["another site", () => "https://evil.example"],
  ["a frame in a sandbox", () => "null"],
  ["a site whose name begins like the app's", ({ origin }) => `${origin}.evil.example`],
  ["a site whose name ends like the app's", ({ origin }) => `https://evil${new URL(origin).host}`],
  ["a host below the app's", ({ origin }) => `https://blog.${new URL(origin).host}`],
  ["the same host at another port", ({ origin }) => `${new URL(origin).protocol}//${new URL(origin).hostname}:1`],
  ["the same host by another protocol", ({ origin }) => origin.replace(/^https?/, "ftp")],
  ["an origin with a user in front", ({ origin }) => `${origin}@evil.example`],
  ["an origin with a path", ({ origin }) => `${origin}/`],
  ["an origin behind a comma", ({ origin }) => `https://evil.example, ${origin}`],
  ["an origin before a comma", ({ origin }) => `${origin}, https://evil.example`],
  ["an origin behind a space", ({ origin }) => `https://evil.example ${origin}`],
  ["an empty origin", () => ""],
  ["a star", () => "*"]
]

// Browsers send this for a page without an origin. A form of the app may also have none, and be same-origin.
const siteOf = (origin: string) => (origin === "null" ? "cross-site" : "same-origin")

const ofOrigins = looksLike.flatMap(([who, origin]) => [
  posted(`a form of ${who}`, (site) => [["Origin", origin(site)]]),
  posted(`a form of ${who} that says to be the app's`, (site) => [
    ["Origin", origin(site)],
    ["Sec-Fetch-Site", siteOf(origin(site))],
    ["Referer", `${site.origin}/settings`]
  ])
])

const ofSites = ["cross-site", "same-site", "none", "", "same-origin, cross-site", "SAME-ORIGIN"].map((site) =>
  posted(`a form without an origin, of a page that is ${JSON.stringify(site)},`, () => [["Sec-Fetch-Site", site]])
)

const ofHeaders: ReadonlyArray<Case> = [
  posted("a form without any header of its origin", () => []),
  posted("a form with the app's referrer alone", (site) => [["Referer", `${site.origin}/settings`]]),
  posted("a form with two origins", (site) => [
    ["Origin", "https://evil.example"],
    ["Origin", site.origin]
  ]),
  posted("a form with the app's origin in another header", (site) => [
    ["X-Origin", site.origin],
    ["X-Forwarded-Origin", site.origin],
    ["Sec-Fetch-Site", "cross-site"]
  ]),
  posted("a request as of XMLHttpRequest", () => [
    ["X-Requested-With", "XMLHttpRequest"],
    ["Origin", "https://evil.example"]
  ]),
  posted("a foreign origin that is also the request's host", () => [["Origin", "https://evil.example"]]),
  disconnecting("a foreign origin that is also the request's host", () => ({
    method: "POST",
    host: "evil.example",
    headers: [["Origin", "https://evil.example"]]
  }))
]

const ownPage = (site: Site): ReadonlyArray<Header> => [["Origin", site.origin], ...from.ownPage]

// With all headers of the app's own pages, but another method.
const ofMethods = ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "post", "POSTX"].map((method) =>
  disconnecting(method, (site) => ({ method, headers: ownPage(site) }))
)

const overrides = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"].map((name) =>
  disconnecting(`GET with ${name}`, (site) => ({ headers: [[name, "POST"], ...ownPage(site)] }))
)

const ofOverrides: ReadonlyArray<Case> = [
  ...overrides,
  disconnecting("a link with _method=POST", (site) => ({
    target: "/zapier/disconnect?_method=POST",
    headers: ownPage(site)
  })),
  disconnecting("a form of another site with _method=DELETE", () => ({
    target: "/zapier/disconnect?_method=DELETE",
    method: "POST",
    headers: [
      ["Origin", "https://evil.example"],
      ["Content-Type", "application/x-www-form-urlencoded"]
    ],
    body: "_method=DELETE"
  })),
  disconnecting("text that is JSON, from another site", () => ({
    method: "POST",
    headers: [
      ["Origin", "https://evil.example"],
      ["Content-Type", "text/plain"]
    ],
    body: '{"disconnect":true}'
  }))
]

// 503 is the intended response to speculative requests of a browser.
const isBroken = (status: number) => status >= 500 && status !== 503

/** Nothing has begun: no cookie, no attempt, no redirect to Zapier. */
const beginning = (wants: string, visit: Visit & { readonly target?: string }): Case =>
  atEachSite(`${wants} to begin a consent`, async (stage, site) => {
    const user = stage.user("ada")
    const browser = stage.browser(site, user)
    const { target = "/zapier/connect", ...sent } = visit
    const response = await browser.visit(target, sent)
    return (
      when(Wire.headersOf(response, "set-cookie").length > 0, "a cookie is set") ??
      when(Wire.headerOf(response, "location") !== "", "it leads to Zapier") ??
      when((await site.attempts(user)) > 0, "an attempt is stored") ??
      when(response.status === 0 || isBroken(response.status), `the response is ${response.status}`)
    )
  })

const speculative: ReadonlyArray<readonly [string, ReadonlyArray<Header>]> = [
  ["a prefetch", [["Sec-Purpose", "prefetch"]]],
  ["a prerendered page", [["Sec-Purpose", "prefetch;prerender"]]],
  ["an anonymous prefetch", [["Sec-Purpose", "prefetch;anonymous-client-ip"]]],
  ["a prefetch of older browsers", [["Purpose", "prefetch"]]],
  ["a prefetch of Firefox", [["X-Moz", "prefetch"]]],
  ["a preview of Safari", [["X-Purpose", "preview"]]]
]

const others: ReadonlyArray<readonly [string, ReadonlyArray<Header>]> = [
  ["a link of another site", from.otherSite],
  ["a link of another site without a Referer", from.otherSite.slice(0, 3)],
  ["a link of a host beside the app's", from.hostBeside],
  ["a link of a mail", from.nowhere],
  [
    "a link of another site whose path looks like the app",
    [
      ["Sec-Fetch-Site", "cross-site"],
      ["Referer", "https://evil.example/https://acme.example/"]
    ]
  ],
  [
    "a link of another site whose user looks like the app",
    [
      ["Sec-Fetch-Site", "cross-site"],
      ["Referer", "https://acme.example@evil.example/"]
    ]
  ],
  [
    "an image of another site",
    [
      ["Sec-Fetch-Site", "cross-site"],
      ["Sec-Fetch-Mode", "no-cors"],
      ["Sec-Fetch-Dest", "image"]
    ]
  ],
  [
    "a frame of another site",
    [
      ["Sec-Fetch-Site", "cross-site"],
      ["Sec-Fetch-Mode", "navigate"],
      ["Sec-Fetch-Dest", "iframe"]
    ]
  ],
  [
    "a script of another site",
    [
      ["Sec-Fetch-Site", "cross-site"],
      ["Sec-Fetch-Mode", "cors"],
      ["Origin", "https://evil.example"]
    ]
  ]
]

const ofBeginnings: ReadonlyArray<Case> = [
  ...speculative.map(([who, headers]) => beginning(who, { headers: [...headers, ...from.ownPage] })),
  ...others.map(([who, headers]) => beginning(who, { headers })),
  beginning("HEAD", { method: "HEAD" }),
  beginning("HEAD with a prefetch", { method: "HEAD", headers: [["Sec-Purpose", "prefetch"]] }),
  ...["POST", "PUT", "OPTIONS", "TRACE", "get"].map((method) => beginning(method, { method }))
]

/** A callback that is not a real visit spends no code, and the real visit works afterwards. */
const visiting = (wants: string, visit: Visit): Case =>
  atEachSite(`${wants} to spend a code`, async (stage, site) => {
    const user = stage.user("ada")
    const browser = stage.browser(site, user)
    const callback = await stage.callback(browser)
    const { status } = await browser.visit(callback, visit)
    const spent = stage.exchanges(callback)
    const after = await browser.visit(callback, { headers: from.otherSite })
    return (
      when(spent > 0, "the code is exchanged") ??
      when(status === 0 || isBroken(status), `the response is ${status}`) ??
      when(after.status !== 303 || !(await stage.isConnected(site, user)), `the real visit fails: ${after.status}`)
    )
  })

const ofVisits: ReadonlyArray<Case> = [
  ...speculative.map(([who, headers]) => visiting(who, { headers: [...headers, ...from.otherSite] })),
  visiting("HEAD", { method: "HEAD" }),
  visiting("HEAD with a prefetch", { method: "HEAD", headers: [["Sec-Purpose", "prefetch"]] }),
  ...["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get"].map((method) => visiting(method, { method }))
]

const formPost = atEachSite("a form that posts a callback to spend a code", async (stage, site) => {
  const browser = stage.browser(site, stage.user("ada"))
  const callback = await stage.callback(browser)
  await browser.visit("/zapier/callback", {
    method: "POST",
    headers: [["Content-Type", "application/x-www-form-urlencoded"], ...from.otherSite],
    body: new URLSearchParams(secretsOf(callback)).toString()
  })
  return when(stage.exchanges(callback) > 0, "the code is exchanged")
})

const shared = (response: Wire.Response): Seen =>
  when(
    response.headers.some(([name]) => name.startsWith("access-control-")),
    "the response lets other sites read it"
  )

/** A script of another site, which may read only what CORS allows. */
const reading = (route: string, method: string): Case =>
  atEachSite(`a script of another site to read ${method} ${route}`, async (stage, site) => {
    const user = stage.user("ada")
    const browser = stage.browser(site, user)
    await stage.connect(browser)
    const headers: ReadonlyArray<Header> = [
      ["Origin", "https://evil.example"],
      ["Sec-Fetch-Site", "cross-site"],
      ["Access-Control-Request-Method", "POST"],
      ["Access-Control-Request-Headers", "x-anything"]
    ]
    const response = await browser.visit(`/zapier/${route}`, { method, headers })
    return first(
      () => shared(response),
      async () => when(!(await stage.isConnected(site, user)), "the grant is gone")
    )
  })

const ofScripts = ["connect", "callback", "status", "disconnect"].flatMap((route) => [
  reading(route, "OPTIONS"),
  reading(route, route === "disconnect" ? "POST" : "GET")
])

/** A signed-out browser gets no data. */
const nobody = (route: string, method: string): Case =>
  atEachSite(`${method} ${route} to serve a visitor who is not signed in`, async (stage: Stage, site) => {
    const { status } = await stage.browser(site).visit(`/zapier/${route}`, { method, headers: ownPage(site) })
    return when(status !== 401, `the response is ${status}`)
  })

const real = atEachSite("the app's own form to be rejected", async (stage, site) => {
  const user = stage.user("ada")
  const browser = stage.browser(site, user)
  await stage.connect(browser)
  await browser.visit("/zapier/disconnect", { method: "POST", headers: ownPage(site) })
  return when(await stage.isConnected(site, user), "it is, so nothing was tested")
})

export const crossSite: Kind = {
  name: "cross-site requests",
  cases: [
    ...ofOrigins,
    ...ofSites,
    ...ofHeaders,
    ...ofMethods,
    ...ofOverrides,
    ...ofBeginnings,
    ...ofVisits,
    formPost,
    ...ofScripts,
    nobody("connect", "GET"),
    nobody("status", "GET"),
    nobody("disconnect", "POST"),
    real
  ]
}
