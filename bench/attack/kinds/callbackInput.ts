/** Callbacks in every shape that frameworks' query parsers produce, beside a real callback. */
import { Buffer } from "node:buffer"
import { type Case, type Kind, type Seen, sitesOf, when } from "../case.ts"
import { secretsOf, type Stage } from "../stage.ts"
import type * as Wire from "../wire.ts"
import type { Door } from "../sites.ts"

const marker = "planted-7f3a"

// CODE and STATE stand for those of a valid callback.
const queries: ReadonlyArray<string> = [
  "",
  "code=CODE",
  "state=STATE",
  "code=&state=STATE",
  "code=CODE&state=",
  "code[a]=CODE&state=STATE",
  "code=CODE&state[a]=STATE",
  "code[a][b][c]=CODE&state[a][b][c]=STATE",
  "code[]=CODE&code[]=planted-7f3a&state=STATE",
  "code[]=&state=STATE",
  "code[]&state[]",
  "code[0]=CODE&code[1]=planted-7f3a&state=STATE",
  "code[1000]=CODE&state=STATE",
  "code[-1]=CODE&state=STATE",
  "code[length]=5&state=STATE",
  "code[toString]=planted-7f3a&state[toString]=planted-7f3a",
  "code[valueOf]=1&state[valueOf]=1",
  "code[then]=planted-7f3a&state=STATE",
  "code[0][a]=CODE&state=STATE",
  "code[][a]=CODE&code[][b]=CODE&state=STATE",
  "code=CODE&code=CODE&state=STATE",
  "code=CODE&code=planted-7f3a&state=STATE",
  "code=planted-7f3a&code=CODE&state=STATE",
  "code=CODE&state=STATE&state=STATE",
  "code=CODE&state=STATE&state=planted-7f3a",
  "code=CODE&error=access_denied&state=STATE",
  "error=access_denied&error=planted-7f3a&state=STATE",
  "error[a]=access_denied&state=STATE",
  "__proto__[code]=CODE&__proto__[state]=STATE",
  "__proto__=planted-7f3a&code=CODE",
  "constructor[prototype][code]=CODE&state=STATE",
  "constructor=planted-7f3a&hasOwnProperty=planted-7f3a&toString=planted-7f3a",
  "code=CODE&hasOwnProperty=1&state[hasOwnProperty]=STATE",
  "code.a=CODE&state=STATE",
  "code%5Ba%5D=CODE&state=STATE",
  "code=CODE,planted-7f3a&state=STATE,STATE",
  "code=%&state=%",
  "code=%E0%A4%A&state=%C3%28",
  "code=CODE%00&state=STATE",
  "code=CODE&state=STATE%00planted-7f3a",
  "code=CODE&state=%ED%A0%80STATE",
  "code=%F0%9F%92%A9&state=STATE",
  "code=CODE%0D%0ASet-Cookie:planted=1&state=STATE",
  "code=CODE&state=STATE%20",
  "code=CODE&state=+STATE",
  "CODE=CODE&STATE=STATE",
  " code=CODE&state =STATE",
  "code=CODE;state=STATE",
  "utf8=%26%2310003%3B&code=%26%2349%3B&state=%26%2349%3B",
  `code=${"x".repeat(5_000)}&state=STATE`,
  `code=CODE&state=${"x".repeat(5_000)}`,
  `${"[".repeat(2_000)}&code[a]${"[b]".repeat(500)}=1&state=STATE`,
  `${Array.from({ length: 1_500 }, () => "code=CODE").join("&")}&state=STATE`,
  `${"&".repeat(5_000)}code[]=CODE&state=STATE`,
  `state=STATE&${Array.from({ length: 1_000 }, (_, index) => `a[${index}]=1`).join("&")}`
]

const seenIn = (door: string, { body, headers, status }: Wire.Response): Seen => {
  const shown = JSON.stringify(headers) + body
  // Input that is not a set of parameters is a mistake of the app, and reported as such.
  const isTyped = body.startsWith("InvalidConfig: ")
  if (status === 0) return `${door} does not respond`
  if (status >= 500 && !isTyped) return `${door} responds with ${status}`
  if (status < 400) return `${door} accepts it: ${status}`
  return when(shown.includes(marker), `${door} repeats the planted text`)
}

const fill = (query: string, callback: string) => {
  const { code, state } = secretsOf(callback)
  return query.replaceAll("=CODE", `=${code}`).replaceAll("STATE", state).replaceAll("=STATE=", "=")
}

const visitExpress = async (stage: Stage, query: string): Promise<Seen> => {
  const { doors, isAlive, parsers } = stage.world.express
  const user = stage.user("ada")
  const [door] = doors
  if (door === undefined) throw new Error("the app on Express does not run")
  const browser = stage.browser(door, user)
  const callback = await stage.callback(browser, "/connect")
  const filled = fill(query, callback)
  const ways = [
    ...doors.map((door) => ({ door, name: door.name, path: "/callback" })),
    ...parsers.map((name) => ({ door, name, path: `/parsed/${encodeURIComponent(name)}/callback` }))
  ]
  for (const { door, name, path } of ways) {
    // Some parsers read a strange query as the real callback, which only its user may use.
    const asSomebody = stage.browser(door, stage.user("eve"))
    const seen = seenIn(name, await asSomebody.visit(`${path}?${filled.replaceAll(" ", "%20")}`))
    if (seen !== undefined) return seen
    if (!isAlive()) return `${name}: the process has ended`
  }
  return stillTaken(stage, browser.site, user, callback)
}

/** The real callback still works. */
const stillTaken = async (stage: Stage, door: Door, user: string, callback: string): Promise<Seen> => {
  const { status } = await stage.browser(door, user).visit(callback)
  return when(status !== 303 || stage.exchanges(callback) !== 1, `the real callback is no longer taken: ${status}`)
}

const visitSites = async (stage: Stage, query: string): Promise<Seen> => {
  for (const site of sitesOf(stage)) {
    const browser = stage.browser(site, stage.user("ada"))
    const callback = await stage.callback(browser)
    const response = await browser.visit(`/zapier/callback?${fill(query, callback).replaceAll(" ", "%20")}`)
    const isReal = stage.exchanges(callback) > 0
    const seen = isReal ? "the code is exchanged" : seenIn(site.name, response)
    if (seen !== undefined) return seen
    const after = await browser.visit(callback)
    if (after.status !== 303) return `the real callback is no longer taken: ${after.status} (${site.name})`
  }
  return undefined
}

const named = (query: string) => (query.length > 70 ? `${query.slice(0, 60)}… (${query.length} characters)` : query)

const ofQueries: ReadonlyArray<Case> = queries.flatMap((query): ReadonlyArray<Case> => [
  { wants: `?${named(query)} to end an app on Express or the like`, attempt: (stage) => visitExpress(stage, query) },
  { wants: `?${named(query)} to pass for a callback at the routes`, attempt: (stage) => visitSites(stage, query) }
])

const bodies: ReadonlyArray<string> = [
  "null",
  "5",
  "true",
  "[]",
  "{}",
  '"code"',
  '""',
  '{"code":null,"state":null}',
  '{"code":1,"state":2}',
  '{"code":{"toString":null},"state":{"valueOf":null}}',
  '{"code":[["a"]],"state":"x"}',
  '{"code":[{"a":"b"}],"state":"x"}',
  '{"code":true,"state":"x"}',
  '{"__proto__":{"code":"a","state":"b"}}',
  '{"constructor":{"prototype":{"code":"a"}},"state":"b"}',
  '[["code","a"],["state","b"]]',
  '{"length":2,"0":"code","1":"state"}',
  '{"searchParams":{"code":"a"},"href":"x"}',
  '{"code":"\\ud800","state":"\\udfff"}',
  '{"code":"a\\u0000b","state":"c"}',
  `{"code":"${"x".repeat(60_000)}","state":"y"}`,
  '{"code":1e999,"state":-0}'
]

const ofBodies = bodies.map((body): Case => ({
  wants: `the parameters ${named(body)} to end an app on Express`,
  attempt: async (stage) => {
    for (const door of stage.world.express.doors) {
      const response = await stage.browser(door, stage.user("ada")).visit("/json", {
        method: "POST",
        headers: [["Content-Type", "application/json"]],
        body: Buffer.from(body).toString("latin1")
      })
      const seen = seenIn(door.name, response)
      if (seen !== undefined) return seen
    }
    return when(!stage.world.express.isAlive(), "the process has ended")
  }
}))

const enormous: Case = {
  wants: "a query of 100 kB to end an app",
  attempt: async (stage) => {
    for (const door of [...stage.world.express.doors, ...sitesOf(stage)]) {
      const path = "redirectUri" in door ? "/zapier/callback" : "/callback"
      const { status } = await stage.browser(door, "ada").visit(`${path}?code[a]=${"x".repeat(100_000)}&state=b`)
      if (status >= 500 || (status > 0 && status < 400)) return `${door.name} responds with ${status}`
    }
    return when(!stage.world.express.isAlive(), "the process has ended")
  }
}

export const callbackInput: Kind = { name: "callback input", cases: [...ofQueries, ...ofBodies, enormous] }
