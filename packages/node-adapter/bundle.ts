/**
 * `node bundle.ts [folder of dist]`: puts the command line and all that it needs into a few files. Node takes longer to find
 * and read a thousand small files than a command takes to do its work.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
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
      const text = file === undefined ? "" : `\n${readFileSync(join(folder, file), "utf8").trim()}\n`
      return `${name} ${version} (${license})\n${text}`
    })
    .sort()
    .join(`\n${"-".repeat(78)}\n\n`)
}

const dir = join(here, "dist", process.argv[2] ?? "command")

rmSync(dir, { recursive: true, force: true })

const { output } = await build({
  cwd: here,
  input: { "zapier-workflow-auth": "src/bin.ts" },
  platform: "node",
  // It has a script beside it.
  external: ["open"],
  // What a command does not need it does not load.
  output: { dir, format: "esm", chunkFileNames: "chunks/[name]-[hash].js" },
  logLevel: "warn"
})

const files = output.flatMap((part) => (part.type === "chunk" ? part.moduleIds : []))

writeFileSync(join(dir, "LICENSES.txt"), licenses(files))
