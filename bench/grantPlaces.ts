/** Stores for many grants: how to fill them quickly, how the library reaches them, and their size. */
import { rmSync } from "node:fs"
import { readdir, stat } from "node:fs/promises"
import { join } from "node:path"
import { type Grant, GrantStore, type Key } from "@zapier-workflow-auth/core/store/GrantStore"
import * as MemoryStores from "@zapier-workflow-auth/core/store/MemoryStores"
import * as RecordCodec from "@zapier-workflow-auth/core/store/RecordCodec"
import type { StoreError } from "@zapier-workflow-auth/core/store/VersionedStore"
import * as PostgresClient from "@zapier-workflow-auth/node-adapter/stores/PostgresClient"
import * as RedisStores from "@zapier-workflow-auth/node-adapter/stores/RedisStores"
import * as SqlStores from "@zapier-workflow-auth/node-adapter/stores/SqlStores"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Redis } from "effect/persistence/Redis"
import * as Redacted from "effect/Redacted"
import { SqlClient } from "effect/sql/SqlClient"
import * as Database from "./database.ts"
import { type StoreKind, storeKinds } from "./kinds.ts"
import { memory } from "./measure.ts"

export const kinds = [...storeKinds, "memory"] as const

export type Kind = (typeof kinds)[number]

export const isKind = (text: string): text is Kind => kinds.some((kind) => kind === text)

type Store = GrantStore["Service"]

// How many rows are written at a time, in one transaction.
const batchSize = 20_000

const byText = (a: readonly [string, ...ReadonlyArray<string>], b: readonly [string, ...ReadonlyArray<string>]) =>
  a[0] < b[0] ? -1 : 1

/** Accepts only new grants, and writes many at a time: a million transactions would take an hour. */
const makeBulk = Effect.gen(function* () {
  const sql = yield* SqlClient
  let rows: Array<readonly [subject: string, clientId: string, state: string, record: string]> = []

  const insert = (batch: string) =>
    sql.onDialectOrElse({
      pg: () => sql`INSERT INTO zapier_grants (client_id, subject, version, state, record)
        SELECT r->>1, r->>0, nextval('zapier_version'), r->>2, r->>3 FROM json_array_elements(${batch}::json) r`,
      orElse: () => sql`INSERT INTO zapier_grants (client_id, subject, version, state, record)
        SELECT value->>1, value->>0, 1, value->>2, value->>3 FROM json_each(${batch})`
    })

  const flush = Effect.suspend(() => {
    // In order, so that a page of an index is written once for each batch instead of each row.
    const batch = JSON.stringify(rows.sort(byText))
    rows = []
    return Effect.asVoid(Effect.orDie(insert(batch)))
  })

  const compareAndSet = ({ clientId, subject }: Key, _: unknown, grant: Grant) =>
    Effect.suspend(() => {
      rows.push([subject, clientId, grant._tag, RecordCodec.grant.encode(grant)])
      return Effect.as(rows.length < batchSize ? Effect.void : flush, true)
    })

  const none: Store = {
    get: () => Effect.succeedNone,
    compareAndSet,
    remove: () => Effect.succeed(true),
    page: () => Effect.succeed({ entries: [], next: undefined })
  }
  return { store: none, flush }
})

const folderSize = async (directory: string) => {
  const files = await readdir(directory)
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(directory, file))).size))
  return sizes.reduce((total, size) => total + size, 0)
}

// For a process that is stopped before its scope closes. A stopping server may still write.
const removeAtExit = (directory: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const remove = () => rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
      process.on("exit", remove)
      return remove
    }),
    (remove) => Effect.sync(() => void process.off("exit", remove))
  )

const inDatabase = Effect.fnUntraced(function* (kind: Exclude<StoreKind, "redis">) {
  const database = yield* Database.make(kind)
  // Writing a batch takes longer than the library allows a statement.
  const filling =
    database.kind === "sqlite"
      ? Database.layer(database)
      : PostgresClient.layer({ url: Redacted.make(database.url), statementTimeout: Duration.infinity })
  const directory =
    database.kind === "sqlite"
      ? Effect.succeed(database.directory)
      : Effect.gen(function* () {
          const sql = yield* SqlClient
          const rows = yield* sql<{ data_directory: string }>`SHOW data_directory`
          return rows[0]?.data_directory ?? ""
        }).pipe(Effect.provide(filling))
  yield* removeAtExit(yield* Effect.orDie(directory))
  // Rows and all indexes, with SQLite's log emptied.
  const bytes = Effect.gen(function* () {
    const sql = yield* SqlClient
    if (database.kind === "sqlite") {
      yield* sql`PRAGMA wal_checkpoint(TRUNCATE)`
      return yield* Effect.promise(() => folderSize(database.directory))
    }
    const rows = yield* sql<{ size: string }>`SELECT pg_total_relation_size('zapier_grants') AS size`
    return Number(rows[0]?.size)
  })
  return {
    /** Fills it by `write`, and returns the number of bytes. Its connection is closed afterwards. */
    fill: (write: (store: Store) => Effect.Effect<void>) =>
      Effect.gen(function* () {
        yield* Layer.build(SqlStores.layer)
        const { flush, store } = yield* makeBulk
        yield* write(store)
        yield* flush
        const sql = yield* SqlClient
        // Autovacuum would do this within a minute.
        yield* sql.onDialectOrElse({ pg: () => sql`VACUUM (ANALYZE) zapier_grants`, orElse: () => Effect.void })
        return yield* bytes
      }).pipe(Effect.provide(filling), Effect.scoped, Effect.orDie),
    stores: Layer.provide(SqlStores.layer, Database.layer(database))
  }
})

const usedMemory = Effect.map(
  Redis.use((redis) => redis.send<string>("INFO", "memory")),
  (info) => Number(/^used_memory:(\d+)/m.exec(info)?.[1])
)

// A separate process holds the grants in memory, and its memory is measured.
const inRedis = Effect.gen(function* () {
  const database = yield* Database.make("redis")
  yield* removeAtExit(database.directory)
  return {
    fill: (write: (store: Store) => Effect.Effect<void>) =>
      Effect.gen(function* () {
        const before = yield* usedMemory
        const grants = yield* GrantStore
        // Many in parallel, so that they share the disk's syncs.
        let waiting: Array<Effect.Effect<boolean, StoreError>> = []
        const flush = Effect.suspend(() => {
          const batch = waiting
          waiting = []
          return Effect.asVoid(Effect.orDie(Effect.all(batch, { concurrency: "unbounded" })))
        })
        yield* write({
          ...grants,
          compareAndSet: (...args) =>
            Effect.suspend(() => {
              waiting.push(grants.compareAndSet(...args))
              return Effect.as(waiting.length < 1_000 ? Effect.void : flush, true)
            })
        })
        yield* flush
        return (yield* usedMemory) - before
      }).pipe(Effect.provide(Layer.provideMerge(RedisStores.layer, Database.layerRedis(database))), Effect.orDie),
    stores: Database.stores(database)
  }
})

const inMemory = Effect.map(Layer.build(MemoryStores.layer), (stores) => ({
  fill: Effect.fnUntraced(function* (write: (store: Store) => Effect.Effect<void>) {
    const before = yield* memory
    yield* write(Context.get(stores, GrantStore))
    return (yield* memory).heap - before.heap
  }),
  stores: Layer.succeedContext(stores)
}))

/** A new and empty store, until the scope closes. */
export const make = (kind: Kind) => {
  if (kind === "memory") return inMemory
  return kind === "redis" ? inRedis : inDatabase(kind)
}
