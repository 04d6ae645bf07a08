/** Every export of a public module says what it is for, and since when it is there. */
import { globSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { expect, it } from "@effect/vitest"

const root = fileURLToPath(new URL("../../", import.meta.url))

// What is imported by its name; everything else is somebody's own affair.
const modules = globSync(["packages/*/src/[A-Z]*.ts", "packages/core/src/internal/reasons/*.ts"], { cwd: root })

const exported =
  /^(?:(\/\*\*\n(?: \*[^\n]*\n)*? \*\/)\n)?export (?:abstract |declare )?(const|class|interface|type|function|enum) (\w+)([^\n]*)/gm

const problemsOf = (file: string) => {
  const text = readFileSync(`${root}${file}`, "utf8")
  const all = [...text.matchAll(exported)].map(({ 1: doc = "", 2: kind, 3: name = "", 4: rest = "" }) => {
    const [words = "", since] = doc.replaceAll(/^ ?\/?\*+\/? ?/gm, "").split("@since")
    // The type of a schema is what the schema says.
    const isOfSchema = kind === "type" && new RegExp(`= typeof ${name}\\.Type$`).test(rest)
    return { name, isSaid: doc.includes("@internal") || (since !== undefined && (words.trim() !== "" || isOfSchema)) }
  })
  return all.filter(({ isSaid }) => !isSaid).map(({ name }) => `${file}: ${name}`)
}

it("every public export is documented", () => {
  expect(modules.length).toBeGreaterThan(60)
  expect(modules.filter((file) => !file.endsWith("/id.ts")).flatMap(problemsOf)).toEqual([])
})
