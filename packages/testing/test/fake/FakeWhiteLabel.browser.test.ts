/** The Connect page in a real browser: as a popup and by a redirect. What it looks like is then in `test-output`. */
import { mkdirSync } from "node:fs"
import { createServer } from "node:http"
import { join } from "node:path"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { afterAll, afterEach, beforeAll, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import type { Page } from "playwright-core"
import type { FakeControlError } from "../../src/fake/FakeControl.ts"
import * as FakeZapier from "../../src/FakeZapier.ts"
import * as Browser from "../utils/Browser.ts"
import * as Partner from "../utils/partner.ts"

const hostile = `"><script>hit = 1</script><img src=x onerror="hit = 2">`

const listening = () => Layer.fresh(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 }))

// The partner's page, which opens the popup as Zapier documents it, and shows what it is told.
const partnerPage = `<!doctype html><html lang="en"><title>Partner</title><link rel="icon" href="data:,"><button>Connect</button>
<output></output><script>
document.querySelector("button").onclick = () => {
  const url = new URL(location.href).searchParams.get("connect")
  const popup = window.open(url, "zapier-connect", "width=980,height=700")
  window.addEventListener("message", (event) => {
    if (event.origin !== new URL(url).origin) return
    popup.close()
    document.querySelector("output").textContent = JSON.stringify(event.data)
  })
}
</script></html>`

const partner = HttpServer.serve(Effect.succeed(HttpServerResponse.html(partnerPage))).pipe(
  Layer.provideMerge(listening())
)

const served = FakeZapier.layerServer.pipe(
  Layer.provideMerge(Layer.effect(FakeZapier.FakeZapier, Effect.sync(FakeZapier.make))),
  Layer.provideMerge(listening())
)

const address = Effect.map(HttpServer.HttpServer, ({ address }) => HttpServer.formatAddress(address))

await Browser.describeInBrowser("in a browser", (browser) => {
  const partners = ManagedRuntime.make(partner)
  const runtime = ManagedRuntime.make(served)
  const complaints: Array<string> = []
  let zapier: FakeZapier.FakeZapier["Service"]
  let origin: string
  let partnerOrigin: string
  let page: Page

  const watched = (page: Page) => {
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text())
    })
    page.on("pageerror", (error) => complaints.push(error.message))
    page.setDefaultTimeout(Browser.patience)
    return page
  }

  const run = <A>(effect: Effect.Effect<A, FakeControlError>) => runtime.runPromise(effect)

  beforeAll(async () => {
    mkdirSync(Browser.output, { recursive: true })
    partnerOrigin = await partners.runPromise(address)
    origin = await runtime.runPromise(address)
    zapier = await runtime.runPromise(FakeZapier.FakeZapier)
    const { jwk } = await Partner.current
    const whiteLabel = { issuer: Partner.issuer, jwks: { keys: [jwk] } }
    const redirectUris = [`${partnerOrigin}/connected`]
    await run(zapier.registerApp({ ...Partner.app, name: hostile, redirectUris, whiteLabel }))
    await run(zapier.changeSettings({ rateLimits: false }))
    page = watched(await browser.newPage())
  })

  afterEach(() => {
    expect(complaints.splice(0)).toStrictEqual([])
  })

  afterAll(async () => {
    await runtime.dispose()
    await partners.dispose()
  })

  const exchange = async (fields: { readonly [name: string]: string }): Promise<string> => {
    const { response } = await run(zapier.handle(Partner.tokenRequest(fields)))
    return JSON.parse(response.body).access_token
  }

  const connectUrl = async (more: { readonly [name: string]: string } = {}) => {
    const now = Math.floor((await run(zapier.time)) / 1_000)
    const jwt = await Partner.sign(await Partner.current, Partner.claims(now))
    const resource = `${origin}/to/SlackCLIAPI`
    const token = await exchange(Partner.connectFields(await exchange(Partner.exchangeFields(jwt)), resource))
    return `${resource}?${new URLSearchParams({ token, ...more })}`
  }

  const toldBy = async (decision: string) => {
    await page.goto(`${partnerOrigin}/?${new URLSearchParams({ connect: await connectUrl() })}`)
    const [popup] = await Promise.all([page.waitForEvent("popup"), page.getByRole("button").click()])
    await watched(popup).getByRole("button", { name: decision }).click()
    await page.waitForFunction(() => document.querySelector("output")?.textContent !== "")
    return JSON.parse((await page.locator("output").textContent()) ?? "")
  }

  it("a popup tells the window that opened it which connection was made, or that none was", async () => {
    expect(await toldBy("Allow")).toStrictEqual({ type: "authenticationSuccess", authId: expect.any(Number) })
    expect(await toldBy("Deny")).toStrictEqual({ type: "authenticationError", error: "OAuth Failed: access_denied" })
  })

  it("a page leads back to the partner, shows names as text, and fits a narrow screen", async () => {
    await page.setViewportSize({ width: 360, height: 740 })
    await page.goto(await connectUrl({ redirect_uri: `${partnerOrigin}/connected`, state: "s", theme: hostile }))
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe(`Connect Slack to ${hostile}?`)
    expect(await page.evaluate(() => "hit" in window)).toBe(false)
    const isWide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth)
    expect(isWide).toBe(false)
    await page.screenshot({ path: join(Browser.output, "connect.png"), fullPage: true })
    // The keyboard gets there first.
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.waitForURL(`${partnerOrigin}/connected?*`)
    expect(Object.fromEntries(new URL(page.url()).searchParams)).toStrictEqual({
      authentication_id: expect.stringMatching(/^\d+$/),
      service: "SlackCLIAPI",
      state: "s"
    })
  })

  it("a link that is opened again says so", async () => {
    const url = await connectUrl()
    await page.goto(url)
    await page.goto(url)
    expect(await page.getByRole("main").textContent()).toContain("Invalid token")
    // The status of the page, as browsers tell it.
    expect(complaints.splice(0)).toStrictEqual([expect.stringContaining("400")])
  })
})
