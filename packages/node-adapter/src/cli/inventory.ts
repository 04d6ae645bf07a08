/** The contents of a database, for the commands of operators. The library itself needs none of this. */
import type { Key } from "@zapier-workflow-auth/core/store/GrantStore"
import { StoreFailed, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import { Redis } from "effect/persistence/Redis"
import { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as RedisDurability from "../internal/redisDurability.ts"
import * as RedisKeyUse from "../internal/redisKeyUse.ts"
import * as SqlKeyUse from "../internal/sqlKeyUse.ts"
import * as SqlMigrations from "../internal/sqlMigrations.ts"
import { problemOf } from "../internal/sqlProblem.ts"

export interface Use {
  /** Grants that need one of the keys, up to the limit. */
  readonly grants: ReadonlyArray<Key>
  /** When the last consent attempt that needs one of them expires, in milliseconds since the epoch. */
  readonly attemptsUntil: Option.Option<number>
}

export class Inventory extends Context.Service<
  Inventory,
  {
    /** True if an app has used the database before. Ask it before reading the stores. */
    readonly isUsed: Effect.Effect<boolean, ZapierAuthError>
    /** The client applications that have grants. */
    readonly clientIds: Effect.Effect<ReadonlyArray<string>, StoreFailed>
    readonly countGrants: (clientId: string) => Effect.Effect<number, StoreFailed>
    /**
     * The records that still need one of these keys. Tokens of the app itself never do: the app asks for new ones.
     *
     * @param keyIds at least one
     * @param limit the most grants to name
     */
    readonly needing: (keyIds: ReadonlyArray<string>, limit: number) => Effect.Effect<Use, StoreFailed>
    /** Erases the plain texts that encryption has replaced from the database file. */
    readonly forgetPlain: Effect.Effect<void, ZapierAuthError>
    /** Settings of the database that may lose data. Fails if they certainly do. */
    readonly warnings: Effect.Effect<ReadonlyArray<string>, ZapierAuthError>
  }
>()("@zapier-workflow-auth/node-adapter/cli/Inventory") {}

const failed = (operation: string) => (error: SqlError) =>
  ZapierAuthError.make(new StoreFailed({ store: "database", operation, problem: problemOf(error) }))

export const layerSql: Layer.Layer<Inventory, never, SqlClient> = Layer.effect(
  Inventory,
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const provided = Effect.provideService(SqlClient, sql)
    // Postgres erases them over time. SQLite leaves them in the free pages of its file.
    const vacuum = Effect.andThen(sql`VACUUM`.unprepared, sql`PRAGMA wal_checkpoint(TRUNCATE)`.unprepared)
    return {
      isUsed: Effect.mapError(provided(SqlMigrations.areThere), failed("be read")),
      clientIds: provided(SqlKeyUse.clientIds),
      countGrants: (clientId) => provided(SqlKeyUse.countGrants(clientId)),
      needing: (keyIds, limit) => provided(SqlKeyUse.needing(keyIds, limit)),
      forgetPlain: sql
        .onDialectOrElse({ sqlite: () => Effect.asVoid(vacuum), orElse: () => Effect.void })
        .pipe(Effect.mapError(failed("rewrite its file, whose free pages still hold plain tokens"))),
      warnings: Effect.succeed([])
    }
  })
)

export const layerRedis: Layer.Layer<Inventory, never, Redis> = Layer.effect(
  Inventory,
  Effect.map(Redis, (redis) => ({
    isUsed: Effect.succeed(true),
    clientIds: RedisKeyUse.clientIds(redis),
    countGrants: (clientId) => RedisKeyUse.countGrants(redis, clientId),
    needing: (keyIds, limit) => RedisKeyUse.needing(redis, keyIds, limit),
    forgetPlain: RedisKeyUse.forgetPlain(redis),
    warnings: Effect.tap(RedisDurability.read(redis), RedisDurability.refuseEviction).pipe(
      Effect.map(RedisDurability.warningsOf)
    )
  }))
)
