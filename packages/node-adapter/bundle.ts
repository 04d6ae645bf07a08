/**
 * `node bundle.ts [folder of dist]`: puts the command line and all that it needs into a few files. Node takes longer to find
 * and read a thousand small files than a command takes to do its work, and who installs the library does not install what
 * only a command needs.
 */
import { copyFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "rolldown"
import * as Licenses from "./licenses.ts"

const here = import.meta.dirname

const dir = join(here, "dist", process.argv[2] ?? "command")

rmSync(dir, { recursive: true, force: true })

// An app that keeps grants in Redis has it installed, and nobody else needs its 1.4 MB.
const peers = ["redis"]

const bundled = { cwd: here, platform: "node" as const, logLevel: "warn" as const, external: peers }

const outputs = await build([
  {
    ...bundled,
    // A story of the playground starts processes of the second, which is looked for beside the chunk that starts it.
    input: { "zapier-workflow-auth": "src/bin.ts", storyProcess: "src/cli/playground/stories/storyProcess.ts" },
    // What a command does not need it does not load.
    output: {
      dir,
      format: "esm",
      entryFileNames: ({ name }) => (name === "storyProcess" ? "chunks/[name].js" : "[name].js"),
      chunkFileNames: "chunks/[name]-[hash].js"
    }
  },
  {
    ...bundled,
    // It is looked for beside the chunk that starts it, and shares nothing with the command.
    input: "src/cli/run/browserThread.ts",
    output: { file: join(dir, "chunks/browserThread.js"), format: "esm" }
  }
])

const missing = Licenses.importsOf(outputs).filter((name) => !peers.includes(name))
if (missing.length > 0) throw new Error(`the command would have to be installed with ${missing.join(", ")}`)

// What the thread starts on Linux: it is looked for beside it. The terms that it comes with are in it.
copyFileSync(fileURLToPath(new URL("xdg-open", import.meta.resolve("open"))), join(dir, "chunks/xdg-open"))

// The clients of the stories, whose source the playground shows.
for (const name of ["byHand", "withLibrary"]) {
  copyFileSync(join(here, `src/cli/playground/stories/${name}.ts`), join(dir, `chunks/${name}.ts`))
}

Licenses.write(dir, outputs)
