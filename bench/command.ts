/** Runs a command of this folder in its own process, for tests of its output and exit code. */
import { spawn } from "node:child_process"
import { text } from "node:stream/consumers"

/** Starts it. `output` resolves when it has ended. */
export const start = (file: string, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}) => {
  const path = new URL(file, import.meta.url).pathname
  const child = spawn(process.execPath, ["--expose-gc", path, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env }
  })
  const exited = new Promise<number | null>((resolve) => child.on("close", resolve))
  const output = Promise.all([text(child.stdout), text(child.stderr), exited]).then(([stdout, stderr, code]) => ({
    stdout,
    stderr,
    code
  }))
  return { child, output }
}

export const run = (file: string, args: ReadonlyArray<string>) => start(file, args).output
