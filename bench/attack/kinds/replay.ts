/** Repeated and late callbacks: a code is sent at most once, and the grant stays. */
import { setTimeout as sleep } from "node:timers/promises"
import { type Browser, from, type Header } from "../browser.ts"
import { atEachSite, type Case, first, type Kind, type Seen, when } from "../case.ts"
import type { Site } from "../sites.ts"
import { secretsOf, type Stage } from "../stage.ts"

const fromZapier = { headers: from.otherSite }

const ownPost = (site: Site): { readonly method: string; readonly headers: ReadonlyArray<Header> } => ({
  method: "POST",
  headers: [["Origin", site.origin], ...from.ownPage]
})

const copyOf = (stage: Stage, browser: Browser): Browser => {
  const copy = stage.browser(browser.site)
  for (const [name, value] of browser.cookies) copy.cookies.set(name, value)
  return copy
}

interface Connected {
  readonly stage: Stage
  readonly site: Site
  readonly user: string
  readonly browser: Browser
  /** The browser's state before the callback was used. */
  readonly before: Browser
  readonly callback: string
}

/** A connected user, and another use of the callback. The grant has to stay. */
const afterwards = (wants: string, replay: (connected: Connected) => Promise<unknown>): Case =>
  atEachSite(wants, async (stage, site) => {
    const user = stage.user("ada")
    const browser = stage.browser(site, user)
    const callback = await stage.callback(browser)
    const before = copyOf(stage, browser)
    await browser.visit(callback, fromZapier)
    await replay({ stage, site, user, browser, before, callback })
    return first(
      () => when(stage.exchanges(callback) !== 1, `the code is sent ${stage.exchanges(callback)} times`),
      async () => when(!(await stage.isConnected(site, user)), "the grant is gone")
    )
  })

/** Many visits at once. */
const atOnce = (
  wants: string,
  visits: number,
  browsers: (stage: Stage, own: Browser) => ReadonlyArray<Browser>
): Case =>
  atEachSite(wants, async (stage, site) => {
    const user = stage.user("ada")
    const own = stage.browser(site, user)
    const callback = await stage.callback(own)
    const all = browsers(stage, own)
    await Promise.all(
      Array.from({ length: visits }, (_, index) => all[index % all.length]?.visit(callback, fromZapier))
    )
    return first(
      () => when(stage.exchanges(callback) !== 1, `the code is sent ${stage.exchanges(callback)} times`),
      async () => when(!(await stage.isConnected(site, user)), "the user is not connected")
    )
  })

/** An attempt that ended without a grant stays ended. */
const ended = (
  wants: string,
  end: (stage: Stage, site: Site, browser: Browser, callback: string) => Promise<unknown>
) =>
  atEachSite(wants, async (stage, site) => {
    const user = stage.user("ada")
    const browser = stage.browser(site, user)
    const callback = await stage.callback(browser)
    const before = copyOf(stage, browser)
    await end(stage, site, browser, callback)
    await before.visit(callback, fromZapier)
    return first(
      () => when(stage.exchanges(callback) > 0, "the code is sent"),
      async () => when(await stage.isConnected(site, user), "the user is connected")
    )
  })

const deny = (callback: string) => `/zapier/callback?error=access_denied&state=${secretsOf(callback).state}`

const toldWrong = (status: number, body: string): Seen =>
  when(status >= 400, `a user who is connected is told ${status}`) ??
  when(body.includes("Zapier is not connected"), "a user who is connected is told the opposite")

export const replay: Kind = {
  name: "replay",
  cases: [
    afterwards("a reload to use a code again", ({ browser, callback }) => browser.visit(callback)),
    afterwards("a copy of the browser to use a code again", ({ before, callback }) =>
      before.visit(callback, fromZapier)
    ),
    afterwards("another browser to use a code again", ({ callback, site, stage, user }) =>
      stage.browser(site, user).visit(callback, fromZapier)
    ),
    afterwards("another user with all cookies to use a code again", ({ before, callback, stage }) => {
      before.cookies.set("session", stage.user("eve"))
      return before.visit(callback, fromZapier)
    }),
    afterwards("a conditional request to use a code again", ({ before, callback }) =>
      before.visit(callback, { headers: [["If-None-Match", "*"], ["Range", "bytes=0-1"], ...from.nowhere] })
    ),
    afterwards("a callback from the history to be accepted while another attempt is under way", async (connected) => {
      await connected.stage.begin(connected.browser)
      await connected.browser.visit(connected.callback)
    }),
    afterwards("a denial to end the grant of its attempt", ({ before, callback }) =>
      before.visit(deny(callback), fromZapier)
    ),
    afterwards("a denial without a cookie to end the grant of its attempt", ({ browser, callback }) =>
      browser.visit(deny(callback), fromZapier)
    ),
    afterwards("an error of Zapier's to end the grant of its attempt", ({ before, callback }) =>
      before.visit(deny(callback).replace("access_denied", "server_error"), fromZapier)
    ),
    afterwards("a callback of ten visits in a row to end the grant", async ({ before, callback }) => {
      for (let visit = 0; visit < 10; visit++) await before.visit(callback, fromZapier)
    }),
    atEachSite("another code to be accepted under a used state", async (stage, site) => {
      const user = stage.user("ada")
      const browser = stage.browser(site, user)
      const consent = await stage.begin(browser)
      const before = copyOf(stage, browser)
      await browser.visit(await stage.approve(consent), fromZapier)
      const other = await stage.approve(consent, "eve")
      await before.visit(other, fromZapier)
      await browser.visit(other, fromZapier)
      return when(stage.exchanges(other) > 0, "it is sent")
    }),
    atEachSite(
      "a user who goes back and allows again to get the message that nothing is connected",
      async (stage, site) => {
        const browser = stage.browser(site, stage.user("ada"))
        const consent = await stage.begin(browser)
        await browser.visit(await stage.approve(consent), fromZapier)
        const { body, status } = await browser.visit(await stage.approve(consent), fromZapier)
        return toldWrong(status, body)
      }
    ),
    atEachSite("a user who reloads to get the message that nothing is connected", async (stage, site) => {
      const browser = stage.browser(site, stage.user("ada"))
      const { body, status } = await browser.visit(await stage.connect(browser))
      return toldWrong(status, body)
    }),
    atEachSite("a connected user who denies to get the message that nothing is connected", async (stage, site) => {
      const browser = stage.browser(site, stage.user("ada"))
      await stage.connect(browser)
      const { body } = await browser.visit(await stage.deny(await stage.begin(browser)), fromZapier)
      return when(body.includes("Zapier is not connected"), "the user is told so")
    }),
    atOnce("two visits at once to use a code twice", 2, (_, own) => [own]),
    atOnce("ten visits at once to use a code twice", 10, (_, own) => [own]),
    atOnce("two copies of a browser to use a code twice", 6, (stage, own) => [own, copyOf(stage, own)]),
    atOnce("another browser, at the same time, to spend a code", 8, (stage, own) => [
      own,
      stage.browser(own.site, own.cookies.get("session")),
      stage.browser(own.site, stage.user("eve")),
      stage.browser(own.site)
    ]),
    {
      wants: "a callback to be accepted too late",
      attempt: async (stage) => {
        const site = stage.world.sites.brief
        const user = stage.user("ada")
        const browser = stage.browser(site, user)
        const callback = await stage.callback(browser)
        // Enough for the attempt to expire.
        await sleep(100)
        await browser.visit(callback, fromZapier)
        return first(
          () => when(stage.exchanges(callback) > 0, "the code is sent"),
          async () => when(await stage.isConnected(site, user), "the user is connected")
        )
      }
    },
    {
      wants: "a callback to be accepted too late, the second time",
      attempt: async (stage) => {
        const site = stage.world.sites.brief
        const user = stage.user("ada")
        const browser = stage.browser(site, user)
        const callback = await stage.callback(browser)
        const before = copyOf(stage, browser)
        await sleep(100)
        await browser.visit(callback, fromZapier)
        await before.visit(callback, fromZapier)
        return when(stage.exchanges(callback) > 0, "the code is sent")
      }
    },
    ended("a callback to be accepted after a denial", (_, __, browser, callback) =>
      browser.visit(deny(callback), fromZapier)
    ),
    ended("a callback to be accepted after an error of Zapier's", (_, __, browser, callback) =>
      browser.visit(deny(callback).replace("access_denied", "temporarily_unavailable"), fromZapier)
    ),
    ended("a callback to be accepted after two denials at once", (_, __, browser, callback) =>
      Promise.all([browser.visit(deny(callback), fromZapier), browser.visit(deny(callback), fromZapier)])
    ),
    ...[true, false].map((isCopy) =>
      atEachSite(
        `a callback to connect again ${isCopy ? "with a copy of its cookies" : "by a reload"} after a disconnect`,
        async (stage, site) => {
          const user = stage.user("ada")
          const browser = stage.browser(site, user)
          const callback = await stage.callback(browser)
          const before = copyOf(stage, browser)
          await browser.visit(callback, fromZapier)
          await browser.visit("/zapier/disconnect", ownPost(site))
          if (await stage.isConnected(site, user)) throw new Error("a disconnect does not work")
          await (isCopy ? before : browser).visit(callback, fromZapier)
          return first(
            () => when(stage.exchanges(callback) !== 1, "the code is sent again"),
            async () => when(await stage.isConnected(site, user), "the user is connected again")
          )
        }
      )
    ),
    ...["Express 4", "Express 5"].map((name, index): Case => ({
      wants: `ten visits at once to use a code twice at ${name}`,
      attempt: async (stage) => {
        const door = stage.world.express.doors[index]
        if (door === undefined) throw new Error("the app on Express does not run")
        const browser = stage.browser(door, stage.user("ada"))
        const callback = await stage.callback(browser, "/connect")
        await Promise.all(Array.from({ length: 10 }, () => browser.visit(callback)))
        await browser.visit(callback)
        return when(stage.exchanges(callback) !== 1, `it is sent ${stage.exchanges(callback)} times`)
      }
    }))
  ]
}
