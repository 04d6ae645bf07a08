/** Return addresses that lead to another site, in every shape that browsers and programs may read differently. */
import { attemptCookie, from, type Header, withNote } from "../browser.ts"
import { atEachSite, type Case, first, type Kind, type Seen, when } from "../case.ts"
import type { Site } from "../sites.ts"
import type { Stage } from "../stage.ts"
import * as Wire from "../wire.ts"

// As in a cookie, or encoded in a query. OWN is the app's own origin, HOST its host.
const addresses: ReadonlyArray<string> = [
  "https://evil.example",
  "http://evil.example/",
  "//evil.example",
  "///evil.example",
  "////evil.example",
  "/\\evil.example",
  "\\/evil.example",
  "\\\\evil.example",
  "/\\/evil.example",
  "//\\evil.example",
  "\t//evil.example",
  "/\t/evil.example",
  "/\n/evil.example",
  "/\r/evil.example",
  " //evil.example",
  "/ /evil.example",
  "\u0000//evil.example",
  "/\u0000/evil.example",
  "https:evil.example",
  "https:/evil.example",
  "https:///evil.example",
  "https:\\\\evil.example",
  "hTtPs:evil.example",
  "HTTPS://EVIL.EXAMPLE",
  "javascript:alert(1)",
  "JaVaScRiPt:alert(1)",
  "java\tscript:alert(1)",
  "javascript://OWN/%0aalert(1)",
  "data:text/html,<script>alert(1)</script>",
  "vbscript:msgbox(1)",
  "file:///etc/passwd",
  "blob:OWN/0b1c",
  "view-source:OWN/",
  "intent://evil.example#Intent;scheme=https;end",
  "ftp://HOST/",
  "about:blank",
  "OWN@evil.example",
  "OWN:secret@evil.example/",
  "https://HOST@evil.example/",
  "https://user:secret@HOST/",
  "OWN.evil.example/",
  "OWN%2eevil.example/",
  "https://evil.example\\@HOST/",
  "https://evil.example#@HOST/",
  "https://evil.example?@HOST/",
  "https://evil.example;@HOST/",
  "https://evil.exampleHOST/",
  "https://HOST%00.evil.example/",
  "https://HOST\u3002evil.example/",
  "//evil\u3002example",
  "//evil%E3%80%82example",
  "https://\uFF45vil.example/",
  "//xn--evil-1na.example",
  "/%2F/evil.example",
  "/%5Cevil.example",
  "/%09/evil.example",
  "%2F%2Fevil.example",
  "%252F%252Fevil.example",
  "/..//evil.example",
  "/.//evil.example",
  "/a/..//evil.example",
  "/a/../\\evil.example",
  "/%2e%2e//evil.example",
  "/%2e//evil.example",
  "/./\\evil.example",
  "./\\evil.example",
  "../..//evil.example",
  ".//evil.example",
  ";//evil.example",
  "?//evil.example",
  "#//evil.example",
  "evil.example",
  "//0x7f.1/",
  "//2130706433/",
  "//[::1]/",
  "https://HOST:1/",
  "https://HOST.:443/",
  "/a\r\nLocation: https://evil.example/",
  "/a%0d%0aLocation:%20https://evil.example/",
  "/a\u2028//evil.example",
  `//evil.example/${"x".repeat(2_000)}`,
  `/${"x".repeat(20_000)}`,
  `${"/".repeat(900)}evil.example`,
  `/${"../".repeat(300)}/evil.example`
]

const fill = (address: string, { origin }: Site) =>
  address.replaceAll("OWN", origin).replaceAll("HOST", new URL(origin).host)

/** True if a browser would leave the app. */
const leaves = (location: string, site: Site): boolean => {
  // Browsers read it as UTF-8.
  if (!URL.canParse(location, `${site.origin}/zapier/callback`)) return false
  const { origin, password, protocol, username } = new URL(location, `${site.origin}/zapier/callback`)
  return origin !== site.origin || !/^https?:$/.test(protocol) || username !== "" || password !== ""
}

const led = (place: string, response: Wire.Response, site: Site): Seen => {
  const { body, status } = response
  const locations = Wire.headersOf(response, "location")
  const links = [...body.matchAll(/<a [^>]*href="([^"]*)"/g)].map(([, link = ""]) =>
    link.replaceAll("&#38;", "&").replaceAll("&amp;", "&")
  )
  return (
    when(status === 0 || status >= 500, `${place}: the response is ${status}`) ??
    when(locations.length > 1, `${place}: there are two locations`) ??
    when(
      [...locations, ...links].some((location) => leaves(location, site)),
      `${place} redirects there`
    )
  )
}

const ownPost = (site: Site): ReadonlyArray<Header> => [["Origin", site.origin], ...from.ownPage]

const queryOf = (address: string) => `return=${encodeURIComponent(address.toWellFormed())}`

/** At the button, and then after the consent, if it gets there. */
const connecting = async (stage: Stage, site: Site, query: string): Promise<Seen> => {
  const browser = stage.browser(site, stage.user("ada"))
  const begun = await browser.visit(`/zapier/connect?${query}`)
  const location = Wire.headerOf(begun, "location")
  if (!location.startsWith(`${stage.world.zapier.origin}/`)) return led("connect", begun, site)
  return led("the callback", await browser.visit(await stage.approve(location), { headers: from.otherSite }), site)
}

const disconnecting = async (stage: Stage, site: Site, query: string): Promise<Seen> => {
  const browser = stage.browser(site, stage.user("ada"))
  const response = await browser.visit(`/zapier/disconnect?${query}`, { method: "POST", headers: ownPost(site) })
  return led("disconnect", response, site)
}

const fromElsewhere = async (stage: Stage, site: Site, query: string): Promise<Seen> => {
  const visit = { headers: from.otherSite }
  return led(
    "the confirmation page",
    await stage.browser(site, stage.user("ada")).visit(`/zapier/connect?${query}`, visit),
    site
  )
}

const json = async (stage: Stage, site: Site, query: string): Promise<Seen> => {
  const visit = { headers: [["Accept", "application/json"], ...from.ownPage] as const }
  const response = await stage.browser(site, stage.user("ada")).visit(`/zapier/status?${query}`, visit)
  return led("the status", response, site)
}

/** The cookie remembers the return address. Its value is changed after it was checked. */
const changed = async (stage: Stage, site: Site, address: string): Promise<Seen> => {
  const browser = stage.browser(site, stage.user("ada"))
  const callback = await stage.callback(browser, "/zapier/connect?return=/settings")
  const [name, value] = attemptCookie(browser)
  const notes = [withNote(value, address.toWellFormed()), encodeURIComponent(address.toWellFormed())]
  for (const note of notes.filter((note) => note.length < 4_000)) {
    browser.cookies.set(name, note)
    const seen = led("the callback", await browser.visit(callback, { headers: from.otherSite }), site)
    if (seen !== undefined) return seen
  }
  return undefined
}

const named = (address: string) =>
  JSON.stringify(address.length > 60 ? `${address.slice(0, 50)}… (${address.length} characters)` : address)

const ofAddresses = addresses.flatMap((address): ReadonlyArray<Case> => [
  atEachSite(`to be led by return=${named(address)}`, (stage, site) => {
    const query = queryOf(fill(address, site))
    return first(
      () => connecting(stage, site, query),
      () => fromElsewhere(stage, site, query),
      () => disconnecting(stage, site, query),
      () => json(stage, site, query)
    )
  }),
  atEachSite(`to be led by a cookie changed to ${named(address)}`, (stage, site) =>
    changed(stage, site, fill(address, site))
  )
])

// The query as it is sent.
const queries: ReadonlyArray<string> = [
  "return=/settings&return=//evil.example",
  "return=//evil.example&return=/settings",
  "return[]=//evil.example",
  "return[a]=//evil.example",
  "return=/%0d%0aLocation:%20//evil.example",
  "return=/%250d%250aLocation:%20//evil.example",
  "return=%2f%2fevil.example",
  "return=%252f%252fevil.example",
  "return=%5c%5cevil.example",
  "return=+//evil.example",
  "return=%EF%BC%8F%EF%BC%8Fevil.example",
  "return=%C0%AF%C0%AFevil.example",
  "return=%00//evil.example",
  "return=%E0%A4//evil.example",
  "Return=//evil.example",
  "returnTo=//evil.example&return_to=//evil.example&next=//evil.example&redirect=//evil.example",
  "redirect_uri=https://evil.example/callback&redirectUri=https://evil.example/callback",
  "?return=//evil.example",
  "return=/a;return=//evil.example",
  "return=/a?return=//evil.example",
  "return=/zapier/connect?return=//evil.example"
]

const ofQueries = queries.map((query) =>
  atEachSite(`to be led by ?${query}`, (stage, site) =>
    first(
      () => connecting(stage, site, query),
      () => fromElsewhere(stage, site, query),
      () => disconnecting(stage, site, query)
    )
  )
)

const real = atEachSite("an address of the app itself to be rejected", async (stage, site) => {
  const browser = stage.browser(site, stage.user("ada"))
  const callback = await stage.callback(browser, `/zapier/connect?${queryOf("/settings?a=b#c")}`)
  const response = await browser.visit(callback, { headers: from.otherSite })
  return when(Wire.headerOf(response, "location") !== "/settings?a=b#c", "it is, so nothing was tested")
})

export const openRedirect: Kind = { name: "open redirects", cases: [...ofAddresses, ...ofQueries, real] }
