/** Finds the documentation's code blocks: in Markdown, and in the `@example`s of docstrings. */
import { globSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../../", import.meta.url))

const pages = ["*.md", "docs/**/*.md", "examples/*.md", "packages/*/*.md"]

const sources = ["packages/*/src/**/*.ts"]

export interface Block {
  readonly file: string
  readonly line: number
  readonly code: string
  /** False for code that is only type-checked: its fence says `ts no-run`. */
  readonly isRun: boolean
}

// In a docstring, each line has the same prefix as the fence.
const fence = /^( \* )?```ts( no-run)?\n(.*?)^\1?```$/gms

const blocksOf = (file: string): ReadonlyArray<Block> => {
  const text = readFileSync(`${root}${file}`, "utf8")
  return [...text.matchAll(fence)].map(({ 1: margin = "", 2: mark, 3: code = "", index }) => ({
    file,
    line: text.slice(0, index).split("\n").length,
    code: margin === "" ? code : code.replaceAll(/^ \* ?/gm, ""),
    isRun: mark === undefined
  }))
}

const filesOf = (patterns: ReadonlyArray<string>) =>
  globSync(patterns, { cwd: root, exclude: ["**/node_modules/**", "**/CHANGELOG.md"] }).toSorted()

/** All blocks, by file and line. */
export const all: ReadonlyArray<Block> = filesOf([...pages, ...sources]).flatMap(blocksOf)

/** The examples, which have their own tests. */
export const examples: ReadonlyArray<string> = filesOf(["examples/**/*.ts"]).map((file) =>
  readFileSync(`${root}${file}`, "utf8")
)
