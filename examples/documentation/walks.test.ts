/** Checks that the walks in `CONTRIBUTING.md` name files, functions and constants that exist. */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "@effect/vitest"

const root = fileURLToPath(new URL("../../", import.meta.url))

const page = readFileSync(join(root, "CONTRIBUTING.md"), "utf8")

const section = page.split("\n## ").find((text) => text.startsWith("Walks through the code\n")) ?? ""

const walks = section
  .split("\n### ")
  .slice(1)
  .map((walk) => {
    const [title = "", ...lines] = walk.trim().split("\n")
    const steps = lines
      .join("\n")
      .split(/^\d+\. /m)
      .slice(1)
    return { title, lines: lines.filter((line) => line.trim() !== ""), steps }
  })

const isDeclared = (source: string, name: string) =>
  new RegExp(`\\b(?:const|function|let) ${name}\\b|^\\s+${name}(?:: |\\()`, "m").test(source)

/** What is wrong with a step: a link to a file, followed by names of functions and constants in that file. */
const problemsOf = (step: string): ReadonlyArray<string> => {
  let file: string | undefined
  return [...step.matchAll(/\]\(([\w./-]+\.\w+)\)|`([a-z]\w*)(?:\(\))?`/g)].flatMap(([, path, name = ""]) => {
    if (path !== undefined) {
      file = path
      return existsSync(join(root, path)) ? [] : [`${path} does not exist`]
    }
    if (file === undefined) return [`${name} has no file before it`]
    const isThere = existsSync(join(root, file)) && isDeclared(readFileSync(join(root, file), "utf8"), name)
    return isThere ? [] : [`${file} does not declare ${name}`]
  })
}

describe("the walks in CONTRIBUTING.md", () => {
  it.each(walks)("$title", ({ lines, steps }) => {
    expect(lines.length).toBeLessThanOrEqual(12)
    expect(steps.flatMap(problemsOf)).toEqual([])
  })

  it("are all there, and a wrong name would be noticed", () => {
    expect(walks.map(({ steps }) => steps.length)).toEqual([10, 8, 6, 6, 0, 6])
    const driver = "packages/core/src/machine/Driver.ts"
    expect(problemsOf(`[\`Driver.ts\`](${driver}): \`take()\` and \`advance()\``)).toEqual([])
    expect(problemsOf(`[\`Driver.ts\`](${driver}): \`takes()\``)).toEqual([`${driver} does not declare takes`])
    expect(problemsOf("[`Gone.ts`](packages/core/src/Gone.ts)")).toEqual(["packages/core/src/Gone.ts does not exist"])
    expect(problemsOf("`take()`")).toEqual(["take has no file before it"])
  })
})
