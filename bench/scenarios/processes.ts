/**
 * Many calls at once in each of several processes, on one expired grant in a shared database; and again when the new
 * token has expired too. Or with the token of a White Label user, for whom there is none at first. This process serves the fake, and each of its responses takes 50 ms.
 */
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as MovableClock from "../clock.ts"
import * as Database from "../database.ts"
import type { StoreKind } from "../kinds.ts"
import { type Report, round, say } from "../report.ts"
import * as Partner from "../../packages/node-adapter/test/utils/Partner.ts"
import * as Workers from "../workers.ts"
import * as World from "../world.ts"
import type { Reply, Command } from "./processesWorker.ts"

export const name = "processes"

/** In each process. */
export const calls = 1_000

const file = new URL("processesWorker.ts", import.meta.url).pathname

// In each process. The counts of all processes are added up in this one.
const connections = 64

const latency = "50 millis"

const beyondExpiry = Duration.toMillis("11 hours")

const late = Layer.effect(
  FakeZapier.FakeZapier,
  Effect.map(FakeZapier.FakeZapier, (fake) =>
    FakeZapier.FakeZapier.of({
      ...fake,
      handle: (request) => Effect.tap(fake.handle(request), Effect.sleep(latency))
    })
  )
)

// Nothing counted may be forgotten, and nothing delayed.
const fake = FakeZapier.layer({
  apps: [{ ...World.app, whiteLabel: Partner.registration }],
  remember: 1_000_000,
  settings: { rateLimits: false }
})

const server = Layer.provideMerge(
  Layer.provide(FakeZapier.layerServer, late),
  NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0, backlog: 1_024 })
)

const client = (database: Database.Database) =>
  Layer.unwrap(
    Effect.map(FakeZapier.FakeZapier, (fake) =>
      ZapierNode.layerWithoutStores({
        application: World.app,
        httpClient: Layer.provide(FakeZapier.layerHttpClient, Layer.succeed(FakeZapier.FakeZapier, fake))
      })
    )
  ).pipe(Layer.provide(Database.stores(database)))

const countTokenRequests = Effect.map(
  Effect.flatMap(FakeZapier.FakeZapier, ({ requests }) => requests),
  (entries) => entries.filter(({ request }) => request.path === World.tokenPath).length
)

interface Plan {
  readonly calls: number
  readonly processes: number
  readonly database: Database.Database
  readonly whiteLabel: boolean
}

const program = Effect.fnUntraced(function* (
  { calls, database, processes: count, whiteLabel }: Plan,
  clock: MovableClock.MovableClock
) {
  if (!whiteLabel) yield* World.connect(["zap"])
  const { address } = yield* HttpServer.HttpServer
  const begin: Command = {
    _tag: "Begin",
    application: World.app,
    database,
    origin: HttpServer.formatAddress(address),
    subject: World.subject,
    whiteLabel: whiteLabel ? Partner.options : undefined,
    connections
  }
  const processes = yield* Workers.startResponders<Command, Reply>(
    file,
    Array.from({ length: count }, () => begin)
  )
  const all = Effect.promise(() => Promise.all(processes.map(({ next }) => next())))
  yield* all
  const rounds = []
  for (const expiry of ["first", "second"]) {
    const before = yield* countTokenRequests
    // The clocks of all processes and of the fake: each sees the token as expired.
    yield* clock.advance(beyondExpiry)
    const began = performance.now()
    for (const { worker } of processes) worker.send({ _tag: "Call", calls, advance: beyondExpiry })
    const results = (yield* all).filter((reply) => reply._tag === "Called")
    const seconds = (performance.now() - began) / 1_000
    const sum = (member: "failedCalls" | "waits" | "adoptions") =>
      results.reduce((total, result) => total + result[member], 0)
    say(`processes: ${expiry} expiry: ${count} times ${calls} calls in ${round(seconds, 1)} s`)
    rounds.push({
      tokenRequests: (yield* countTokenRequests) - before,
      failedCalls: sum("failedCalls"),
      waits: sum("waits"),
      adoptions: sum("adoptions"),
      seconds
    })
  }
  return rounds
})

interface Asked {
  readonly store: StoreKind
  readonly processes: number
  readonly whiteLabel: boolean
}

export const run = Effect.fnUntraced(
  function* (calls: number, asked: Asked) {
    const database = yield* Database.make(asked.store)
    const clock = MovableClock.make()
    const rounds = yield* program(
      { calls, processes: asked.processes, database, whiteLabel: asked.whiteLabel },
      clock
    ).pipe(
      Effect.provide(Layer.provideMerge(Layer.merge(server, client(database)), fake)),
      Effect.provideService(Clock.Clock, clock)
    )
    const made = asked.processes * calls * rounds.length
    const failedCalls = rounds.reduce((total, round) => total + round.failedCalls, 0)
    const seconds = rounds.reduce((total, round) => total + round.seconds, 0)
    return {
      scenario: name,
      passed: failedCalls === 0 && rounds.every(({ tokenRequests }) => tokenRequests === 1),
      store: asked.store,
      whiteLabel: asked.whiteLabel,
      processes: asked.processes,
      calls: made,
      tokenRequests: rounds.reduce((total, round) => total + round.tokenRequests, 0),
      failedCalls,
      opsPerSecond: round(made / seconds),
      seconds: round(seconds, 2),
      rounds: rounds.map((one) => ({ ...one, seconds: round(one.seconds, 2) }))
    } satisfies Report
  },
  Effect.scoped,
  Effect.orDie
)
