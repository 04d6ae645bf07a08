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

export interface Worker<Told> {
  readonly tell: (message: Told) => void
  /** Kills it with SIGKILL: it cannot react. */
  readonly kill: () => void
  /** How it ended. By then all its output was read. */
  readonly ended: Promise<Ending>
}

// A short process mostly starts up. Node caches compiled code here, and detects stale entries itself.
const compiled = join(tmpdir(), "zapier-bench-compiled")

/** Starts a worker. `hear` is called with each of its messages, in order. */
export const start = <Told, Said>(file: string, hear: (said: Said) => void): Worker<Told> => {
  const env = { ...process.env, NODE_COMPILE_CACHE: compiled }
  const child = spawn(process.execPath, [file], { stdio: ["pipe", "pipe", "inherit"], env })
  createInterface({ input: child.stdout }).on("line", (line) => hear(JSON.parse(line) as Said))
  // A killed worker no longer reads.
  child.stdin.on("error", () => undefined)
  return {
    tell: (message) => void child.stdin.write(`${JSON.stringify(message)}\n`),
    kill: () => void child.kill("SIGKILL"),
    ended: new Promise((resolve, reject) => {
      child.on("error", reject)
      child.on("close", (code, signal) => resolve({ code, signal }))
    })
  }
}

export interface Answering<Told, Said> {
  readonly worker: Worker<Told>
  /** Its next message. Rejects once it has ended. */
  readonly next: () => Promise<Said>
}

/** Starts workers that send one message for each that they get, until the scope closes. */
export const startAnswering = <Told, Said>(
  file: string,
  begins: ReadonlyArray<Told>
): Effect.Effect<ReadonlyArray<Answering<Told, Said>>, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => begins.map((begin) => answering<Told, Said>(file, begin))),
    (started) =>
      Effect.promise(async () => {
        for (const { worker } of started) worker.kill()
        await Promise.all(started.map(({ worker }) => worker.ended))
      })
  )

const answering = <Told, Said>(file: string, begin: Told): Answering<Told, Said> => {
  let heard = Promise.withResolvers<Said>()
  const worker = start<Told, Said>(file, (said) => heard.resolve(said))
  const died = worker.ended.then(({ code, signal }) => {
    throw new Error(`a process ended by itself: ${code ?? signal}`)
  })
  // A worker that ends at the end is expected.
  died.catch(() => undefined)
  worker.tell(begin)
  const next = async () => {
    const said = await Promise.race([heard.promise, died])
    heard = Promise.withResolvers()
    return said
  }
  return { worker, next }
}

/** In the worker: the parent's messages, in order. */
export const told = async function* <Told>(): AsyncGenerator<Told, void, void> {
  // Node does this at a normal end, which a kill skips.
  flushCompileCache()
  for await (const line of createInterface({ input: process.stdin })) yield JSON.parse(line) as Told
}

/** In the worker: sends a message to the parent, synchronously, so that it is not lost if the process ends next. */
export const tellParent = (message: object) => void writeSync(1, `${JSON.stringify(message)}\n`)
