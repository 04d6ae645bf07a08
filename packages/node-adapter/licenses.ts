/** What is kept of packages whose code is bundled: their licenses, and which versions they are. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { isBuiltin } from "node:module"
import { join } from "node:path"
import type { RolldownOutput } from "rolldown"

/** The folder of the package that a bundled file is from. */
const packageOf = (file: string) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]

/** Packages under the MIT license that are published without its text, and the notice in their repository. */
const notices = new Map([["@redis/client", "Copyright (c) 2022-2025, Redis, inc."]])

// This package is under the same license: only the notice is another one.
const mit = (notice: string) =>
  readFileSync(join(import.meta.dirname, "LICENSE"), "utf8").replace(/^Copyright .*$/m, () => notice)

const textOf = (folder: string, name: string, license: string) => {
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
  if (file !== undefined) return readFileSync(join(folder, file), "utf8")
  const notice = notices.get(name)
  if (notice !== undefined && license === "MIT") return mit(notice)
  throw new Error(`${name} comes without the text of its license, which has to be kept`)
}

const license = (folder: string): string => {
  const { license, name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
  return `${name} ${version} (${license})\n\n${textOf(folder, name, license).trim()}\n`
}

const chunksOf = (outputs: ReadonlyArray<RolldownOutput>) =>
  outputs.flatMap(({ output }) => output).filter((part) => part.type === "chunk")

/** Writes `LICENSES.txt` into a folder: what the licenses of the packages ask of who hands on their code. */
export const write = (dir: string, outputs: ReadonlyArray<RolldownOutput>): void => {
  const folders = new Set(
    chunksOf(outputs).flatMap(({ moduleIds }) => moduleIds.flatMap((file) => packageOf(file) ?? []))
  )
  const texts = [...folders].map(license).sort()
  writeFileSync(join(dir, "LICENSES.txt"), texts.join(`\n${"-".repeat(78)}\n\n`))
}

/** The packages that a bundle still imports. */
export const importsOf = (outputs: ReadonlyArray<RolldownOutput>): ReadonlyArray<string> => {
  const chunks = chunksOf(outputs)
  const own = new Set(chunks.map(({ fileName }) => fileName))
  const imports = chunks.flatMap(({ dynamicImports, imports }) => [...imports, ...dynamicImports])
  return imports.filter((name) => !own.has(name) && !isBuiltin(name))
}
