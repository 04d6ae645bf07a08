/** `npm run bench -- scale`: parses the options, and starts a process for each store, so that none affects another. */
import { tmpdir } from "node:os"
import { parseArgs } from "node:util"
import * as Effect from "effect/Effect"
import * as Places from "./grantPlaces.ts"
import * as StoreProcesses from "./storeProcesses.ts"
import { print, say } from "./report.ts"
import * as Scale from "./scenarios/scale.ts"

export const name = Scale.name

const usage =
  `usage: npm run bench -- ${name} [--store ${Places.kinds.join(" | ")} | all] [--grants N] [--encrypted]; ` +
  `for a million grants ${tmpdir()} needs 1 GB with sqlite, 2 GB with postgres or redis, and the process 2 GB with memory`

const options = { store: { type: "string" }, grants: { type: "string" }, encrypted: { type: "boolean" } } as const

interface Asked {
  readonly stores: ReadonlyArray<Places.Kind>
  readonly grants: number
  readonly encrypted: boolean
}

// Fewer grants would leave nothing to refresh.
const fewest = 100

const parse = (args: ReadonlyArray<string>): Asked | undefined => {
  try {
    const { values } = parseArgs({ args: [...args], options })
    const store = values.store ?? "all"
    const grants = Number(values.grants ?? "1000000")
    if (!Number.isSafeInteger(grants) || grants < fewest) return undefined
    const stores = store === "all" ? Places.kinds : Places.isKind(store) ? [store] : []
    return stores.length === 0 ? undefined : { stores, grants, encrypted: values.encrypted ?? false }
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
    const flags = ["--grants", String(asked.grants), ...(asked.encrypted ? ["--encrypted"] : [])]
    return StoreProcesses.runAll(name, asked.stores, flags)
  }
  // Otherwise Node would end without an `exit` event, which removes the files on disk.
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1))
  const report = await Effect.runPromise(Scale.run({ store, grants: asked.grants, encrypted: asked.encrypted }))
  print(report)
  return report.passed ? 0 : 1
}
