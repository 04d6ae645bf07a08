/** One client of a story, with its own processes and its own fake Zapier. */
import { type ChildProcess, fork } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { extname, join } from "node:path"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import type * as FakeFault from "@zapier-workflow-auth/testing/fake/FakeFault"
import type * as FakeState from "@zapier-workflow-auth/testing/fake/FakeState"
import * as RequestLog from "@zapier-workflow-auth/testing/fake/RequestLog"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Data from "effect/Data"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HashMap from "effect/HashMap"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { Place } from "./client.ts"
import type { Called, Column, Name, Requests, Responses, Said } from "./storyProcess.ts"

// This is a separate module, here and in the bundle.
const program = new URL(`./storyProcess${extname(import.meta.url)}`, import.meta.url)

const redirectUri = "http://127.0.0.1:3000/zapier/callback"

const clientId = "acme-notes"

// A story must not use the configuration of the user's own app.
const environment = () =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(ZAPIER_|NODE_OPTIONS$)/i.test(name)))

/** A process ended, or its client failed. */
export class ProcessProblem extends Data.TaggedError("ProcessProblem")<{ readonly message: string }> {}

/** A process of the app. */
const startProcess = Effect.acquireRelease(
  Effect.sync(() => {
    const child: ChildProcess = fork(program, { execArgv: [], env: environment(), stdio: "ignore" })
    const waiting = new Map<number, { resolve: (result: never) => void; reject: (problem: ProcessProblem) => void }>()
    let asked = 0
    const ended = new Promise<void>((resolve) => {
      const end = (why: string) => {
        for (const { reject } of waiting.values())
          reject(new ProcessProblem({ message: `the process has ended: ${why}` }))
        waiting.clear()
        resolve()
      }
      child.once("exit", (code, signal) => end(signal ?? `exit code ${code}`))
      child.once("error", ({ message }) => end(message))
    })
    child.on("message", (said: Said) => {
      const waits = waiting.get(said.id)
      waiting.delete(said.id)
      if ("failure" in said) waits?.reject(new ProcessProblem({ message: said.failure }))
      else waits?.resolve(said.result as never)
    })
    const ask = <N extends Name>(name: N, input: Requests[N]) =>
      Effect.tryPromise({
        try: () =>
          new Promise<Responses[N]>((resolve, reject) => {
            const id = asked++
            waiting.set(id, { resolve, reject })
            child.send({ id, name, input })
          }),
        catch: (error) => (error instanceof ProcessProblem ? error : new ProcessProblem({ message: String(error) }))
      })
    const end = (signal: NodeJS.Signals) =>
      Effect.promise(() => {
        child.kill(signal)
        return ended
      })
    return { ask, end }
  }),
  ({ end }) => end("SIGKILL")
)

type Process = Effect.Success<typeof startProcess>

const folder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "zapier-story-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
)

const serveFake = Effect.fnUntraced(function* (settings: Partial<FakeState.Settings>) {
  const fake = FakeZapier.make({ settings, apps: [{ name: "Acme Notes", clientId, redirectUris: [redirectUri] }] })
  const services = yield* Layer.build(
    FakeZapier.layerServer.pipe(
      Layer.provide(Layer.succeed(FakeZapier.FakeZapier, fake)),
      Layer.provideMerge(
        NodeHttpServer.layer(() => createServer(), {
          host: "127.0.0.1",
          port: 0,
          gracefulShutdownTimeout: "1 second"
        })
      )
    )
  )
  return { fake, origin: HttpServer.formatAddress(Context.get(services, HttpServer.HttpServer).address) }
})

const isRefresh = ({ request }: RequestLog.Entry) =>
  request.path === "/oauth/token/" && RequestLog.asked(request).includes("grant_type=refresh_token")

export interface Options {
  readonly column: Column
  readonly settings: Partial<FakeState.Settings>
  readonly processes: number
  /** In milliseconds. */
  readonly patience: number | undefined
}

/** Makes a lane. When its scope closes, its processes are killed and its folder is removed. */
export const make = Effect.fnUntraced(function* ({ column, settings, patience, processes: count }: Options) {
  const scope = yield* Effect.scope
  const directory = yield* folder
  const { fake, origin } = yield* serveFake(settings)
  const secretAtZapier = Effect.map(fake.state, ({ apps }) => HashMap.getUnsafe(apps, clientId).clientSecret)
  const place = { clientId, directory, redirectUri, urls: ZapierUrls.at(origin) }
  // The app's configured secret. Zapier may have replaced it since.
  let clientSecret = yield* secretAtZapier
  let ahead = 0
  // Only calls have this limit: on a busy machine, starting a process and connecting may take longer.
  let patienceNow: number | undefined

  const open = ({ ask }: Process) =>
    ask("open", { column, place: { ...place, clientSecret, patience: patienceNow } satisfies Place })

  const startOne = Effect.gen(function* () {
    const started = yield* startProcess
    yield* started.ask("setClock", { ahead })
    yield* open(started)
    return started
  }).pipe(Effect.provideService(Scope.Scope, scope))

  const start = (count: number) =>
    Effect.all(
      Array.from({ length: count }, () => startOne),
      { concurrency: "unbounded" }
    )

  let processes = yield* start(count)

  const each = <A>(does: (process: Process) => Effect.Effect<A, ProcessProblem>) =>
    Effect.forEach(processes, does, { concurrency: "unbounded" })

  const first = Effect.suspend(() => {
    const [first] = processes
    return first === undefined ? Effect.fail(new ProcessProblem({ message: "no process runs" })) : Effect.succeed(first)
  })

  const refreshes = Effect.map(fake.requests, (requests) => requests.filter(isRefresh).length)

  return {
    refreshes,
    connect: Effect.gen(function* () {
      const app = yield* first
      const callback = yield* fake.approve(yield* app.ask("authorizationUrl", {}))
      yield* app.ask("connect", { callback })
      if (patience === undefined) return
      patienceNow = patience
      yield* each(open)
    }),
    /** Calls of all processes, `apart` milliseconds from one to the next. */
    call: (count: number, apart: number) =>
      Effect.map(
        each(({ ask }) => ask("calls", { count, apart })),
        (all) => all.flat()
      ),
    advance: (by: Duration.Duration) =>
      Effect.gen(function* () {
        ahead += Duration.toMillis(by)
        yield* fake.advance(by)
        yield* each(({ ask }) => ask("setClock", { ahead }))
      }),
    setFault: (fault: FakeFault.Fault) =>
      fake.setFaults([{ fault, match: { endpoint: "token", grantType: "refresh_token" } }]),
    /** Ends the process once its refresh has reached Zapier. Returns the outcome of the call. */
    killDuringCall: (signal: NodeJS.Signals) =>
      Effect.gen(function* () {
        const app = yield* first
        const before = yield* refreshes
        const call = yield* Effect.forkChild(app.ask("calls", { count: 1, apart: 0 }), { startImmediately: true })
        yield* Effect.repeat(Effect.delay(refreshes, "20 millis"), { until: (now) => now > before })
        yield* app.end(signal)
        processes = processes.filter((other) => other !== app)
        return yield* Effect.orElseSucceed(Fiber.join(call), (): ReadonlyArray<Called> => [
          { message: "The process ended first." }
        ])
      }),
    startProcess: Effect.map(startOne, (started) => void (processes = [...processes, started])),
    regenerateSecret: fake.regenerateSecret(clientId),
    /** Configures the new secret. Returns true if that needed a restart. */
    configureSecret: Effect.gen(function* () {
      clientSecret = yield* secretAtZapier
      const taken = yield* each(({ ask }) => ask("setSecret", { clientSecret }))
      if (taken.every((isTaken) => isTaken)) return false
      const old = processes
      processes = yield* start(old.length)
      yield* Effect.forEach(old, ({ end }) => end("SIGTERM"), { concurrency: "unbounded" })
      return true
    }),
    /** True if the client holds tokens of a connection that Zapier still has. */
    isConnected: Effect.gen(function* () {
      const { grants } = yield* fake.state
      const held = yield* each(({ ask }) => ask("isConnected", {}))
      return HashMap.size(grants) > 0 && held.every((isHeld) => isHeld)
    })
  }
})

export type Lane = Effect.Success<ReturnType<typeof make>>
