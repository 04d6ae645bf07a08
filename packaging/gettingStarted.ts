/** Follows docs/getting-started.md exactly: runs its commands, saves its files, and compares their output. */
import { execFile } from "node:child_process"
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import { promisify } from "node:util"
import * as Node from "./node.ts"

const run = promisify(execFile)

const root = join(import.meta.dirname, "..")

export type Step =
  | { readonly _tag: "Run"; readonly where: "clone" | "app"; readonly commands: string }
  | { readonly _tag: "Save"; readonly file: string; readonly code: string }
  | { readonly _tag: "Prints"; readonly text: string }

const block = /^```(\w+)\n(.*?)^```$/gms

/**
 * Reads the steps of a page up to a heading. A block of `sh` is run, in the clone if the line before it says so; a block
 * after a line with a file name is saved under this name; a block of `text` is the output of the command before it.
 */
export const stepsOf = (page: string, end: string): ReadonlyArray<Step> => {
  const [part = ""] = page.split(`\n## ${end}\n`)
  return [...part.matchAll(block)].map(({ 1: language, 2: code = "", index }) => {
    const before = part.slice(0, index).trimEnd().split("\n").at(-1) ?? ""
    const file = /as `([^`]+)`:$/.exec(before)?.[1]
    if (language === "sh")
      return { _tag: "Run", where: /\bin the clone:$/.test(before) ? "clone" : "app", commands: code }
    if (language === "text") return { _tag: "Prints", text: code }
    if (file !== undefined) return { _tag: "Save", file, code }
    throw new Error(`docs/getting-started.md does not say what to do with this:\n${code}`)
  })
}

const steps = stepsOf(readFileSync(join(root, "docs/getting-started.md"), "utf8"), "A web app")

/** Runs the page's commands for the clone: they pack the packages. */
export const makeTarballs = async (): Promise<void> => {
  for (const step of steps) {
    if (step._tag === "Run" && step.where === "clone") await run("sh", ["-ec", step.commands], { cwd: root })
  }
}

/** Follows the rest in an empty folder, on a version of Node. Returns the actual output and that of the page. */
export const follow = async (folder: string, version: string) => {
  const app = join(folder, "app")
  mkdirSync(app, { recursive: true })
  symlinkSync(root, join(folder, "zapier-workflow-auth"))
  // This process's environment may configure npm, but not the library.
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("ZAPIER_"))
  // @effect-diagnostics-next-line processEnv:off
  const PATH = [dirname(await Node.pathOf("node", version)), process.env["PATH"]].join(delimiter)
  const env = { ...Object.fromEntries(inherited), PATH }
  const printed: Array<string> = []
  const said: Array<string> = []
  let last = ""
  for (const step of steps) {
    if (step._tag === "Save") writeFileSync(join(app, step.file), step.code)
    else if (step._tag === "Prints") {
      printed.push(last)
      said.push(step.text)
    } else if (step.where === "app") last = (await run("sh", ["-ec", step.commands], { cwd: app, env })).stdout
  }
  return { printed, said, manifest: JSON.parse(readFileSync(join(app, "package.json"), "utf8")) as { type?: string } }
}
