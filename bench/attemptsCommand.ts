/**
 * `npm run bench -- attempts`: parses the options, and starts a process for each store, so that none affects another.
 */
import { parseArgs } from "node:util"
import * as Effect from "effect/Effect"
import * as StoreProcesses from "./storeProcesses.ts"
import { print, say } from "./report.ts"
import * as Attempts from "./scenarios/attempts.ts"

const usage =
  `usage: npm run bench -- ${Attempts.name} [--store ${Attempts.kinds.join(" | ")}] [--attempts N], ` +
  "which begins this many, three times; a Postgres takes about a millisecond for each"

const options = { store: { type: "string" }, attempts: { type: "string" } } as const

// Fewer attempts would leave nothing to forget.
const fewest = 1_000

interface Asked {
  readonly stores: ReadonlyArray<Attempts.Kind>
  readonly attempts: number
}

const parse = (args: ReadonlyArray<string>): Asked | undefined => {
  try {
    const { store, ...values } = parseArgs({ args: [...args], options }).values
    const attempts = Number(values.attempts ?? "100000")
    if (!Number.isSafeInteger(attempts) || attempts < fewest) return undefined
    if (store === undefined) return { stores: ["memory", "sqlite"], attempts }
    return Attempts.isKind(store) ? { stores: [store], attempts } : undefined
  } catch {
    return undefined
  }
}

/** Returns the exit code. */
export const run = async (args: ReadonlyArray<string>): Promise<number> => {
  const asked = parse(args)
  const [store, ...others] = asked?.stores ?? []
  if (asked === undefined || store === undefined) {
    say(usage)
    return 2
  }
  if (others.length > 0) {
    return StoreProcesses.runAll(Attempts.name, asked.stores, ["--attempts", String(asked.attempts)])
  }
  const report = await Effect.runPromise(Attempts.run({ store, attempts: asked.attempts }))
  print(report)
  return report.passed ? 0 : 1
}
