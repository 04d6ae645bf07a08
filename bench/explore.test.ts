import { mkdtempSync, readFileSync, rmSync, existsSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "@effect/vitest"
import * as Command from "./command.ts"

const explore = (...args: ReadonlyArray<string>) => Command.run("explore.ts", args)

describe("npm run explore", () => {
  const folder = mkdtempSync(join(tmpdir(), "explore-"))
  const file = join(folder, "page.html")

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it("draws what a mutant does wrong", async () => {
    const { code, stderr } = await explore("--mutant", "a code is sent after", "--page", file)
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("caught in 6 moves") })
    const html = readFileSync(file, "utf8")
    expect(html).toContain("Rule broken: R9 a code is exchanged once")
    expect(html).toContain("1 min 50 s pass")
  })

  it("writes no page where nothing is broken", async () => {
    const none = join(folder, "none.html")
    const { code, stderr } = await explore("--callers", "1", "--faults", "0", "--page", none)
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("was not written") })
    expect(existsSync(none)).toBe(false)
  })

  it.each([
    ["every", "Several mutants have this in their names"],
    ["none has this", "No mutant has this in its name"]
  ])("says which mutants there are: %s", async (name, says) => {
    const { code, stderr } = await explore("--mutant", name)
    expect(code).toBe(2)
    expect(stderr).toContain(says)
  })
})
