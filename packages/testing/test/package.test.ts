/** What the package publishes: modules, and no internals. */
import { describe, expect, it } from "@effect/vitest"
import { globSync, readFileSync } from "node:fs"
import { basename, dirname } from "node:path"

const root = new URL("..", import.meta.url)

const manifest: {
  readonly exports: { readonly [path: string]: unknown }
  readonly publishConfig: { readonly exports: { readonly [path: string]: unknown } }
} = JSON.parse(readFileSync(new URL("package.json", root), "utf8"))

const sources = globSync("**/*.ts", { cwd: new URL("src", root) })

// Outside of a folder that is internal.
const modules = sources.filter((file) => !file.split("/").includes("internal"))

const folders = new Set(
  sources.flatMap((file) => {
    const names = dirname(file).split("/")
    const depth = names.indexOf("internal")
    return depth === -1 ? [] : [names.slice(0, depth + 1).join("/")]
  })
)

describe("the package", () => {
  it.each([...folders])("does not publish %s", (folder) => {
    for (const exports of [manifest.exports, manifest.publishConfig.exports]) {
      expect(exports[`./${folder}/*`]).toBeNull()
    }
  })

  it("publishes only modules, under their own names", () => {
    expect(modules.filter((file) => !/^(index|[A-Z]\w*)\.ts$/.test(basename(file)))).toEqual([])
  })
})
