/**
 * An `SqlClient` for the embedded database, over Node's own `node:sqlite`.
 *
 * It has one connection, used by one fiber at a time: a transaction holds it from its first statement to its last, while
 * other statements wait. A fiber forked inside a transaction belongs to it.
 *
 * Writes outside of a transaction that arrive together share one commit, and so one `fsync`. Each has its own result.
 *
 * Other processes may use the same file. SQLite lets one of them write at a time. Waiting inside SQLite would block this
 * process's event loop, including timers and sockets, so SQLite does not wait; instead the statement is retried with growing
 * pauses, up to `busyTimeout`. Only statements that hold no lock are retried: those outside a transaction, and the
 * `BEGIN IMMEDIATE` of one, after which no other process can write.
 *
 * A commit returns once it is on disk (`synchronous = FULL`): a rotated refresh token that is lost in a power failure forces
 * its user to reconnect.
 *
 * Node 22 prints an `ExperimentalWarning` when `node:sqlite` is loaded, which happens when a client is built; current Node 24
 * does not. On Node 22, text is read only up to a NUL character, and `SELECT *` returns the columns of its first use: name
 * the columns.
 *
 * @since 0.1.0
 */
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as NodePath from "@effect/platform-node-shared/NodePath"
import { InvalidConfig, StoreFailed, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as UserDirectories from "effect/persistence/UserDirectories"
import * as Reactivity from "effect/reactivity/Reactivity"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as SqlClient from "effect/sql/SqlClient"
import type { Borrower, Connection } from "effect/sql/SqlConnection"
import { ConnectionError, SqlError } from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite"
import * as DataDirectory from "../DataDirectory.ts"
import * as GroupCommit from "../internal/groupCommit.ts"
import { sqliteCodeOf, sqliteError, SqliteFailure } from "../internal/sqliteError.ts"
import { problemOf } from "../internal/sqlProblem.ts"
import { oneLine } from "../internal/terminalText.ts"

/**
 * The file, and how long to wait for it.
 *
 * @since 0.1.0
 */
export interface Options {
  /** The path of the file, preferably absolute, or `:memory:`. */
  readonly filename: string
  /** How long a statement waits while another process writes. In milliseconds, or a duration. Default: 5 seconds. */
  readonly busyTimeout?: Duration.Input | undefined
}

// More than this library's statements; others are prepared again.
const cacheSize = 100

// Milliseconds between two attempts, at most.
const longestPause = 50

const pragmas = [
  // Keeps a foreign file from running functions in its schema.
  "PRAGMA trusted_schema = OFF",
  "PRAGMA synchronous = FULL",
  // On macOS, fsync alone leaves the data in the drive's cache. No effect elsewhere.
  "PRAGMA fullfsync = ON"
]

type Acquirers = ReturnType<typeof SqlClient.makeSqliteAcquirers<Connection>>

/** Prepares each statement once, and drops the least recently used one. */
const makePrepare = (database: DatabaseSync) => {
  const statements = new Map<string, StatementSync>()
  return (sql: string): StatementSync => {
    const known = statements.get(sql)
    const statement = known ?? database.prepare(sql)
    if (known === undefined && statements.size >= cacheSize) {
      for (const oldest of statements.keys()) {
        statements.delete(oldest)
        break
      }
    }
    // Moves the statement to the end, because a Map keeps insertion order.
    if (known !== undefined) statements.delete(sql)
    statements.set(sql, statement)
    return statement
  }
}

// Node versions differ in accepted types, and take a first object for named parameters: a Date would become NULL.
const isInput = (u: unknown): u is SQLInputValue =>
  u === null || typeof u === "string" || typeof u === "number" || typeof u === "bigint" || ArrayBuffer.isView(u)

const inputs = (params: ReadonlyArray<unknown>): ReadonlyArray<SQLInputValue> => {
  if (!params.every(isInput)) {
    throw new SqliteFailure("ERR_INVALID_ARG_TYPE", "a parameter must be null, a number, a bigint, a string or bytes")
  }
  return params
}

const makeConnection = (database: DatabaseSync, busyTimeout: number) => {
  const cached = makePrepare(database)
  const uncached = (sql: string) => database.prepare(sql)

  const isBusy = (error: SqlError) => error.reason._tag === "LockTimeoutError" && !database.isTransaction

  const patiently = <A>(attempt: Effect.Effect<A, SqlError>): Effect.Effect<A, SqlError> => {
    const from = (waited: number, pause: number): Effect.Effect<A, SqlError> =>
      Effect.catchIf(attempt, isBusy, (error) => {
        const left = busyTimeout - waited
        if (left <= 0) return Effect.fail(error)
        const wait = Math.min(pause, left)
        return Effect.andThen(Effect.sleep(wait), from(waited + wait, Math.min(pause * 2, longestPause)))
      })
    return from(0, 1)
  }

  // Synchronous, and throws what SQLite says.
  const once = <A>(
    prepare: (sql: string) => StatementSync,
    sql: string,
    params: ReadonlyArray<unknown>,
    options: { readonly asArrays: boolean; readonly asBigInts: boolean },
    use: (statement: StatementSync, params: ReadonlyArray<SQLInputValue>) => A
  ): A => {
    const statement = prepare(sql)
    // Set each time, because a cached statement remembers its last use.
    statement.setReadBigInts(options.asBigInts)
    statement.setReturnArrays(options.asArrays)
    return use(statement, inputs(params))
  }

  const run = <A>(
    prepare: (sql: string) => StatementSync,
    sql: string,
    params: ReadonlyArray<unknown>,
    asArrays: boolean,
    use: (statement: StatementSync, params: ReadonlyArray<SQLInputValue>) => A
  ): Effect.Effect<A, SqlError> =>
    patiently(
      Effect.withFiber((fiber) => {
        try {
          const asBigInts = fiber.getRef(SqlClient.SafeIntegers)
          return Effect.succeed(once(prepare, sql, params, { asArrays, asBigInts }, use))
        } catch (thrown) {
          return Effect.fail(sqliteError(thrown, "execute"))
        }
      })
    )

  const all = (statement: StatementSync, params: ReadonlyArray<SQLInputValue>): ReadonlyArray<object> =>
    statement.all(...params)

  // Node's types do not know that setReturnArrays makes rows arrays.
  const allValues = (statement: StatementSync, params: ReadonlyArray<SQLInputValue>) =>
    statement.all(...params) as unknown as ReadonlyArray<ReadonlyArray<unknown>>

  const raw = (statement: StatementSync, params: ReadonlyArray<SQLInputValue>): unknown =>
    statement.columns().length > 0 ? statement.all(...params) : statement.run(...params)

  const rows =
    (prepare: (sql: string) => StatementSync): Connection["execute"] =>
    (sql, params, transformRows) => {
      const found = run(prepare, sql, params, false, all)
      return transformRows === undefined ? found : Effect.map(found, (_) => transformRows(_))
    }

  const execute = rows(cached)

  const connection: Connection = {
    execute,
    executeUnprepared: rows(uncached),
    executeRaw: (sql, params) => run(cached, sql, params, false, raw),
    executeValues: (sql, params) => run(cached, sql, params, true, allValues),
    executeValuesUnprepared: (sql, params) => run(uncached, sql, params, true, allValues),
    // Read all rows first: a half-read statement would keep the log from being written back.
    executeStream: (sql, params, transformRows) => Stream.fromIterableEffect(execute(sql, params, transformRows))
  }

  /** Lends the connection for one statement, and lets writes that arrive together share a commit. */
  const grouped = ({ borrower, onCommitFailure }: Acquirers): Borrower => {
    const write = GroupCommit.make({
      database,
      inTurn: (effect) => borrower(() => effect),
      patiently,
      onCommitFailure: onCommitFailure(connection)
    })
    const writeRows: Connection["execute"] = (sql, params, transformRows) =>
      Effect.withFiber((fiber) => {
        const options = { asArrays: false, asBigInts: fiber.getRef(SqlClient.SafeIntegers) }
        const written = write(() => once(cached, sql, params, options, all))
        return transformRows === undefined ? written : Effect.map(written, (_) => transformRows(_))
      })
    const lent: Connection = {
      ...connection,
      execute: (...args) => (GroupCommit.isWrite(args[0]) ? writeRows(...args) : borrower((_) => _.execute(...args))),
      executeUnprepared: (...args) => borrower((_) => _.executeUnprepared(...args)),
      executeRaw: (...args) => borrower((_) => _.executeRaw(...args)),
      executeValues: (...args) => borrower((_) => _.executeValues(...args)),
      executeValuesUnprepared: (...args) => borrower((_) => _.executeValuesUnprepared(...args))
    }
    return (use) => use(lent)
  }

  return { connection, grouped }
}

// Loaded on demand, so that users of other databases do not see Node 22's warning.
const load = Effect.tryPromise({
  try: () => import("node:sqlite"),
  catch: () => unusable("ERR_UNKNOWN_BUILTIN_MODULE", "this runtime has no node:sqlite: use Node 22.19 or later")
})

const unusable = (code: string, message: string): SqlError =>
  new SqlError({
    reason: new ConnectionError({ cause: new SqliteFailure(code, message), message, operation: "open" })
  })

/**
 * Opens a database that closes with the scope. Closing the last connection writes the log back into the file.
 *
 * Fails with an `SqlError` if the file is not a database, is damaged, cannot be written, stays locked longer than
 * `busyTimeout`, or cannot have a write-ahead log. An unusable file is not changed.
 *
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<SqlClient.SqlClient, SqlError, Scope.Scope | Reactivity.Reactivity> {
  const sqlite = yield* load
  const database = yield* Effect.acquireRelease(
    Effect.try({
      try: () => new sqlite.DatabaseSync(options.filename),
      catch: (thrown) => sqliteError(thrown, "open")
    }),
    (database) => Effect.sync(() => database.close())
  )
  const busyTimeout = Duration.toMillis(options.busyTimeout ?? Duration.seconds(5))
  const { connection, grouped } = makeConnection(database, busyTimeout)
  const execute = (sql: string) => connection.executeUnprepared(sql, [], undefined)

  // Read first: SQLite opens any file, and only now checks that it is a database.
  yield* execute("SELECT count(*) FROM sqlite_schema")
  for (const pragma of pragmas) yield* execute(pragma)
  const [journal] = yield* connection.executeValuesUnprepared("PRAGMA journal_mode = WAL", [])
  if (journal?.[0] !== "wal" && journal?.[0] !== "memory") {
    return yield* unusable("ERR_NO_WAL", "this file system does not support a write-ahead log: use a local disk")
  }
  // Detect a read-only file now, not when the first token is to be stored. BEGIN IMMEDIATE alone does not fail on it.
  yield* execute("BEGIN IMMEDIATE")
  yield* execute("PRAGMA user_version = 1")
  yield* execute("ROLLBACK")

  const compiler = Statement.makeCompilerSqlite()
  const acquirers = SqlClient.makeSqliteAcquirers({
    connection: Effect.succeed(connection),
    semaphore: yield* Semaphore.make(1),
    isTransaction: () => database.isTransaction
  })
  return yield* SqlClient.make({
    ...acquirers,
    borrower: grouped(acquirers),
    compiler,
    driver: "node-sqlite",
    // DEFERRED would take the write lock in mid-transaction, too late to wait for it.
    beginTransaction: "BEGIN IMMEDIATE",
    releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`,
    prepareTransactionControls: true,
    spanAttributes: [["db.system.name", "sqlite"]]
  })
})

/**
 * Provides an `SqlClient` over a file of your choice. Its permissions are not checked; `layerDefault` checks them.
 *
 * If another process blocks a statement for `busyTimeout`, it fails with `LockTimeoutError`. An integer too large for a
 * JavaScript number is an error, unless `SqlClient.SafeIntegers` is set, which makes all integers bigints. Parameters are
 * null, numbers, bigints, strings and bytes. Only the first of several statements in a text is run. Errors contain no
 * parameter or statement.
 *
 * @example
 * ```ts
 * import * as SqliteClient from "@zapier-workflow-auth/node-adapter/stores/SqliteClient"
 * import * as Effect from "effect/Effect"
 * import { SqlClient } from "effect/sql/SqlClient"
 *
 * const program = Effect.gen(function* () {
 *   const sql = yield* SqlClient
 *   return yield* sql`SELECT ${"hello"} AS greeting`
 * })
 *
 * await Effect.runPromise(Effect.provide(program, SqliteClient.layer({ filename: ":memory:" })))
 * ```
 *
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<SqlClient.SqlClient, SqlError> =>
  Layer.effect(SqlClient.SqlClient, make(options)).pipe(Layer.provide(Reactivity.layer))

/**
 * Like `Options`, for the file in the data directory.
 *
 * @since 0.1.0
 */
export interface DefaultOptions extends DataDirectory.Options {
  /** How long a statement waits while another process writes. In milliseconds, or a duration. Default: 5 seconds. */
  readonly busyTimeout?: Duration.Input | undefined
}

// Problems that an operator must fix. For all others a retry may help.
const faults: { readonly [code: string]: string } = {
  SQLITE_NOTADB: "is not an SQLite database. It was not changed: move it away, or set another path",
  SQLITE_CORRUPT: "is damaged. It was not changed: restore a backup, or move it away; then users must reconnect",
  SQLITE_READONLY: "cannot be written. Let this user write to it and to its folder, or set another path",
  SQLITE_CANTOPEN: "cannot be opened. Let this user write to it and to its folder, or set another path",
  SQLITE_PERM: "cannot be opened. Let this user write to it and to its folder, or set another path",
  ERR_NO_WAL:
    "is on a file system without support for a write-ahead log, such as a network file system. Set a path on a local disk",
  ERR_UNKNOWN_BUILTIN_MODULE: "needs node:sqlite, which this runtime does not have. Use Node 22.19 or later"
}

const openingFailed =
  (path: string) =>
  (error: SqlError): ZapierAuthError => {
    const fault = faults[sqliteCodeOf(error) ?? ""]
    return ZapierAuthError.make(
      fault === undefined
        ? new StoreFailed({ store: "embedded database", operation: "open", problem: problemOf(error) })
        : new InvalidConfig({ setting: "database file", problem: `${oneLine(path)} ${fault}` })
    )
  }

/**
 * Provides an `SqlClient` over the default file, in the user's data directory, which only the user can read.
 *
 * See `DataDirectory.database`. Fails with `InvalidConfig`, which says what to do, if the folder or file is unsafe or
 * unusable; and with `StoreFailed` if a retry may help, for example because another process keeps it locked.
 *
 * @example
 * ```ts
 * import * as SqliteClient from "@zapier-workflow-auth/node-adapter/stores/SqliteClient"
 * import * as Effect from "effect/Effect"
 * import { SqlClient } from "effect/sql/SqlClient"
 *
 * const program = Effect.gen(function* () {
 *   const sql = yield* SqlClient
 *   return yield* sql`SELECT name FROM sqlite_schema`
 * })
 *
 * program.pipe(Effect.provide(SqliteClient.layerDefault({ directory: "/var/lib/acme/zapier" })))
 * ```
 *
 * @since 0.1.0
 */
export const layerDefault = (options: DefaultOptions = {}): Layer.Layer<SqlClient.SqlClient, ZapierAuthError> =>
  Layer.effect(
    SqlClient.SqlClient,
    Effect.gen(function* () {
      const filename = yield* DataDirectory.database(options)
      return yield* Effect.mapError(make({ filename, busyTimeout: options.busyTimeout }), openingFailed(filename))
    })
  ).pipe(Layer.provide([Reactivity.layer, NodeFileSystem.layer, NodePath.layer, UserDirectories.layer]))
