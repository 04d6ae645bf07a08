/**
 * Processes of the same Node that run a file of ours. Parent and worker talk in lines of JSON: the parent over the
 * worker's stdin, the worker over its stdout. A worker ends when its stdin does, so that none outlives its parent.
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
  /** Ends it with SIGKILL: it learns nothing of it, and does nothing more. */
  readonly kill: () => void
  /** How it ended. By then all that it has said has been heard. */
  readonly ended: Promise<Ending>
}

// Most of a short life is the start of a process. Node keeps here what it has compiled, and sees itself to what is stale.
const compiled = join(tmpdir(), "zapier-bench-compiled")

/** Starts a worker. `hear` is called with what it says, in order. */
export const start = <Told, Said>(file: string, hear: (said: Said) => void): Worker<Told> => {
  const env = { ...process.env, NODE_COMPILE_CACHE: compiled }
  const child = spawn(process.execPath, [file], { stdio: ["pipe", "pipe", "inherit"], env })
  createInterface({ input: child.stdout }).on("line", (line) => hear(JSON.parse(line) as Said))
  // Whoever was killed does not read any more.
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
  /** The next that it says. Rejects when it has ended. */
  readonly next: () => Promise<Said>
}

/** Starts workers that say one thing for each that they are told, until the scope ends. */
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
  // Who ends when it is over is not missed.
  died.catch(() => undefined)
  worker.tell(begin)
  const next = async () => {
    const said = await Promise.race([heard.promise, died])
    heard = Promise.withResolvers()
    return said
  }
  return { worker, next }
}

/** In the worker: what the parent tells, in order. */
export const told = async function* <Told>(): AsyncGenerator<Told, void, void> {
  // Node does so at the end, which who is killed does not see.
  flushCompileCache()
  for await (const line of createInterface({ input: process.stdin })) yield JSON.parse(line) as Told
}

/** In the worker: tells the parent. What was said has been said, should the process end at the next moment. */
export const tellParent = (message: object) => void writeSync(1, `${JSON.stringify(message)}\n`)
