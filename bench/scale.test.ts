import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, describe, expect, it } from "@effect/vitest"
import * as RedisServer from "../packages/node-adapter/test/utils/RedisServer.ts"
import * as Command from "./command.ts"

// Left-over temporary files stay in this folder.
const folder = mkdtempSync(join(tmpdir(), "zapier-scale-test-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const redis = RedisServer.find()
const withoutRedis = typeof redis === "string" ? ` (skipped: ${redis})` : ""

const start = (...args: ReadonlyArray<string>) => Command.start("main.ts", ["scale", ...args], { TMPDIR: folder })

const scale = (...args: ReadonlyArray<string>) => start(...args).output

const times = (samples: number) => ({ samples, p50: expect.any(Number), p99: expect.any(Number) })

describe("npm run bench -- scale", () => {
  it.each([[[]], [["--encrypted"]]])("finds, refreshes and goes through all grants in SQLite %s", async (flags) => {
    const { code, stdout } = await scale("--store", "sqlite", "--grants", "1000", ...flags)
    expect(stdout).toMatch(/^[^\n]+\n$/)
    const line = JSON.parse(stdout)
    expect(line).toMatchObject({
      scenario: "scale",
      store: "sqlite",
      grants: 1_000,
      encrypted: flags.length > 0,
      micros: { coldRead: times(500), refresh: times(25), claim: times(25), commit: times(25) },
      iteration: { grants: 1_000 },
      reconnectRequired: { grants: 10 }
    })
    // A record is longer than its two tokens, takes less than a kilobyte on disk, and is stored twice while it is
    // encrypted.
    expect(line.bytesPerGrant).toBeGreaterThan(60)
    expect(line.bytesPerGrant).toBeLessThan(flags.length > 0 ? 1_536 : 1_024)
    expect(line).toHaveProperty("passed", code === 0)
    expect(readdirSync(folder)).toEqual([])
  })

  it.skipIf(withoutRedis !== "")(`finds, refreshes and goes through all grants in Redis${withoutRedis}`, async () => {
    const { code, stdout } = await scale("--store", "redis", "--grants", "1000")
    expect(JSON.parse(stdout)).toMatchObject({
      store: "redis",
      passed: code === 0,
      iteration: { grants: 1_000 },
      reconnectRequired: { grants: 10 }
    })
    expect(readdirSync(folder)).toEqual([])
  })

  it("removes what is on the disk when it is told to end", async () => {
    const { child, output } = start("--store", "sqlite", "--grants", "1000000")
    while (readdirSync(folder).length === 0) await sleep(20)
    child.kill("SIGTERM")
    expect((await output).code).toBe(1)
    expect(readdirSync(folder)).toEqual([])
  })

  it("says how it is used when it is not", async () => {
    const { code, stderr, stdout } = await scale("--grants", "none")
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" })
    expect(stderr).toMatch(/^usage: [^\n]+\n$/)
  })
})
