/** The pages in a real browser, and what they look like in `test-output`. */
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { afterAll, afterEach, assert, beforeAll, beforeEach, describe, it } from "@effect/vitest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import type { Page } from "playwright-core"
import * as FakeControlServer from "../../src/fake/FakeControlServer.ts"
import * as FakeZapier from "../../src/FakeZapier.ts"
import * as Browser from "../utils/Browser.ts"
import * as Looks from "../utils/Looks.ts"

const hostileName = `"><script>hit = 1</script><img src=x onerror="hit = 2">`

const hostileState = `'"><script>hit = 3</script><img src=x onerror='hit = 4'>`

const listening = NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 })

// Where users come back to: an origin of its own.
const callback = HttpServer.serve(Effect.succeed(HttpServerResponse.text("Back at the app"))).pipe(
  Layer.provideMerge(listening)
)

const users = ["Ada", "Grace"].map((firstName) => ({
  email: `${firstName.toLowerCase()}@example.com`,
  firstName,
  lastName: "Example"
}))

await Browser.describeInBrowser("in a browser", (browser) => {
  const apps = ManagedRuntime.make(callback)
  let runtime: ManagedRuntime.ManagedRuntime<
    FakeControlServer.FakeControlServer | FakeZapier.FakeZapier | HttpServer.HttpServer,
    unknown
  >
  let zapier: FakeZapier.FakeZapier["Service"]
  let origin: string
  let redirectUri: string
  let controlUrl: string
  let page: Page
  const complaints: Array<string> = []

  const watched = (page: Page) => {
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text())
    })
    page.on("pageerror", (error) => complaints.push(error.message))
    page.on("dialog", (dialog) => {
      complaints.push(`a dialog: ${dialog.message()}`)
      return dialog.dismiss()
    })
    page.setDefaultTimeout(Browser.patience)
    return page
  }

  const address = Effect.map(HttpServer.HttpServer, ({ address }) => HttpServer.formatAddress(address))

  beforeAll(async () => {
    redirectUri = `${await apps.runPromise(address)}/callback`
    const named = (name: string, clientId: string) => ({
      name,
      clientId,
      clientSecret: "s3cret",
      redirectUris: [redirectUri]
    })
    runtime = ManagedRuntime.make(
      FakeControlServer.layer().pipe(
        Layer.provideMerge(
          FakeZapier.layer({ apps: [named("Acme Notes", "acme"), named(hostileName, "hostile")], users })
        ),
        Layer.provide(SecureRandom.layerWebCrypto),
        Layer.provideMerge(listening)
      )
    )
    origin = await runtime.runPromise(address)
    zapier = await runtime.runPromise(FakeZapier.FakeZapier)
    controlUrl = Redacted.value((await runtime.runPromise(FakeControlServer.FakeControlServer)).url)
    page = watched(await browser.newPage())
  })

  beforeEach(() => runtime.runPromise(zapier.reset))

  afterEach(() => {
    assert.deepStrictEqual(complaints.splice(0), [])
  })

  afterAll(async () => {
    await runtime.dispose()
    await apps.dispose()
  })

  const authorizationUrl = (clientId = "acme", state = "xyz") =>
    `${origin}/v2/authorize?${new URLSearchParams({
      response_type: "code",
      client_id: clientId,
      redirect_uri: redirectUri,
      scope: "profile zap zap:write connection:read",
      state
    })}`

  const back = async (page: Page) => {
    await page.waitForURL(`${redirectUri}?*`)
    return new URL(page.url()).searchParams
  }

  // Beside the browser, as an app's server would. @effect-diagnostics globalFetch:off
  const token = async (fields: Record<string, string>) => {
    const body = new URLSearchParams({ client_id: "acme", client_secret: "s3cret", ...fields })
    const answer = await fetch(`${origin}/oauth/token/`, { method: "POST", body })
    return (await answer.json()) as { access_token: string; refresh_token: string; error?: string }
  }

  const exchange = (code: string) => token({ grant_type: "authorization_code", code, redirect_uri: redirectUri })

  const connect = async (user?: string) => {
    const url = await runtime.runPromise(zapier.approve(authorizationUrl(), { user }))
    return exchange(new URL(url).searchParams.get("code") ?? "")
  }

  const statusOf = async (accessToken: string) =>
    (await fetch(`${origin}/v2/zaps`, { headers: { authorization: `Bearer ${accessToken}` } })).status
  // @effect-diagnostics globalFetch:warning

  describe("the consent page", () => {
    it("lets a user allow with the keyboard alone, and returns a code and the state", async () => {
      await page.goto(authorizationUrl())
      assert.include(await page.getByRole("main").innerText(), "Create Zaps for you")
      await page.keyboard.press("Tab")
      await page.keyboard.press("ArrowDown")
      await page.keyboard.press("Tab")
      assert.strictEqual(await page.evaluate("document.activeElement.innerText"), "Allow")
      await page.keyboard.press("Enter")
      const query = await back(page)
      assert.strictEqual(query.get("state"), "xyz")
      await exchange(query.get("code") ?? "")
      const { issued } = await runtime.runPromise(zapier.snapshot)
      assert.lengthOf(issued, 1)
      await page.goto(controlUrl)
      await page.getByRole("heading", { name: "grace@example.com for Acme Notes" }).waitFor()
    })

    it("rejects a decision that a page of another origin sends, and says so", async () => {
      await page.goto(redirectUri)
      await page.evaluate(`
        const form = document.createElement("form")
        form.method = "post"
        form.action = ${JSON.stringify(authorizationUrl())}
        form.innerHTML = '<input name="decision" value="allow" />'
        document.body.append(form)
        form.submit()
      `)
      await page.getByText("Another site sent this form").waitFor()
      assert.lengthOf(await runtime.runPromise(Effect.map(zapier.state, ({ codes }) => [...codes])), 0)
      // The console tells of a page that is not 200.
      assert.match(complaints.splice(0).join(), /^Failed to load resource: .*403/)
    })

    it("lets a user deny, and returns an error and the state", async () => {
      await page.goto(authorizationUrl())
      await page.getByRole("button", { name: "Deny" }).click()
      assert.deepStrictEqual(Object.fromEntries(await back(page)), { error: "access_denied", state: "xyz" })
    })

    it("shows a hostile app name as text, gives a hostile state back as it is, and runs neither", async () => {
      await page.goto(authorizationUrl("hostile", hostileState))
      const heading = page.getByRole("heading", { level: 1 })
      assert.strictEqual(await heading.innerText(), `Allow ${hostileName} to use Zapier for you?`)
      assert.strictEqual(await page.evaluate("document.querySelectorAll('script, img').length"), 0)
      assert.strictEqual(await page.evaluate("typeof hit"), "undefined")
      await page.getByRole("button", { name: "Allow" }).click()
      assert.strictEqual((await back(page)).get("state"), hostileState)
      await page.goto(controlUrl)
      assert.strictEqual(await page.getByRole("heading", { name: hostileName, exact: true }).innerText(), hostileName)
      assert.strictEqual(await page.evaluate("document.querySelectorAll('script, img').length"), 1)
      assert.strictEqual(await page.evaluate("typeof hit"), "undefined")
    })
  })

  describe("the control page", () => {
    it("leaves no token in the address", async () => {
      await page.goto(controlUrl)
      assert.strictEqual(page.url(), `${origin}/_control/`)
    })

    it("moves the clock, and a token expires", async () => {
      const { access_token } = await connect()
      assert.strictEqual(await statusOf(access_token), 200)
      await page.goto(controlUrl)
      await page.getByText("9 h 59 min").waitFor()
      await page.getByRole("button", { name: "+ 10 hours" }).click()
      await page.getByText("The clock has moved ahead.").waitFor()
      await page.getByText("expired").waitFor()
      assert.strictEqual(await statusOf(access_token), 401)
    })

    it("revokes a grant, and leaves the other", async () => {
      const ada = await connect("ada@example.com")
      const grace = await connect("grace@example.com")
      await page.goto(controlUrl)
      await page.getByRole("button", { name: "Revoke the connection of ada@example.com for Acme Notes" }).click()
      await page.getByText("The connection is revoked.").waitFor()
      assert.deepStrictEqual([await statusOf(ada.access_token), await statusOf(grace.access_token)], [401, 200])
      const refused = await token({ grant_type: "refresh_token", refresh_token: ada.refresh_token })
      assert.strictEqual(refused.error, "invalid_grant")
    })

    it("ends an access token, which can be refreshed", async () => {
      const tokens = await connect()
      await page.goto(controlUrl)
      await page.getByRole("button", { name: "End the access token of ada@example.com for Acme Notes" }).click()
      await page.getByText("The access token no longer works.").waitFor()
      assert.strictEqual(await statusOf(tokens.access_token), 401)
      const { access_token } = await token({ grant_type: "refresh_token", refresh_token: tokens.refresh_token })
      assert.strictEqual(await statusOf(access_token), 200)
    })

    it("shows a secret when it is asked for, and makes a new one", async () => {
      await page.goto(controlUrl)
      const app = page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: "Acme Notes" }) })
      const secret = app.getByText("s3cret", { exact: true })
      assert.isFalse(await secret.isVisible())
      await app.locator("summary", { hasText: "client secret of Acme Notes" }).click()
      assert.isTrue(await secret.isVisible())
      await page.getByRole("button", { name: "Regenerate the secret of Acme Notes" }).click()
      await page.getByText("The app has a new secret.").waitFor()
      assert.strictEqual((await token({ grant_type: "client_credentials" })).error, "invalid_client")
    })

    it("injects a fault, which hits, and shows a request that came meanwhile without being loaded anew", async () => {
      await page.goto(controlUrl)
      await page.getByLabel("Fault", { exact: true }).selectOption({ label: "A gateway responds with 500" })
      await page.getByLabel("Requests to").selectOption("GET /v2/zaps")
      await page.getByRole("button", { name: "Inject the fault" }).click()
      await page.getByText("The fault is set.").waitFor()
      await page.evaluate("loadedOnce = true")
      const { access_token } = await connect()
      assert.strictEqual(await statusOf(access_token), 500)
      const row = page.getByRole("row", { name: "GET /v2/zaps [Bearer] 500 A gateway responds with 500" })
      await row.waitFor()
      await page.getByText("Newest: GET /v2/zaps [Bearer], 500 A gateway responds with 500").waitFor()
      assert.isTrue(await page.evaluate("loadedOnce"))
      assert.strictEqual(await statusOf(access_token), 200)
    })

    it("keeps the scroll position, the focus, typed text and open parts", async () => {
      const tokens = await connect()
      await page.setViewportSize({ width: 1_280, height: 400 })
      await page.goto(controlUrl)
      await page.evaluate("loadedOnce = true")
      await page.locator("summary", { hasText: "Register an app" }).click()
      await page.getByLabel("Name", { exact: true }).fill("Half of a na")
      await page.locator("summary", { hasText: "client secret of Acme Notes" }).click()
      const ahead = page.getByRole("button", { name: "+ 1 minute" })
      await ahead.focus()
      await page.evaluate("scrollTo(0, 60)")
      await page.keyboard.press("Enter")
      await page.getByText("The clock has moved ahead.").waitFor()
      const seen = () => page.evaluate("[loadedOnce, scrollY, document.activeElement.textContent.trim()]")
      assert.deepStrictEqual(await seen(), [true, 60, "+ 1 minute"])
      assert.strictEqual(await page.getByLabel("Name", { exact: true }).inputValue(), "Half of a na")
      assert.strictEqual(await page.locator("details[open]", { hasText: "client secret of Acme Notes" }).count(), 1)
      // What came meanwhile shows without an action, too.
      await token({ grant_type: "client_credentials", scope: "promotions:write" })
      await page.getByRole("heading", { name: "App tokens" }).waitFor()
      assert.deepStrictEqual(await seen(), [true, 60, "+ 1 minute"])
      // The button goes with the connection.
      await page.getByRole("button", { name: "Revoke the connection" }).press("Enter")
      await page.getByText("The connection is revoked.").waitFor()
      assert.strictEqual(await page.evaluate("document.activeElement.textContent"), "Connections")
      assert.strictEqual(await statusOf(tokens.access_token), 401)
      await page.setViewportSize({ width: 1_280, height: 720 })
    })

    it("asks before a reset", async () => {
      await connect()
      await page.goto(controlUrl)
      await page.locator("summary", { hasText: "Reset …" }).press("Enter")
      await page.getByText("It cannot be undone.").waitFor()
      assert.lengthOf(await runtime.runPromise(zapier.issued), 1)
      await page.keyboard.press("Tab")
      await page.keyboard.press("Enter")
      await page.getByText("Everything is as it was at the start.").waitFor()
      assert.lengthOf(await runtime.runPromise(zapier.issued), 0)
      assert.strictEqual(await page.evaluate("document.activeElement.textContent"), "Snapshot and reset")
      assert.isFalse(await page.getByText("It cannot be undone.").isVisible())
    })

    it("reports rejected input, and keeps it", async () => {
      await page.goto(controlUrl)
      await page.locator("summary", { hasText: "Register an app" }).click()
      await page.getByLabel("Name", { exact: true }).fill("Other")
      await page.getByLabel("Redirect URIs, one a line").fill("nonsense")
      await page.getByRole("button", { name: "Register" }).click()
      await page.locator(".notice.problem").waitFor()
      assert.strictEqual(await page.getByLabel("Name", { exact: true }).inputValue(), "Other")
      assert.match(complaints.splice(0).join(), /^Failed to load resource: .*400/)
    })

    it("names every field, and no two buttons the same unless they do the same", async () => {
      await connect("ada@example.com")
      await connect("grace@example.com")
      await page.goto(controlUrl)
      const unnamed =
        "[...document.querySelectorAll('input:not([type=hidden]), select, textarea')].filter((field) => field.labels.length === 0).length"
      assert.strictEqual(await page.evaluate(unnamed), 0)
      const ids = await page.evaluate<Array<string>>("[...document.querySelectorAll('[id]')].map(({ id }) => id)")
      assert.lengthOf(new Set(ids), ids.length)
      const names = await page.evaluate<Array<string>>(
        "[...document.querySelectorAll('button')].map((button) => button.textContent.replace(/\\s+/g, ' '))"
      )
      assert.lengthOf(new Set(names), names.length)
    })
  })

  it("works without scripts", async () => {
    const page = watched(await browser.newPage({ javaScriptEnabled: false }))
    await page.goto(authorizationUrl())
    await page.getByLabel("Signed in as").selectOption("grace@example.com")
    await page.getByRole("button", { name: "Allow" }).click()
    const { access_token } = await exchange((await back(page)).get("code") ?? "")
    await page.goto(controlUrl)
    await page.getByRole("button", { name: "+ 10 hours" }).click()
    await page.getByText("expired").waitFor()
    assert.strictEqual(await statusOf(access_token), 401)
    await page.getByRole("link", { name: "Refresh" }).click()
    await page.getByRole("row", { name: /GET \/v2\/zaps \[Bearer\] 401/ }).waitFor()
    await page.locator("summary", { hasText: "Reset …" }).click()
    await page.getByRole("button", { name: "Reset everything" }).click()
    await page.getByText("No user has connected an app yet.").waitFor()
    await page.close()
  })

  it("looks as it should, light and dark, wide and narrow, and axe finds nothing wrong", async () => {
    const looks = async (name: string, url: string) => {
      await page.goto(url)
      assert.deepStrictEqual(await Looks.problemsOf(page, name), [])
    }
    await looks("front", `${origin}/`)
    await looks("consent", authorizationUrl())
    await looks("consent-problem", authorizationUrl("unknown"))
    await looks("control-refused", `${origin}/_control/unknown`)
    await looks("control-empty", controlUrl)
    const { access_token } = await connect()
    await connect("grace@example.com")
    await statusOf(access_token)
    await statusOf("unknown")
    await token({ grant_type: "client_credentials", scope: "promotions:write" })
    await runtime.runPromise(zapier.addFault({ fault: { _tag: "Unavailable" }, match: { endpoint: "token" }, nth: 3 }))
    await page.goto(controlUrl)
    await page.getByRole("button", { name: "Take a snapshot" }).click()
    await page.getByText("The snapshot is taken.").waitFor()
    for (const summary of await page.locator("summary").all()) await summary.click()
    assert.deepStrictEqual(await Looks.problemsOf(page, "control-open"), [])
    await page.getByLabel("Redirect URIs, one a line").fill("nonsense")
    await page.getByLabel("Name", { exact: true }).fill("Other")
    await page.getByRole("button", { name: "Register" }).click()
    await page.locator(".notice.problem").waitFor()
    assert.deepStrictEqual(await Looks.problemsOf(page, "control-problem"), [])
    // The console tells of pages that are not 200.
    for (const complaint of complaints.splice(0)) assert.match(complaint, /^Failed to load resource: .*40[0-4]/)
    await page.setViewportSize({ width: 360, height: 800 })
    assert.strictEqual(await page.evaluate("document.documentElement.scrollWidth"), 360)
    await page.setViewportSize({ width: 1_280, height: 720 })
  })
})
