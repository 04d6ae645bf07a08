/** A project outside the workspace that has installed the packages, like a user's. */
import { type ChildProcess, execFile, spawn } from "node:child_process"
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import * as Node from "./node.ts"
import type { Tarball } from "./tarballs.ts"
import { freePort } from "../packages/node-adapter/test/utils/freePort.ts"

const run = promisify(execFile)

// Cloudflare's runtime for workers, which contains Node only on request.
const workerd = { workerd: "1.20261117.1" }

// The versions in the workspace.
const versionsOf = (manifest: string, ...names: ReadonlyArray<string>) => {
  const text = readFileSync(join(import.meta.dirname, "..", manifest), "utf8")
  const { dependencies, devDependencies } = JSON.parse(text) as Record<string, Readonly<Record<string, string>>>
  const all = { ...dependencies, ...devDependencies }
  return Object.fromEntries(names.map((name) => [name, all[name]]))
}

/** The workspace's version of effect. */
export const { effect = "" } = versionsOf("package.json", "effect")

const dependencies = {
  ...versionsOf("package.json", "effect", "typescript", "@types/node"),
  ...versionsOf("packages/node-adapter/package.json", "rolldown"),
  ...workerd
}

const compilerOptions = {
  target: "ES2024",
  lib: ["ES2024", "DOM", "DOM.Iterable"],
  types: ["node"],
  strict: true,
  exactOptionalPropertyTypes: true,
  verbatimModuleSyntax: true,
  outDir: "out"
}

const configs = {
  "tsconfig.nodenext.json": { module: "NodeNext", moduleResolution: "NodeNext" },
  "tsconfig.bundler.json": { module: "ESNext", moduleResolution: "bundler", noEmit: true }
}

/** Makes the project in an empty folder, and installs its dependencies with npm. */
export const install = async (folder: string, tarballs: ReadonlyArray<Tarball>) => {
  mkdirSync(folder, { recursive: true })
  cpSync(join(import.meta.dirname, "consumer"), folder, { recursive: true })
  const ofTarballs = Object.fromEntries(
    tarballs.map(({ name, path }) => [`@zapier-workflow-auth/${name}`, `file:${path}`])
  )
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ private: true, type: "module", dependencies: { ...dependencies, ...ofTarballs } })
  )
  for (const [name, options] of Object.entries(configs)) {
    const config = { compilerOptions: { ...compilerOptions, ...options }, include: ["*.ts"] }
    writeFileSync(join(folder, name), JSON.stringify(config))
  }
  const at = { cwd: folder, env: { ...process.env, XDG_DATA_HOME: join(folder, "data") } }
  await run("npm", ["install", "--no-audit", "--no-fund"], at)
  const bin = (name: string) => join(folder, "node_modules/.bin", name)
  return {
    /** The compiler's errors, for each way to resolve modules. */
    typeErrors: async () => {
      const said = await Promise.all(
        Object.keys(configs).map((config) =>
          run(bin("tsc"), ["-p", config, "--pretty", "false"], at).then(
            () => "",
            ({ stdout }: { readonly stdout: string }) => `${config}: ${stdout}`
          )
        )
      )
      return said.filter((text) => text !== "")
    },
    /** Runs a program with another Node, and returns its output and exit code. */
    onNode: (version: string, ...args: ReadonlyArray<string>) => Node.runOn(version, args, at),
    /** Runs a program with the runtime at a path. */
    on: (path: string, ...args: ReadonlyArray<string>) => Node.runAt(path, args, at),
    /** The worker's response, in the runtime for workers. */
    inWorker: async () => {
      await run(
        bin("rolldown"),
        // The worker is one module.
        ["worker.ts", "--file", "out/worker.js", "--format", "esm", "--platform", "neutral", "--no-codeSplitting"],
        at
      )
      const port = await freePort()
      writeFileSync(join(folder, "worker.capnp"), configOf(port))
      const process = spawn(bin("workerd"), ["serve", "worker.capnp"], {
        ...at,
        stdio: ["ignore", "inherit", "inherit"]
      })
      try {
        return await asked(`http://127.0.0.1:${port}/`, process)
      } finally {
        process.kill()
      }
    }
  }
}

const configOf = (port: number) => `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);

const main :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "out/worker.js")],
  compatibilityDate = "2026-01-01"
);
`

// It listens soon after its start, or never.
// There are no Effects here. @effect-diagnostics globalFetch:off globalTimers:off
const asked = async (url: string, process: ChildProcess): Promise<unknown> => {
  for (let tries = 0; tries < 100 && process.exitCode === null; tries++) {
    const response = await fetch(url).catch(() => undefined)
    if (response !== undefined) return response.ok ? response.json() : response.text()
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error("the worker does not answer")
}
