/** Other versions of Node, and runtimes that are compatible with it, fetched by npm. */
import { execFile, spawn } from "node:child_process"
import { promisify } from "node:util"

const run = promisify(execFile)

// The supported versions, starting with the oldest; and one that is too old.
export const versions = ["22.19.0", "24.21.0"]

export const tooOld = "20.19.0"

/** Bun and Deno, by their npm packages, and how they run a program. */
export const compatible = [
  { name: "bun", version: "1.4.5", args: [] },
  { name: "deno", version: "2.9.6", args: ["run", "--allow-all"] }
] as const

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

interface At {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
}

/** The path of a runtime on this machine. Fails if npm has none for this platform. */
export const pathOf = async (name: string, version: string): Promise<string> => {
  const args = [
    "--yes",
    "--package",
    `${name}@${version}`,
    "--",
    "sh",
    "-c",
    `${name} --version >&2 && command -v ${name}`
  ]
  return (await run("npx", args)).stdout.trim()
}

/** Runs a program, and returns its output and exit code. */
export const runAt = async (path: string, args: ReadonlyArray<string>, at: At): Promise<Ended> =>
  run(path, args, at).then(
    ({ stderr, stdout }) => ({ code: 0, stdout, stderr }),
    ({ code, stderr, stdout }: Ended) => ({ code, stdout, stderr })
  )

/** Runs a program with another Node, and returns its output and exit code. */
export const runOn = async (version: string, args: ReadonlyArray<string>, at: At): Promise<Ended> =>
  runAt(await pathOf("node", version), args, at)

/** Runs a program that does not end by itself until it has printed a text, and returns its output. */
export const runUntil = async (version: string, args: ReadonlyArray<string>, words: string, at: At) => {
  const child = spawn(await pathOf("node", version), args, { ...at, stdio: ["ignore", "pipe", "inherit"] })
  return new Promise<string>((resolve, reject) => {
    let said = ""
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString()
      if (said.includes(words)) child.kill("SIGINT")
    })
    child.once("error", reject)
    child.once("close", () =>
      said.includes(words) ? resolve(said) : reject(new Error(`it ended, and never said ${words}, but: ${said}`))
    )
  })
}
