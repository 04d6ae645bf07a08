/**
 * `npm run zoo`: checks what `Scenario` finds. Each app with one bug has to be caught with every seed, by a script of
 * few steps, and correct apps must not be accused. Prints one line of JSON and a table of the rules that caught each
 * bug, and exits with 1 if a bound is missed.
 */
import { availableParallelism } from "node:os"
import { performance } from "node:perf_hooks"
import { parseArgs } from "node:util"
import * as CommandLine from "./commandLine.ts"
import { print, round, say } from "./report.ts"
import * as Run from "./zoo/run.ts"

const help = [
  "usage: npm run zoo -- [--runs N] [--correct N] [--others N] [--seeds 1,2,3] [--workers N] [--only NAME] [--reports]",
  "",
  "  --runs     scenarios for each bug and seed (100)",
  "  --correct  scenarios for each correct app with the first seed (1000)",
  "  --others   the same, with each other seed (100)",
  "  --seeds    seeds of randomness (1,2,3)",
  "  --workers  processes that share the work (two per processor, because some apps wait for real I/O)",
  "  --only     check only apps whose names contain this",
  "  --reports  show the report of each broken rule"
].join("\n")

// Parses the arguments; undefined if they are invalid.
const parse = (args: ReadonlyArray<string>) => {
  try {
    const text = { type: "string" } as const
    const flag = { type: "boolean" } as const
    const { values } = parseArgs({
      args: [...args],
      options: {
        help: flag,
        reports: flag,
        runs: text,
        correct: text,
        others: text,
        seeds: text,
        workers: text,
        only: text
      }
    })
    if (values.help === true) return "help"
    const { correct = "1000", only, others = "100", reports = false, runs = "100", seeds = "1,2,3" } = values
    const { workers = String(2 * availableParallelism()) } = values
    const numbers = [runs, correct, others, workers, ...seeds.split(",")]
    if (!numbers.every((number) => /^[1-9]\d{0,8}$/.test(number))) return undefined
    const options: Run.Options = {
      runs: Number(runs),
      correctRuns: [Number(correct), Number(others)],
      seeds: [...new Set(seeds.split(",").map(Number))],
      workers: Number(workers),
      only
    }
    return { options, reports }
  } catch {
    return undefined
  }
}

process.exitCode = await CommandLine.run(help, parse, async (asked) => {
  const { options, reports } = asked
  const began = performance.now()
  const report = await Run.run(options, ({ message, ms, name, rule, runs, seed, steps }) => {
    const what = rule === undefined ? `nothing in ${runs} scenarios` : `${rule}, ${steps} steps`
    say(`${name}, seed ${seed}: ${what} (${ms} ms)`)
    if (reports && rule !== undefined) say(`${message}\n`)
  })
  const { accused, bugs, correct, found, passed } = report
  say(`\n${Run.tableOf(report)}`)
  if (!reports) for (const { message, name, seed } of accused) say(`\n${name}, seed ${seed}: ${message}`)
  const { runs, seeds } = options
  const seconds = round((performance.now() - began) / 1_000, 1)
  const counts = { bugs: bugs.length, found, correct, accused: accused.length }
  print({ scenario: "zoo", passed, runs, seeds, ...counts, seconds })
  return passed ? 0 : 1
})
