import { describe, expect, it } from "@effect/vitest"
import * as EmbeddedPostgres from "../packages/node-adapter/test/utils/EmbeddedPostgres.ts"
import * as Command from "./command.ts"

const crash = (...args: ReadonlyArray<string>) => Command.run("crash.ts", args)

const survives = async (store: string, kills: number) => {
  const { code, stderr, stdout } = await crash("--store", store, "--kills", String(kills))
  expect(stdout, stderr).toMatch(/^[^\n]+\n$/)
  const line: unknown = JSON.parse(stdout)
  expect({ code, line }, stderr).toMatchObject({
    code: 0,
    line: { scenario: "crash", passed: true, store, kills, tornRecords: 0, violations: 0 }
  })
}

const embedded = await EmbeddedPostgres.load()
const without = typeof embedded === "string" ? ` (skipped: ${embedded})` : ""

describe("npm run crash", () => {
  it("no grant is lost but those whose answer died with its process: SQLite", () => survives("sqlite", 10))

  it.skipIf(without !== "")(`no grant is lost but those whose answer died with its process: Postgres${without}`, () =>
    survives("postgres", 4)
  )

  it("says how it is used when it is not", async () => {
    const { code, stderr, stdout } = await crash("--store", "paper")
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" })
    expect(stderr).toMatch(/^usage: [^\n]+\n$/)
  })
})
