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

/**
 * A workspace with the script in it, and an `npx` that logs its arguments, says `says`, and ends with `code`. Like pnpm, it notes
 * which dependencies it has installed.
 *
 * @param node the version of the machine's Node
 */
const workspace = ({ code = 0, says = "many warnings", node = "24.0.0" } = {}) => {
  const root = join(folder, `${count++}`)
  const bin = join(root, "bin")
  mkdirSync(join(root, "scripts"), { recursive: true })
  mkdirSync(bin)
  copyFileSync(join(import.meta.dirname, "run.mjs"), join(root, "scripts/run.mjs"))
  writeFileSync(join(root, "pnpm-lock.yaml"), "lockfileVersion: 9")
  writeFileSync(join(root, "pnpm-workspace.yaml"), "packages: []")
  const lines = [
    "#!/bin/sh",
    'echo "$@" >> "$0.log"',
    `mkdir -p ${root}/node_modules`,
    'case "$*" in *--prod*) dev=false;; *) dev=true;; esac',
    `echo "{ \\"devDependencies\\": $dev }" > ${root}/node_modules/.modules.yaml`,
    `echo '${says}'`,
    `echo 'and ${says}' >&2`,
    `exit ${code}`
  ]
  writeFileSync(join(bin, "npx"), lines.join("\n"))
  chmodSync(join(bin, "npx"), 0o755)
  // @effect-diagnostics-next-line processEnv:off
  const env = { ...process.env, PATH: [bin, process.env["PATH"]].join(delimiter) }
  const versions = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${node}" } })`
  const script = ["--import", `data:text/javascript,${encodeURIComponent(versions)}`, join(root, "scripts/run.mjs")]
  const command = (...args: ReadonlyArray<string>) => [...script, ...args]
  return {
    root,
    run: async (...args: ReadonlyArray<string>) =>
      new Promise((resolve) => {
        execFile(process.execPath, command(...args), { env }, (error, stdout, stderr) => {
          resolve({ code: error === null ? 0 : error.code, stdout, stderr })
        })
      }),
    start: (...args: ReadonlyArray<string>) => spawn(process.execPath, command(...args), { env }),
    installs: () => {
      const log = join(bin, "npx.log")
      return existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n") : []
    }
  }
}

const story = ["node", "-e", "console.log('the story')"]

const everything = "--yes pnpm@12.21.0 install --frozen-lockfile"

const production = `${everything} --prod --filter zapier-workflow-auth... --trust-lockfile`

const progress = "Installing what the workspace needs …\n"

describe("the script that installs and runs", () => {
  it("shows one line while it installs, and then the command", async () => {
    const { installs, run } = workspace()
    expect(await run(...story)).toEqual({ code: 0, stdout: "the story\n", stderr: progress })
    expect(installs()).toEqual([everything])
  })

  it("shows nothing when everything is installed", async () => {
    const { installs, run } = workspace()
    await run(...story)
    expect(await run(...story)).toEqual({ code: 0, stdout: "the story\n", stderr: "" })
    expect(installs()).toEqual([everything])
  })

  it("installs again when the lockfile is another", async () => {
    const { installs, root, run } = workspace()
    await run(...story)
    writeFileSync(join(root, "pnpm-lock.yaml"), "lockfileVersion: 10")
    expect(await run(...story)).toMatchObject({ code: 0, stderr: progress })
    expect(installs()).toEqual([everything, everything])
  })

  it("installs only production dependencies when asked to, and the rest for the next command that needs it", async () => {
    const { installs, run } = workspace()
    expect(await run("--production", ...story)).toEqual({ code: 0, stdout: "the story\n", stderr: progress })
    expect(await run("--production", ...story)).toEqual({ code: 0, stdout: "the story\n", stderr: "" })
    expect(await run(...story)).toMatchObject({ stderr: progress })
    expect(installs()).toEqual([`${production} --no-optional`, everything])
  })

  it("never removes what is installed already", async () => {
    const { installs, root, run } = workspace()
    await run(...story)
    expect(await run("--production", ...story)).toEqual({ code: 0, stdout: "the story\n", stderr: "" })
    writeFileSync(join(root, "pnpm-lock.yaml"), "lockfileVersion: 10")
    expect(await run("--production", ...story)).toMatchObject({ code: 0, stderr: progress })
    expect(installs()).toEqual([everything, everything])
  })

  it("installs Node where the machine's own is too old", async () => {
    for (const [node, wanted] of [
      ["20.19.0", production],
      ["22.18.0", production],
      ["22.19.0", `${production} --no-optional`]
    ] as const) {
      const { installs, run } = workspace({ node })
      await run("--production", ...story)
      expect(installs()).toEqual([wanted])
    }
  })

  it("keeps the Node that it has installed", async () => {
    const { installs, root, run } = workspace()
    mkdirSync(join(root, "node_modules/.bin"), { recursive: true })
    writeFileSync(join(root, "node_modules/.bin/node"), `#!/bin/sh\nexec '${process.execPath}' "$@"`, { mode: 0o755 })
    await run("--production", ...story)
    expect(installs()).toEqual([production])
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
    expect(installs()).toEqual([everything, everything])
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
