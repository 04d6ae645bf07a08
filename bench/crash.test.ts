import { describe, expect, it } from "@effect/vitest"
import * as EmbeddedPostgres from "../packages/node-adapter/test/utils/EmbeddedPostgres.ts"
import * as RedisServer from "../packages/node-adapter/test/utils/RedisServer.ts"
import * as Command from "./command.ts"

const crash = (...args: ReadonlyArray<string>) => Command.run("crash.ts", args)

const survives = async (store: string, kills: number, ...flags: ReadonlyArray<string>) => {
  const { code, stderr, stdout } = await crash("--store", store, "--kills", String(kills), ...flags)
  expect(stdout, stderr).toMatch(/^[^\n]+\n$/)
  const line: unknown = JSON.parse(stdout)
  expect({ code, line }, stderr).toMatchObject({
    code: 0,
    line: { scenario: "crash", passed: true, store, kills, tornRecords: 0, violations: 0 }
  })
  return line
}

const embedded = await EmbeddedPostgres.load()
const without = typeof embedded === "string" ? ` (skipped: ${embedded})` : ""

const redis = RedisServer.find()
const withoutRedis = typeof redis === "string" ? ` (skipped: ${redis})` : ""

describe("npm run crash", () => {
  it("no grant is lost but those whose response died with its process: SQLite", () => survives("sqlite", 10))

  it.skipIf(without !== "")(`no grant is lost but those whose response died with its process: Postgres${without}`, () =>
    survives("postgres", 4)
  )

  it.skipIf(withoutRedis !== "")(
    `no grant is lost but those whose response died with its process: Redis${withoutRedis}`,
    () => survives("redis", 6)
  )

  it.skipIf(withoutRedis !== "")(`no grant is lost when it is Redis that is killed${withoutRedis}`, async () => {
    expect(await survives("redis", 6, "--victim", "server")).toMatchObject({ grantsLost: 0, responsesThatDied: 0 })
  })

  it.each([[["--store", "paper"]], [["--victim", "server"]]])(
    "says how it is used when it is not: %j",
    async (flags) => {
      const { code, stderr, stdout } = await crash(...flags)
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" })
      expect(stderr).toMatch(/^usage: [^\n]+\n$/)
    }
  )
})
