/**
 * `node bundleFacade.ts [folder of dist]`, after the compiler: puts `ZapierPromise` and all that it needs, Effect included,
 * into a few files, the stores into one each. A function that starts reads these instead of three hundred modules, which
 * takes most of the time from its start to its first response.
 *
 * Whoever composes it with Effect takes the module of the same name that is not bundled, because there is one Effect then.
 */
import { readdirSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { build } from "rolldown"
import * as Licenses from "./licenses.ts"

const here = import.meta.dirname

const dir = join(here, "dist", process.argv[2] ?? "bundled")

// undici is installed with the library. node-redis asks for the other for digests of values, which nothing here uses.
const isExternal = (name: string) => name === "undici" || name === "@node-rs/xxhash"

// node-redis without the modules of Redis Stack, which nothing here uses: they would be read at each start.
const redis = createRequire(import.meta.resolve("redis")).resolve("@redis/client")

const output = await build({
  cwd: here,
  platform: "node",
  // Stores in memory are small, and are in the one file that everybody loads.
  checks: { ineffectiveDynamicImport: false },
  logLevel: "warn",
  input: { ZapierPromise: "src/bundled/ZapierPromise.ts" },
  external: isExternal,
  resolve: { alias: { redis } },
  output: { dir, format: "esm", chunkFileNames: "chunks/[name]-[hash].js", cleanDir: false }
})

const missing = Licenses.importsOf([output]).filter((name) => !isExternal(name))
if (missing.length > 0) throw new Error(`the facade would have to be installed with ${missing.join(", ")}`)

// It is a map of what the compiler wrote.
rmSync(join(dir, "ZapierPromise.js.map"), { force: true })

// Those of a build before.
const current = new Set(output.output.map(({ fileName }) => fileName))
for (const file of readdirSync(join(dir, "chunks")).map((name) => `chunks/${name}`)) {
  if (!current.has(file)) rmSync(join(dir, file))
}

Licenses.write(dir, [output])
