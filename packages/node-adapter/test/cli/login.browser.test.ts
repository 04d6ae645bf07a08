/** `login` as a process, and its user at a real browser. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Browser as Chromium, Page } from "playwright-core"
import * as Browser from "../../../testing/test/utils/Browser.ts"
import * as World from "../utils/CommandLineWorld.ts"

const pageOf = (browser: Chromium) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const page = await browser.newPage()
      page.setDefaultTimeout(Browser.patience)
      return page
    }),
    (page) => Effect.promise(() => page.close())
  )

const press = (page: Page, button: string) => Effect.promise(() => page.getByRole("button", { name: button }).click())

const words = (page: Page) => Effect.promise(() => page.locator("body").innerText())

await Browser.describeInBrowser("login, in a browser", (browser) => {
  it.live("connects who presses Allow, and calls Zapier from then on", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      const page = yield* pageOf(browser)
      const running = world.start(["login", "--no-browser", "--subject", "ada", "--scope", "zap"])
      const url = World.consentUrl(yield* running.said("stderr", "authorize?"))
      yield* Effect.promise(() => page.goto(url))
      expect(yield* words(page)).toContain("Allow Acme to use Zapier for you?")
      yield* press(page, "Allow")
      yield* Effect.promise(() => page.getByRole("heading", { name: "Connected" }).waitFor())
      expect(yield* running.ended).toMatchObject({ code: 0, stdout: 'Connected "ada". Scopes: zap.\n' })
      // What is in the address bar is worth nothing any more, and nobody listens there.
      const again = yield* Effect.promise(() => page.reload().catch((error: Error) => error.message))
      expect(again).toContain("ERR_CONNECTION_REFUSED")
      const zaps = yield* world.start(["request", "GET", "/v2/zaps?limit=1", "--subject", "ada"]).ended
      expect(zaps).toMatchObject({ code: 0, stderr: "" })
      expect(JSON.parse(zaps.stdout)).toHaveProperty("data")
    })
  )

  it.live("is opened for one browser, and ended by a second", () =>
    Effect.gen(function* () {
      if (process.platform !== "linux") return expect(process.platform, "only Linux is started like this").not.toBe("")
      const world = yield* World.make
      const started = join(world.directory, "started")
      const opener = join(world.directory, "opener")
      writeFileSync(opener, `#!/bin/sh\necho "$1" > '${started}.new' && mv '${started}.new' '${started}'\n`, {
        mode: 0o700
      })
      const begin = Effect.gen(function* () {
        rmSync(started, { force: true })
        // What starts browsers is looked for there. @effect-diagnostics-next-line processEnvInEffect:off
        const running = world.start(["login"], { BROWSER: opener, PATH: process.env["PATH"] ?? "" })
        while (!existsSync(started)) yield* Effect.sleep(5)
        return { running, start: readFileSync(started, "utf8").trim() }
      })

      const first = yield* begin
      const page = yield* pageOf(browser)
      // Whoever is impatient opens it once more.
      yield* Effect.promise(() => page.goto(first.start))
      yield* Effect.promise(() => page.goto(first.start))
      yield* press(page, "Allow")
      yield* Effect.promise(() => page.getByRole("heading", { name: "Connected" }).waitFor())
      expect((yield* first.running.ended).code).toBe(0)

      const second = yield* begin
      yield* Effect.promise(() => page.goto(second.start))
      const stranger = yield* pageOf(browser)
      yield* Effect.promise(() => stranger.goto(second.start))
      expect(yield* words(stranger)).toContain("The login was ended")
      const { code, stderr } = yield* second.running.ended
      expect([code, stderr]).toEqual([1, expect.stringContaining("two browsers opened the page of this login")])
      expect(yield* world.tokenRequests).toEqual(["authorization_code"])
    })
  )

  it.live("connects nobody when Deny is pressed, and says so in both places", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      const page = yield* pageOf(browser)
      const running = world.start(["login", "--no-browser"])
      const url = World.consentUrl(yield* running.said("stderr", "authorize?"))
      yield* Effect.promise(() => page.goto(url))
      yield* press(page, "Deny")
      yield* Effect.promise(() => page.getByRole("heading", { name: "Not connected" }).waitFor())
      expect(yield* words(page)).toContain("access was not allowed")
      const { code, stderr } = yield* running.ended
      expect(code).toBe(1)
      expect(stderr).toContain("error: access was not allowed on Zapier's consent page.")
      expect(yield* world.tokenRequests).toEqual([])
    })
  )
})
