/** A Chromium for tests: the one that CHROMIUM_PATH names, or the one inside of a package, which runs on Linux. */
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { afterAll, describe, it } from "@effect/vitest"
import chromium from "@sparticuz/chromium"
import * as Playwright from "playwright-core"

/** Where screenshots are kept. */
export const output = fileURLToPath(new URL("../../test-output/", import.meta.url))

const start = async (): Promise<Playwright.Browser> => {
  // There are no Effects yet. @effect-diagnostics-next-line processEnv:off
  const installed = process.env["CHROMIUM_PATH"]
  if (installed !== undefined) {
    if (!existsSync(installed)) throw new Error("there is nothing at CHROMIUM_PATH")
    return Playwright.chromium.launch({ executablePath: installed })
  }
  if (process.platform !== "linux") throw new Error("set CHROMIUM_PATH")
  // In a single process, a page that closes may take the browser with it.
  const args = chromium.args.filter((arg) => arg !== "--single-process")
  return Playwright.chromium.launch({ executablePath: await chromium.executablePath(), args })
}

/** The browser, or why there is none. */
const launch = async (): Promise<Playwright.Browser | string> => {
  try {
    return await start()
  } catch (error) {
    const [why = ""] = String(error instanceof Error ? error.message : error).split("\n")
    return why
  }
}

/** Tests in a browser of their own. Where none runs, they are skipped, and say why. */
export const describeInBrowser = async (name: string, tests: (browser: Playwright.Browser) => void): Promise<void> => {
  const browser = await launch()
  if (typeof browser === "string") {
    // Vitest shows no names of what is skipped.
    process.stderr.write(`${name}: skipped, because none runs here: ${browser}\n`)
    describe.skip(`${name}: skipped, because none runs here: ${browser}`, () => {
      it("needs a browser", () => undefined)
    })
    return
  }
  describe(name, () => {
    tests(browser)
    // What is registered last is done first: a server may wait for the connections of a browser.
    afterAll(() => browser.close())
  })
}
