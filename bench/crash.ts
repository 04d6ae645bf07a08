/**
 * `npm run crash`: kills processes with SIGKILL while they refresh, or a Redis server meanwhile, and counts the losses.
 * Prints one line of JSON, and exits with 1 if a rule was broken, or a grant was lost whose response did not die with
 * its process.
 */
import { parseArgs } from "node:util"
import * as Effect from "effect/Effect"
import * as Crash from "./crash/run.ts"
import { isStoreKind, storeKinds } from "./kinds.ts"
import { print, say } from "./report.ts"

const usage = `usage: npm run crash -- [--kills N] [--store ${storeKinds.join(" | ")}] [--processes N] [--seed N], or with --store redis --victim server`

const options = {
  kills: { type: "string" },
  store: { type: "string" },
  processes: { type: "string" },
  seed: { type: "string" },
  victim: { type: "string" }
} as const

const toCount = (text: string) => {
  const count = Number(text)
  if (!Number.isSafeInteger(count) || count <= 0) throw new Error(`${text} is not a positive whole number`)
  return count
}

// Parses the options; undefined if they are invalid.
const parse = (args: ReadonlyArray<string>): Crash.Asked | undefined => {
  try {
    const { values } = parseArgs({ args: [...args], options })
    const store = values.store ?? "sqlite"
    const victim = values.victim ?? "process"
    if (!isStoreKind(store) || (victim !== "process" && victim !== "server")) return undefined
    // Only Redis is started again after its death.
    if (victim === "server" && store !== "redis") return undefined
    return {
      kills: toCount(values.kills ?? "300"),
      store,
      processes: toCount(values.processes ?? "4"),
      seed: toCount(values.seed ?? "1"),
      victim
    }
  } catch {
    return undefined
  }
}

const main = async (args: ReadonlyArray<string>): Promise<number> => {
  const asked = parse(args)
  if (asked === undefined) {
    say(usage)
    return 2
  }
  const report = await Effect.runPromise(Crash.run(asked))
  print(report)
  return report.passed ? 0 : 1
}

process.exitCode = await main(process.argv.slice(2))
