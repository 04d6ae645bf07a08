/**
 * `node bundle.ts [folder of dist]`: puts the command line and all that it needs into a few files. Node takes longer to find
 * and read a thousand small files than a command takes to do its work.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { build } from "esbuild"

const here = import.meta.dirname

/** The folder of the package that a bundled file is from. */
const packageOf = (input: string) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1]

/** What their licenses ask of who hands them on. */
const licenses = (inputs: ReadonlyArray<string>): string => {
  const folders = new Set(inputs.flatMap((input) => packageOf(input) ?? []))
  return [...folders]
    .map((folder) => {
      const { license, name, version } = JSON.parse(readFileSync(join(here, folder, "package.json"), "utf8"))
      const file = readdirSync(join(here, folder)).find((entry) => /^licen[cs]e/i.test(entry))
      const text = file === undefined ? "" : `\n${readFileSync(join(here, folder, file), "utf8").trim()}\n`
      return `${name} ${version} (${license})\n${text}`
    })
    .sort()
    .join(`\n${"-".repeat(78)}\n\n`)
}

const outdir = join(here, "dist", process.argv[2] ?? "command")

rmSync(outdir, { recursive: true, force: true })

const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: { "zapier-workflow-auth": "src/bin.ts" },
  outdir,
  bundle: true,
  // What a command does not need it does not load.
  splitting: true,
  chunkNames: "chunks/[name]-[hash]",
  format: "esm",
  platform: "node",
  target: "node22",
  minifySyntax: true,
  metafile: true,
  // It has a script beside it.
  external: ["open"],
  // Some of the packages ask for Node's modules in the older way.
  banner: {
    js: 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);'
  },
  logLevel: "warning"
})

writeFileSync(join(outdir, "LICENSES.txt"), licenses(Object.keys(metafile.inputs)))
