import { spawn } from "node:child_process"
import { text } from "node:stream/consumers"
import { describe, expect, it } from "@effect/vitest"

const main = new URL("crash.ts", import.meta.url).pathname

const crash = async (...args: ReadonlyArray<string>) => {
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"] })
  const exited = new Promise<number | null>((resolve) => child.on("close", resolve))
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exited])
  return { stdout, stderr, code }
}

const survives = async (kills: number) => {
  const { code, stderr, stdout } = await crash("--kills", String(kills))
  expect(stdout, stderr).toMatch(/^[^\n]+\n$/)
  const line: unknown = JSON.parse(stdout)
  expect({ code, line }, stderr).toMatchObject({
    code: 0,
    line: { scenario: "crash", passed: true, store: "sqlite", kills, tornRecords: 0, violations: 0 }
  })
}

// Each kill is followed by the start of another process, which takes long on a machine that has much to do.
describe("npm run crash", { timeout: 600_000 }, () => {
  it("no grant is lost but those whose answer died with its process", () => survives(30))

  it("says how it is used when it is not", async () => {
    const { code, stderr, stdout } = await crash("--store", "paper")
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" })
    expect(stderr).toMatch(/^usage: [^\n]+\n$/)
  })
})
