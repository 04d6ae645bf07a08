/** The documentation site in a browser, opened from its folder. What it looks like is in `website/test-output`. */
import { execFile } from "node:child_process"
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { promisify } from "node:util"
import { afterAll, beforeAll, expect, it } from "@effect/vitest"
import type { AxeResults } from "axe-core"
import type { BrowserContextOptions, Page } from "playwright-core"
import * as Browser from "../packages/testing/test/utils/Browser.ts"

const output = join(import.meta.dirname, "test-output")

const folder = mkdtempSync(join(tmpdir(), "site-"))

const urlOf = (page: string) => pathToFileURL(join(folder, page)).href

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")

/** The rules that a page breaks, and where. */
const violations = async (page: Page) => {
  await page.addScriptTag({ content: axeSource })
  const { violations } = await page.evaluate<AxeResults>("axe.run(document, { resultTypes: ['violations'] })")
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`)
}

const ready = (page: Page) => page.locator("#tsd-nav-container a").first().waitFor({ state: "attached" })

await Browser.describeInBrowser("the documentation site", (browser) => {
  beforeAll(async () => {
    const typedoc = join(import.meta.dirname, "node_modules/.bin/typedoc")
    await promisify(execFile)(typedoc, ["--out", folder], { cwd: import.meta.dirname })
    rmSync(output, { recursive: true, force: true })
    mkdirSync(output)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** A page that may not fail: each error and each file that is not there is a failure. */
  const open = async (name: string, options: BrowserContextOptions = {}) => {
    const context = await browser.newContext(options)
    context.setDefaultTimeout(Browser.patience)
    const page = await context.newPage()
    const problems: Array<string> = []
    page.on("pageerror", ({ message }) => problems.push(message))
    page.on("requestfailed", (request) => problems.push(request.url()))
    await page.goto(urlOf(name))
    if (options.javaScriptEnabled !== false) await ready(page)
    return { page, problems, close: () => context.close() }
  }

  const sides = (page: Page) =>
    Promise.all(["with", "without"].map((side) => page.locator(`.${side}-effect`).first().isVisible()))

  it("finds a word in the pages and an export in the reference, from a folder", async () => {
    const { close, page, problems } = await open("index.html")
    const results = page.locator("#tsd-search-results")
    await page.keyboard.press("/")
    await page.locator("#tsd-search-input").fill("lease")
    await expect.poll(() => results.textContent()).toMatch(/Glossary|Refreshing/)
    await page.locator("#tsd-search-input").fill("leastScopes")
    await expect.poll(() => results.textContent()).toContain("leastScopes")
    await results.locator("a").first().click()
    await page.waitForURL(/leastScopes/)
    expect(problems).toEqual([])
    await close()
  })

  it("shows both sides, and hides one by keyboard, there and on the next page", async () => {
    const { close, page, problems } = await open("docs/getting-started.html")
    expect(await sides(page)).toEqual([true, true])
    await page.getByRole("radio", { name: "Both" }).focus()
    await page.keyboard.press("ArrowRight")
    expect(await sides(page)).toEqual([false, true])
    await page.keyboard.press("ArrowRight")
    expect(await sides(page)).toEqual([true, false])
    // The table of contents goes with it.
    const contents = page.locator(".tsd-page-navigation")
    expect(await contents.getByRole("link", { name: "Without Effect", exact: true }).isVisible()).toBe(false)
    expect(await contents.getByRole("link", { name: "With Effect", exact: true }).isVisible()).toBe(true)

    await page.goto(urlOf("docs/connect.html"))
    await ready(page)
    expect(await page.getByRole("radio", { name: "With Effect" }).isChecked()).toBe(true)
    expect(await sides(page)).toEqual([true, false])

    // A link to what is hidden shows it, and forgets no choice.
    await page.goto(`${urlOf("docs/getting-started.html")}#without-effect`)
    await page.locator("#without-effect").waitFor()
    await page.goto(urlOf("docs/connect.html"))
    await ready(page)
    expect(await sides(page)).toEqual([true, false])
    expect(problems).toEqual([])
    await close()
  })

  it("shows both sides without JavaScript", async () => {
    const { close, page } = await open("docs/getting-started.html", { javaScriptEnabled: false })
    expect(await sides(page)).toEqual([true, true])
    expect(await page.getByRole("radio").count()).toBe(0)
    await close()
  })

  it("draws its diagrams, again in the colors of another theme", async () => {
    const { close, page, problems } = await open("docs/machines.html", { colorScheme: "light" })
    const drawn = page.locator("pre.mermaid > svg")
    await expect.poll(() => drawn.count()).toBe(await page.locator("pre.mermaid").count())
    const first = await drawn.first().innerHTML()
    await page.emulateMedia({ colorScheme: "dark" })
    await expect.poll(() => drawn.first().innerHTML()).not.toBe(first)
    expect(problems).toEqual([])
    await close()
  })

  const looks = ["light", "dark"].flatMap((colorScheme) =>
    [390, 1440].map((width) => ({ colorScheme: colorScheme as "light" | "dark", width }))
  )

  // axe takes seconds for a long page: these have every kind of content but a diagram.
  const examined = ["index.html", "docs/errors.html", "docs/getting-started.html", "docs/glossary.html"]

  it.each(looks)("fits $width pixels in $colorScheme", async ({ colorScheme, width }) => {
    const { close, page, problems } = await open("index.html", { colorScheme, viewport: { width, height: 900 } })
    const names = [
      "index.html",
      ...globSync("docs/*.html", { cwd: folder }).toSorted(),
      "modules/_zapier-workflow-auth_core_ZapierAuth.html",
      "classes/_zapier-workflow-auth_core_ZapierAuth.ZapierAuth.html"
    ]
    expect(names.length).toBeGreaterThan(20)
    const found: Record<string, ReadonlyArray<string>> = {}
    for (const name of names) {
      await page.goto(urlOf(name))
      await ready(page)
      for (const diagram of await page.locator("pre.mermaid").all()) await diagram.locator("svg").first().waitFor()
      const wide = Number(await page.evaluate("document.documentElement.scrollWidth - innerWidth"))
      const all = [
        ...(examined.includes(name) ? await violations(page) : []),
        ...(wide > 0 ? [`${wide} pixels too wide`] : [])
      ]
      if (all.length > 0) found[name] = all
      const picture = `${name.replaceAll("/", "-").replace(".html", "")}-${colorScheme}-${width}.png`
      await page.screenshot({ path: join(output, picture), animations: "disabled" })
    }
    expect(found).toEqual({})
    expect(problems).toEqual([])
    await close()
  })
})
