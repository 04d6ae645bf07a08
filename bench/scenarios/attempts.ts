/**
 * Consent attempts that are begun and never finished: by one user, by a thousand users, and each by another user for
 * three hours. The number of stored attempts stays bounded, and so does the memory of the process. Time is virtual.
 */
import * as MemoryStores from "@zapier-workflow-auth/core/store/MemoryStores"
import * as AttemptStore from "@zapier-workflow-auth/core/store/AttemptStore"
import * as Settings from "@zapier-workflow-auth/core/Settings"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as SqliteClient from "@zapier-workflow-auth/node-adapter/stores/SqliteClient"
import * as SqlStores from "@zapier-workflow-auth/node-adapter/stores/SqlStores"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as MovableClock from "../clock.ts"
import * as Database from "../database.ts"
import { memory } from "../measure.ts"
import * as Offline from "../offline.ts"
import { type Report, round, say } from "../report.ts"

export const name = "attempts"

/** Redis expires keys by its own clock instead of the virtual one. */
export const kinds = ["sqlite", "postgres", "memory"] as const

export type Kind = (typeof kinds)[number]

export const isKind = (text: string): text is Kind => kinds.some((kind) => kind === text)

export interface Asked {
  readonly store: Kind
  readonly attempts: number
}

const second = 1_000

const { attemptLifetime, attemptsPerSubject } = Result.getOrThrow(Settings.make())

interface Flood {
  readonly name: string
  /** The user of an attempt's number. */
  readonly subjectOf: (index: number) => string
  /** Milliseconds between two attempts. */
  readonly pace: number
  /** How many may be stored at any time. */
  readonly bound: number
}

// Long enough that most of them have to be forgotten.
const strangersFor = 3 * 3_600 * second

const floods = (attempts: number): ReadonlyArray<Flood> => {
  const users = Math.min(1_000, Math.ceil(attempts / 100))
  const pace = strangersFor / attempts
  // Due since the last sweep, and begun during that one.
  const kept = attemptLifetime + AttemptStore.retention + AttemptStore.sweepInterval
  return [
    { name: "one user", subjectOf: () => "user", pace: second / 200, bound: attemptsPerSubject },
    {
      name: `${users} users`,
      subjectOf: (index) => `user ${index % users}`,
      pace: second / 200,
      bound: users * attemptsPerSubject
    },
    {
      name: "each another user",
      subjectOf: (index) => `user ${index}`,
      pace,
      bound: Math.ceil((1.02 * kept) / pace) + 1_000
    }
  ]
}

// In bytes: the memory that may remain once all have begun, without the attempts themselves if the store is in memory.
const heapBound = 64 * 1_024 * 1_024
const attemptBound = 4_096

const inMemory = Effect.map(Layer.build(Layer.fresh(MemoryStores.layer)), (stores) => {
  const store = Context.get(stores, AttemptStore.AttemptStore)
  const there = new Map<string, number>()
  // Swept attempts are detected by reading them.
  const watched = AttemptStore.AttemptStore.of({
    ...store,
    compareAndSet: (key, expected, value) =>
      Effect.tap(store.compareAndSet(key, expected, value), () => Effect.sync(() => there.set(key, value.expiresAt))),
    remove: (key, version) =>
      Effect.tap(store.remove(key, version), (isRemoved) => Effect.sync(() => isRemoved && there.delete(key)))
  })
  const count = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    for (const [key, expiresAt] of there) {
      if (expiresAt + AttemptStore.retention <= now && (yield* store.get(key))._tag === "None") there.delete(key)
    }
    return there.size
  })
  return { stores: Context.add(stores, AttemptStore.AttemptStore, watched), count: Effect.orDie(count) }
})

const inDatabase = Effect.fnUntraced(function* (kind: "sqlite" | "postgres") {
  const client: Layer.Layer<SqlClient, SqlError | ZapierAuthError> =
    kind === "sqlite" ? SqliteClient.layer({ filename: ":memory:" }) : Database.layer(yield* Database.make(kind))
  const stores = yield* Layer.build(Layer.fresh(Layer.provideMerge(SqlStores.layer, client)))
  const sql = Context.get(stores, SqlClient)
  const count = Effect.map(
    sql<{ readonly n: number | string }>`SELECT count(*) AS n FROM zapier_consent_attempts`,
    ([row]) => Number(row?.n)
  )
  return { stores, count: Effect.orDie(count) }
})

const turn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

const flood = Effect.fnUntraced(
  function* ({ attempts, store }: Asked, { bound, name, pace, subjectOf }: Flood) {
    const clock = MovableClock.make()
    return yield* Effect.gen(function* () {
      const { count, stores } = yield* store === "memory" ? inMemory : inDatabase(store)
      const library = ZapierNode.layerWithoutStores({
        application: { clientId: "bench", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] },
        httpClient: Layer.succeed(HttpClient.HttpClient, Offline.httpClient)
      }).pipe(Layer.provide(Layer.succeedContext(stores)))
      const auth = Context.get(yield* Layer.build(library), ZapierAuth)
      const before = yield* memory
      const began = performance.now()
      const every = Math.max(1, Math.floor(attempts / 100))
      let most = 0
      for (let index = 0; index < attempts; index++) {
        yield* clock.advance(pace)
        yield* auth.authorizationUrl({ subject: subjectOf(index), scopes: ["zap"] })
        if ((index + 1) % every === 0) most = Math.max(most, yield* count)
      }
      const micros = ((performance.now() - began) * 1_000) / attempts
      const { heap } = yield* memory
      const rows = yield* count
      // All of them are due.
      yield* clock.advance(attemptLifetime + AttemptStore.retention)
      const cleared = performance.now()
      yield* auth.authorizationUrl({ subject: "the next", scopes: ["zap"] })
      while ((yield* count) > 1) yield* turn
      say(`${store}: ${attempts} attempts, ${name}: at most ${most} stored`)
      return {
        flood: name,
        mostStored: most,
        bound,
        heapGrowthBytes: heap - before.heap,
        heapBound: heapBound + (store === "memory" ? rows * attemptBound : 0),
        microsEach: round(micros),
        clearMillis: round(performance.now() - cleared)
      }
    }).pipe(Effect.provideService(Clock.Clock, clock))
  },
  Effect.scoped,
  Effect.orDie
)

export const run = Effect.fnUntraced(function* (asked: Asked) {
  const measured = yield* Effect.forEach(floods(asked.attempts), (each) => flood(asked, each))
  return {
    scenario: name,
    passed: measured.every((each) => each.mostStored <= each.bound && each.heapGrowthBytes <= each.heapBound),
    ...asked,
    floods: measured
  } satisfies Report
})
