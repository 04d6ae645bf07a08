/** Apps in processes of their own, which share a database and a strict server. */
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { expect, vi } from "@effect/vitest"
import type * as ZapierPromise from "../../src/ZapierPromise.ts"
import type { Asked, Begin, Name, Operations, Said } from "../fixtures/zapierPromiseProcess.ts"
import * as StrictServer from "./StrictServer.ts"

const program = fileURLToPath(new URL("../fixtures/zapierPromiseProcess.ts", import.meta.url))

type ResultOf<N extends Name> = Awaited<ReturnType<Operations[N]>>

/** An app in a process of its own. */
const startApp = (begin: Begin) => {
  const child: ChildProcess = fork(program, [JSON.stringify(begin)], { execArgv: [] })
  const waiting = new Map<number, (results: Said["results"]) => void>()
  let asked = 0
  let heard = 0
  child.on("message", ({ id, results }: Said) => {
    heard++
    waiting.get(id)?.(results)
    waiting.delete(id)
  })
  const ended = once(child, "exit")
  const died = ended.then(([code, signal]) => {
    throw new Error(`the app's process ended: ${code ?? signal}`)
  })
  // Matters only to those who ask.
  died.catch(() => undefined)

  /** Does the same so many times at once. Rejects when the process ends first. */
  const askTimes = <N extends Name>(
    times: number,
    name: N,
    ...parameters: Parameters<Operations[N]>
  ): Promise<ReadonlyArray<ResultOf<N>>> => {
    const id = asked++
    const results = new Promise<Said["results"]>((resolve) => waiting.set(id, resolve))
    child.send({ id, name, parameters, times } satisfies Asked)
    const outcome = Promise.race([results, died]) as Promise<ReadonlyArray<ResultOf<N>>>
    // A test that has failed meanwhile waits for nothing more.
    outcome.catch(() => undefined)
    return outcome
  }

  const ask = async <N extends Name>(name: N, ...parameters: Parameters<Operations[N]>): Promise<ResultOf<N>> => {
    const [result] = await askTimes(1, name, ...parameters)
    if (result === undefined) throw new Error("no result")
    return result
  }

  return {
    ask,
    askTimes,
    /** How many times it has said something. */
    heard: () => heard,
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    /** Ends it without any notice. */
    kill: async () => {
      child.kill("SIGKILL")
      await ended
    }
  }
}

export type App = ReturnType<typeof startApp>

// In seconds.
const lifetimeOfExpired = 0.05

const connect = async (server: StrictServer.StrictServer, app: App, subject: string) => {
  const { url } = valueOf(await app.ask("authorizationUrl", subject))
  expect(failures([await app.ask("handleCallback", subject, server.approve(url))])).toEqual([])
  await untilActive(app, subject)
}

/** A server and an empty database. What was started in it ends with it. */
export const make = async (settings: Begin["settings"]) => {
  const server = await StrictServer.start()
  const directory = await mkdtemp(join(tmpdir(), "zapier-processes-"))
  const apps: Array<App> = []
  return {
    server,
    /** Starts one more app. */
    startApp: () => {
      const app = startApp({ origin: server.origin, directory, settings })
      apps.push(app)
      return app
    },
    connect: (app: App, subject: string) => connect(server, app, subject),
    /** Connects a user whose first access token has expired. */
    connectExpired: async (app: App, subject: string) => {
      server.setLifetime(lifetimeOfExpired)
      await connect(server, app, subject)
      server.setLifetime(StrictServer.lifetime)
      await setTimeout(lifetimeOfExpired * 1_000 + 1)
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(apps.map((app) => app.kill()))
      await server[Symbol.asyncDispose]()
      await rm(directory, { recursive: true })
    }
  }
}

const told = ({ _tag, message }: ZapierPromise.Failure) => `${_tag}: ${message}`

export const valueOf = <A>(result: ZapierPromise.Result<A>): A => {
  if (!result.ok) throw new Error(told(result.error))
  return result.value
}

const isRetryable = ({ isRetryable, needsReconnect }: ZapierPromise.Failure) => isRetryable && !needsReconnect

const kindOf = (result: ZapierPromise.Result<unknown>) => {
  if (result.ok) return "succeeded"
  return isRetryable(result.error) ? "retryable" : told(result.error)
}

/** The different things that came of calls: `succeeded`, `retryable`, or any other error in words. */
export const kinds = (results: ReadonlyArray<ZapierPromise.Result<unknown>>): ReadonlyArray<string> => [
  ...new Set(results.map(kindOf))
]

/** Those of them that neither succeeded nor may be tried again. */
export const failures = (results: ReadonlyArray<ZapierPromise.Result<unknown>>): ReadonlyArray<string> =>
  kinds(results).filter((kind) => kind !== "succeeded" && kind !== "retryable")

/** Tries until it succeeds, or until its error says that there is no use in it. */
export const eventually = async <A>(attempt: () => Promise<ZapierPromise.Result<A>>): Promise<A> => {
  while (true) {
    const result = await attempt()
    if (result.ok || !isRetryable(result.error)) return valueOf(result)
    await setTimeout(50)
  }
}

/** Waits until a user's grant is stored: a caller that was told to come back later does not. */
export const untilActive = (app: App, subject: string) =>
  vi.waitFor(async () => expect(valueOf(await app.ask("status", subject))._tag).toBe("Active"), { timeout: 30_000 })
