import { describe, expect, it } from "@effect/vitest"
import * as Command from "./command.ts"

const simulate = (...args: ReadonlyArray<string>) => Command.run("simulate.ts", args)

const small = ["--grants", "4", "--days", "10", "--processes", "3"]

describe("npm run simulate", () => {
  it("prints one line, the same for the same seed, and another for another", async () => {
    const first = await simulate(...small)
    expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[^\n]+\n$/) })
    const server = {
      violations: 0,
      grantsLost: expect.any(Number),
      calls: expect.any(Number),
      ratio: expect.any(Number)
    }
    expect(JSON.parse(first.stdout)).toMatchObject({
      scenario: "simulate",
      passed: true,
      seed: 1,
      grants: 4,
      days: 10,
      processes: 3,
      lenient: server,
      strict: server
    })
    expect((await simulate(...small)).stdout).toBe(first.stdout)
    expect((await simulate(...small, "--seed", "2")).stdout).not.toBe(first.stdout)
  })

  it("freezes functions once they have responded, and loses no grant where they are kept going", async () => {
    const small = ["--grants", "30", "--processes", "100", "--days", "3"]
    const { code, stdout } = await simulate("--frozen", ...small)
    expect(code).toBe(0)
    const kept = { grantsLost: 0, rulesBroken: 0 }
    const report = JSON.parse(stdout)
    expect(report).toMatchObject({ scenario: "simulate-frozen", passed: true, waitUntil: kept, awaited: kept })
    for (const way of ["waitUntil", "awaited", "careless"]) expect(report[way].faults.Freeze).toBeGreaterThan(100)
  })

  it("says how it is used", async () => {
    const { code, stderr, stdout } = await simulate("--help")
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" })
    expect(stderr).toContain("--ended-tokens")
  })

  it.each(["--nonsense", "--days=1.5", "--frozen=1"])("takes no %s", async (argument) => {
    const { code, stderr, stdout } = await simulate(argument)
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" })
    expect(stderr).toMatch(/^usage: /)
  })
})
