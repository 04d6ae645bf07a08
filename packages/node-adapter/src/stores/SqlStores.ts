/**
 * Stores grants, consent attempts and app tokens in SQLite or Postgres, by any Effect `SqlClient`.
 *
 * Anyone who can read the database can use the tokens in it, unless `EncryptedStores` wraps the stores.
 *
 * @since 0.1.0
 */
import { AppCredentialStore } from "@zapier-workflow-auth/core/store/AppCredentialStore"
import * as AttemptStore from "@zapier-workflow-auth/core/store/AttemptStore"
import { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import * as RecordCodec from "@zapier-workflow-auth/core/store/RecordCodec"
import { StoreFailed, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { SafeIntegers, SqlClient } from "effect/sql/SqlClient"
import * as SqlMigrations from "../internal/sqlMigrations.ts"
import { problemOf } from "../internal/sqlProblem.ts"
import * as SqlSweep from "../internal/sqlSweep.ts"
import * as SqlTable from "../internal/sqlTable.ts"
import { escape, successor, unescape } from "@zapier-workflow-auth/core/store/KeyText"

const grantsOf = (sql: SqlClient): GrantStore["Service"] => {
  const { decode, failed, records } = SqlTable.make({
    sql,
    store: "grant store",
    table: "zapier_grants",
    codec: RecordCodec.grant,
    key: ({ clientId, subject }: { readonly clientId: string; readonly subject: string }) => ({
      client_id: clientId,
      subject
    }),
    derived: ({ _tag }) => ({ state: _tag })
  })

  const beginningWith = (prefix: string) => {
    const end = successor(prefix)
    return end === undefined ? sql`subject >= ${prefix}` : sql`subject >= ${prefix} AND subject < ${end}`
  }

  // Without statistics SQLite considers a range of subjects more selective than a state, and would read all grants of a
  // prefix to find the few with that state.
  const inState = (state: string) =>
    sql.onDialectOrElse({
      sqlite: () => sql`unlikely(state = ${state})`,
      orElse: () => sql`state = ${state}`
    })

  return {
    ...records,
    page: ({ after, clientId, prefix, state, ...options }) => {
      const limit = Math.max(1, options.limit)
      const which = sql.and([
        sql`client_id = ${escape(clientId)}`,
        ...(state === undefined ? [] : [inState(state)]),
        // Before the prefix, because SQLite seeks by the first of two lower bounds, and would start each page at the prefix.
        ...(after === undefined ? [] : [sql`subject > ${escape(after)}`]),
        ...(prefix === undefined || prefix === "" ? [] : [beginningWith(escape(prefix))])
      ])
      // Read one more than requested, to know if there is another page.
      return sql<SqlTable.Row & { readonly subject: string }>`
        SELECT subject, version, record FROM zapier_grants WHERE ${which} ORDER BY subject LIMIT ${limit + 1}
      `.pipe(
        // Otherwise one version too large for a number would fail the whole page.
        Effect.provideService(SafeIntegers, true),
        Effect.mapError(failed("read a page")),
        Effect.map((rows) => {
          const found = rows.slice(0, limit).map((row) => {
            const key = { clientId, subject: unescape(row.subject) }
            return Result.match(decode(row), {
              onFailure: (error) => ({ entry: undefined, unreadable: { key, version: Number(row.version), error } }),
              onSuccess: (grant) => ({ entry: { key, grant }, unreadable: undefined })
            })
          })
          const last = rows.length > limit ? rows[limit - 1] : undefined
          return {
            entries: found.flatMap(({ entry }) => entry ?? []),
            unreadable: found.flatMap(({ unreadable }) => unreadable ?? []),
            next: last === undefined ? undefined : unescape(last.subject)
          }
        })
      )
    }
  }
}

const attemptsOf = Effect.fnUntraced(function* (sql: SqlClient) {
  const { decode, failed, records } = SqlTable.make({
    sql,
    store: "attempt store",
    table: "zapier_consent_attempts",
    codec: RecordCodec.attempt,
    key: (digest: string) => ({ state_digest: digest }),
    derived: ({ expiresAt, startedAt, subject }) => ({
      expires_at: expiresAt,
      subject: escape(subject),
      started_at: startedAt
    })
  })
  const sweep = yield* SqlSweep.make(sql)

  return AttemptStore.AttemptStore.of({
    ...records,
    compareAndSet: (digest, expected, attempt) =>
      Effect.tap(records.compareAndSet(digest, expected, attempt), () => sweep.ask),
    bySubject: ({ limit, skip, subject }) =>
      sql<SqlTable.Row & { readonly state_digest: string }>`
        SELECT state_digest, version, record FROM zapier_consent_attempts WHERE subject = ${escape(subject)}
        ORDER BY started_at DESC LIMIT ${Math.max(1, limit)} OFFSET ${Math.max(0, skip)}
      `.pipe(
        Effect.provideService(SafeIntegers, true),
        Effect.mapError(failed("list a user's records")),
        Effect.map((rows) =>
          // Skip records that cannot be understood.
          rows.flatMap((row) =>
            Result.match(decode(row), {
              onFailure: () => [],
              onSuccess: ({ value, version }) => [{ key: unescape(row.state_digest), version, state: value._tag }]
            })
          )
        )
      )
  })
})

const appCredentialsOf = (sql: SqlClient): AppCredentialStore["Service"] => {
  const { records } = SqlTable.make({
    sql,
    store: "app credential store",
    table: "zapier_app_credentials",
    codec: RecordCodec.appCredential,
    key: ({ clientId, scopes }: { readonly clientId: string; readonly scopes: string }) => ({
      client_id: clientId,
      scopes
    }),
    derived: () => ({})
  })
  return records
}

type Stores = GrantStore | AttemptStore.AttemptStore | AppCredentialStore

const stores = Effect.gen(function* () {
  const sql = yield* SqlClient
  return Context.make(GrantStore, grantsOf(sql)).pipe(
    Context.add(AttemptStore.AttemptStore, yield* attemptsOf(sql)),
    Context.add(AppCredentialStore, appCredentialsOf(sql))
  )
})

/**
 * Provides all three stores over existing tables, made by `layer`. It sends no statement when built and changes no table.
 *
 * Use it for programs that only read, and for database users that may not create tables.
 *
 * @since 0.1.0
 */
export const layerExisting: Layer.Layer<Stores, never, SqlClient> = Layer.fresh(Layer.effectContext(stores))

/**
 * Provides all three stores in one database. Creates or migrates the tables first.
 *
 * Any number of processes may start at once: if the tables are up to date, a start sends one statement, which takes no lock.
 * A process of the previous release still works with the tables of a later one.
 *
 * Expired attempts are removed some time later, at most once a minute, in the background of a write that neither waits for
 * it nor fails with it. No scheduled job is needed.
 *
 * Fails with `StoreFailed` if the database does not respond, or does not let its user create the tables.
 *
 * @example
 * ```ts
 * import { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
 * import * as SqliteClient from "@zapier-workflow-auth/node-adapter/stores/SqliteClient"
 * import * as SqlStores from "@zapier-workflow-auth/node-adapter/stores/SqlStores"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * const program = Effect.gen(function* () {
 *   const grants = yield* GrantStore
 *   return yield* grants.page({ clientId: "your client id", state: "ReconnectRequired", limit: 100 })
 * })
 *
 * const stores = SqlStores.layer.pipe(Layer.provide(SqliteClient.layer({ filename: ":memory:" })))
 *
 * await Effect.runPromise(Effect.provide(program, stores)) // => { entries: [], unreadable: [], next: undefined }
 * ```
 *
 * @since 0.1.0
 */
export const layer: Layer.Layer<Stores, ZapierAuthError, SqlClient> = Layer.fresh(
  Layer.effectContext(
    Effect.andThen(
      Effect.mapError(SqlMigrations.run, (error) => {
        const problem = error._tag === "SqlError" ? problemOf(error) : "migrating the tables failed"
        return ZapierAuthError.make(new StoreFailed({ store: "database", operation: "create its tables", problem }))
      }),
      stores
    )
  )
)
