/**
 * `npm run bench -- docs`: measures what `docs/benchmarks.md` shows, and writes it. With names of scenarios it measures
 * only those and keeps the other results; with `--render` it only writes the page.
 */
import { spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { cpus, totalmem } from "node:os"
import { join } from "node:path"
import { format } from "oxfmt"
import { page, type Results } from "./page.ts"

const folder = join(import.meta.dirname, "../docs")

const file = join(folder, "benchmarks/results.json")

const scenarios = ["peers", "storm", "overhead", "exchange", "bundle", "import", "command-start", "fake-flows"]

const measured = [
  "effect",
  "simple-oauth2",
  "openid-client",
  "oauth4webapi",
  "arctic",
  "@badgateway/oauth2-client",
  "google-auth-library",
  "@azure/msal-node",
  "oauth2-mock-server",
  "oidc-provider",
  "esbuild"
]

const versions = () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(import.meta.dirname, "package.json"), "utf8"))
  const all: Readonly<Record<string, string>> = { ...dependencies, ...devDependencies }
  return Object.fromEntries(measured.map((name) => [name, all[name] ?? ""]))
}

const measure = (scenario: string) => {
  const main = join(import.meta.dirname, "main.ts")
  const { stdout } = spawnSync(process.execPath, ["--expose-gc", main, scenario], {
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8"
  })
  return JSON.parse(stdout)
}

const measureAll = (named: ReadonlyArray<string>, kept: Results["reports"]): Results => ({
  // A date for people, outside of any Effect. @effect-diagnostics-next-line globalDate:off
  date: new Date().toISOString().slice(0, 10),
  machine: `${cpus().length} cores of ${cpus()[0]?.model.trim() ?? "a machine"}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
  node: process.versions.node,
  versions: versions(),
  reports: { ...kept, ...Object.fromEntries(named.map((scenario) => [scenario, measure(scenario)])) }
})

// Formatted like everything else.
const formatted = async (name: string, text: string) => (await format(name, text, { printWidth: 120 })).code

/** The page and its pictures, by their paths in `docs`. */
export const render = async (results: Results): Promise<ReadonlyArray<readonly [string, string]>> => {
  const { charts, text } = page(results)
  const pictures = Object.entries(charts).map(async ([name, svg]) => [`benchmarks/${name}`, await svg] as const)
  return [["benchmarks.md", await formatted("benchmarks.md", text)], ...(await Promise.all(pictures))]
}

export const read = (): Results => JSON.parse(readFileSync(file, "utf8")) as Results

export const run = async (args: ReadonlyArray<string>): Promise<number> => {
  mkdirSync(join(folder, "benchmarks"), { recursive: true })
  if (args[0] !== "--render") {
    const named = scenarios.filter((scenario) => args.length === 0 || args.includes(scenario))
    const kept = named.length === scenarios.length ? {} : read().reports
    writeFileSync(file, await formatted("results.json", JSON.stringify(measureAll(named, kept))))
  }
  for (const [path, text] of await render(read())) writeFileSync(join(folder, path), text)
  return 0
}
