/**
 * `node bundle.ts [folder of dist]`: puts the command line and all that it needs into a few files. Node takes longer to find
 * and read a thousand small files than a command takes to do its work.
 */
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "rolldown"

const here = import.meta.dirname

/** The folder of the package that a bundled file is from. */
const packageOf = (file: string) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]

/** What their licenses ask of who hands them on. */
const licenses = (files: ReadonlyArray<string>): string => {
  const folders = new Set(files.flatMap((file) => packageOf(file) ?? []))
  return [...folders]
    .map((folder) => {
      const { license, name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
      const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
      if (file === undefined) throw new Error(`${name} comes without the text of its license, which has to be kept`)
      return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`
    })
    .sort()
    .join(`\n${"-".repeat(78)}\n\n`)
}

const dir = join(here, "dist", process.argv[2] ?? "command")

rmSync(dir, { recursive: true, force: true })

const bundled = { cwd: here, platform: "node", logLevel: "warn" } as const

const outputs = await build([
  {
    ...bundled,
    input: { "zapier-workflow-auth": "src/bin.ts" },
    // What a command does not need it does not load.
    output: { dir, format: "esm", chunkFileNames: "chunks/[name]-[hash].js" }
  },
  {
    ...bundled,
    // It is looked for beside the chunk that starts it, and shares nothing with the command.
    input: "src/cli/run/browserThread.ts",
    output: { file: join(dir, "chunks/browserThread.js"), format: "esm" }
  }
])

// What the thread starts on Linux: it is looked for beside it. The terms that it comes with are in it.
copyFileSync(fileURLToPath(new URL("xdg-open", import.meta.resolve("open"))), join(dir, "chunks/xdg-open"))

const parts = outputs.flatMap(({ output }) => output)

const files = parts.flatMap((part) => (part.type === "chunk" ? part.moduleIds : []))

writeFileSync(join(dir, "LICENSES.txt"), licenses(files))
