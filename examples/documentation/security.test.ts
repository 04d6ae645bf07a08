/** Checks that each claim of `docs/security.md` names an existing test. */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "@effect/vitest"

const docs = fileURLToPath(new URL("../../docs/", import.meta.url))

const page = readFileSync(join(docs, "security.md"), "utf8")

/** The text between a heading and the next of its level. */
const sectionOf = (heading: string) => page.split(/^(?=## )/m).find((text) => text.startsWith(`## ${heading}\n`)) ?? ""

/** The items of all lists, each in one line. */
const bulletsIn = (section: string) =>
  [...section.matchAll(/^- .*(?:\n {2,}\S.*)*/gm)].map(([bullet]) => bullet.slice(2).replaceAll(/\s+/g, " "))

const reference = /\(\[test\]\((\.\.\/[\w./-]+\.ts) "([^"]+)"\)\)/g

const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")

/** True if a file registers a test with that title: the title of a group does not count. */
const hasTest = (source: string, title: string) =>
  new RegExp(`(?<!\\bdescribe)[(,]\\s*(["'\`])${escaped(title)}\\1\\s*,`).test(source)

/** The problem of a claim, if there is one. */
const problemOf = (claim: string): string | undefined => {
  const references = [...claim.matchAll(reference)]
  const last = references.at(-1)
  if (last === undefined || !claim.endsWith(last[0])) return "it does not end with a test"
  for (const [, file = "", title = ""] of references) {
    if (!existsSync(join(docs, file))) return `${file} is not there`
    if (!hasTest(readFileSync(join(docs, file), "utf8"), title)) return `${file} has no test "${title}"`
  }
  return undefined
}

const problemsIn = (claims: ReadonlyArray<string>) =>
  claims.flatMap((claim) => {
    const problem = problemOf(claim)
    return problem === undefined ? [] : [`${claim}: ${problem}`]
  })

describe("docs/security.md", () => {
  it.each([
    ["Defenses and their tests", 100],
    ["What traces and logs show", 6]
  ] as const)("each claim of %s names a test that is there", (heading, least) => {
    // Copies of the request elsewhere have no test.
    const [section = ""] = sectionOf(heading).split("The routes cannot protect copies")
    const claims = bulletsIn(section)
    expect(claims.length).toBeGreaterThanOrEqual(least)
    expect(problemsIn(claims)).toEqual([])
  })

  it("a claim without a test, with a file that is not there, or with another title would be noticed", () => {
    const here = "../examples/documentation/security.test.ts"
    const named = (title: string, file = here) => problemOf(`A claim. ([test](${file} "${title}"))`)
    expect(named("each claim of %s names a test that is there")).toBe(undefined)
    expect(problemOf("A claim.")).toBe("it does not end with a test")
    expect(problemOf(`A claim ([test](${here} "each claim of %s names a test that is there")), and another.`)).toBe(
      "it does not end with a test"
    )
    expect(named("anything", "../examples/documentation/nowhere.test.ts")).toContain("nowhere.test.ts is not there")
    expect(named("each claim names a test")).toContain("has no test")
    // The title of a group is not a test.
    expect(named("docs/security.md")).toContain("has no test")
  })
})
