/**
 * `npm run fuzz`: feeds arbitrary token responses and callbacks to the public parsers. None may throw, show a secret,
 * drop usable tokens or accept unusable ones. Prints one line of JSON, which depends only on the arguments, and exits
 * with 1 if one did.
 */
import { parseArgs } from "node:util"
import * as Fuzz from "./fuzz/run.ts"
import * as CommandLine from "./commandLine.ts"
import { print, say } from "./report.ts"

const help = [
  "usage: npm run fuzz -- [--count N] [--seed N]",
  "",
  "  --count  how many cases (1000000)",
  "  --seed   seed of all randomness (1)"
].join("\n")

// Parses the arguments; undefined if they are invalid.
const parse = (args: ReadonlyArray<string>) => {
  try {
    const options = { help: { type: "boolean" }, count: { type: "string" }, seed: { type: "string" } } as const
    const { values } = parseArgs({ args: [...args], options })
    if (values.help === true) return "help"
    const { count = "1000000", seed = "1" } = values
    const isNumber = /^\d{1,15}$/.test(count) && /^\d{1,15}$/.test(seed)
    return isNumber ? { count: Number(count), seed: Number(seed) } : undefined
  } catch {
    return undefined
  }
}

process.exitCode = await CommandLine.run(help, parse, (asked) => {
  const { count, seed } = asked
  const every = Math.max(1, Math.round(count / 10))
  const { problems, ...report } = Fuzz.run(seed, count, (number) => {
    if ((number + 1) % every === 0) say(`${number + 1} cases`)
  })
  for (const problem of problems) say(problem)
  const passed = problems.length === 0
  print({ scenario: "fuzz", passed, seed, ...report, problems: problems.length })
  return passed ? 0 : 1
})
