import { execFile } from "node:child_process"
import { readFile } from "node:fs/promises"
import { promisify } from "node:util"
import { expect, it } from "@effect/vitest"

const file = (path: string) => readFile(new URL(path, import.meta.url), "utf8")

it("runs", async () => {
  const quickstart = new URL("quickstart.ts", import.meta.url).pathname
  const { stdout } = await promisify(execFile)(process.execPath, [quickstart])
  expect(stdout).toBe("{ zaps: 200, removed: 404, apps: 200 }\n")
})

it("is what the README shows", async () => {
  const shown = /```ts\n(.*?)```/s.exec(await file("../README.md"))?.[1]
  expect(shown).toBe(await file("quickstart.ts"))
})
