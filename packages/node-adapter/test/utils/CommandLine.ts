/** The command line in this process, and as a process of its own. */
import { spawn } from "node:child_process"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { run as runMain } from "../../src/cli/main.ts"

export type Environment = { readonly [name: string]: string }

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** What a command says while it runs. */
export const recorder = () => {
  const lines = { stdout: "", stderr: "" }
  const note = (stream: keyof typeof lines) => (line: unknown) => void (lines[stream] += `${String(line)}\n`)
  const recording = Object.assign(Object.create(globalThis.console), { log: note("stdout"), error: note("stderr") })
  return { lines, layer: Layer.succeed(Console.Console, recording as Console.Console) }
}

const inProcess = (env: Environment) =>
  Layer.merge(NodeServices.layer, ConfigProvider.layer(ConfigProvider.fromEnv({ env: { ...env } })))

/** A command in this process, by the clock of the test, with these variables and no others. */
export const run = (args: ReadonlyArray<string>, env: Environment = {}, { layer, lines } = recorder()) =>
  runMain(args, "1.2.3").pipe(
    Effect.map((code): Ended => ({ code, ...lines })),
    Effect.provide(Layer.merge(layer, inProcess(env)))
  )

const bin = fileURLToPath(new URL("../../src/bin.ts", import.meta.url))

/** A command as a process of its own. `said` is done when it has said something on that stream. */
export const start = (args: ReadonlyArray<string>, env: Environment = {}) => {
  const child = spawn(process.execPath, [bin, ...args], { stdio: ["ignore", "pipe", "pipe"], env: { ...env } })
  const said = (stream: "stdout" | "stderr", words: string) =>
    Effect.callback<string>((resume) => {
      let all = ""
      child[stream].on("data", (chunk: Buffer) => {
        all += chunk.toString()
        if (all.includes(words)) resume(Effect.succeed(all))
      })
      child.on("close", () => resume(Effect.die(new Error(`it ended, and never said ${words}, but: ${all}`))))
    })
  const exited = new Promise<number | null>((resolve) => child.on("close", (code) => resolve(code)))
  const ended = Promise.all([text(child.stdout), text(child.stderr), exited]).then(([stdout, stderr, code]): Ended => ({
    code,
    stdout,
    stderr
  }))
  return { child, said, ended: Effect.promise(() => ended) }
}
