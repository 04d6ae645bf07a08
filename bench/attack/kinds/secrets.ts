/**
 * Failing requests that contain a state and a code: no response repeats them. The responses of all other cases are
 * searched as well.
 */
import { type Browser, from, type Header } from "../browser.ts"
import { atEachSite, type Case, type Kind, type Seen, when } from "../case.ts"
import { secretsOf, type Stage } from "../stage.ts"
import type * as Wire from "../wire.ts"
import type { Door } from "../sites.ts"

interface Given {
  readonly browser: Browser
  readonly callback: string
  readonly host: string
}

type Break = (stage: Stage, given: Given) => Promise<Wire.Response>

const visiting =
  (target: (callback: string) => string, headers: ReadonlyArray<Header> = from.otherSite, method = "GET"): Break =>
  (_, { browser, callback }) =>
    browser.visit(target(callback), { headers, method })

const same = (callback: string) => callback

const sending =
  (bytes: (callback: string) => string): Break =>
  (stage, { browser, callback, host }) => {
    const more = `Host: ${host}\r\nCookie: ${browser.cookie}\r\nConnection: close\r\n\r\n`
    return stage.raw(browser.site, bytes(callback).replace("REST", more))
  }

const broken: ReadonlyArray<readonly [string, Break]> = [
  ["POST", visiting(same, from.otherSite, "POST")],
  ["DELETE", visiting(same, from.otherSite, "DELETE")],
  ["TRACE", visiting(same, from.otherSite, "TRACE")],
  ["OPTIONS", visiting(same, from.otherSite, "OPTIONS")],
  ["HEAD", visiting(same, from.otherSite, "HEAD")],
  ["an unknown method", visiting(same, from.otherSite, "PLANTED")],
  ["a path below the callback's", visiting((callback) => callback.replace("?", "/more?"))],
  ["a path beside the callback's", visiting((callback) => callback.replace("callback?", "callbacks?"))],
  ["the state in a path", visiting((callback) => `/zapier/callback/${secretsOf(callback).state}`)],
  ["the state in a query with a broken escape", visiting((callback) => `${callback}%&%E0%A4%A`)],
  ["a repeated code", visiting((callback) => `${callback}&code=${secretsOf(callback).code}`)],
  ["a repeated state", visiting((callback) => `${callback}&state=${secretsOf(callback).state}`)],
  ["an error beside the code", visiting((callback) => `${callback}&error=access_denied`)],
  ["another browser", (stage, { browser, callback }) => stage.browser(browser.site, "eve").visit(callback)],
  ["nobody", (stage, { browser, callback }) => stage.browser(browser.site).visit(callback)],
  ["a request for data", visiting((callback) => `${callback}&code=b`, [["Accept", "application/json"]])],
  ["a request for anything", visiting((callback) => `${callback}&code=b`, [["Accept", "*/*"]])],
  [
    "a return address with the state in it",
    visiting((callback) => `/zapier/connect?return=//${secretsOf(callback).state}`)
  ],
  ["a query of 30 kB", visiting((callback) => `${callback}&a=${"x".repeat(30_000)}`)],
  ["headers of 30 kB", visiting(same, [["X-Large", "x".repeat(30_000)]])],
  ["an expectation", visiting((callback) => `${callback}&code=b`, [["Expect", "the-unexpected"]])],
  ["an odd range", visiting((callback) => `${callback}&code=b`, [["Range", "bytes=9-1"]])],
  ["a broken first line", sending((callback) => `GET ${callback}\r\nREST`)],
  ["a space in the target", sending((callback) => `GET ${callback} more HTTP/1.1\r\nREST`)],
  ["another version", sending((callback) => `GET ${callback} HTTP/3.7\r\nREST`)],
  ["a body shorter than its length", sending((callback) => `POST ${callback} HTTP/1.1\r\nContent-Length: 1x\r\nREST`)],
  ["a header without a colon", sending((callback) => `GET ${callback} HTTP/1.1\r\nplanted\r\nREST`)],
  ["an absolute target", sending((callback) => `GET http://evil.example:99999${callback} HTTP/1.1\r\nREST`)]
]

const shows = (response: Wire.Response, { browser, callback }: Given): Seen => {
  const { code, state } = secretsOf(callback)
  const session = browser.cookies.get("session") ?? ""
  return (
    when(response.raw.includes(state), "the state") ??
    when(response.raw.includes(code), "the code") ??
    when(response.raw.includes(session), "the session") ??
    when(/ at .*\.(?:ts|js):\d+|node_modules/.test(response.raw), "the response shows the paths of the app's files")
  )
}

const given = async (stage: Stage, door: Door, target: string): Promise<Given> => {
  const browser = stage.browser(door, stage.user("ada"))
  const callback = await stage.callback(browser, target)
  return { browser, callback, host: new URL(door.origin).host }
}

const ofBroken = broken.map(([what, attempt]) =>
  atEachSite(`the response to ${what} to show a secret`, async (stage, site) => {
    const at = await given(stage, site, "/zapier/connect")
    return shows(await attempt(stage, at), at)
  })
)

// Express responds where the routes do not; otherwise `handleCallback` does.
const ofExpress = broken
  .filter(([what]) => !what.startsWith("the state in") && !what.includes("return address"))
  .map(([what, attempt]): Case => ({
    wants: `the response of an app on Express to ${what} to show a secret`,
    attempt: async (stage) => {
      for (const door of stage.world.express.doors) {
        const at = await given(stage, door, "/connect")
        const seen = shows(await attempt(stage, at), at)
        if (seen !== undefined) return `${seen} (${door.name})`
      }
      return when(!stage.world.express.isAlive(), "the process has ended")
    }
  }))

const unguessable = atEachSite("to guess a state", async (stage, site) => {
  const seen = new Set<string>()
  for (let attempt = 0; attempt < 20; attempt++) {
    const browser = stage.browser(site, stage.user("ada"))
    const { state } = secretsOf(await stage.begin(browser))
    if (!/^[\w-]{43,}$/.test(state)) return "it has fewer than 256 bits"
    if ([...seen].some((other) => other.slice(0, 4) === state.slice(0, 4)))
      return "two of them begin with the same characters"
    seen.add(state)
  }
  return undefined
})

const query = atEachSite("the client secret or a verifier in the address of the consent page", async (stage, site) => {
  const consent = new URL(await stage.begin(stage.browser(site, stage.user("ada"))))
  const names = [...consent.searchParams.keys()]
  return (
    when(
      names.some((name) => /secret|verifier|token/.test(name)),
      "it is there"
    ) ?? when(consent.searchParams.get("code_challenge_method") !== "S256", "the challenge reveals the verifier")
  )
})

export const secrets: Kind = { name: "secrets", cases: [...ofBroken, ...ofExpress, unguessable, query] }
