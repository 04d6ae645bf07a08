import { describe, expect, it } from "@effect/vitest"
import * as Command from "./command.ts"
import * as Chance from "./fuzz/chance.ts"
import * as Fuzz from "./fuzz/run.ts"

const fuzz = (...args: ReadonlyArray<string>) => Command.run("fuzz.ts", args)

describe("arbitrary token responses and callbacks", () => {
  it("are all read: no exception, no secret shown, nothing usable thrown away", () => {
    const { kinds, problems } = Fuzz.run(1, 20_000)
    expect(problems).toEqual([])
    // A run that produces nothing would prove nothing.
    const kindsOf = ["AuthorizationError", "Code", "Granted", "InvalidCallback", "InvalidClient", "InvalidGrant"]
    for (const kind of [...kindsOf, "Malformed", "Odd", "RateLimited", "Refused", "Unavailable"]) {
      expect(kinds[kind], kind).toBeGreaterThan(20)
    }
  })

  it("are the same for the same seed and number", () => {
    const drawn = (seed: number, number: number) => Chance.make(seed, number).text(40)
    expect(drawn(1, 1)).toBe(drawn(1, 1))
    expect(new Set([drawn(1, 1), drawn(1, 2), drawn(2, 1), drawn(2, 2)]).size).toBe(4)
    expect(Fuzz.run(7, 500)).toEqual(Fuzz.run(7, 500))
  })
})

describe("npm run fuzz", () => {
  it("prints one line", async () => {
    const { code, stdout } = await fuzz("--count", "500", "--seed", "2")
    expect(code).toBe(0)
    expect(stdout).toMatch(/^[^\n]+\n$/)
    expect(JSON.parse(stdout)).toMatchObject({ scenario: "fuzz", passed: true, cases: 500, seed: 2, problems: 0 })
  })

  it("says how it is used", async () => {
    const { code, stderr, stdout } = await fuzz("--help")
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" })
    expect(stderr).toContain("--count")
  })

  it.each(["--nonsense", "--count=1.5", "--seed=-1", "--count="])("takes no %s", async (argument) => {
    const { code, stderr, stdout } = await fuzz(argument)
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" })
    expect(stderr).toMatch(/^usage: /)
  })
})
