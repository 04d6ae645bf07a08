import { describe, expect, it } from "@effect/vitest"
import * as Command from "./command.ts"

const attempts = (...args: ReadonlyArray<string>) => Command.run("main.ts", ["attempts", ...args])

describe("npm run bench -- attempts", () => {
  it.each(["memory", "sqlite"])("stores no more than is allowed, in %s, and forgets the rest", async (store) => {
    const { code, stdout } = await attempts("--store", store, "--attempts", "10000")
    expect(stdout).toMatch(/^[^\n]+\n$/)
    const line = JSON.parse(stdout)
    expect(line).toMatchObject({ scenario: "attempts", passed: true, store, attempts: 10_000 })
    expect(line.floods).toMatchObject([
      { flood: "one user", mostStored: 20 },
      { flood: "100 users", mostStored: 2_000 },
      { flood: "each another user" }
    ])
    // A run without anything to forget would prove nothing.
    expect(line.floods[2].mostStored).toBeGreaterThan(4_000)
    expect(line.floods[2].mostStored).toBeLessThan(5_500)
    expect(code).toBe(0)
  })

  it.each([
    ["--attempts", "10"],
    ["--store", "paper"]
  ])("says how it is used when it is not: %s %s", async (...args) => {
    const { code, stderr, stdout } = await attempts(...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" })
    expect(stderr).toMatch(/^usage: [^\n]+\n$/)
  })
})
