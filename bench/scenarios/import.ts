/**
 * What it takes to import the packages, each in a process of its own that has just begun, beside Effect's modules that the
 * core imports. Rounds are interleaved.
 */
import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import * as Effect from "effect/Effect"
import { medianOf, spreadOf } from "../measure.ts"
import { type Report, round, say } from "../report.ts"

export const name = "import"

/** Rounds. */
export const calls = 11

// Times what Effect's modules by themselves take.
const bound = 1.2

const packages = fileURLToPath(new URL("../../packages/", import.meta.url))

const dist = (name: string) => join(packages, name, "dist")

// All that the core's modules import of Effect.
const effectModules = () => {
  const files = readdirSync(dist("core"), { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".js"))
  const imports = files.flatMap((file) => [
    ...readFileSync(join(dist("core"), file), "utf8").matchAll(/from "(effect\/[\w/]+)"/g)
  ])
  return [...new Set(imports.map(([, name = ""]) => name))]
}

interface Imported {
  readonly millis: number
  readonly megabytes: number
}

const program = (imports: ReadonlyArray<string>) => `
const before = process.memoryUsage().heapUsed
const began = performance.now()
await Promise.all(${JSON.stringify(imports)}.map((name) => import(name)))
const millis = performance.now() - began
console.log(JSON.stringify({ millis, megabytes: (process.memoryUsage().heapUsed - before) / 1e6 }))
`

// Resolved from the core, and with what Node has compiled before: as a program that is started the second time.
const importing = (imports: ReadonlyArray<string>) => {
  const args = ["--input-type=module", "--eval", program(imports)]
  return JSON.parse(execFileSync(process.execPath, args, { cwd: join(packages, "core"), encoding: "utf8" })) as Imported
}

const entry = (name: string, file = "index.js") => [pathToFileURL(join(dist(name), file)).href]

export const run = Effect.fnUntraced(function* (rounds: number) {
  execFileSync("tsc", ["-b", join(packages, "core"), join(packages, "testing"), join(packages, "node-adapter")])
  const modules = effectModules()
  const kinds: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
    ["effect", modules],
    ["core", entry("core")],
    ["core/ZapierAuth", entry("core", "ZapierAuth.js")],
    ["testing/FakeZapier", entry("testing", "FakeZapier.js")],
    ["testing", entry("testing")],
    ["node-adapter/ZapierNode", entry("node-adapter", "ZapierNode.js")],
    ["node-adapter", entry("node-adapter")]
  ]
  const results = kinds.map(([kind, imports]) => ({ kind, imports, all: [] as Array<Imported> }))
  // The first round only warms the caches.
  for (let index = 0; index <= rounds; index++) {
    for (const { all, imports } of results) {
      const imported = importing(imports)
      if (index > 0) all.push(imported)
    }
  }
  const millisOf = (kind: string) =>
    medianOf(results.filter((result) => result.kind === kind).flatMap(({ all }) => all.map(({ millis }) => millis)))
  const ratio = round(millisOf("core") / millisOf("effect"), 2)
  say(`import: the core takes ${ratio} times what the ${modules.length} modules of Effect take that it imports`)
  return yield* Effect.succeed({
    scenario: name,
    passed: ratio <= bound,
    rounds,
    bound,
    ratio,
    effectModules: modules.length,
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
  } satisfies Report)
})
