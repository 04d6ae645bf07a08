/** Runs Stryker on one area, or on a sample of its mutants, and counts what the tests caught. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { Area } from "./areas.ts"
import type { Size } from "./plugins.ts"

export interface Options {
  /** Undefined: all mutants. */
  readonly sample: Size | undefined
  /** Mutate only files whose paths contain this. */
  readonly only: string
  /** Run only tests whose paths contain this. */
  readonly tests: string
  readonly concurrency: number
}

interface Place {
  readonly line: number
  readonly column: number
}

/** The parts of Stryker's report that are used here. */
export interface Report {
  readonly files: {
    readonly [file: string]: {
      readonly source: string
      readonly mutants: ReadonlyArray<{
        readonly status: string
        readonly mutatorName: string
        readonly replacement?: string
        readonly location: { readonly start: Place; readonly end: Place }
      }>
    }
  }
}

export interface Verdict {
  readonly mutants: number
  readonly caught: number
  /** How many of them were caught because a test did not end. */
  readonly timeouts: number
  readonly survivors: ReadonlyArray<string>
}

/** The files of an area that are mutated. */
export const sourcesOf = ({ leftOut, sources }: Area): ReadonlyArray<string> =>
  globSync([...sources], { exclude: Object.keys(leftOut) })

// Browsers, databases and the compiler would take too long to start for each mutant.
const testsOf = ({ tests }: Area): ReadonlyArray<string> =>
  globSync([...tests], { exclude: ["**/*.{browser,integration,types}.test.ts"] })

/** The 95 % interval of a share, by Wilson's formula, in percent. */
export const interval = (hits: number, count: number): readonly [low: number, high: number] => {
  const z = 1.96
  const share = hits / count
  const middle = share + z ** 2 / (2 * count)
  const half = z * Math.sqrt((share * (1 - share)) / count + z ** 2 / (4 * count ** 2))
  const scale = 100 / (1 + z ** 2 / count)
  return [(middle - half) * scale, (middle + half) * scale]
}

const oneLine = (text: string) => {
  const line = text.replaceAll(/\s+/g, " ").trim()
  return line.length > 120 ? `${line.slice(0, 120)}…` : line
}

// The text from one place to another. Places count from 1.
const textBetween = (source: string, start: Place, end: Place) => {
  const lines = source.split("\n")
  const indexOf = ({ column, line }: Place) =>
    lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0) + column - 1
  return source.slice(indexOf(start), indexOf(end))
}

/** Counts what the tests caught. Mutants outside of the sample, and those that a comment excludes, do not count. */
export const judge = ({ files }: Report): Verdict => {
  const counts: { [status: string]: number } = {}
  const survivors: Array<string> = []
  for (const [file, { mutants, source }] of Object.entries(files)) {
    for (const { location, mutatorName, replacement = "", status } of mutants) {
      counts[status] = (counts[status] ?? 0) + 1
      if (status !== "Survived" && status !== "NoCoverage") continue
      const { end, start } = location
      const change = `${oneLine(textBetween(source, start, end))} => ${oneLine(replacement)}`
      const untested = status === "NoCoverage" ? " (no test runs it)" : ""
      survivors.push(`${file}:${start.line}:${start.column} ${mutatorName}${untested}: ${change}`)
    }
  }
  const { Killed = 0, Timeout = 0 } = counts
  const caught = Killed + Timeout
  return { mutants: caught + survivors.length, caught, timeouts: Timeout, survivors }
}

const stryker = fileURLToPath(new URL("bin/stryker.js", import.meta.resolve("@stryker-mutator/core/package.json")))

/** Runs an area. Stryker's own output goes to stderr, its reports to `coverage/mutation`. */
export const run = async (
  name: string,
  area: Area,
  { concurrency, only, sample, tests }: Options
): Promise<Verdict> => {
  const folder = "coverage/mutation"
  const [config, report] = [`${folder}/${name}.config.json`, `${folder}/${name}.json`]
  const options = {
    plugins: ["@stryker-mutator/vitest-runner", fileURLToPath(new URL("plugins.ts", import.meta.url))],
    testRunner: "vitest",
    vitest: { configFile: "vitest.mutation.config.ts", related: false },
    mutate: sourcesOf(area).filter((file) => file.includes(only)),
    checkers: sample === undefined ? [] : ["sample"],
    sample,
    warnings: { unknownOptions: false },
    // Nothing to rewrite: the copy lies below the project.
    tsconfigFile: "coverage/none.json",
    tempDirName: "coverage/stryker",
    ignorePatterns: ["coverage", "**/dist", "**/test-output", "docs/images", "website", "examples"],
    reporters: ["progress-append-only", "survivors", "html", "json"],
    htmlReporter: { fileName: `${folder}/${name}.html` },
    jsonReporter: { fileName: report },
    allowConsoleColors: false,
    concurrency,
    // Other programs may slow the tests down.
    timeoutMS: 20_000,
    timeoutFactor: 2
  }
  mkdirSync(folder, { recursive: true })
  rmSync(report, { force: true })
  writeFileSync(config, JSON.stringify(options))
  // Not Stryker's `testFiles`: with them it starts static mutants too late.
  const judges = testsOf(area).filter((file) => file.includes(tests))
  const env = { ...process.env, MUTATION_TESTS: judges.join(" ") }
  const child = spawn(process.execPath, [stryker, "run", config], { env, stdio: ["ignore", 2, 2] })
  const [code] = await once(child, "close")
  if (code !== 0) throw new Error(`Stryker failed (exit code ${code}); see above`)
  return judge(JSON.parse(readFileSync(report, "utf8")))
}
