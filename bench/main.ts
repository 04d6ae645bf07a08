/** `npm run bench`: measures, and prints one line of JSON for each scenario. Exits with 1 when a bound is missed. */
import { spawnSync } from "node:child_process"
import { parseArgs } from "node:util"
import * as Effect from "effect/Effect"
import * as Database from "./database.ts"
import { print, type Report, say } from "./report.ts"
import * as ScaleCommand from "./scaleCommand.ts"
import * as AppStorm from "./scenarios/appStorm.ts"
import * as Grants from "./scenarios/grants.ts"
import * as Late401 from "./scenarios/late401.ts"
import * as Overhead from "./scenarios/overhead.ts"
import * as Processes from "./scenarios/processes.ts"
import * as Storm from "./scenarios/storm.ts"

interface Scenario {
  readonly name: string
  /** How many calls it makes unless told otherwise. */
  readonly calls: number
  readonly run: (calls: number) => Effect.Effect<Report>
}

interface Shared {
  readonly store: Database.Kind
  readonly processes: number
}

// In which store and by how many processes matters to this one alone.
const processes = ({ processes, store }: Shared): Scenario => ({
  name: Processes.name,
  calls: Processes.calls,
  run: (calls) => Processes.run({ calls, store, processes })
})

const alone: ReadonlyArray<Scenario> = [Storm, Late401, AppStorm, Overhead, Grants]

const names = [...alone.map(({ name }) => name), Processes.name]

const usage =
  `usage: npm run bench -- [${names.join(" | ")}] [--calls N], ` +
  `and with ${Processes.name} [--store ${Database.kinds.join(" | ")}] [--processes N], or ${ScaleCommand.name}, which has options of its own`

const options = { calls: { type: "string" }, store: { type: "string" }, processes: { type: "string" } } as const

const toCount = (text: string) => {
  const count = Number(text)
  if (!Number.isSafeInteger(count) || count <= 0) throw new Error(`${text} is not a number of anything`)
  return count
}

const toKind = (text: string) => {
  if (!Database.isKind(text)) throw new Error(`${text} is not a store`)
  return text
}

// What was asked for: one scenario or all of them, and how many calls; nothing if it makes no sense.
const parse = (args: ReadonlyArray<string>) => {
  try {
    const { positionals, values } = parseArgs({ args: [...args], options, allowPositionals: true })
    const calls = values.calls === undefined ? undefined : toCount(values.calls)
    const shared = { store: toKind(values.store ?? "sqlite"), processes: toCount(values.processes ?? "8") }
    const [name] = positionals
    const isShared = values.store !== undefined || values.processes !== undefined
    if (positionals.length > 1 || (isShared && name !== Processes.name)) return undefined
    if (name === undefined) return { _tag: "All" } as const
    const scenario = [...alone, processes(shared)].find((scenario) => scenario.name === name)
    return scenario && ({ _tag: "One", scenario, calls: calls ?? scenario.calls } as const)
  } catch {
    return undefined
  }
}

// A process for each: what one leaves behind must not weigh on the next.
const inProcess = (args: ReadonlyArray<string>) =>
  spawnSync(process.execPath, [...process.execArgv, import.meta.filename, ...args], { stdio: "inherit" }).status ?? 1

const main = async (args: ReadonlyArray<string>): Promise<number> => {
  // It takes minutes: only who asks for it gets it.
  if (args[0] === ScaleCommand.name) return await ScaleCommand.run(args.slice(1))
  const asked = parse(args)
  if (asked === undefined) {
    say(usage)
    return 2
  }
  if (asked._tag === "All") return Math.max(...names.map((name) => inProcess([name, ...args])))
  const report = await Effect.runPromise(asked.scenario.run(asked.calls))
  print(report)
  return report.passed ? 0 : 1
}

process.exitCode = await main(process.argv.slice(2))
