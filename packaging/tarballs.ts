/** The packages as they are published: packs them, and checks their contents. */
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { isBuiltin } from "node:module"
import { basename, join, posix } from "node:path"
import { checkPackage, createPackageFromTarballData, type Package } from "@arethetypeswrong/core"
import { publint } from "publint"
import { formatMessage } from "publint/utils"
import { entriesOf, type Exports } from "./entries.ts"
import { isRunUnasked } from "./scripts.ts"

const root = join(import.meta.dirname, "..")

const packages = ["core", "testing", "node-adapter"] as const

export interface Tarball {
  readonly name: string
  readonly path: string
}

/** The folder of `npm run tarballs`. */
export const folder = join(root, "tarballs")

/** Packs the built packages of a workspace into a folder. */
export const pack = (folder: string, workspace = root): ReadonlyArray<Tarball> =>
  packages.map((name) => {
    const arguments_ = ["--yes", "pnpm@12.21.0", "pack", "--json", "--pack-destination", folder]
    const printed = execFileSync("npx", arguments_, { cwd: join(workspace, "packages", name), encoding: "utf8" })
    const { filename } = JSON.parse(printed) as { readonly filename: string }
    return { name, path: join(folder, basename(filename)) }
  })

/** The packed packages in a folder. */
export const packedIn = (folder: string): ReadonlyArray<Tarball> =>
  packages.map((name) => {
    const { version } = JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8")) as {
      readonly version: string
    }
    return { name, path: join(folder, `zapier-workflow-auth-${name}-${version}.tgz`) }
  })

// Only ESM is published: `require` needs a Node that can require ESM, and the oldest type resolution does not know
// exports.
const isMeant = ({ kind, resolutionKind }: { readonly kind: string; readonly resolutionKind?: string }) =>
  kind === "CJSResolvesToESM" || resolutionKind === "node10"

const typeProblems = async (contents: Package, entrypoints: Array<string>) => {
  const analysis = await checkPackage(contents, { entrypoints })
  if (analysis.types === false) return ["it has no types"]
  return analysis.problems
    .filter((problem) => !isMeant(problem))
    .map((problem) => `types: ${problem.kind} ${JSON.stringify(problem)}`)
}

const publishProblems = async (data: ArrayBuffer) => {
  const { messages, pkg } = await publint({ pack: { tarball: data }, strict: true })
  return messages.map((message) => `publint: ${formatMessage(message, pkg ?? {}) ?? message.code}`)
}

const needed = ["package.json", "README.md", "LICENSE", "dist/index.js", "dist/index.d.ts", "src/index.ts"]

interface SourceMap {
  readonly sources: ReadonlyArray<string>
}

// The sources of a source map have to exist, for debuggers and for "go to definition".
const mapProblems = (contents: Package, map: string) => {
  const { sources } = JSON.parse(contents.readFile(map)) as SourceMap
  return sources
    .map((source) => posix.join(posix.dirname(map), source))
    .filter((source) => !contents.fileExists(source))
    .map((source) => `${map} names ${source}, which does not exist`)
}

const contentProblems = (contents: Package, inside: ReadonlyArray<string>) => {
  const files = contents.listFiles()
  return [
    ...needed.filter((file) => !inside.includes(file)).map((file) => `${file} is missing`),
    ...inside
      .filter((file) => /(?:^|\/)(?:test|tests)\/|\.test\.|\.tsbuildinfo$/.test(file))
      .map((file) => `${file} must not be published`),
    // Bundles have no types of their own.
    ...files
      .filter((file) => file.endsWith(".map") && !file.includes("/dist/command/"))
      .flatMap((map) => mapProblems(contents, map))
  ]
}

const manifestProblems = (contents: Package) => {
  const manifest = JSON.parse(contents.readFile(`/node_modules/${contents.packageName}/package.json`)) as {
    readonly sideEffects?: unknown
    readonly peerDependencies?: Readonly<Record<string, string>>
    readonly dependencies?: Readonly<Record<string, string>>
    readonly scripts?: Readonly<Record<string, string>>
  }
  return [
    ...Object.keys(manifest.scripts ?? {})
      .filter(isRunUnasked)
      .map((name) => `npm runs its script ${name} during installation`),
    ...(manifest.sideEffects === false ? [] : ["sideEffects is not false"]),
    ...(manifest.peerDependencies?.["effect"] === undefined ? ["effect is not a peer"] : []),
    ...Object.entries(manifest.dependencies ?? {})
      .filter(([, range]) => range.startsWith("workspace:"))
      .map(([name]) => `${name} is available only in the workspace`)
  ]
}

// The specifiers of a module: `import … from "x"`, `export … from "x"`, `import "x"`, `import("x")`.
const imported = /(?:\bfrom|\bimport)\s*\(?\s*["']((?:@[\w.-]+\/)?[\w][\w.-]*)[\w./-]*["']/g

/** Every import of the library's modules, types included, has to be installed with it. Bundles import nothing. */
const importProblems = (contents: Package, inside: ReadonlyArray<string>) => {
  const manifest = JSON.parse(contents.readFile(`/node_modules/${contents.packageName}/package.json`)) as {
    readonly dependencies?: Readonly<Record<string, string>>
    readonly peerDependencies?: Readonly<Record<string, string>>
  }
  const declared = { ...manifest.dependencies, ...manifest.peerDependencies }
  const problems = inside
    .filter((file) => /^dist\/(?!command\/|bundled\/).*\.(?:js|d\.ts)$/.test(file))
    .flatMap((file) => {
      const code = contents
        .readFile(`/node_modules/${contents.packageName}/${file}`)
        .replaceAll(/^\s*(?:\*|\/\/).*$/gm, "")
      return [...code.matchAll(imported)]
        .map(([, name = ""]) => name)
        .filter((name) => !isBuiltin(name) && declared[name] === undefined)
        .map((name) => `${file} imports ${name}, which is not installed with it`)
    })
  return [...new Set(problems)]
}

/** The problems of a package. */
export const problemsOf = async ({ path }: Tarball): Promise<ReadonlyArray<string>> => {
  const data = new Uint8Array(readFileSync(path))
  const contents = createPackageFromTarballData(data)
  const prefix = `/node_modules/${contents.packageName}/`
  const inside = contents.listFiles().map((file) => file.slice(prefix.length))
  const { exports } = JSON.parse(contents.readFile(`${prefix}package.json`)) as { readonly exports: Exports }
  return [
    ...contentProblems(contents, inside),
    ...manifestProblems(contents),
    ...importProblems(contents, inside),
    ...(await publishProblems(data.buffer)),
    ...(await typeProblems(contents, [...entriesOf(exports, inside)]))
  ]
}
