/** Runs a scenario for each of several stores, one after another, each in its own process. */
import { spawnSync } from "node:child_process"
import type * as Places from "./grantPlaces.ts"

const main = new URL("main.ts", import.meta.url).pathname

const run = (scenario: string, store: Places.Kind, flags: ReadonlyArray<string>) =>
  spawnSync(process.execPath, [...process.execArgv, main, scenario, "--store", store, ...flags], { stdio: "inherit" })
    .status ?? 1

/** The worst exit code. */
export const runAll = (scenario: string, stores: ReadonlyArray<Places.Kind>, flags: ReadonlyArray<string>): number =>
  Math.max(...stores.map((store) => run(scenario, store, flags)))
