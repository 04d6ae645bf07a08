/** `npm run bench`: measures, and prints one line of JSON for each scenario. Exits with 1 if a bound is missed. */
import { spawnSync } from "node:child_process"
import { parseArgs } from "node:util"
import type * as Effect from "effect/Effect"
import { isStoreKind, type StoreKind, storeKinds } from "./kinds.ts"
import { print, type Report, say } from "./report.ts"

interface Shared {
  readonly store: StoreKind
  readonly processes: number
  /** If the calls are for a White Label user instead of a connected one. */
  readonly whiteLabel: boolean
}

interface Scenario {
  /** How many calls it makes by default. */
  readonly calls: number
  readonly run: (calls: number, shared: Shared) => Effect.Effect<Report>
}

// Each is loaded on demand, so that it is not affected by what the others need.
const scenarios: { readonly [name: string]: () => Promise<Scenario> } = {
  storm: () => import("./scenarios/storm.ts"),
  "late-401": () => import("./scenarios/late401.ts"),
  "app-storm": () => import("./scenarios/appStorm.ts"),
  overhead: () => import("./scenarios/overhead.ts"),
  grants: () => import("./scenarios/grants.ts"),
  processes: () => import("./scenarios/processes.ts"),
  "fake-flows": () => import("./scenarios/fakeFlows.ts"),
  mixed: () => import("./scenarios/mixed.ts"),
  peers: () => import("./scenarios/peers.ts"),
  exchange: () => import("./scenarios/exchange.ts"),
  import: () => import("./scenarios/import.ts"),
  bundle: () => import("./scenarios/bundle.ts"),
  "command-start": () => import("./scenarios/commandStart.ts"),
  "cold-start": () => import("./scenarios/coldStart.ts")
}

const names = Object.keys(scenarios)

// Only this scenario has a store and a number of processes.
const sharing = "processes"

// These take minutes and have their own options, so they run only on request.
const scale = "scale"
const attempts = "attempts"
const massExpiry = "mass-expiry"

// Measures what the documentation shows, and writes it.
const docs = "docs"

const usage =
  `usage: npm run bench -- [${names.join(" | ")}] [--calls N], ` +
  `and with ${sharing} [--store ${storeKinds.join(" | ")}] [--processes N] [--white-label], or ${scale}, ${attempts} or ${massExpiry}, which have options of their own, or ${docs} [--render | scenario ...]`

const options = {
  calls: { type: "string" },
  store: { type: "string" },
  processes: { type: "string" },
  "white-label": { type: "boolean" }
} as const

const toCount = (text: string) => {
  const count = Number(text)
  if (!Number.isSafeInteger(count) || count <= 0) throw new Error(`${text} is not a positive whole number`)
  return count
}

const toStore = (text: string) => {
  if (!isStoreKind(text)) throw new Error(`${text} is not a store`)
  return text
}

// Parses the options: one scenario or all, and how many calls; undefined if they are invalid.
const parse = (args: ReadonlyArray<string>) => {
  try {
    const { positionals, values } = parseArgs({ args: [...args], options, allowPositionals: true })
    const calls = values.calls === undefined ? undefined : toCount(values.calls)
    const shared: Shared = {
      store: toStore(values.store ?? "sqlite"),
      processes: toCount(values.processes ?? "8"),
      whiteLabel: values["white-label"] ?? false
    }
    const [name] = positionals
    const isShared = [values.store, values.processes, values["white-label"]].some((value) => value !== undefined)
    if (positionals.length > 1 || (isShared && name !== sharing)) return undefined
    if (name === undefined) return { _tag: "All" } as const
    const load = Object.hasOwn(scenarios, name) ? scenarios[name] : undefined
    return load && ({ _tag: "One", load, calls, shared } as const)
  } catch {
    return undefined
  }
}

// A separate process for each, so that none is affected by the one before.
const inProcess = (args: ReadonlyArray<string>) =>
  spawnSync(process.execPath, [...process.execArgv, import.meta.filename, ...args], { stdio: "inherit" }).status ?? 1

const main = async (args: ReadonlyArray<string>): Promise<number> => {
  if (args[0] === docs) return await (await import("./docs.ts")).run(args.slice(1))
  if (args[0] === scale) return await (await import("./scaleCommand.ts")).run(args.slice(1))
  if (args[0] === attempts) return await (await import("./attemptsCommand.ts")).run(args.slice(1))
  if (args[0] === massExpiry) return await (await import("./massExpiryCommand.ts")).run(args.slice(1))
  const asked = parse(args)
  if (asked === undefined) {
    say(usage)
    return 2
  }
  if (asked._tag === "All") return Math.max(...names.map((name) => inProcess([name, ...args])))
  const [{ runPromise }, scenario] = await Promise.all([import("effect/Effect"), asked.load()])
  const report = await runPromise(scenario.run(asked.calls ?? scenario.calls, asked.shared))
  print(report)
  return report.passed ? 0 : 1
}

process.exitCode = await main(process.argv.slice(2))
