/** Comments name the thing first: few of their lines begin with a clause such as "What is …" or "There are …". */
import { readFileSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "@effect/vitest"

/** The folders that must keep the bound. */
const folders = ["core/src", "node-adapter/src", "testing/src"]

/** The share of comment lines that may begin so, in percent. */
const bound = 2

const comment = /^\s*(?:\/\/|\/\*\*|\*(?!\/))\s?(.*?)(?:\s*\*\/)?$/
const opening = /^(?:What|Who|Whoever|Whether|Whatever|Nobody|Nothing|There)\b/

const packages = new URL("../packages/", import.meta.url).pathname

const commentsOf = (file: string) =>
  readFileSync(join(packages, file), "utf8")
    .split("\n")
    .flatMap((line, index) => {
      const text = comment.exec(line)?.[1]?.trim() ?? ""
      return text === "" ? [] : [{ place: `packages/${file}:${index + 1}`, text }]
    })

const countsOf = (name: string) => {
  const files = readdirSync(join(packages, name), { recursive: true, encoding: "utf8" }).map((file) => join(name, file))
  const comments = files.filter((file) => /\.tsx?$/.test(file)).flatMap(commentsOf)
  const found = comments.filter(({ text }) => opening.test(text))
  return { comments: comments.length, found, percent: (100 * found.length) / Math.max(1, comments.length) }
}

it.each(folders)(
  `under ${bound} %% of the comment lines in %s begin with a question word, a negation or "There"`,
  (name) => {
    const { comments, found, percent } = countsOf(name)
    const list = found.map(({ place, text }) => `${place} ${text}`)
    expect(comments).toBeGreaterThan(1_000)
    expect(percent, `${name}: ${found.length} of ${comments} lines\n${list.join("\n")}`).toBeLessThan(bound)
  }
)

it("recognizes comment lines, and how they begin", () => {
  const lines = [
    "// What is not read",
    "  /** Whether it may be sent. */",
    " * There is one for each key",
    "/** Whatever happens, it ends. */",
    "// Whose token it is",
    "  const nothing = 1 // Nothing at the end of a line of code",
    " * Returns what was found."
  ]
  const found = lines.filter((line) => opening.test(comment.exec(line)?.[1] ?? ""))
  expect(found).toStrictEqual(lines.slice(0, 4))
})
