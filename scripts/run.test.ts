import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { afterAll, describe, expect, it } from "@effect/vitest"

const folder = mkdtempSync(join(tmpdir(), "run-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let count = 0

/** A workspace with the script in it, and an `npx` that says what it is told, counts how often it ran, and ends so. */
const workspace = ({ code = 0, says = "many warnings" } = {}) => {
  const root = join(folder, `${count++}`)
  const bin = join(root, "bin")
  mkdirSync(join(root, "scripts"), { recursive: true })
  mkdirSync(bin)
  copyFileSync(join(import.meta.dirname, "run.mjs"), join(root, "scripts/run.mjs"))
  writeFileSync(join(root, "pnpm-lock.yaml"), "lockfileVersion: 9")
  writeFileSync(join(root, "pnpm-workspace.yaml"), "packages: []")
  const lines = ["#!/bin/sh", 'echo "$@" >> "$0.log"', `echo '${says}'`, `echo 'and ${says}' >&2`, `exit ${code}`]
  writeFileSync(join(bin, "npx"), lines.join("\n"))
  chmodSync(join(bin, "npx"), 0o755)
  // @effect-diagnostics-next-line processEnv:off
  const env = { ...process.env, PATH: [bin, process.env["PATH"]].join(delimiter) }
  const command = (...args: ReadonlyArray<string>) => [join(root, "scripts/run.mjs"), ...args]
  return {
    root,
    run: async (...args: ReadonlyArray<string>) =>
      new Promise((resolve) => {
        execFile(process.execPath, command(...args), { env }, (error, stdout, stderr) => {
          resolve({ code: error === null ? 0 : error.code, stdout, stderr })
        })
      }),
    start: (...args: ReadonlyArray<string>) => spawn(process.execPath, command(...args), { env }),
    installs: () =>
      existsSync(join(bin, "npx.log")) ? readFileSync(join(bin, "npx.log"), "utf8").split("\n").length - 1 : 0
  }
}

const story = ["node", "-e", "console.log('the story')"]

const progress = "Installing what the workspace needs …\n"

describe("the script that installs and runs", () => {
  it("shows one line while it installs, and then the command", async () => {
    const { installs, run } = workspace()
    expect(await run(...story)).toEqual({ code: 0, stdout: "the story\n", stderr: progress })
    expect(installs()).toBe(1)
  })

  it("shows nothing when everything is installed", async () => {
    const { installs, run } = workspace()
    await run(...story)
    expect(await run(...story)).toEqual({ code: 0, stdout: "the story\n", stderr: "" })
    expect(installs()).toBe(1)
  })

  it("installs again when the lockfile is another", async () => {
    const { installs, root, run } = workspace()
    await run(...story)
    writeFileSync(join(root, "pnpm-lock.yaml"), "lockfileVersion: 10")
    expect(await run(...story)).toMatchObject({ code: 0, stderr: progress })
    expect(installs()).toBe(2)
  })

  it("shows everything when the install fails, keeps its exit code, and does not run the command", async () => {
    const { installs, run } = workspace({ code: 7 })
    const stderr = `${progress}many warnings
and many warnings

The install failed (exit code 7). What it said is above.
To see it alone, run: npx --yes pnpm@12.21.0 install --frozen-lockfile
`
    expect(await run(...story)).toEqual({ code: 7, stdout: "", stderr })
    await run(...story)
    expect(installs()).toBe(2)
  })

  it("says what to do when the registry cannot be reached", async () => {
    const { run } = workspace({ code: 1, says: "connect ECONNREFUSED 127.0.0.1:9" })
    expect(await run(...story)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/ECONNREFUSED[^]*could not be reached[^]*npm_config_registry/)
    })
  })

  it("ends with the exit code of the command", async () => {
    expect(await workspace().run("node", "-e", "process.exit(5)")).toMatchObject({ code: 5, stdout: "" })
  })

  it("only installs without a command", async () => {
    expect(await workspace().run()).toEqual({ code: 0, stdout: "", stderr: progress })
  })

  it.each(["SIGINT", "SIGTERM"] as const)("hands %s to the command, and waits for its end", async (signal) => {
    const body = `process.on("${signal}", () => { console.log("done"); process.exit(3) }); setInterval(() => {}, 1e6); console.log("up")`
    const child = workspace().start("node", "-e", body)
    let said = ""
    child.stdout.on("data", (chunk: Buffer) => {
      if (said === "") child.kill(signal)
      said += chunk.toString()
    })
    expect(await once(child, "close")).toEqual([3, null])
    expect(said).toBe("up\ndone\n")
  })
})
