/** A Chromium for tests: the one that CHROMIUM_PATH names, or the one inside of a package, which runs on Linux. */
import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdtemp, rename, rm } from "node:fs/promises"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, describe, it } from "@effect/vitest"
import chromium from "@sparticuz/chromium"
import * as Playwright from "playwright-core"

/** Where screenshots are kept. */
export const output = fileURLToPath(new URL("../../test-output/", import.meta.url))

/** How long a page may take for one step, in milliseconds: it ends a page that hangs, before the test's own limit does. */
export const patience = 120_000

// Beside what the package has packed, so that another version is unpacked anew.
const unpackedTo = join(dirname(createRequire(import.meta.url).resolve("@sparticuz/chromium")), "unpacked")

const unpack = "import chromium from '@sparticuz/chromium'; await chromium.executablePath()"

/**
 * The executable, unpacked once. The package unpacks into the temporary folder, and takes a file that another process is
 * still writing for complete. Each process therefore unpacks into a folder of its own, and the first to finish renames it.
 */
const unpacked = async (): Promise<string> => {
  const executable = join(unpackedTo, "chromium")
  if (existsSync(executable)) return executable
  const own = await mkdtemp(`${unpackedTo}-`)
  try {
    await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", unpack], {
      cwd: import.meta.dirname,
      env: { ...process.env, TMPDIR: own }
    })
    await rename(own, unpackedTo)
  } catch (error) {
    await rm(own, { recursive: true, force: true })
    // Another process was first.
    if (!existsSync(executable)) throw error
  }
  return executable
}

const start = async (): Promise<Playwright.Browser> => {
  // There are no Effects yet. @effect-diagnostics-next-line processEnv:off
  const installed = process.env["CHROMIUM_PATH"]
  if (installed !== undefined) {
    if (!existsSync(installed)) throw new Error("there is nothing at CHROMIUM_PATH")
    return Playwright.chromium.launch({ executablePath: installed, timeout: patience })
  }
  if (process.platform !== "linux") throw new Error("set CHROMIUM_PATH")
  // In a single process, a page that closes may take the browser with it.
  const args = chromium.args.filter((arg) => arg !== "--single-process")
  return Playwright.chromium.launch({ executablePath: await unpacked(), args, timeout: patience })
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
