/** `npm run bench -- mass-expiry`: what was asked for, and a line for each store and number of processes. */
import { parseArgs } from "node:util"
import * as Effect from "effect/Effect"
import { print, say } from "./report.ts"
import * as MassExpiry from "./scenarios/massExpiry.ts"

const usage = `usage: npm run bench -- ${MassExpiry.name} [--store ${MassExpiry.kinds.join(" | ")}] [--processes N] [--grants N] [--rounds N]`

const options = {
  store: { type: "string" },
  processes: { type: "string" },
  grants: { type: "string" },
  rounds: { type: "string" }
} as const

const toCount = (text: string) => {
  const count = Number(text)
  if (!Number.isSafeInteger(count) || count <= 0) throw new Error(`${text} is not a number of anything`)
  return count
}

const parse = (args: ReadonlyArray<string>): ReadonlyArray<MassExpiry.Asked> => {
  try {
    const { values } = parseArgs({ args: [...args], options })
    const stores = MassExpiry.kinds.filter((kind) => values.store === undefined || kind === values.store)
    const processes = values.processes === undefined ? [1, 4] : [toCount(values.processes)]
    const grants = toCount(values.grants ?? "10000")
    const rounds = toCount(values.rounds ?? "3")
    return stores.flatMap((store) => processes.map((count) => ({ store, processes: count, grants, rounds })))
  } catch {
    return []
  }
}

/** The exit code. */
export const run = async (args: ReadonlyArray<string>): Promise<number> => {
  const asked = parse(args)
  if (asked.length === 0) {
    say(usage)
    return 2
  }
  let code = 0
  for (const one of asked) {
    const report = await Effect.runPromise(MassExpiry.run(one))
    print(report)
    if (!report.passed) code = 1
  }
  return code
}
