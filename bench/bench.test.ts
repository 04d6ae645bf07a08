import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Command from "./command.ts"
import * as Bundle from "./scenarios/bundle.ts"

const bench = (...args: ReadonlyArray<string>) => Command.run("main.ts", args)

// What a scenario says, and with which code it exits: one line on stdout and nothing else.
const report = async (
  ...args: ReadonlyArray<string>
): Promise<{ readonly code: number | null; readonly line: unknown }> => {
  const { code, stdout } = await bench(...args)
  expect(stdout).toMatch(/^[^\n]+\n$/)
  return { code, line: JSON.parse(stdout) }
}

describe("npm run bench", () => {
  it.concurrent("storm: one refresh for each expiry, and no call fails", async () => {
    const round = { calls: 200, tokenRequests: 1, failedCalls: 0 }
    expect(await report("storm", "--calls", "200")).toMatchObject({
      code: 0,
      line: {
        scenario: "storm",
        passed: true,
        calls: 400,
        tokenRequests: 2,
        failedCalls: 0,
        rounds: [round, round]
      }
    })
  })

  it.concurrent("late-401: one refresh for all 401s, and no call fails", async () => {
    expect(await report("late-401", "--calls", "200")).toMatchObject({
      code: 0,
      line: { scenario: "late-401", passed: true, calls: 200, unauthorized: 200, tokenRequests: 1, failedCalls: 0 }
    })
  })

  it.concurrent("app-storm: one token for all calls, and no call fails", async () => {
    expect(await report("app-storm", "--calls", "200")).toMatchObject({
      code: 0,
      line: { scenario: "app-storm", passed: true, calls: 200, tokenRequests: 1, failedCalls: 0 }
    })
  })

  it("grants: no more of them stay in memory than may", async () => {
    expect(await report("grants", "--calls", "5000")).toMatchObject({
      code: 0,
      line: {
        scenario: "grants",
        passed: true,
        grants: 5_000,
        memoryCapacity: 500,
        bounded: { liveTokens: 500 },
        unbounded: { liveTokens: 5_000 }
      }
    })
  })

  it("command-start: compares, and exits as it says", async () => {
    const { code, line } = await report("command-start", "--calls", "1")
    expect(line).toMatchObject({ scenario: "command-start", rounds: 1, ratio: expect.any(Number), bound: 2.5 })
    expect(code).toBe((line as { readonly passed: boolean }).passed ? 0 : 1)
  })

  it("overhead: compares, and exits as it says", async () => {
    const { code, line } = await report("overhead", "--calls", "20")
    expect(line).toMatchObject({ scenario: "overhead", ratio: expect.any(Number), callRatio: expect.any(Number) })
    expect(line).toHaveProperty("passed", code === 0)
  })

  it("fake-flows: compares, and exits as it says", async () => {
    const { code, line } = await report("fake-flows", "--calls", "100")
    const flowsPerSecond = { fake: expect.any(Number), "oauth2-mock-server": expect.any(Number) }
    expect(line).toMatchObject({ scenario: "fake-flows", flows: 100, ratio: expect.any(Number), flowsPerSecond })
    expect(line).toHaveProperty("passed", code === 0)
  })

  it.effect("bundle: stays within what it may weigh", () =>
    Effect.map(Bundle.run(), (report) => expect(report).toMatchObject({ passed: true }))
  )

  it.concurrent.each([["nonsense"], ["storm", "--calls", "none"]])(
    "says how it is used when it is not: %s",
    async (...args) => {
      const { code, stderr, stdout } = await bench(...args)
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" })
      expect(stderr).toMatch(/^usage: [^\n]+\n$/)
    }
  )
})
