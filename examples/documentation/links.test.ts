/** Checks that links in the pages lead to existing files and headings. */
import { existsSync, globSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "@effect/vitest"

const root = fileURLToPath(new URL("../../", import.meta.url))

const pages = globSync(["*.md", "docs/**/*.md", "examples/*.md", "packages/*/*.md"], {
  cwd: root,
  // It refers to files that a release makes.
  exclude: ["**/node_modules/**", "CHANGELOG.md"]
}).toSorted((a, b) => a.localeCompare(b))

const read = (page: string) => readFileSync(join(root, page), "utf8")

// Code in fences contains no headings or links.
const prose = (page: string) => read(page).replaceAll(/^( *)```.*?^\1```/gms, "")

// Anchors as GitHub makes them.
const anchorsOf = (page: string) =>
  [...prose(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-")
  )

const missing = (page: string) => {
  const text = prose(page)
  const links = [...text.matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?(?: "[^"]*")?\)/g)].filter(
    ([, path, anchor]) => {
      const target = path === "" ? page : join(dirname(page), path ?? "")
      if (!existsSync(join(root, target))) return true
      return anchor !== undefined && !anchorsOf(target).includes(anchor)
    }
  )
  const named = [...text.matchAll(/`((?:packages|examples|bench|docs)\/[\w./-]+\.\w+)`/g)].filter(
    ([, path = ""]) => !existsSync(join(root, path))
  )
  return [...links.map(([link]) => link), ...named.map(([path]) => path)]
}

describe("what pages refer to is there", () => {
  it.each(pages)("%s", (page) => {
    expect(missing(page)).toEqual([])
  })
})
