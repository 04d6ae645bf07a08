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

  it("says how it is used", async () => {
    const { code, stderr, stdout } = await simulate("--help")
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" })
    expect(stderr).toContain("--ended-tokens")
  })

  it.each(["--nonsense", "--days=1.5"])("takes no %s", async (argument) => {
    const { code, stderr, stdout } = await simulate(argument)
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" })
    expect(stderr).toMatch(/^usage: /)
  })
})
