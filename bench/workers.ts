/**
 * Child processes that run a file of ours with the same Node. Both sides send lines of JSON: the parent on the worker's
 * stdin, the worker on its stdout. A worker ends with its stdin, so that none outlives its parent.
 */
import { spawn } from "node:child_process"
import { writeSync } from "node:fs"
import { flushCompileCache } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface Worker<Command> {
  readonly send: (message: Command) => void
  /** Kills it with SIGKILL: it cannot react. */
  readonly kill: () => void
  /** How it ended. By then all its output was read. */
  readonly ended: Promise<Ending>
}

// A short process mostly starts up. Node caches compiled code here, and detects stale entries itself.
const compiled = join(tmpdir(), "zapier-bench-compiled")

/** Starts a worker. `onReply` is called with each of its messages, in order. */
export const start = <Command, Reply>(file: string, onReply: (reply: Reply) => void): Worker<Command> => {
  const env = { ...process.env, NODE_COMPILE_CACHE: compiled }
  const child = spawn(process.execPath, [file], { stdio: ["pipe", "pipe", "inherit"], env })
  createInterface({ input: child.stdout }).on("line", (line) => onReply(JSON.parse(line) as Reply))
  // A killed worker no longer reads.
  child.stdin.on("error", () => undefined)
  return {
    send: (message) => void child.stdin.write(`${JSON.stringify(message)}\n`),
    kill: () => void child.kill("SIGKILL"),
    ended: new Promise((resolve, reject) => {
      child.on("error", reject)
      child.on("close", (code, signal) => resolve({ code, signal }))
    })
  }
}

export interface Responder<Command, Reply> {
  readonly worker: Worker<Command>
  /** Its next message. Rejects once it has ended. */
  readonly next: () => Promise<Reply>
}

/** Starts workers that send one message for each that they get, until the scope closes. */
export const startResponders = <Command, Reply>(
  file: string,
  begins: ReadonlyArray<Command>
): Effect.Effect<ReadonlyArray<Responder<Command, Reply>>, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => begins.map((begin) => startResponder<Command, Reply>(file, begin))),
    (started) =>
      Effect.promise(async () => {
        for (const { worker } of started) worker.kill()
        await Promise.all(started.map(({ worker }) => worker.ended))
      })
  )

const startResponder = <Command, Reply>(file: string, begin: Command): Responder<Command, Reply> => {
  let pending = Promise.withResolvers<Reply>()
  const worker = start<Command, Reply>(file, (reply) => pending.resolve(reply))
  const died = worker.ended.then(({ code, signal }) => {
    throw new Error(`a process ended by itself: ${code ?? signal}`)
  })
  // A worker that ends at the end is expected.
  died.catch(() => undefined)
  worker.send(begin)
  const next = async () => {
    const reply = await Promise.race([pending.promise, died])
    pending = Promise.withResolvers()
    return reply
  }
  return { worker, next }
}

/** In the worker: the parent's messages, in order. */
export const commands = async function* <Command>(): AsyncGenerator<Command, void, void> {
  // Node does this at a normal end, which a kill skips.
  flushCompileCache()
  for await (const line of createInterface({ input: process.stdin })) yield JSON.parse(line) as Command
}

/** In the worker: sends a message to the parent, synchronously, so that it is not lost if the process ends next. */
export const sendToParent = (message: object) => void writeSync(1, `${JSON.stringify(message)}\n`)
