/**
 * `npm run mutation`: changes the library in one place at a time and runs the tests of that area, which have to fail.
 * Prints one line of JSON for each area, lists the mutants that survived, and exits with 1 if an area's tests catch too
 * few.
 */
import { performance } from "node:perf_hooks"
import { parseArgs } from "node:util"
import { type Area, areas } from "./mutation/areas.ts"
import * as Run from "./mutation/run.ts"
import * as CommandLine from "./commandLine.ts"
import { print, round, say } from "./report.ts"

const known: { readonly [name: string]: Area | undefined } = areas

const help = [
  "usage: npm run mutation -- [--area NAME,NAME] [--sample N] [--seed N] [--only TEXT] [--tests TEXT]",
  "                               [--concurrency N]",
  "",
  `  --area         ${Object.keys(areas).join(", ")} (machine,oauth)`,
  "  --sample       try this many mutants, drawn at random (all)",
  "  --seed         seed of the sample (1)",
  "  --only         mutate only files whose paths contain this",
  "  --tests        run only tests whose paths contain this",
  "  --concurrency  processes that run tests (2)"
].join("\n")

// Parses the arguments; undefined if they are invalid.
const parse = (args: ReadonlyArray<string>) => {
  try {
    const text = { type: "string" } as const
    const { values } = parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean" },
        area: text,
        sample: text,
        seed: text,
        only: text,
        tests: text,
        concurrency: text
      }
    })
    if (values.help === true) return "help"
    const { area = "machine,oauth", concurrency = "2", only = "", sample, seed = "1", tests = "" } = values
    const names = area.split(",")
    const isValid =
      names.every((name) => Object.hasOwn(known, name)) &&
      [concurrency, sample ?? "1"].every((number) => /^[1-9]\d{0,8}$/.test(number)) &&
      /^\d{1,15}$/.test(seed)
    if (!isValid) return undefined
    const options: Run.Options = {
      sample: sample === undefined ? undefined : { size: Number(sample), seed: Number(seed) },
      only,
      tests,
      concurrency: Number(concurrency)
    }
    return { names, options }
  } catch {
    return undefined
  }
}

process.exitCode = await CommandLine.run(help, parse, async (asked) => {
  const { names, options } = asked
  const { sample } = options
  let passed = true
  for (const name of names) {
    const area = known[name]
    if (area === undefined) continue
    for (const [file, reason] of Object.entries(area.leftOut)) say(`${file} is left out: ${reason}`)
    const began = performance.now()
    const { survivors, ...counts } = await Run.run(name, area, options)
    for (const survivor of survivors) say(survivor)
    const { caught, mutants } = counts
    const score = round((100 * caught) / mutants, 1)
    const [low, high] = Run.interval(caught, mutants)
    // A sample fails an area only if the whole area would hardly pass.
    const isEnough = (sample === undefined ? score : high) >= area.threshold
    passed &&= isEnough
    print({
      scenario: "mutation",
      passed: isEnough,
      area: name,
      score,
      ...(sample === undefined ? {} : { seed: sample.seed, interval: [round(low, 1), round(high, 1)] }),
      threshold: area.threshold,
      ...counts,
      seconds: round((performance.now() - began) / 1_000)
    })
  }
  return passed ? 0 : 1
})
