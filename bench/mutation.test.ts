import { globSync } from "node:fs"
import { describe, expect, it } from "@effect/vitest"
import * as Command from "./command.ts"
import { areas } from "./mutation/areas.ts"
import * as Run from "./mutation/run.ts"
import * as Sample from "./mutation/plugins.ts"

const mutation = (...args: ReadonlyArray<string>) => Command.run("mutation.ts", args)

const mutants = Array.from({ length: 50 }, (_, index): Sample.Mutant => {
  const fileName = `${process.cwd()}/src/file${index % 5}.ts`
  return { id: String(index), fileName, mutatorName: "StringLiteral", replacement: '""', location: index }
})

describe("areas", () => {
  it("mutate each file once, and the machines and OAuth whole", () => {
    const files = Object.values(areas).flatMap(Run.sourcesOf)
    expect(files.filter((file, index) => files.indexOf(file) !== index)).toEqual([])
    expect(files).toEqual(expect.arrayContaining(globSync("packages/core/src/{machine,oauth}/*.ts")))
  })

  it.each(Object.entries(areas))("%s: each glob matches", (_, { leftOut, sources, tests }) => {
    const globs = [...sources, ...Object.keys(leftOut), ...tests]
    expect(globs.filter((glob) => globSync(glob).length === 0)).toEqual([])
  })
})

describe("a sample", () => {
  it("is the same for the same seed, and part of a larger one", () => {
    const sample = Sample.choose(mutants, { size: 20, seed: 1 })
    expect(new Set(sample).size).toBe(20)
    expect(Sample.choose(mutants.toReversed(), { size: 20, seed: 1 })).toEqual(sample)
    expect(Sample.choose(mutants, { size: 30, seed: 1 }).slice(0, 20)).toEqual(sample)
    expect(Sample.choose(mutants, { size: 20, seed: 2 })).not.toEqual(sample)
  })

  it("has an interval", () => {
    // The values of R's prop.test(90, 100, correct = FALSE) and prop.test(100, 100, correct = FALSE).
    expect(Run.interval(90, 100).map((share) => share.toFixed(2))).toEqual(["82.56", "94.48"])
    expect(Run.interval(100, 100).map((share) => share.toFixed(2))).toEqual(["96.30", "100.00"])
  })
})

describe("a verdict", () => {
  it("counts what was caught, and shows what survived", () => {
    const source = "const a = 1\nconst isOld = () =>\n  age > 5 &&\n  true\n"
    const mutant = (status: string, start: readonly [number, number], end: readonly [number, number]) => ({
      status,
      mutatorName: "ConditionalExpression",
      replacement: "false",
      location: { start: { line: start[0], column: start[1] }, end: { line: end[0], column: end[1] } }
    })
    const all = ["Killed", "Timeout", "CompileError", "RuntimeError", "Ignored"].map((status) =>
      mutant(status, [1, 1], [1, 6])
    )
    const alive = [mutant("Survived", [3, 3], [4, 7]), mutant("NoCoverage", [1, 11], [1, 12])]
    expect(Run.judge({ files: { "src/a.ts": { source, mutants: [...all, ...alive] } } })).toEqual({
      mutants: 4,
      caught: 2,
      timeouts: 1,
      survivors: [
        "src/a.ts:3:3 ConditionalExpression: age > 5 && true => false",
        "src/a.ts:1:11 ConditionalExpression (no test runs it): 1 => false"
      ]
    })
  })
})

describe("npm run mutation", () => {
  it("prints one line for each area, and the survivors of a sample", async () => {
    const args = ["--area", "oauth", "--only", "oauthError", "--tests", "oauthError", "--sample", "3"]
    const { code, stderr, stdout } = await mutation(...args, "--concurrency", "1")
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(/^[^\n]+\n$/)
    const line = { scenario: "mutation", passed: true, area: "oauth", seed: 1, mutants: 3, threshold: 95 }
    expect(JSON.parse(stdout)).toMatchObject(line)
  })

  it("fails when tests catch too few", async () => {
    const args = ["--area", "machine", "--only", "machine/ClientId", "--tests", "machine/Lease", "--sample", "3"]
    const { code, stderr, stdout } = await mutation(...args, "--concurrency", "1")
    expect(code, stderr).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ passed: false, mutants: 3, caught: 0, score: 0 })
    expect(stderr.match(/^packages\/core\/src\/machine\/ClientId\.ts:.*$/gm)).toHaveLength(3)
  })

  it("says how it is used", async () => {
    const { code, stderr, stdout } = await mutation("--help")
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" })
    expect(stderr).toContain("--sample")
  })

  it.each(["--nonsense", "--sample=0", "--seed=-1", "--area=nowhere", "--area=machine,"])(
    "takes no %s",
    async (argument) => {
      const { code, stderr, stdout } = await mutation(argument)
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" })
      expect(stderr).toMatch(/^usage: /)
    }
  )
})
