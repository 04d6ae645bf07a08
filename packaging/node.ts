/** Other versions of Node, fetched by npm. */
import { execFile, spawn } from "node:child_process"
import { promisify } from "node:util"

const run = promisify(execFile)

// The supported versions, starting with the oldest; and one that is too old.
export const versions = ["22.19.0", "24.21.0"]

export const tooOld = "20.19.0"

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

interface At {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
}

/** The path of a version on this machine. */
export const pathOf = async (version: string) => {
  const args = ["--yes", "--package", `node@${version}`, "--", "node", "-p", "process.execPath"]
  return (await run("npx", args)).stdout.trim()
}

/** Runs a program with another Node, and returns its output and exit code. */
export const runOn = async (version: string, args: ReadonlyArray<string>, at: At): Promise<Ended> =>
  run(await pathOf(version), args, at).then(
    ({ stderr, stdout }) => ({ code: 0, stdout, stderr }),
    ({ code, stderr, stdout }: Ended) => ({ code, stdout, stderr })
  )

/** Runs a program that does not end by itself until it has printed a text, and returns its output. */
export const runUntil = async (version: string, args: ReadonlyArray<string>, words: string, at: At) => {
  const child = spawn(await pathOf(version), args, { ...at, stdio: ["ignore", "pipe", "inherit"] })
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
