/** Logins in a popup: the last page sends its result only to pages of the app, whatever another site does. */
import { type Browser, from } from "../browser.ts"
import { atEachSite, type Case, type Kind, type Seen, when } from "../case.ts"
import * as Page from "../page.ts"
import type { Site } from "../sites.ts"
import { secretsOf, type Stage } from "../stage.ts"
import * as Wire from "../wire.ts"

const unescape = (text: string) => text.replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))

/** The origins that a page sends its message to. */
const toldOrigins = ({ body }: Wire.Response) =>
  [...body.matchAll(/data-origins="([^"]*)"/g)].flatMap(([, origins = ""]) => unescape(origins).split(" "))

const seenIn = (site: Site, callback: string, response: Wire.Response): Seen => {
  const { code, state } = secretsOf(callback)
  const link = Wire.headerOf(response, "location")
  return (
    when(response.status === 0 || response.status >= 500, `the response is ${response.status}`) ??
    when(
      toldOrigins(response).some((origin) => origin !== site.origin),
      "another origin gets a message"
    ) ??
    // The link to try again contains the same query, encoded.
    when(/evil\.example|planted/.test(response.body.replaceAll(/href="[^"]*"/g, "")), "what was planted comes back") ??
    when(link.includes("evil.example"), "it leads elsewhere") ??
    when(
      [code, state].some((secret) => secret !== "" && response.raw.includes(secret)),
      "a message contains a secret"
    ) ??
    Page.lacks(response) ??
    Page.runs(response)
  )
}

type End = (stage: Stage, browser: Browser, consent: string) => Promise<string>

const ends: ReadonlyArray<readonly [string, End]> = [
  ["works", (stage, _, consent) => stage.approve(consent)],
  ["is denied", (stage, _, consent) => stage.deny(consent)],
  [
    "belongs to another browser",
    async (stage, browser, consent) => {
      browser.cookies.delete([...browser.cookies.keys()].find((name) => name !== "session") ?? "")
      return stage.approve(consent)
    }
  ],
  [
    "has no signed-in user any more",
    async (stage, browser, consent) => {
      browser.cookies.delete("session")
      return stage.approve(consent)
    }
  ]
]

const queries: ReadonlyArray<string> = [
  "mode=popup",
  "mode=popup&id=planted%22%3E%3Cscript%3E",
  "mode=popup&id=a&id=planted%22%20onload%3D%22alert(1)",
  "mode=popup&origin=https://evil.example&origins=https://evil.example",
  "mode=popup&targetOrigin=*&data-origins=*",
  "mode=popup&outcome=planted&error=planted&status=planted",
  "mode=popup&mode=planted&id=%00",
  "mode=popup&return=/%22%20data-origins=%22https://evil.example",
  "mode[]=popup&mode[a]=planted&id[]=planted",
  `mode=popup&id=${"x".repeat(5_000)}`
]

const ofQueries = queries.flatMap((query) =>
  ends.map(([how, end]): Case =>
    atEachSite(`?${query.slice(0, 60)} in a login that ${how} to be told to another site`, async (stage, site) => {
      const browser = stage.browser(site, stage.user("ada"))
      const begun = await browser.visit(`/zapier/connect?${query}`)
      const consent = Wire.headerOf(begun, "location")
      // A rejection is fine.
      if (begun.status >= 400 && begun.status < 500) return undefined
      if (begun.status !== 303) return `no consent begins: ${begun.status}`
      const callback = await end(stage, browser, consent)
      return seenIn(site, callback, await browser.visit(callback, { headers: from.otherSite }))
    })
  )
)

const openedElsewhere = atEachSite("to open a popup of theirs without a question to the user", async (stage, site) => {
  const browser = stage.browser(site, stage.user("ada"))
  const response = await browser.visit("/zapier/connect?mode=popup&id=a", { headers: from.otherSite })
  return (
    when(Wire.headerOf(response, "location") !== "", "it redirects to Zapier at once") ??
    when(Wire.headersOf(response, "set-cookie").length > 0, "an attempt begins") ??
    when(
      toldOrigins(response).some((origin) => origin !== site.origin),
      "another origin gets a message"
    ) ??
    Page.lacks(response) ??
    Page.runs(response)
  )
})

const script = atEachSite("the script of popups to contain data of a user", async (stage, site) => {
  const user = stage.user("ada")
  const [own, nobodys] = await Promise.all([
    stage.browser(site, user).visit("/zapier/connect.js"),
    stage.browser(site).visit("/zapier/connect.js?callback=planted&id=%3Cscript%3E", { headers: from.otherSite })
  ])
  return (
    when(own.body !== nobodys.body, "it differs between users") ??
    when(own.body.includes(user) || nobodys.raw.includes("planted"), "it contains data of the request")
  )
})

export const popup: Kind = { name: "popups", cases: [...ofQueries, openedElsewhere, script] }
