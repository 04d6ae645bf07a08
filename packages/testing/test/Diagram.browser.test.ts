/** Pages of runs in a real browser that is offline, and what they look like in `test-output`. */
import { mkdirSync, writeFileSync } from "node:fs"
import { pathToFileURL } from "node:url"
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { BrowserContext, Page } from "playwright-core"
import * as Diagram from "../src/Diagram.ts"
import * as Program from "../src/Program.ts"
import * as Scenario from "../src/Scenario.ts"
import * as Browser from "./utils/Browser.ts"
import * as Looks from "./utils/Looks.ts"
import * as Diagrams from "./utils/diagrams.ts"

await Browser.describeInBrowser("a page of a run in a browser", (browser) => {
  const complaints: Array<string> = []
  let context: BrowserContext
  let page: Page

  beforeAll(async () => {
    mkdirSync(Browser.output, { recursive: true })
    context = await browser.newContext({ offline: true })
    page = await context.newPage()
    page.setDefaultTimeout(Browser.patience)
    page.on("console", (message) => complaints.push(message.text()))
    page.on("pageerror", (error) => complaints.push(error.message))
    page.on("request", (request) => {
      if (!/^(file|data):/.test(request.url())) complaints.push(`a request: ${request.url()}`)
    })
  })

  afterAll(() => context.close())

  const pages = [
    ["alone", Effect.map(Diagrams.alone, Scenario.page)],
    ["eventful", Effect.map(Diagrams.eventful, Scenario.page)],
    ["program", Program.page(Diagrams.program)],
    ["careless", Diagrams.race],
    ["mutant", Effect.sync(Diagrams.mutant)]
  ] as const

  it.each(pages)("opens offline, in light and dark, and 390 pixels are enough: %s", async (name, made) => {
    const file = `${Browser.output}diagram-${name}.html`
    writeFileSync(file, Diagram.html(await Effect.runPromise(made)))
    await page.goto(pathToFileURL(file).href)
    assert.deepStrictEqual(await Looks.problemsOf(page, `diagram-${name}`), [])
    // On paper it is light, whatever the screen is.
    await page.emulateMedia({ media: "print", colorScheme: "dark" })
    await page.setViewportSize({ width: 794, height: 1_123 })
    await page.screenshot({ path: `${Browser.output}diagram-${name}-print.png`, fullPage: true })
    assert.strictEqual(await page.evaluate("getComputedStyle(document.body).color"), "rgb(33, 31, 28)")
    await page.emulateMedia({ media: "screen" })
    assert.strictEqual(await page.evaluate("typeof hit"), "undefined")
    assert.deepStrictEqual(complaints, [])
  })

  it("can be used with the keyboard alone", async () => {
    const file = `${Browser.output}diagram-keyboard.html`
    writeFileSync(file, Diagram.html(await Effect.runPromise(Diagrams.race)))
    await page.goto(pathToFileURL(file).href)
    await page.keyboard.press("Tab")
    assert.strictEqual(await page.evaluate("document.activeElement.textContent"), "Skip to what happened")
    await page.keyboard.press("Enter")
    assert.include(page.url(), "#happened")
    const astray = "[...document.links].filter(({ hash }) => document.querySelector(hash) === null).length"
    assert.strictEqual(await page.evaluate(astray), 0)
    const ids = await page.evaluate<Array<string>>("[...document.querySelectorAll('[id]')].map(({ id }) => id)")
    assert.lengthOf(new Set(ids), ids.length)
  })
})
