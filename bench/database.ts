/** A database that processes share: a file in its own directory, or its own server. It is removed afterwards. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { AppCredentialStore } from "@zapier-workflow-auth/core/store/AppCredentialStore"
import type { AttemptStore } from "@zapier-workflow-auth/core/store/AttemptStore"
import type { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as PostgresClient from "@zapier-workflow-auth/node-adapter/stores/PostgresClient"
import * as RedisClient from "@zapier-workflow-auth/node-adapter/stores/RedisClient"
import * as RedisStores from "@zapier-workflow-auth/node-adapter/stores/RedisStores"
import * as SqliteClient from "@zapier-workflow-auth/node-adapter/stores/SqliteClient"
import * as SqlStores from "@zapier-workflow-auth/node-adapter/stores/SqlStores"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { StoreKind } from "./kinds.ts"
import * as EmbeddedPostgres from "../packages/node-adapter/test/utils/EmbeddedPostgres.ts"
import * as RedisServer from "../packages/node-adapter/test/utils/RedisServer.ts"

/** Its location, for each process that opens it. */
export type Database =
  | { readonly kind: "sqlite"; readonly directory: string }
  | { readonly kind: "postgres"; readonly url: string }
  | { readonly kind: "redis"; readonly url: string; readonly directory: string }

/** An SQL database. */
export type SqlDatabase = Exclude<Database, { readonly kind: "redis" }>

type Of<K extends StoreKind> = Extract<Database, { readonly kind: K }>

const sqlite = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "zapier-bench-"))),
  (directory) => Effect.promise(() => rm(directory, { recursive: true, force: true }))
).pipe(Effect.map((directory): Of<"sqlite"> => ({ kind: "sqlite", directory })))

const postgres = Effect.acquireRelease(
  Effect.promise(async () => {
    const embedded = await EmbeddedPostgres.load()
    if (typeof embedded === "string") throw new Error(embedded)
    return await EmbeddedPostgres.launch(embedded)
  }),
  ({ end }) => Effect.promise(end)
).pipe(Effect.map(({ url }): Of<"postgres"> => ({ kind: "postgres", url })))

// A crash loses nothing, and the file contains every write.
const redisFlags = [...RedisServer.durable, "--auto-aof-rewrite-percentage", "0"]

/** A Redis that loses no acknowledged write, and a way to kill and restart it. */
export const makeRedis = Effect.acquireRelease(
  Effect.promise(async () => {
    const found = RedisServer.find()
    if (typeof found === "string") throw new Error(found)
    return await RedisServer.launch(found, redisFlags)
  }),
  ({ end }) => Effect.promise(end)
).pipe(
  Effect.map(({ directory, kill, start, url }) => {
    const database: Of<"redis"> = { kind: "redis", url, directory }
    return { database, crash: Effect.promise(() => kill().then(start)) }
  })
)

const makers: { readonly [K in StoreKind]: Effect.Effect<Of<K>, never, Scope.Scope> } = {
  sqlite,
  postgres,
  redis: Effect.map(makeRedis, ({ database }) => database)
}

/** A new database, until the scope closes. */
export const make = <K extends StoreKind>(kind: K): Effect.Effect<Of<K>, never, Scope.Scope> => makers[kind]

interface Options {
  /** The name under which a server lists the connections. */
  readonly name?: string | undefined
}

// How long to wait for the database. A busy machine exceeds the library's own, shorter limits. Enough for a clock that
// runs ten times as fast.
const patience = "10 minutes"

/** Few connections, because all processes together must stay below the hundred that Postgres allows. */
export const layer = (database: SqlDatabase, { name = "bench" }: Options = {}) =>
  database.kind === "sqlite"
    ? SqliteClient.layerDefault({ directory: database.directory, busyTimeout: patience })
    : PostgresClient.layer({
        url: Redacted.make(database.url),
        applicationName: name,
        maxConnections: 4,
        connectTimeout: patience,
        statementTimeout: patience
      })

/** A connection to Redis. */
export const layerRedis = ({ url }: Of<"redis">, { name = "bench" }: Options = {}) =>
  RedisClient.layer({ url: Redacted.make(url), name, connectTimeout: patience, commandTimeout: patience })

/** The stores in it. */
export const stores = (
  database: Database,
  options?: Options
): Layer.Layer<GrantStore | AttemptStore | AppCredentialStore, ZapierAuthError> =>
  database.kind === "redis"
    ? Layer.provide(RedisStores.layer, layerRedis(database, options))
    : Layer.provide(SqlStores.layer, layer(database, options))
