/** Checks that pages with code show it both with Effect and without. */
import { globSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { expect, it } from "@effect/vitest"

const root = fileURLToPath(new URL("../../", import.meta.url))

const sides = ["With Effect", "Without Effect"]

// Its subject is one side.
const exceptions = ["docs/effect.md"]

const pages = globSync("docs/*.md", { cwd: root })
  .filter((page) => !exceptions.includes(page))
  .map((page) => ({ page, text: readFileSync(`${root}${page}`, "utf8") }))
  .filter(({ text }) => /^```ts/m.test(text))
  .toSorted((a, b) => a.page.localeCompare(b.page))

it.each(pages)("$page shows both sides", ({ text }) => {
  const shown = sides.filter((side) => new RegExp(String.raw`^(#+ ${side}|\*\*${side}\*\*)$`, "m").test(text))
  expect(shown).toEqual(sides)
})

// The switch of the site does not know them.
it.each(pages)("$page has no other marks of a side before code", ({ text }) => {
  expect(text.match(/^With(out)? Effect\b[^\n]*:\n\n```/gm)).toBeNull()
})
