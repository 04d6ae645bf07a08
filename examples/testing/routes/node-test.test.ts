import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { expect, it } from "@effect/vitest"

it("a scenario is a test of node:test, too", async () => {
  const file = fileURLToPath(new URL("../routes-node-test.ts", import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ["--test", "--test-reporter=tap", file])
  expect(stdout).toMatch(/^# pass 1$/m)
})
