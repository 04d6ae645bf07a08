import { spawnSync } from "node:child_process"
import { describe, expect, it } from "@effect/vitest"

describe("EmbeddedPostgres", () => {
  it("leaves a process that fails its exit code", () => {
    const utility = new URL("./EmbeddedPostgres.ts", import.meta.url).href
    const program = `import { load } from ${JSON.stringify(utility)}; await load(); process.exitCode = 3`
    expect(spawnSync(process.execPath, ["--input-type=module", "--eval", program]).status).toBe(3)
  })
})
