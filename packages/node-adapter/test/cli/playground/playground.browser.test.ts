/** The playground in a real browser, as a person plays with it. What it looks like is in `test-output`. */
import { mkdirSync } from "node:fs"
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { expect, it } from "@effect/vitest"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import type { Browser as Chromium, Page } from "playwright-core"
import * as Browser from "../../../../testing/test/utils/Browser.ts"
import * as Playground from "../../../src/cli/playground/serve.ts"

/** A playground of one's own, beside a fake of one's own. */
const serving = Effect.gen(function* () {
  const playground = yield* Playground.listen(0)
  const fake = FakeZapier.make({ apps: [Playground.app(playground)] })
  const services = yield* Layer.build(
    FakeZapier.layerServer.pipe(
      Layer.provide(Layer.succeed(FakeZapier.FakeZapier, fake)),
      Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 }))
    )
  )
  const { address } = yield* Effect.provide(HttpServer.HttpServer, services)
  const fakeOrigin = HttpServer.formatAddress(address)
  yield* Playground.serve(playground, { fake, fakeOrigin, slowMotion: Duration.millis(100) })
  return { fake, origin: playground.origin }
})

await Browser.describeInBrowser("the playground, in a browser", (browser) => {
  const open = Effect.fnUntraced(function* (options: Parameters<Chromium["newContext"]>[0] = {}) {
    const { fake, origin } = yield* serving
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
      await page.goto(origin)
      return page
    })
    const does = <A>(what: (page: Page) => Promise<A>) => Effect.promise(() => what(page))
    const press = (name: string) => does((page) => page.getByRole("button", { name, exact: true }).click())
    /** The newest line of the story that begins so. */
    const told = (title: string, words: string) =>
      does((page) => page.locator("#live .story li", { hasText: title }).filter({ hasText: words }).first().waitFor())
    const isLit = (state: string) => does((page) => page.locator(".state.lit", { hasText: state }).waitFor())
    const connect = does(async (page) => {
      await page.getByRole("link", { name: "Connect Zapier" }).click()
      await page.getByRole("button", { name: "Allow" }).click()
      await page.waitForURL(`${origin}/`)
    })
    return { fake, origin, page, does, press, told, isLit, connect, complaints }
  })

  it.live("shows one user connect, ten hours pass, and one refresh serve fifty calls", () =>
    Effect.gen(function* () {
      const { complaints, connect, does, fake, isLit, press, told } = yield* open()
      yield* isLit("Absent")
      yield* connect
      yield* isLit("Active")
      yield* told("Absent → Active, generation 1", "both are stored")
      yield* press("Let ten hours pass")
      yield* told("Let ten hours pass", "Nobody renews one before it is used")
      yield* press("50 calls at once")
      yield* told("50 calls are over", "50 answered with 200. Token requests meanwhile: 1.")
      yield* isLit("Active")
      yield* told("GET /v2/zaps [Bearer] -> 200", "Answered.")
      expect(yield* does((page) => page.getByText("50 times").count())).toBe(1)
      // What is shown is masked.
      const shown = yield* does((page) => page.content())
      for (const { accessToken, refreshToken } of yield* fake.issued) {
        expect(shown).not.toContain(accessToken)
        if (refreshToken !== undefined) expect(shown).not.toContain(refreshToken)
      }
      expect(complaints).toEqual([])
    })
  )

  it.live("shows a lost answer cost the connection where Zapier is strict, and not where it has a grace period", () =>
    Effect.gen(function* () {
      const { connect, isLit, press, told } = yield* open()
      yield* connect
      yield* press("Allow old refresh tokens for a while")
      yield* press("Lose the next answer")
      yield* press("Let ten hours pass")
      yield* press("Call the API")
      yield* told("The call is over", "It was answered with 200. Token requests meanwhile: 2.")
      yield* told("stays Refreshing", "whether Zapier has replaced the tokens is not known")
      yield* press("Be strict again")
      yield* press("Lose the next answer")
      yield* press("Let ten hours pass")
      yield* press("Call the API")
      yield* isLit("Reconnect required")
      yield* told("The call is over", "It was refused: the user has to connect")
      yield* connect
      yield* isLit("Active")
      yield* told("ReconnectRequired → Active", "Connected again")
    })
  )

  it.live("shows who is to blame: a secret that was regenerated ends no grant, a user who revokes does", () =>
    Effect.gen(function* () {
      const { connect, does, isLit, press, told } = yield* open()
      yield* connect
      yield* press("Regenerate the secret")
      yield* press("Let ten hours pass")
      yield* press("Call the API")
      yield* told("The call is over", "the app's client secret is wrong: that is the app's fault, and ends no grant")
      yield* isLit("Active")
      yield* press("Give the app the new secret")
      yield* press("Call the API")
      yield* told("The call is over", "It was answered with 200.")
      yield* press("End the access token early")
      yield* press("Call the API")
      yield* told("GET /v2/zaps [Bearer] -> 401", "looks for a newer token")
      yield* press("Revoke at Zapier")
      yield* press("Call the API")
      yield* isLit("Reconnect required")
      yield* press("Disconnect")
      yield* isLit("Absent")
      yield* press("Clear what happened")
      yield* does((page) => page.getByText("Connect Zapier, and press what you like.").waitFor())
    })
  )

  it.live("works without a script, by going back to the page", () =>
    Effect.gen(function* () {
      const { connect, does, isLit, press } = yield* open({ javaScriptEnabled: false })
      yield* connect
      yield* press("Call the API")
      yield* isLit("Active")
      expect(yield* does((page) => page.locator(".story").innerText())).toContain("It was answered with 200.")
    })
  )

  it.live("looks as it should, which only people can tell: light, dark and on a phone, and 360 pixels are enough", () =>
    Effect.gen(function* () {
      mkdirSync(Browser.output, { recursive: true })
      const { connect, does, page, press, told } = yield* open()
      yield* connect
      yield* press("Let ten hours pass")
      yield* press("50 calls at once")
      yield* told("50 calls are over", "50 answered")
      for (const [look, width, colorScheme] of [
        ["light", 1_280, "light"],
        ["dark", 1_280, "dark"],
        ["phone", 390, "light"]
      ] as const) {
        yield* does(async () => {
          await page.emulateMedia({ colorScheme })
          await page.setViewportSize({ width, height: 800 })
          await page.screenshot({ path: `${Browser.output}playground-${look}.png`, fullPage: true })
        })
      }
      yield* does((page) => page.setViewportSize({ width: 360, height: 800 }))
      expect(yield* does((page) => page.evaluate("document.documentElement.scrollWidth"))).toBe(360)
    })
  )
})
