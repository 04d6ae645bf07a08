/** An app's production install: the packages and their dependencies, without anything for development. */
import { execFile } from "node:child_process"
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { cp } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import * as Node from "./node.ts"
import { isRunAtInstall } from "./scripts.ts"
import type { Tarball } from "./tarballs.ts"

const run = promisify(execFile)

/** The allowed packages, and why each is needed. */
export const expected: { readonly [name: string]: string } = {
  "@zapier-workflow-auth/core": "the library",
  "@zapier-workflow-auth/node-adapter": "its layers for Node, and the command line",
  effect: "what both are written in",
  "@effect/platform-node-shared": "reads and writes files, and draws random numbers",
  undici: "sends requests",
  ws: "@effect/platform-node-shared depends on it",
  "@types/ws": "@effect/platform-node-shared depends on it",
  "@types/node": "@types/ws depends on it",
  "undici-types": "@types/node depends on it"
}

/** The documented size of such an install: packages, and MB of 1,000,000 bytes. */
export const documented = () => {
  const page = readFileSync(join(import.meta.dirname, "../docs/operating.md"), "utf8")
  const [, packages, megabytes] = /get\s+(\d+)\s+packages\s+with\s+(\d+)\s+MB/.exec(page) ?? []
  return { packages: Number(packages), megabytes: Number(megabytes) }
}

// Packages with permitted install scripts, and why.
const mayRunScripts: { readonly [name: string]: string } = {}

interface Installed {
  readonly name: string
  readonly folder: string
}

/** Reads npm's own record of the install: each package by its folder. */
const installedIn = (folder: string): ReadonlyArray<Installed> => {
  const lock = JSON.parse(readFileSync(join(folder, "node_modules/.package-lock.json"), "utf8")) as {
    readonly packages: Readonly<Record<string, unknown>>
  }
  return Object.keys(lock.packages).map((path) => ({
    name: path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length),
    folder: join(folder, path)
  }))
}

const bytesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { name, parentPath }) => sum + lstatSync(join(parentPath, name)).size, 0)

interface Manifest {
  readonly scripts?: Readonly<Record<string, string>>
}

const scriptsOf = ({ folder, name }: Installed) => {
  const { scripts = {} } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest
  // npm builds a package that has this file, even without a script.
  const found = [
    ...Object.keys(scripts).filter(isRunAtInstall),
    ...(existsSync(join(folder, "binding.gyp")) ? ["gyp"] : [])
  ]
  return name in mayRunScripts ? [] : found.map((script) => `${name} runs ${script}`)
}

/** Makes a project in an empty folder, and installs it with npm as for production. */
export const install = async (folder: string, tarballs: ReadonlyArray<Tarball>, effect: string) => {
  mkdirSync(folder, { recursive: true })
  await cp(join(import.meta.dirname, "production"), folder, { recursive: true })
  const packed = (wanted: ReadonlyArray<string>) =>
    Object.fromEntries(
      tarballs
        .filter(({ name }) => wanted.includes(name))
        .map(({ name, path }) => [`@zapier-workflow-auth/${name}`, `file:${path}`])
    )
  const dependencies = { effect, ...packed(["core", "node-adapter"]) }
  const manifest = { private: true, type: "module", dependencies, devDependencies: packed(["testing"]) }
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest))
  // The commands get no configuration from this process's environment.
  const { HOME, PATH } = process.env
  const at = { cwd: folder, env: { HOME, PATH, XDG_DATA_HOME: join(folder, "data") } }
  await run("npm", ["install", "--omit=dev", "--no-audit", "--no-fund"], { cwd: folder })
  const installed = installedIn(folder)
  return {
    folder,
    names: installed.map(({ name }) => name).sort(),
    megabytes: Math.round(bytesIn(join(folder, "node_modules")) / 1e5) / 10,
    /** The packages that run something during installation. */
    scripts: () => installed.flatMap(scriptsOf),
    runOn: (version: string, ...args: ReadonlyArray<string>) => Node.runOn(version, args, at),
    runUntil: (version: string, words: string, ...args: ReadonlyArray<string>) =>
      Node.runUntil(version, args, words, at)
  }
}
