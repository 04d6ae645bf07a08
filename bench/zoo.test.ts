import { availableParallelism } from "node:os"
import { describe, expect, it } from "@effect/vitest"
import * as Command from "./command.ts"
import { bugs } from "./zoo/bugs.ts"
import { correct } from "./zoo/correct.ts"
import * as Run from "./zoo/run.ts"

const zoo = (...args: ReadonlyArray<string>) => Command.run("zoo.ts", args)

describe("the zoo", () => {
  it("has enough bugs and correct apps, each with a name of its own", () => {
    const names = [...bugs, ...correct].map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(bugs.length).toBeGreaterThanOrEqual(30)
    expect(correct.length).toBeGreaterThanOrEqual(15)
    expect(new Set(bugs.map(({ family }) => family)).size).toBeGreaterThanOrEqual(15)
  })

  it("has its bugs found out, and no correct app accused", async () => {
    const workers = Math.max(2, availableParallelism())
    const { accused, bugs, correct, found } = await Run.run({ runs: 100, correctRuns: [5, 5], seeds: [1], workers })
    const missed = bugs.filter(({ isFound }) => !isFound).map(({ bug }) => bug.name)
    expect(accused.map(({ message, name }) => `${name}: ${message}`)).toEqual([])
    expect(correct).toBeGreaterThanOrEqual(15)
    expect(missed.length).toBeLessThanOrEqual(3)
    expect(found).toBe(bugs.length - missed.length)
  })
})

describe("npm run zoo", () => {
  it("prints one line, and a table", async () => {
    const { code, stderr, stdout } = await zoo("--only", "tokens-logged", "--runs", "10", "--seeds", "3,4")
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(/^[^\n]+\n$/)
    const line = { scenario: "zoo", passed: true, seeds: [3, 4], bugs: 1, found: 1, correct: 0, accused: 0 }
    expect(JSON.parse(stdout)).toMatchObject(line)
    expect(stderr).toMatch(/^tokens-logged +leaks +3:x 4:x /m)
  })

  it("fails when a bug is missed", async () => {
    const { code, stdout } = await zoo("--only", "brought-back", "--runs", "1", "--seeds", "1")
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ passed: false, bugs: 1, found: 0 })
  })

  it.each(["--nonsense", "--runs=0", "--seeds=", "--workers=two"])("takes no %s", async (argument) => {
    const { code, stderr, stdout } = await zoo(argument)
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" })
    expect(stderr).toMatch(/^usage: /)
  })
})
