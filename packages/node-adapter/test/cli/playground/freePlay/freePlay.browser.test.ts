/** Free play in a real browser, as a person plays. What it looks like is in `test-output`. */
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Browser as Chromium, Page } from "playwright-core"
import * as Browser from "../../../../../testing/test/utils/Browser.ts"
import * as Looks from "../../../../../testing/test/utils/Looks.ts"
import * as PlaygroundWorld from "../../../utils/PlaygroundWorld.ts"

await Browser.describeInBrowser("free play, in a browser", (browser) => {
  const open = Effect.fnUntraced(function* (options: Parameters<Chromium["newContext"]>[0] = {}) {
    const { fake, fakeOrigin, origin } = yield* PlaygroundWorld.serving
    const context = yield* Effect.acquireRelease(
      Effect.promise(() => browser.newContext(options)),
      (context) => Effect.promise(() => context.close())
    )
    const complaints: Array<string> = []
    const page = yield* Effect.promise(async () => {
      const page = await context.newPage()
      page.setDefaultTimeout(Browser.patience)
      page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) complaints.push(message.text())
      })
      page.on("pageerror", (error) => complaints.push(error.message))
      await page.goto(`${origin}/play`)
      return page
    })
    const does = <A>(what: (page: Page) => Promise<A>) => Effect.promise(() => what(page))
    const press = (name: string) =>
      does(async (page) => {
        const button = page.getByRole("button", { name, exact: true })
        const done = page.waitForResponse((response) => response.request().method() === "POST")
        await button.click()
        await done
      })
    const side = (server: "Strict" | "Lenient") => ({
      /** A line of the log that begins so. */
      told: (title: string, words: string) =>
        does((page) =>
          page.locator(`#side-${server} .log li`, { hasText: title }).filter({ hasText: words }).first().waitFor()
        ),
      isLit: (state: string) =>
        does((page) =>
          page.locator(`#side-${server} .compact .state.lit`, { hasText: state }).waitFor({ state: "attached" })
        ),
      lines: does((page) => page.locator(`#side-${server} .log .title`).allInnerTexts())
    })
    const [strict, lenient] = [side("Strict"), side("Lenient")]
    const connect = Effect.gen(function* () {
      yield* does(async (page) => {
        await page.getByRole("link", { name: "Connect Zapier" }).click()
        await page.getByRole("button", { name: "Allow" }).click()
        await page.waitForURL(`${origin}/play`)
      })
      yield* strict.isLit("Active")
      yield* lenient.isLit("Active")
    })
    const button = (name: string, is: "enabled" | "disabled") =>
      does((page) =>
        page
          .getByRole("button", { name, exact: true })
          .and(page.locator(is === "disabled" ? "[aria-disabled]" : ":not([aria-disabled])"))
          .waitFor()
      )
    /** Waits until a button is disabled, and says why. */
    const isDisabled = Effect.fnUntraced(function* (name: string, why: string) {
      yield* button(name, "disabled")
      yield* does((page) => page.locator("form", { hasText: name }).filter({ hasText: why }).waitFor())
    })
    const isEnabled = (name: string) => button(name, "enabled")
    return { fake, fakeOrigin, origin, page, does, press, strict, lenient, connect, isDisabled, isEnabled, complaints }
  })

  it.live("shows one user connect, ten hours pass, and one refresh serve fifty calls, in order", () =>
    Effect.gen(function* () {
      const { complaints, connect, does, fake, lenient, press, strict } = yield* open()
      yield* strict.isLit("Absent")
      yield* connect
      yield* strict.told("Absent → Active, generation 1", "both are stored")
      yield* press("Call the API")
      yield* press("Let ten hours pass")
      yield* strict.told("Let ten hours pass", "The next call refreshes.")
      yield* press("50 calls at once")
      for (const { told } of [strict, lenient]) yield* told("50 calls succeeded.", "Token requests meanwhile: 1.")
      // The newest first: what belongs to the 50 calls is where they are, and the one call before them is a row of its own.
      const lines = (yield* strict.lines).toReversed()
      const began = lines.indexOf("50 calls at once")
      const calls = lines.flatMap((line, index) =>
        line.startsWith("GET /v2/zaps [Bearer] -> 200") ? [[index > began, line]] : []
      )
      expect(calls).toEqual([
        [false, "GET /v2/zaps [Bearer] -> 200"],
        [true, "GET /v2/zaps [Bearer] -> 200× 50"]
      ])
      // What is shown is masked.
      const shown = yield* does((page) => page.content())
      for (const { accessToken, refreshToken } of yield* fake.issued) {
        expect(shown).not.toContain(accessToken)
        if (refreshToken !== undefined) expect(shown).not.toContain(refreshToken)
      }
      expect(complaints).toEqual([])
    })
  )

  it.live("shows a lost response cost the connection at the strict server, and beside it not at the lenient one", () =>
    Effect.gen(function* () {
      const { connect, isDisabled, lenient, press, strict } = yield* open()
      yield* connect
      yield* press("Lose the next response")
      yield* isDisabled("Lose the next response", "A fault is set already. Refresh a token to use it up.")
      yield* press("Let ten hours pass")
      yield* press("Call the API")
      yield* strict.isLit("Reconnect required")
      yield* strict.told("1 call failed: Ada has to connect again.", "Token requests meanwhile: 2.")
      yield* lenient.isLit("Active")
      yield* lenient.told("1 call succeeded.", "Token requests meanwhile: 2.")
      yield* lenient.told("stays Refreshing", "it is unknown if Zapier has replaced the tokens")
      yield* connect
      yield* strict.told("ReconnectRequired → Active", "Connected again")
    })
  )

  it.live("shows whose mistake it is: a regenerated secret ends no connection, a user who revokes does", () =>
    Effect.gen(function* () {
      const { connect, does, isDisabled, isEnabled, press, strict } = yield* open()
      yield* isDisabled("Call the API", "Connect Zapier first.")
      yield* connect
      yield* isDisabled("Give the app the new secret", "The app has the current secret. Regenerate it first.")
      yield* press("Regenerate the secret")
      yield* isEnabled("Give the app the new secret")
      yield* press("Let ten hours pass")
      yield* press("Call the API")
      yield* strict.told("1 call failed: the app's client secret is wrong.", "")
      yield* strict.isLit("Active")
      yield* press("Give the app the new secret")
      yield* press("Call the API")
      yield* strict.told("1 call succeeded.", "")
      yield* press("End the access token early")
      yield* press("Call the API")
      yield* strict.told("GET /v2/zaps [Bearer] -> 401", "looks for a newer token")
      yield* press("Revoke at Zapier")
      yield* isDisabled("Revoke at Zapier", "Zapier has no connection of this app.")
      yield* press("Call the API")
      yield* strict.isLit("Reconnect required")
      yield* press("Disconnect")
      yield* strict.isLit("Absent")
      yield* press("Clear the log")
      yield* does((page) => page.getByText("Nothing yet.").first().waitFor())
    })
  )

  it.live("follows the control page, which it links to and which links back", () =>
    Effect.gen(function* () {
      const { connect, does, fakeOrigin, origin, page, strict } = yield* open()
      yield* connect
      yield* does(async (page) => {
        await page.getByRole("link", { name: "Control page of the fake" }).click()
        await page.waitForURL(`${fakeOrigin}/_control/`)
        await page.getByRole("button", { name: "+ 10 hours" }).click()
        await page.getByText("The clock has moved ahead.").waitFor()
        await page.getByRole("button", { name: "+ 1 minute" }).click()
        await page.getByRole("link", { name: "Playground" }).click()
        await page.waitForURL(`${origin}/`)
        await page.getByRole("link", { name: "Free play" }).click()
      })
      yield* strict.told("Control page", "The clock has moved ahead.")
      for (const server of ["Strict", "Lenient"]) {
        yield* does(() => page.locator(`#side-${server} .facts`, { hasText: "expired" }).waitFor())
      }
    })
  )

  it.live("keeps the focus, and says what is new alone", () =>
    Effect.gen(function* () {
      const { connect, does, strict } = yield* open()
      yield* connect
      yield* does(async (page) => {
        await page.evaluate(`
          said = []
          new MutationObserver(() => said.push(document.getElementById("news").textContent)).observe(document.getElementById("news"), { childList: true })
        `)
        await page.getByRole("button", { name: "Call the API" }).focus()
        await page.keyboard.press("Enter")
      })
      yield* strict.told("1 call succeeded.", "")
      yield* does(async (page) => {
        expect(await page.evaluate("document.activeElement.id")).toBe("call")
        await page.waitForFunction("document.getElementById('news').textContent.includes('succeeded')")
        expect(await page.evaluate("said.at(-1)")).toBe(
          "Strict server: 1 call succeeded. Token requests meanwhile: 0. Lenient server: 1 call succeeded. Token requests meanwhile: 0."
        )
        // Nothing else is a live region.
        expect(await page.locator("main [aria-live], main [role=status], main [role=alert]").count()).toBe(0)
      })
    })
  )

  it.live("says that the browser is offline", () =>
    Effect.gen(function* () {
      const { does } = yield* open()
      yield* does(async (page) => {
        await page.context().setOffline(true)
        await page.getByRole("alert").filter({ hasText: "offline" }).waitFor()
        await page.context().setOffline(false)
        await page.waitForFunction("document.getElementById('trouble').textContent === ''")
      })
    })
  )

  it.live("tells a failure as one, until something else is pressed", () =>
    Effect.gen(function* () {
      const { connect, does, press, strict } = yield* open()
      yield* connect
      yield* does(async (page) => {
        await page.route("**/actions/lose", (route) => route.fulfill({ status: 409, body: "That did not work: away." }))
      })
      yield* press("Lose the next response")
      yield* does((page) => page.getByRole("alert").filter({ hasText: "That did not work: away." }).waitFor())
      yield* press("Call the API")
      yield* strict.told("1 call succeeded.", "")
      yield* does((page) => page.waitForFunction("document.getElementById('trouble').textContent === ''"))
    })
  )

  it.live("works without a script, by going back to the page", () =>
    Effect.gen(function* () {
      const { connect, does, strict } = yield* open({ javaScriptEnabled: false })
      yield* connect
      yield* does((page) => page.getByRole("button", { name: "Call the API" }).click())
      yield* strict.told("1 call succeeded.", "")
    })
  )

  it.live("looks as it should, light and dark, wide and narrow, and axe finds nothing wrong", () =>
    Effect.gen(function* () {
      const { connect, does, page, press, strict } = yield* open()
      const looks = Effect.fnUntraced(function* (name: string) {
        expect(yield* does((page) => Looks.problemsOf(page, `playground-play-${name}`))).toEqual([])
      })
      yield* looks("empty")
      yield* connect
      yield* press("Lose the next response")
      yield* press("Let ten hours pass")
      yield* press("50 calls at once")
      yield* strict.isLit("Reconnect required")
      yield* looks("full")
      // On a phone, what came of a button is seen where the button is.
      yield* does(async () => {
        await page.setViewportSize({ width: 390, height: 800 })
        await page.locator("#call").scrollIntoViewIfNeeded()
        await page.locator("#call").click()
        const [button, latest] = [
          await page.locator("#call").boundingBox(),
          await page.locator(".latest").boundingBox()
        ]
        expect(latest?.y).toBeGreaterThan(button?.y ?? 0)
        expect((latest?.y ?? 0) + (latest?.height ?? 0)).toBeLessThanOrEqual(800)
        // A state's name is at least as large as the text around it, nearly.
        const size = await page
          .locator("#side-Strict .compact .state text")
          .first()
          .evaluate((text) => text.getBoundingClientRect().height)
        expect(size).toBeGreaterThan(12)
        await page.setViewportSize({ width: 360, height: 800 })
        expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(360)
      })
    })
  )
})
