/** Connecting in a popup, in a real browser: what the page of the app is told, whatever cuts the popup off from it. */
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { BrowserContext, Page } from "playwright-core"
import * as Browser from "../../testing/test/utils/Browser.ts"
import * as World from "./utils/PopupWorld.ts"

const does = <A>(what: () => Promise<A>) => Effect.promise(what)

const press = (page: Page, name: string) => does(() => page.getByRole("button", { name, exact: true }).click())

const words = (page: Page) => does(() => page.locator("main").innerText())

/** A page of the app's, or of another host. It notes each message that its window is sent. */
const visit = (context: BrowserContext, origin: string) =>
  does(async () => {
    const page = await context.newPage()
    await page.goto(origin)
    await page.evaluate(() => {
      const messages: Array<unknown> = []
      addEventListener("message", ({ data }) => messages.push(data))
      Object.assign(globalThis, { messages })
    })
    return page
  })

const messages = (page: Page) =>
  does(() => page.evaluate(() => (globalThis as unknown as { messages: ReadonlyArray<unknown> }).messages))

/** Presses the app's button: the popup shows Zapier's page, or one of the app's. */
const begin = (page: Page) =>
  does(async () => {
    const opened = page.waitForEvent("popup")
    await page.getByRole("button", { name: "Connect Zapier" }).click()
    return opened
  })

/** What the app's script was told. */
const told = (page: Page) =>
  does(async () => {
    await page.waitForFunction(() => document.querySelector("output")?.textContent !== "")
    return JSON.parse(await page.locator("output").innerText()) as Record<string, unknown>
  })

/** Does something that ends with the popup closed. */
const closing = (popup: Page, what: Effect.Effect<void>) =>
  Effect.gen(function* () {
    const closed = popup.waitForEvent("close")
    yield* what
    yield* does(() => closed)
  })

// Without windows on a screen, every page believes to be the one that the user looks at.
const looksElsewhere = (page: Page) => does(() => page.evaluate(() => void (document.hasFocus = () => false)))

const looksHere = (page: Page) => does(() => page.evaluate(() => void (document.hasFocus = () => true)))

const go = (page: Page, link: string) => does(() => page.evaluate((url) => location.assign(url), link))

const whiteLabel = { tenant: () => Effect.succeed("acme") }

await Browser.describeInBrowser("connecting in a popup", (browser) => {
  const open = Effect.fnUntraced(function* (options: World.Options & { readonly from?: "app" | "www" } = {}) {
    const world = yield* World.make(options)
    const context = yield* Effect.acquireRelease(
      does(() => browser.newContext()),
      (context) => does(() => context.close())
    )
    context.setDefaultTimeout(Browser.patience)
    const complaints: Array<string> = []
    context.on("console", (message) => {
      // A page whose status is an error is shown all the same.
      const isStatus = message.text().startsWith("Failed to load resource")
      if (message.type() === "error" && !isStatus) complaints.push(message.text())
    })
    context.on("weberror", (error) => complaints.push(error.error().message))
    return { ...world, context, page: yield* visit(context, world[options.from ?? "app"]), complaints }
  })

  it.live("tells the app's page that the user has connected, and closes", () =>
    Effect.gen(function* () {
      const { complaints, page } = yield* open()
      const popup = yield* begin(page)
      yield* closing(popup, press(popup, "Allow"))
      expect(yield* told(page)).toMatchObject({ outcome: "Connected", status: { connected: true, scopes: ["zap"] } })
      expect(complaints).toEqual([])
    })
  )

  it.live("tells a page of another of the app's origins the outcome's name, and nothing else", () =>
    Effect.gen(function* () {
      const { complaints, page } = yield* open({ from: "www" })
      const popup = yield* begin(page)
      yield* closing(popup, press(popup, "Allow"))
      expect(yield* told(page)).toEqual({ outcome: "Connected" })
      expect(yield* messages(page)).toEqual([
        { type: "zapier.popup.close", outcome: "Connected", id: expect.stringMatching(/^[\d-]+$/) }
      ])
      expect(complaints).toEqual([])
    })
  )

  it.live("tells another site nothing, even if the user goes on from there", () =>
    Effect.gen(function* () {
      const { page } = yield* open({ from: "www", connect: { origins: [] } })
      const popup = yield* begin(page)
      expect(yield* words(popup)).toContain("You came here from another website.")
      yield* does(() => popup.getByRole("link", { name: "Connect Zapier" }).click())
      yield* closing(popup, press(popup, "Allow"))
      // A popup that is closed is all that it can see.
      expect(yield* told(page)).toEqual({ outcome: "Closed" })
      expect(yield* messages(page)).toEqual([])
    })
  )

  it.live.each([
    ["of the app's page", { app: "same-origin" }],
    ["of Zapier's pages", { zapier: "same-origin" }],
    ["of both", { app: "same-origin", zapier: "same-origin" }]
  ] as const)("tells the app's page, although the opener policy %s has cut the popup off", ([, policies]) =>
    Effect.gen(function* () {
      const { complaints, page } = yield* open({ policies })
      yield* looksElsewhere(page)
      const popup = yield* begin(page)
      yield* closing(popup, press(popup, "Allow"))
      expect(yield* told(page)).toMatchObject({ outcome: "Connected", status: { connected: true } })
      expect(yield* messages(page)).toEqual([])
      expect(complaints).toEqual([])
    })
  )

  it.live("keeps the popups of two pages apart, although both are cut off", () =>
    Effect.gen(function* () {
      const { app, context, page } = yield* open({ policies: { app: "same-origin" } })
      const other = yield* visit(context, app)
      yield* looksElsewhere(page)
      yield* looksElsewhere(other)
      const [first, second] = [yield* begin(page), yield* begin(other)]
      yield* closing(second, press(second, "Deny"))
      expect(yield* told(other)).toMatchObject({ outcome: "Failed", error: "ConsentDenied" })
      yield* closing(first, press(first, "Allow"))
      expect(yield* told(page)).toMatchObject({ outcome: "Connected" })
    })
  )

  it.live("ends in the popup, too, when the user does not allow access", () =>
    Effect.gen(function* () {
      const { page } = yield* open()
      const popup = yield* begin(page)
      yield* closing(popup, press(popup, "Deny"))
      expect(yield* told(page)).toEqual({
        outcome: "Failed",
        error: "ConsentDenied",
        status: expect.objectContaining({ connected: false })
      })
    })
  )

  it.live("ends in the popup, too, when nobody is signed in any more", () =>
    Effect.gen(function* () {
      const { page, user } = yield* open()
      const popup = yield* begin(page)
      user.name = undefined
      yield* closing(popup, press(popup, "Allow"))
      expect(yield* told(page)).toEqual({ outcome: "SignedOut" })
      const again = yield* open()
      again.user.name = undefined
      yield* begin(again.page)
      expect(yield* told(again.page)).toEqual({ outcome: "SignedOut" })
    })
  )

  it.live("sees that the user has closed the popup, and asks whether Zapier is connected", () =>
    Effect.gen(function* () {
      const { page } = yield* open()
      const popup = yield* begin(page)
      // A page that is closed while it is on its way to another never says so.
      yield* does(() => popup.getByRole("button", { name: "Allow" }).waitFor())
      yield* does(() => popup.close())
      expect(yield* told(page)).toEqual({ outcome: "Closed", status: expect.objectContaining({ connected: false }) })
    })
  )

  it.live("does not take a popup that was cut off for closed before the user is back", () =>
    Effect.gen(function* () {
      const { page } = yield* open({ policies: { app: "same-origin" } })
      yield* looksElsewhere(page)
      yield* does(() => page.clock.install())
      const popup = yield* begin(page)
      yield* does(() => popup.getByRole("button", { name: "Allow" }).waitFor())
      yield* does(() => page.clock.runFor("10:00"))
      expect(yield* does(() => page.locator("output").innerText())).toBe("")
      yield* looksHere(page)
      yield* does(() => page.clock.runFor("00:05"))
      expect(yield* told(page)).toMatchObject({ outcome: "Closed" })
    })
  )

  it.live("leads back to the app where its page is gone", () =>
    Effect.gen(function* () {
      const { app, page } = yield* open()
      const popup = yield* begin(page)
      yield* does(() => page.close())
      yield* press(popup, "Allow")
      yield* does(() => popup.getByRole("heading", { name: "Zapier is connected" }).waitFor())
      expect(yield* words(popup)).toContain("You can close this window.")
      yield* does(() => popup.getByRole("link", { name: "Back to the app" }).click())
      yield* does(() => popup.waitForURL(`${app}/settings`))
    })
  )

  it.live("goes to Zapier in the app's own page where the browser allows no popup", () =>
    Effect.gen(function* () {
      const { app, page } = yield* open()
      yield* does(() => page.evaluate(() => void (window.open = () => null)))
      yield* press(page, "Connect Zapier")
      yield* press(page, "Allow")
      yield* does(() => page.waitForURL(`${app}/settings`))
    })
  )

  it.live("connects an app of a White Label user, whose pages see no token", () =>
    Effect.gen(function* () {
      const { app, complaints, context } = yield* open({ connect: { whiteLabel } })
      const page = yield* visit(context, `${app}/?app=SlackCLIAPI`)
      const popup = yield* begin(page)
      yield* closing(popup, press(popup, "Allow"))
      expect(yield* told(page)).toEqual({ outcome: "AppConnected" })
      const again = yield* visit(context, `${app}/?app=SlackCLIAPI`)
      const denied = yield* begin(again)
      yield* closing(denied, press(denied, "Deny"))
      expect(yield* told(again)).toEqual({ outcome: "Failed", error: "ConsentDenied" })
      expect(complaints).toEqual([])
    })
  )

  it.live("connects an app of a White Label user without a popup, too, and returns to the app", () =>
    Effect.gen(function* () {
      const { app, context, page } = yield* open({ connect: { whiteLabel } })
      const link = `${app}/zapier/connections/connect?app=SlackCLIAPI&return=/settings`
      yield* go(page, link)
      yield* does(() => page.getByRole("button", { name: "Allow" }).waitFor())
      expect(page.url()).toContain("/to/SlackCLIAPI?token=")
      yield* press(page, "Allow")
      yield* does(() => page.waitForURL(`${app}/settings`))
      yield* go(page, link)
      yield* press(page, "Deny")
      yield* does(() => page.getByRole("heading", { name: "Not connected" }).waitFor())
      yield* does(() => page.getByRole("link", { name: "Connect the app" }).click())
      yield* press(page, "Allow")
      yield* does(() => page.waitForURL(`${app}/settings`))
      expect((yield* does(() => context.cookies())).filter(({ name }) => name.startsWith("zapier-connect"))).toEqual([])
    })
  )

  it.live("is done by the page that the documentation shows", () =>
    Effect.gen(function* () {
      const { app, complaints, context } = yield* open()
      const page = yield* visit(context, `${app}/documented`)
      const popup = yield* begin(page)
      const reloaded = page.waitForEvent("load")
      yield* closing(popup, press(popup, "Allow"))
      yield* does(() => reloaded)
      expect(complaints).toEqual([])
    })
  )
})
