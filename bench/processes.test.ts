import { describe, expect, it } from "@effect/vitest"
import * as Command from "./command.ts"
import * as EmbeddedPostgres from "../packages/node-adapter/test/utils/EmbeddedPostgres.ts"
import * as RedisServer from "../packages/node-adapter/test/utils/RedisServer.ts"

const bench = (...args: ReadonlyArray<string>) => Command.run("main.ts", args)

const storm = async (store: string, ...more: ReadonlyArray<string>) => {
  const { code, stdout } = await bench("processes", "--processes", "3", "--calls", "20", "--store", store, ...more)
  expect(stdout).toMatch(/^[^\n]+\n$/)
  const round = { tokenRequests: 1, failedCalls: 0 }
  expect({ code, line: JSON.parse(stdout) }).toMatchObject({
    code: 0,
    line: {
      scenario: "processes",
      passed: true,
      store,
      whiteLabel: more.includes("--white-label"),
      processes: 3,
      calls: 120,
      tokenRequests: 2,
      failedCalls: 0,
      rounds: [round, round]
    }
  })
}

const embedded = await EmbeddedPostgres.load()
const without = typeof embedded === "string" ? ` (skipped: ${embedded})` : ""

const redis = RedisServer.find()
const withoutRedis = typeof redis === "string" ? ` (skipped: ${redis})` : ""

const massExpiry = async (store: string, processes: number) => {
  const { code, stdout } = await bench(
    "mass-expiry",
    "--store",
    store,
    "--processes",
    String(processes),
    "--grants",
    "40",
    "--rounds",
    "1"
  )
  expect(stdout).toMatch(/^[^\n]+\n$/)
  const line = JSON.parse(stdout)
  expect(line).toMatchObject({
    scenario: "mass-expiry",
    store,
    processes,
    grants: 40,
    // With several, each grant is called in two.
    calls: processes === 1 ? 40 : 80,
    tokenRequests: 40,
    failedCalls: 0,
    rate: expect.any(Number),
    ratio: expect.any(Number)
  })
  expect(line).toHaveProperty("passed", code === 0)
}

describe("npm run bench -- mass-expiry", () => {
  it.each([1, 3])("each grant is refreshed once, and no call fails: SQLite, %i processes", (processes) =>
    massExpiry("sqlite", processes)
  )

  it.skipIf(without !== "")(`each grant is refreshed once, and no call fails: Postgres${without}`, () =>
    massExpiry("postgres", 3)
  )

  it("says how it is used when it is not", async () => {
    const { code, stderr, stdout } = await bench("mass-expiry", "--store", "paper")
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" })
    expect(stderr).toMatch(/^usage: [^\n]+\n$/)
  })
})

describe("npm run bench -- processes", () => {
  it("one of all processes refreshes, and no call fails: SQLite", () => storm("sqlite"))

  it.each(["sqlite"].concat(without === "" ? ["postgres"] : [], withoutRedis === "" ? ["redis"] : []))(
    "one of all processes exchanges for a White Label user, and no call fails: %s",
    (store) => storm(store, "--white-label")
  )

  it.skipIf(without !== "")(`one of all processes refreshes, and no call fails: Postgres${without}`, () =>
    storm("postgres")
  )

  it.skipIf(withoutRedis !== "")(`one of all processes refreshes, and no call fails: Redis${withoutRedis}`, () =>
    storm("redis")
  )

  it("says how it is used when it is not", async () => {
    const { code, stderr, stdout } = await bench("processes", "--store", "paper")
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" })
    expect(stderr).toMatch(/^usage: [^\n]+\n$/)
  })
})
