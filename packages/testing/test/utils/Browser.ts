/** A Chromium for tests: the one that CHROMIUM_PATH names, or the one inside of a package, which runs on Linux. */
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import chromium from "@sparticuz/chromium"
import * as Playwright from "playwright-core"

/** Where screenshots are kept. */
export const output = fileURLToPath(new URL("../../test-output/", import.meta.url))

export type Launched =
  | { readonly _tag: "Browser"; readonly browser: Playwright.Browser }
  | { readonly _tag: "None"; readonly why: string }

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

/** Starts it, or says why there is none. */
export const launch = async (): Promise<Launched> => {
  try {
    return { _tag: "Browser", browser: await start() }
  } catch (error) {
    const [why = ""] = String(error instanceof Error ? error.message : error).split("\n")
    return { _tag: "None", why }
  }
}
