/**
 * Kills processes that refresh, one after another, and checks the store after each kill. A lost grant is connected
 * again at once. At the end the processes stop, each grant is used once more, and the whole history of the store is
 * compared with the tokens that the server issued.
 */
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import { FakeZapier, layerHttpClient } from "@zapier-workflow-auth/testing/FakeZapier"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Database from "../database.ts"
import type { StoreKind } from "../kinds.ts"
import { type Report, round, say } from "../report.ts"
import * as Crew from "./crew.ts"
import * as Journal from "./journal.ts"
import * as RedisJournal from "./redisJournal.ts"
import * as SqlJournal from "./sqlJournal.ts"
import * as Log from "./log.ts"
import { type Point, points } from "./points.ts"
import * as Server from "./server.ts"
import { accessTokenLifetime, application, clock, leaseDuration, real, settings, speed } from "./settings.ts"
import * as Verdict from "./verdict.ts"

export interface Asked {
  readonly kills: number
  readonly store: StoreKind
  readonly processes: number
  readonly seed: number
  /** The victims: the app's processes, or their database server. */
  readonly victim: "process" | "server"
}

// Many, so that enough of them are not waiting for a dead process's lease.
const subjects = Array.from({ length: 120 }, (_, index) => `user-${index}`)

// The longest time before a kill at a random moment, in milliseconds.
const longestPause = 150

// How many kills per check of the whole SQLite file.
const checkEvery = 10

const client = (database: Database.Database) =>
  Layer.unwrap(
    Effect.map(FakeZapier, (fake) =>
      ZapierNode.layerWithoutStores({
        application,
        httpClient: Layer.provide(layerHttpClient, Layer.succeed(FakeZapier, fake)),
        settings
      })
    )
  ).pipe(Layer.provideMerge(Database.stores(database, { name: "crash-parent" })))

const connect = Effect.fnUntraced(function* (subject: string) {
  const auth = yield* ZapierAuth
  const fake = yield* FakeZapier
  const { url } = yield* auth.authorizationUrl({ subject, scopes: ["zap"] })
  yield* auth.handleCallback(yield* fake.approve(Redacted.value(url)), { subject })
})

const connectAll = (of: ReadonlyArray<string>) => Effect.forEach(of, connect, { discard: true })

const [anyMoment, ...chosen] = points

const draw = Effect.fnUntraced(function* <A>(from: () => ReadonlyArray<A>) {
  while (true) {
    const choice = from()
    const drawn = choice.length === 0 ? undefined : choice[yield* Random.nextIntBetween(0, choice.length - 1)]
    if (drawn !== undefined) return drawn
    yield* Effect.sleep(real(5))
  }
})

// Half of the kills come at a random moment, perhaps while a process opens its database, and half at a chosen point.
const killOne = Effect.fnUntraced(function* (crew: Crew.Crew) {
  const point: Point = (yield* Random.nextBoolean) ? anyMoment : yield* draw(() => chosen)
  if (point === anyMoment) yield* Effect.sleep(real(yield* Random.nextIntBetween(0, longestPause)))
  const member = yield* draw(point === anyMoment ? crew.living : crew.ready)
  return { member, point: yield* Effect.promise(() => crew.kill(member, point)) }
})

interface Seen {
  readonly byPoint: { [point in Point]: number }
  tornRecords: number
  integrityChecks: number
  readonly troubles: Array<string>
}

/** One kill and its aftermath, until all earlier calls have ended. */
type Kill = (crew: Crew.Crew, journal: Journal.Journal) => Effect.Effect<Point>

const killProcess: Kill = Effect.fnUntraced(function* (crew, journal) {
  const { member, point } = yield* killOne(crew)
  yield* journal.settle(member.name)
  return point
})

// The processes notice by themselves, and continue.
const killServer = (crash: Effect.Effect<void>): Kill =>
  Effect.fnUntraced(function* (crew) {
    // A process that starts without a server ends, as it should.
    while (crew.ready().length < crew.living().length) yield* Effect.sleep(real(5))
    yield* Effect.sleep(real(yield* Random.nextIntBetween(0, longestPause)))
    yield* crash
    return anyMoment
  })

const kill = Effect.fnUntraced(function* (
  asked: Asked,
  journal: Journal.Journal,
  crew: Crew.Crew,
  seen: Seen,
  killNext: Kill
) {
  for (let count = 1; count <= asked.kills; count++) {
    seen.byPoint[yield* killNext(crew, journal)]++
    const checkFile = asked.store === "sqlite" && (count % checkEvery === 0 || count === asked.kills)
    const found = yield* Effect.exit(journal.look(checkFile))
    if (found._tag === "Failure") {
      seen.troubles.push(`the store did not open after kill ${count}`)
      continue
    }
    if (checkFile) seen.integrityChecks++
    seen.tornRecords += found.value.torn
    seen.troubles.push(...found.value.damage)
    yield* connectAll(found.value.lost)
    if (count % Math.ceil(asked.kills / 10) === 0) say(`crash: ${count} of ${asked.kills} kills`)
  }
})

// No more kills: all leases of dead processes end, and all access tokens expire. Every grant that is not lost can be
// used.
const useOnceMore = Effect.fnUntraced(function* (seen: Seen) {
  const auth = yield* ZapierAuth
  const use = (subject: string) =>
    auth.accessToken(subject).pipe(
      Effect.retry({ while: ({ isRetryable }) => isRetryable, times: 5 }),
      Effect.catch(({ reason }) =>
        reason._tag === "ReconnectRequired"
          ? Effect.void
          : Effect.sync(() => seen.troubles.push(`${subject} cannot be used: ${reason._tag}`))
      )
    )
  yield* Effect.sleep(Duration.sum(Duration.millis(leaseDuration), accessTokenLifetime))
  yield* Effect.forEach(subjects, use, { concurrency: 8 })
})

interface Place {
  readonly database: Database.Database
  /** Kills its server, and starts it again. */
  readonly crash: Effect.Effect<void>
}

const placeOf = ({ store, victim }: Asked): Effect.Effect<Place, never, Scope.Scope> =>
  victim === "server"
    ? Database.makeRedis
    : Effect.map(Database.make(store), (database) => ({ database, crash: Effect.void }))

const program = Effect.fnUntraced(function* (
  asked: Asked,
  { crash, database }: Place,
  recorder: Log.Recorder,
  listener: { crew: Crew.Crew | undefined }
) {
  const seen: Seen = {
    byPoint: { random: 0, claimed: 0, responding: 0, responded: 0, committing: 0, committed: 0 },
    tornRecords: 0,
    integrityChecks: 0,
    troubles: []
  }
  const journal = database.kind === "redis" ? RedisJournal.make(database) : SqlJournal.make(database)
  yield* journal.install
  yield* connectAll(subjects)
  const { address } = yield* HttpServer.HttpServer
  const crew = yield* Effect.acquireRelease(
    Effect.sync(() =>
      Crew.make({
        size: asked.processes,
        recorder,
        begin: { database, origin: HttpServer.formatAddress(address), subjects },
        onTrouble: (what) => void seen.troubles.push(what)
      })
    ),
    (crew) => Effect.promise(crew.end)
  )
  listener.crew = crew
  yield* kill(asked, journal, crew, seen, asked.victim === "server" ? killServer(crash) : killProcess)
  yield* Effect.promise(crew.stop)
  yield* useOnceMore(seen)
  const { torn, written } = Journal.decodeAll(yield* journal.rows)
  seen.tornRecords += torn
  return { seen, verdict: Verdict.judge(recorder.log, written) }
})

export const run = Effect.fnUntraced(
  function* (asked: Asked) {
    const began = performance.now()
    const place = yield* placeOf(asked)
    const recorder = Log.make()
    const listener: { crew: Crew.Crew | undefined } = { crew: undefined }
    const server = Server.layer(recorder, (process, issued) => listener.crew?.rotated(process, issued))
    const { seen, verdict } = yield* program(asked, place, recorder, listener).pipe(
      Effect.provide(Layer.provideMerge(client(place.database), server)),
      Random.withSeed(String(asked.seed)),
      Effect.provideService(Clock.Clock, clock)
    )
    const violations = [...seen.troubles, ...verdict.violations]
    for (const violation of violations) say(`crash: ${violation}`)
    const { responsesCutOff, responsesThatDied, grantsLost, refreshes } = verdict
    say(
      `crash: ${refreshes} refreshes, ${grantsLost} grants lost, ${responsesThatDied} responses died with their process`
    )
    return {
      scenario: "crash",
      passed: violations.length === 0 && seen.tornRecords === 0 && grantsLost === responsesThatDied + responsesCutOff,
      ...asked,
      grants: subjects.length,
      clockSpeed: speed,
      ...settings,
      killsByPoint: seen.byPoint,
      refreshes,
      grantsLost,
      responsesThatDied,
      responsesCutOff,
      tornRecords: seen.tornRecords,
      integrityChecks: seen.integrityChecks,
      violations: violations.length,
      seconds: round((performance.now() - began) / 1_000, 1)
    } satisfies Report
  },
  Effect.scoped,
  Effect.orDie
)
