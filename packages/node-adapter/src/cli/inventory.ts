/** What a database holds, for the commands of operators: the library itself asks for nothing of this. */
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
  /** Some of the grants that need one of the keys. */
  readonly grants: ReadonlyArray<Key>
  /** When the last consent attempt that needs one of them is forgotten, in milliseconds since the epoch. */
  readonly attemptsUntil: Option.Option<number>
}

export class Inventory extends Context.Service<
  Inventory,
  {
    /** Whether an app has used the database before. Ask it before the stores where they are only read. */
    readonly isUsed: Effect.Effect<boolean, ZapierAuthError>
    /** The client applications that have grants. */
    readonly clientIds: Effect.Effect<ReadonlyArray<string>, StoreFailed>
    readonly countGrants: (clientId: string) => Effect.Effect<number, StoreFailed>
    /**
     * What still needs one of these keys. The app's own tokens do not: what cannot be decrypted of them is asked for again.
     *
     * @param keyIds at least one
     * @param limit how many grants to name at most
     */
    readonly needing: (keyIds: ReadonlyArray<string>, limit: number) => Effect.Effect<Use, StoreFailed>
    /** Makes the database forget the plain texts that encrypted ones have replaced. */
    readonly forgetPlain: Effect.Effect<void, ZapierAuthError>
    /** What the database may lose, in words. Fails where it is sure to. */
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
    // Postgres does it by and by. SQLite leaves it in the free pages of its file.
    const vacuum = Effect.andThen(sql`VACUUM`.unprepared, sql`PRAGMA wal_checkpoint(TRUNCATE)`.unprepared)
    return {
      isUsed: Effect.mapError(provided(SqlMigrations.areThere), failed("be looked at")),
      clientIds: provided(SqlKeyUse.clientIds),
      countGrants: (clientId) => provided(SqlKeyUse.countGrants(clientId)),
      needing: (keyIds, limit) => provided(SqlKeyUse.needing(keyIds, limit)),
      forgetPlain: sql
        .onDialectOrElse({ sqlite: () => Effect.asVoid(vacuum), orElse: () => Effect.void })
        .pipe(Effect.mapError(failed("write its file anew, which still holds plain tokens in its free pages"))),
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
