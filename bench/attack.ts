/**
 * `npm run attack`: attacks the "Connect Zapier" routes and `handleCallback` over HTTP, as browsers and strangers
 * could. Prints how many cases of each kind were defended, and each attack that succeeded. Exits with 1 if one did.
 */
import { parseArgs } from "node:util"
import { kinds } from "./attack/kinds.ts"
import * as Attack from "./attack/run.ts"
import * as CommandLine from "./commandLine.ts"
import { print, round } from "./report.ts"

const help = [
  "usage: npm run attack -- [--json] [--kind TEXT] [--size N]",
  "",
  "  --json  one line of JSON in the place of the table",
  `  --kind  only kinds whose names begin with this: ${kinds.map(({ name }) => name).join(", ")}`,
  "  --size  how many requests a flood has (2000)"
].join("\n")

// Parses the arguments; undefined if they are invalid.
const parse = (args: ReadonlyArray<string>) => {
  try {
    const options = {
      help: { type: "boolean" },
      json: { type: "boolean" },
      kind: { type: "string" },
      size: { type: "string" }
    } as const
    const { values } = parseArgs({ args: [...args], options })
    if (values.help === true) return "help"
    const { json = false, kind = "", size = "2000" } = values
    const makesSense = /^[1-9]\d{0,4}$/.test(size) && kinds.some(({ name }) => name.startsWith(kind))
    return makesSense ? { json, only: kind, size: Number(size) } : undefined
  } catch {
    return undefined
  }
}

const row = (...[kind, cases, defended]: ReadonlyArray<string | number>) =>
  `${String(kind).padEnd(24)}${String(cases).padStart(6)}${String(defended).padStart(10)}\n`

process.exitCode = await CommandLine.run(help, parse, async (asked) => {
  const began = performance.now()
  const write = (text: string) => (asked.json ? process.stderr : process.stdout).write(text)
  write(row("kind", "cases", "defended"))
  const { successes, tallies } = await Attack.run({
    ...asked,
    onKind: ({ cases, defended, kind }) => write(row(kind, cases, defended))
  })
  for (const success of successes) write(`${success}\n`)
  const cases = tallies.reduce((sum, tally) => sum + tally.cases, 0)
  const passed = successes.length === 0
  const seconds = round((performance.now() - began) / 1_000, 1)
  write(`${row("all", cases, cases - successes.length)}${seconds} s\n`)
  if (asked.json) print({ scenario: "attack", passed, cases, successes, kinds: tallies, seconds })
  return passed ? 0 : 1
})
