/** The command line in this process, and as a process of its own. */
import { execFileSync, spawn } from "node:child_process"
import { closeSync, existsSync, openSync, readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { run as runMain } from "../../src/cli/main.ts"

export type Environment = { readonly [name: string]: string }

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  /** Without the line breaks that fit it into 80 columns. */
  readonly stderr: string
}

/** Text without the line breaks of wrapping. An indented line stays a line of its own. */
export const unwrapped = (text: string): string => text.replace(/(?<=\S)\n(?=\S)/g, " ")

const decoder = new TextDecoder()

/**
 * Records the output of a command while it runs.
 *
 * @param input its stdin
 * @param isTerminal makes stdout a terminal
 */
export const recorder = (input = "", isTerminal = false) => {
  const lines = { stdout: "", stderr: "" }
  const note = (stream: keyof typeof lines) => (line: unknown) => void (lines[stream] += `${String(line)}\n`)
  const recording = Object.assign(Object.create(globalThis.console), { log: note("stdout"), error: note("stderr") })
  const sink = (stream: keyof typeof lines) => () =>
    Sink.forEach((chunk: string | Uint8Array) =>
      Effect.sync(() => void (lines[stream] += typeof chunk === "string" ? chunk : decoder.decode(chunk)))
    )
  const stdio = Stdio.layerTest({
    stdin: Stream.encodeText(Stream.make(input)),
    stdoutIsTerminal: Effect.succeed(isTerminal),
    stdout: sink("stdout"),
    stderr: sink("stderr")
  })
  return { lines, layer: Layer.merge(stdio, Layer.succeed(Console.Console, recording as Console.Console)) }
}

const inProcess = (env: Environment) =>
  Layer.merge(NodeServices.layer, ConfigProvider.layer(ConfigProvider.fromEnv({ env: { ...env } })))

/** What a command in this process runs in: these variables and no others, and what notes what it says. */
export const environment = (env: Environment, { layer }: ReturnType<typeof recorder>) =>
  Layer.provideMerge(layer, inProcess(env))

/** A command in this process, by the clock of the test, with these variables and no others. */
export const run = (args: ReadonlyArray<string>, env: Environment = {}, { layer, lines } = recorder()) =>
  runMain(args, "1.2.3").pipe(
    Effect.map((code): Ended => ({ code, stdout: lines.stdout, stderr: unwrapped(lines.stderr) })),
    Effect.provide(Layer.provideMerge(layer, inProcess(env)))
  )

/** The command as it is written. */
export const source = fileURLToPath(new URL("../../src/bin.ts", import.meta.url))

const dist = fileURLToPath(new URL("../../dist/", import.meta.url))

const isRunning = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

// Vitest kills its workers: none removes what it has made.
const removeLeftovers = () => {
  for (const name of existsSync(dist) ? readdirSync(dist) : []) {
    const [, pid] = /^command-of-tests-(\d+)$/.exec(name) ?? []
    if (pid !== undefined && !isRunning(Number(pid))) rmSync(join(dist, name), { recursive: true, force: true })
  }
}

let bundled: string | undefined

/** The command as it is published, made once in this process: it starts in a third of the time. */
export const published = (): string => {
  if (bundled !== undefined) return bundled
  removeLeftovers()
  const folder = `command-of-tests-${process.pid}`
  execFileSync(process.execPath, [fileURLToPath(new URL("../../bundle.ts", import.meta.url)), folder])
  bundled = join(dist, folder, "zapier-workflow-auth.js")
  return bundled
}

const tellOfStop = `process.on("SIGINT", () => process.stderr.write("stopped\\n"))`

/** With these variables a process says `stopped` on stderr as soon as it has got SIGINT, and does what it does besides. */
export const tellingOfStop: Environment = {
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(tellOfStop)}`
}

/**
 * A command as a process of its own. `said` is done when it has said something on that stream.
 *
 * @param input what it is given on stdin; `Open` is nothing yet
 * @param path the command itself
 */
export const start = (
  args: ReadonlyArray<string>,
  env: Environment = {},
  input: { readonly text: string } | "Open" = { text: "" },
  path = published()
) => {
  const child = spawn(process.execPath, [path, ...args], { stdio: ["pipe", "pipe", "pipe"], env: { ...env } })
  if (input !== "Open") child.stdin.end(input.text)
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
    stderr: unwrapped(stderr)
  }))
  return { child, said, ended: Effect.promise(() => ended) }
}

/** A command as a process of its own, whose stdout is a disk without room. */
export const intoFull = (args: ReadonlyArray<string>, env: Environment) =>
  Effect.promise(async (): Promise<Ended> => {
    const full = openSync("/dev/full", "w")
    const child = spawn(process.execPath, [published(), ...args], {
      stdio: ["ignore", full, "pipe"],
      env: { ...env }
    })
    closeSync(full)
    const code = new Promise<number | null>((resolve) => child.on("close", resolve))
    const [stderr, ended] = await Promise.all([child.stderr === null ? "" : text(child.stderr), code])
    return { code: ended, stdout: "", stderr }
  })
