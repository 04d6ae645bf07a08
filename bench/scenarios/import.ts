/**
 * The time to import the published packages, each in its own new process, compared with the modules of Effect that they
 * load. Rounds are interleaved.
 */
import { execFileSync } from "node:child_process"
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import { spreadOf } from "../measure.ts"
import { type Report, round, say } from "../report.ts"

export const name = "import"

/** Rounds. */
export const calls = 11

// Relative to Effect's modules alone: of the core, and of `ZapierNode`. Nearly all above 1 is finding and reading
// files, about 75 of the core: in one file it would be half as much. A test bounds their number.
const bound = 1.25
const nodeBound = 1.25

const packages = fileURLToPath(new URL("../../packages/", import.meta.url))

const names = ["core", "testing", "node-adapter"]

const scope = "@zapier-workflow-auth"

const ownSpecifier = new RegExp(`^${scope}/([\\w-]+)(?:/(.+))?$`)

interface Manifest {
  readonly publishConfig: { readonly exports: unknown }
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

// The packages as they are installed: compiled files, found through the published `exports`.
const install = (folder: string) => {
  for (const name of names) {
    const from = join(packages, name)
    const to = join(folder, "node_modules", scope, name)
    const manifest = JSON.parse(readFileSync(join(from, "package.json"), "utf8")) as Manifest
    cpSync(join(from, "dist"), join(to, "dist"), { recursive: true })
    writeFileSync(join(to, "package.json"), JSON.stringify({ ...manifest, ...manifest.publishConfig }))
    for (const needed of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
      const link = join(folder, "node_modules", needed)
      const target = join(from, "node_modules", needed)
      if (needed.startsWith(scope) || existsSync(link) || !existsSync(target)) continue
      mkdirSync(dirname(link), { recursive: true })
      symlinkSync(target, link)
    }
  }
}

const compile = () => {
  execFileSync("tsc", ["-b", ...names.map((name) => join(packages, name))])
  execFileSync(process.execPath, [join(packages, "node-adapter/bundleTransport.ts")])
}

const statically = /^(?:import|export)\s(?:[^"';]*\sfrom\s)?"([^"]+)"/gm

// The external modules that a module of ours loads at once, directly or through others of ours.
const othersOf = (folder: string, specifier: string) => {
  const others = new Set<string>()
  const seen = new Set<string>()
  const visit = (file: string) => {
    if (seen.has(file)) return
    seen.add(file)
    for (const [, imported = ""] of readFileSync(file, "utf8").matchAll(statically)) {
      const own = ownFile(folder, imported)
      if (own !== undefined) visit(own)
      else if (imported.startsWith(".")) visit(resolve(dirname(file), imported))
      else if (!imported.startsWith("node:")) others.add(imported)
    }
  }
  const entry = ownFile(folder, specifier)
  if (entry !== undefined) visit(entry)
  return [...others]
}

const ownFile = (folder: string, specifier: string) => {
  const [, name, module = "index"] = ownSpecifier.exec(specifier) ?? []
  return name === undefined ? undefined : join(folder, "node_modules", scope, name, "dist", `${module}.js`)
}

interface Imported {
  readonly millis: number
  /** CPU time, which other processes hardly change. */
  readonly cpuMillis: number
  readonly megabytes: number
}

const program = (imports: ReadonlyArray<string>) => `
const before = process.memoryUsage().heapUsed
const cpuBefore = process.cpuUsage()
const began = performance.now()
await Promise.all(${JSON.stringify(imports)}.map((name) => import(name)))
const millis = performance.now() - began
const { system, user } = process.cpuUsage(cpuBefore)
const cpuMillis = (system + user) / 1000
console.log(JSON.stringify({ millis, cpuMillis, megabytes: (process.memoryUsage().heapUsed - before) / 1e6 }))
`

// With a warm compile cache, like a program's second start.
const importing = (folder: string, imports: ReadonlyArray<string>) => {
  const args = ["--input-type=module", "--eval", program(imports)]
  return JSON.parse(execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8" })) as Imported
}

const measure = (folder: string, rounds: number) => {
  install(folder)
  const own = (module: string) => [`${scope}/${module}`] as const
  const ofCore = othersOf(folder, `${scope}/core`)
  const ofNode = othersOf(folder, `${scope}/node-adapter/ZapierNode`)
  const kinds: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
    ["effect, as core", ofCore],
    ["core", own("core")],
    ["core/ZapierAuth", own("core/ZapierAuth")],
    ["testing/FakeZapier", own("testing/FakeZapier")],
    ["testing", own("testing")],
    ["effect, as node-adapter/ZapierNode", ofNode],
    ["node-adapter/ZapierNode", own("node-adapter/ZapierNode")],
    ["node-adapter", own("node-adapter")]
  ]
  const results = kinds.map(([kind, imports]) => ({ kind, imports, all: [] as Array<Imported> }))
  // The first round only warms the caches.
  for (let index = 0; index <= rounds; index++) {
    for (const { all, imports } of results) {
      const imported = importing(folder, imports)
      if (index > 0) all.push(imported)
    }
  }
  return { results, effectModules: ofCore.length }
}

export const run = Effect.fnUntraced(function* (rounds: number) {
  compile()
  const folder = mkdtempSync(join(tmpdir(), "zapier-import-"))
  const { effectModules, results } = yield* Effect.ensuring(
    Effect.sync(() => measure(folder, rounds)),
    Effect.sync(() => rmSync(folder, { recursive: true }))
  )
  // Other load only ever adds to a time, so the least is the closest.
  const leastOf = (kind: string) =>
    Math.min(
      ...results.filter((result) => result.kind === kind).flatMap(({ all }) => all.map(({ cpuMillis }) => cpuMillis))
    )
  const ratioOf = (kind: string, others: string) => round(leastOf(kind) / leastOf(others), 2)
  const ratio = ratioOf("core", "effect, as core")
  const nodeRatio = ratioOf("node-adapter/ZapierNode", "effect, as node-adapter/ZapierNode")
  say(
    `import: the core takes ${ratio} times what the ${effectModules} modules of Effect take that it loads; ZapierNode ${nodeRatio} times`
  )
  return {
    scenario: name,
    passed: ratio <= bound && nodeRatio <= nodeBound,
    rounds,
    bound,
    nodeBound,
    ratio,
    nodeRatio,
    effectModules,
    imports: Object.fromEntries(
      results.map(({ all, kind }) => [
        kind,
        {
          millis: spreadOf(
            all.map(({ millis }) => millis),
            1
          ),
          megabytes: spreadOf(
            all.map(({ megabytes }) => megabytes),
            1
          )
        }
      ])
    )
  } satisfies Report
})
