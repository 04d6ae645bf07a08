/**
 * Uses the SQLite of a Cloudflare Durable Object as a database for `SqlStores`.
 *
 * The library runs inside the object: one object holds all grants, or each user has an object, named by subject. Writes are
 * replicated to disk in several places before the object's response leaves, and an object runs in one place at a time. No
 * part of this module needs Node or `nodejs_compat`.
 *
 * A row may have 2 MB (https://developers.cloudflare.com/durable-objects/platform/limits/), far more than any token.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import type { SqlError } from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import { SqliteFailure, sqliteError } from "../internal/sqliteError.ts"

/** The result of a statement. */
interface Cursor {
  readonly toArray: () => ReadonlyArray<object>
  readonly raw: () => Iterable<ReadonlyArray<unknown>>
}

/**
 * The part of a Durable Object's storage that is used: `ctx.storage` of a class listed under `new_sqlite_classes`.
 *
 * @since 0.1.0
 */
export interface Storage {
  readonly sql: { readonly exec: (query: string, ...bindings: Array<unknown>) => Cursor }
  readonly transactionSync: <A>(closure: () => A) => A
}

// Messages of the runtime end with SQLite's code. Their beginning may contain a value, so it is dropped.
const failureOf = (thrown: unknown): SqliteFailure => {
  const message = thrown instanceof Error ? thrown.message : ""
  const code = /\bSQLITE_[A-Z]+\b/.exec(message)?.[0] ?? "SQLITE_ERROR"
  return new SqliteFailure(code, "the Durable Object's database failed")
}

const bindingOf = (parameter: unknown): unknown => {
  // The only integers are versions, which grow from 1.
  if (typeof parameter === "bigint") return Number(parameter)
  if (parameter === null || ["string", "number"].includes(typeof parameter)) return parameter
  throw new SqliteFailure("ERR_INVALID_ARG_TYPE", "a parameter must be null, a number, a bigint or a string")
}

const run = <A>(storage: Storage, sql: string, params: ReadonlyArray<unknown>, read: (cursor: Cursor) => A) =>
  Effect.try({
    try: () => read(storage.sql.exec(sql, ...params.map(bindingOf))),
    catch: (thrown) => sqliteError(thrown instanceof SqliteFailure ? thrown : failureOf(thrown), "execute")
  })

const connectionOf = (storage: Storage): Connection => {
  const execute: Connection["execute"] = (sql, params, transformRows) => {
    const rows = run(storage, sql, params, (cursor) => cursor.toArray())
    return transformRows === undefined ? rows : Effect.map(rows, (_) => transformRows(_))
  }
  const values: Connection["executeValues"] = (sql, params) => run(storage, sql, params, (cursor) => [...cursor.raw()])
  return {
    execute,
    executeUnprepared: execute,
    executeRaw: (sql, params) => run(storage, sql, params, (cursor): unknown => cursor.toArray()),
    executeValues: values,
    executeValuesUnprepared: values,
    executeStream: (sql, params, transformRows) => Stream.fromIterableEffect(execute(sql, params, transformRows))
  }
}

// Makes the runtime roll back.
class RolledBack extends Error {}

// `BEGIN` is not allowed here. Statements are synchronous, so a transaction is one synchronous call.
const withTransaction =
  (storage: Storage): SqlClient.SqlClient["withTransaction"] =>
  <R, E, A>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | SqlError, R> =>
    Effect.contextWith((context) =>
      Effect.suspend((): Effect.Effect<A, E | SqlError> => {
        let exit: Exit.Exit<A, E> | undefined
        try {
          storage.transactionSync(() => {
            exit = Effect.runSyncExitWith<R>(context)(effect)
            if (Exit.isFailure(exit)) throw new RolledBack()
          })
        } catch (thrown) {
          if (!(thrown instanceof RolledBack)) return Effect.fail(sqliteError(failureOf(thrown), "transaction"))
        }
        return exit ?? Effect.die(new Error("a transaction of a Durable Object must be synchronous"))
      })
    )

/**
 * Provides an `SqlClient` over a Durable Object's storage. A transaction may contain only statements, no other waits.
 *
 * @example
 * ```ts
 * import * as DurableObjectClient from "@zapier-workflow-auth/node-adapter/stores/DurableObjectClient"
 * import * as SqlStores from "@zapier-workflow-auth/node-adapter/stores/SqlStores"
 * import * as Layer from "effect/Layer"
 *
 * // `ctx.storage`, in the constructor of the object.
 * export const storesOf = (storage: DurableObjectClient.Storage) =>
 *   SqlStores.layer.pipe(Layer.provide(DurableObjectClient.layer(storage)))
 * ```
 *
 * @since 0.1.0
 */
export const layer = (storage: Storage): Layer.Layer<SqlClient.SqlClient> =>
  Layer.effect(
    SqlClient.SqlClient,
    Effect.gen(function* () {
      const client = yield* SqlClient.make({
        acquirer: Effect.succeed(connectionOf(storage)),
        compiler: Statement.makeCompilerSqlite(),
        driver: "durable-object",
        spanAttributes: [["db.system.name", "sqlite"]]
      })
      return Object.assign(client, { withTransaction: withTransaction(storage) })
    })
  ).pipe(Layer.provide(Reactivity.layer))
