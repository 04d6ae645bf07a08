import { readdir, readFile } from "node:fs/promises"
import { expect, it } from "@effect/vitest"

const here = new URL("./", import.meta.url)

it("docs/testing.md shows the examples as they are, each once", async () => {
  const files = (await readdir(here)).filter((name) => name.endsWith(".ts"))
  const names = files.filter((name) => name !== "docs.test.ts")
  const examples = await Promise.all(names.map((name) => readFile(new URL(name, here), "utf8")))
  const document = await readFile(new URL("../../docs/testing.md", here), "utf8")
  const shown = [...document.matchAll(/```ts\n(.*?)```/gs)].map(([, block]) => block)
  expect(shown).toHaveLength(examples.length)
  expect(new Set(shown)).toEqual(new Set(examples))
})

it("docs/testing.md shows what is printed when a rule is broken, as it is printed", async () => {
  const document = await readFile(new URL("../../docs/testing.md", here), "utf8")
  const test = await readFile(new URL("../../packages/testing/test/Scenario.test.ts", here), "utf8")
  const printed = /toMatchInlineSnapshot\(`\n(.*?)\n\s*`\)/s.exec(test)?.[1] ?? ""
  expect(printed).toContain("The app breaks the rule")
  const lines = (text: string) => text.split("\n").map((line) => line.trim())
  const shown = /```text\n(.*?)```/s.exec(document)?.[1] ?? ""
  expect(lines(shown.trim())).toEqual(
    lines(printed.replace(/^\s*"|"$/g, "").replaceAll(String.raw`\\"`, String.raw`\"`))
  )
})
