import { readFile } from "node:fs/promises"
import { expect, it } from "@effect/vitest"

const file = (path: string) => readFile(new URL(path, import.meta.url), "utf8")

// All of a line but how far it is indented.
const lines = (text: string) =>
  text
    .split("\n")
    .map((line) => line.trim())
    .join("\n")

it.each([
  ["with Effect", "fake-with-effect.test.ts"],
  ["without Effect", "fake-without-effect.test.ts"]
])("shows how to test %s as the example does it", async (_, example) => {
  const section = (await file("../README.md")).split("## Testing your app")[1]?.split("\n## ")[0] ?? ""
  const shown = [...section.matchAll(/```ts\n(.*?)```/gs)].map(([, block = ""]) => lines(block))
  expect(shown).toHaveLength(2)
  const text = lines(await file(example))
  expect(shown.filter((block) => text.includes(block))).toHaveLength(1)
})
