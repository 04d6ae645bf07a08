/** Floods: the app's resources stay bounded, and other users are still served. */
import type { Socket } from "node:net"
import { type Browser, from, type Header } from "../browser.ts"
import { atEachSite, type Case, first, type Kind, type Seen, when } from "../case.ts"
import { secretsOf, type Stage } from "../stage.ts"
import type { Site } from "../sites.ts"
import * as Wire from "../wire.ts"

// The app's own cookies need room as well, in 16 kB for all headers.
const cookieBound = 4_096

const attemptBound = 200

// Up to the longest address that is kept, and beyond.
const lengths = [60, 250, 490, 990, 4_000]

const works = async (stage: Stage, browser: Browser): Promise<Seen> => {
  const callback = await stage.callback(browser)
  const { status } = await browser.visit(callback, { headers: from.otherSite })
  return when(status !== 303, `a real login does not work: ${status}`)
}

const chunksOf = (size: number, by: number) =>
  Array.from({ length: Math.ceil(size / by) }, (_, index) => Math.min(by, size - index * by))

const inOneBrowser = (wants: string, share: number, target: (index: number) => string): Case =>
  atEachSite(wants, async (stage, site) => {
    const browser = stage.browser(site, stage.user("ada"))
    for (let index = 0; index < Math.ceil(stage.world.size * share); index++) {
      const { status } = await browser.visit(target(index))
      if (status !== 303) return `attempt ${index + 1} is responded to with ${status}`
      if (browser.cookie.length > cookieBound)
        return `after ${index + 1} attempts there are ${browser.cookie.length} bytes of cookies`
    }
    return works(stage, browser)
  })

const bySubject = atEachSite("attempts of one user, without cookies, to fill a database", async (stage, site) => {
  const user = stage.user("ada")
  const before = await site.attempts()
  for (const many of chunksOf(stage.world.size, 20)) {
    const statuses = await Promise.all(
      Array.from({ length: many }, async () => (await stage.browser(site, user).visit("/zapier/connect")).status)
    )
    const odd = statuses.find((status) => status !== 303 && status !== 429 && status !== 503)
    if (odd !== undefined) return `an attempt is responded to with ${odd}`
  }
  const kept = (await site.attempts()) - before
  return first(
    () => when(kept > attemptBound, `${kept} attempts are stored`),
    () => works(stage, stage.browser(site, stage.user("ada")))
  )
})

const lastOfMany = atEachSite("many attempts of a user to end the last one", async (stage, site) => {
  const user = stage.user("ada")
  for (let index = 0; index < 100; index++) await stage.browser(site, user).visit("/zapier/connect")
  return works(stage, stage.browser(site, user))
})

const guesses = atEachSite("guessed callbacks to fill a database or to reach Zapier", async (stage, site) => {
  const browser = stage.browser(site, stage.user("ada"))
  const before = await site.attempts()
  for (const many of chunksOf(Math.ceil(stage.world.size / 2), 20)) {
    const statuses = await Promise.all(
      Array.from(
        { length: many },
        async (_, index) =>
          (await browser.visit(`/zapier/callback?code=guess${many}${index}&state=guess${index}`)).status
      )
    )
    if (statuses.some((status) => status < 400 || status >= 500)) return "one is accepted"
  }
  return when((await site.attempts()) !== before, "something is stored")
})

const refused = atEachSite("rejected requests to store anything", async (stage, site) => {
  const before = await site.attempts()
  for (const many of chunksOf(Math.ceil(stage.world.size / 10), 20)) {
    await Promise.all(
      Array.from({ length: many }, async () => {
        await stage.browser(site).visit("/zapier/connect")
        await stage.browser(site, "ada").visit("/zapier/connect?return=//evil.example")
        await stage.browser(site, "ada").visit("/zapier/connect", { headers: from.otherSite })
      })
    )
  }
  return when((await site.attempts()) !== before, "attempts are stored")
})

/** An oversized request is rejected or accepted, and the next one is served. */
const large = (wants: string, send: (stage: Stage, site: Site, user: string) => Promise<Wire.Response>): Case =>
  atEachSite(wants, async (stage, site) => {
    const user = stage.user("ada")
    const { status } = await send(stage, site, user)
    return first(
      () => when(status >= 500, `the response is ${status}`),
      () => works(stage, stage.browser(site, user))
    )
  })

const headers = (count: number, size: number): ReadonlyArray<Header> =>
  Array.from({ length: count }, (_, index) => [`X-Large-${index}`, "x".repeat(size)])

const larges: ReadonlyArray<Case> = [
  large("a header of 100 kB to end the app", (stage, site, user) =>
    stage.browser(site, user).visit("/zapier/connect", { headers: headers(1, 100_000) })
  ),
  large("2,000 headers to end the app", (stage, site, user) =>
    stage.browser(site, user).visit("/zapier/connect", { headers: headers(2_000, 1) })
  ),
  large("1,000 cookies to end the app", (stage, site, user) => {
    const cookies = Array.from({ length: 1_000 }, (_, index) => `c${index}=1`).join("; ")
    return stage.browser(site).visit("/zapier/connect", { headers: [["Cookie", `session=${user}; ${cookies}`]] })
  }),
  large("hundreds of attempts' cookies to end the app", (stage, site, user) => {
    const cookies = Array.from(
      { length: 200 },
      (_, index) => `__Host-zapier-connect-${index}=/; zapier-connect-${index}=%2F`
    )
    return stage
      .browser(site)
      .visit("/zapier/connect", { headers: [["Cookie", `session=${user}; ${cookies.join("; ")}`]] })
  }),
  large("a target of 15 kB to end the app", (stage, site, user) =>
    stage.browser(site, user).visit(`/zapier/connect?return=/${"a".repeat(15_000)}`)
  ),
  large("10,000 parameters to end the app", (stage, site, user) =>
    stage.browser(site, user).visit(`/zapier/callback?${"a&".repeat(5_000)}`)
  ),
  large("a body of 20 MB to end the app", (stage, site, user) =>
    stage.browser(site, user).visit("/zapier/disconnect", {
      method: "POST",
      headers: [["Origin", site.origin]],
      body: "x".repeat(20_000_000)
    })
  )
]

/** Connections that stay open while another user logs in. */
const holding = (wants: string, bytes: (site: Site, index: number) => string): Case =>
  atEachSite(wants, async (stage, site) => {
    const sockets: Array<Socket> = []
    try {
      for (let index = 0; index < Math.min(300, stage.world.size); index++) {
        const socket = await Wire.open(site.port)
        // The server may close it, which is fine.
        socket.on("error", () => {})
        sockets.push(socket)
        socket.write(bytes(site, index))
      }
      return await works(stage, stage.browser(site, stage.user("ada")))
    } finally {
      for (const socket of sockets) socket.destroy()
    }
  })

const hostOf = ({ origin }: Site) => new URL(origin).host

const holdings: ReadonlyArray<Case> = [
  holding("silent connections to keep others out", () => ""),
  holding(
    "endless requests to keep others out",
    (site) => `GET /zapier/connect HTTP/1.1\r\nHost: ${hostOf(site)}\r\nX: `
  ),
  holding(
    "endless bodies to keep others out",
    (site, index) =>
      `POST /zapier/disconnect HTTP/1.1\r\nHost: ${hostOf(site)}\r\nCookie: session=slow-${index}\r\nOrigin: ${site.origin}\r\nContent-Length: 1000000\r\n\r\nx`
  ),
  holding(
    "callbacks with endless bodies to keep others out",
    (site, index) =>
      `GET /zapier/callback?code=a&state=${index} HTTP/1.1\r\nHost: ${hostOf(site)}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n`
  )
]

const late = atEachSite("others' attempts to end a consent of half a second", async (stage, site) => {
  const browser = stage.browser(site, stage.user("ada"))
  const consent = await stage.begin(browser)
  await Promise.all(Array.from({ length: 50 }, () => stage.browser(site, stage.user("eve")).visit("/zapier/connect")))
  const callback = await stage.approve(consent)
  const { status } = await browser.visit(callback, { headers: from.otherSite })
  return when(status !== 303 || stage.exchanges(callback) !== 1, `the real login does not work: ${status}`)
})

const express: Case = {
  wants: "a flood of callbacks to end an app on Express",
  attempt: async (stage) => {
    for (const door of stage.world.express.doors) {
      const browser = stage.browser(door, stage.user("ada"))
      const { code, state } = secretsOf(await stage.callback(browser, "/connect"))
      const targets = ["code[a]=1", `code=${code}&state=x`, `code[]=${code}&code[]=1&state=${state}`, "state[]=&code="]
      for (const many of chunksOf(Math.ceil(stage.world.size / 8), 20)) {
        await Promise.all(
          Array.from({ length: many }, (_, index) => browser.visit(`/callback?${targets[index % targets.length]}`))
        )
      }
      const { status } = await browser.visit(`/callback?code=${code}&state=${state}`)
      if (status !== 303) return `a real login does not work: ${status} (${door.name})`
    }
    return when(!stage.world.express.isAlive(), "the process has ended")
  }
}

export const floods: Kind = {
  name: "floods",
  isExclusive: true,
  cases: [
    inOneBrowser("attempts of one browser to lock it out", 0.25, () => "/zapier/connect"),
    ...lengths.flatMap((length) => [
      inOneBrowser(
        `attempts of one browser with addresses of ${length} characters to lock it out`,
        0.05,
        (index) => `/zapier/connect?return=/${"a".repeat(length - 6)}${100_000 + index}`
      ),
      inOneBrowser(
        `attempts of one browser with encoded addresses of ${length} characters to lock it out`,
        0.05,
        (index) => `/zapier/connect?return=/${"%2525".repeat(Math.floor((length - 6) / 3))}${100_000 + index}`
      ),
      inOneBrowser(
        `attempts of one browser with other parameters of ${length} characters to lock it out`,
        0.05,
        (index) => `/zapier/connect?a=${"b".repeat(length - 6)}${100_000 + index}`
      )
    ]),
    bySubject,
    lastOfMany,
    late,
    guesses,
    refused,
    ...larges,
    ...holdings,
    express
  ]
}
