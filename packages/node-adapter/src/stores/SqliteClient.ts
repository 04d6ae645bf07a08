/**
 * The embedded database: an `SqlClient` over Node's own `node:sqlite`.
 *
 * There is one connection, and one fiber at a time uses it: a transaction has it from its first statement to its last,
 * and a statement outside of it waits meanwhile. A fiber that is forked inside a transaction belongs to it.
 *
 * Writes outside of a transaction that arrive together are committed together: one `fsync` for all, each with its own
 * result.
 *
 * Other processes may use the same file. SQLite lets one of them write at a time and the others wait. Waiting inside
 * SQLite would stop this process's event loop, timers and sockets included; so SQLite is told not to wait at all, and the
 * statement is tried again, with growing pauses, for as long as `busyTimeout` says. Only what holds nothing is tried
 * again: a statement outside of a transaction, or the `BEGIN IMMEDIATE` of one, after which nobody else can write.
 *
 * What is committed is on the disk before the commit returns (`synchronous = FULL`): a rotated refresh token that is
 * lost in a power failure is a user who has to connect again.
 *
 * Node 22 prints an `ExperimentalWarning` when `node:sqlite` is loaded, which is when a client is built; current Node 24 does
 * not. On Node 22, text that holds a NUL character is read only up to it, and `SELECT *` gives the columns that there
 * were when it was first used: name the columns.
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
 * Which file, and how it is used.
 *
 * @since 0.1.0
 */
export interface Options {
  /** The path of the file, which should be absolute, or `:memory:`. */
  readonly filename: string
  /** How long a statement waits for another process that is writing. In milliseconds, or a duration. Default: 5 seconds. */
  readonly busyTimeout?: Duration.Input | undefined
}

// More than the statements of this library; what is beyond is prepared again.
const cacheSize = 100

// Milliseconds between two tries, at most.
const longestPause = 50

const pragmas = [
  // A file that somebody else made cannot run functions from its schema.
  "PRAGMA trusted_schema = OFF",
  "PRAGMA synchronous = FULL",
  // On macOS, fsync alone leaves the data in the drive's cache. Elsewhere this does nothing.
  "PRAGMA fullfsync = ON"
]

type Acquirers = ReturnType<typeof SqlClient.makeSqliteAcquirers<Connection>>

/** Prepares each statement once, and forgets the one that was not used for longest. */
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
    // A Map keeps the order of insertion: the newest use goes to its end.
    if (known !== undefined) statements.delete(sql)
    statements.set(sql, statement)
    return statement
  }
}

// Node versions differ in what they take, and take an object in the first place for names of parameters: a Date would be written as NULL.
const isInput = (u: unknown): u is SQLInputValue =>
  u === null || typeof u === "string" || typeof u === "number" || typeof u === "bigint" || ArrayBuffer.isView(u)

const inputs = (params: ReadonlyArray<unknown>): ReadonlyArray<SQLInputValue> => {
  if (!params.every(isInput)) {
    throw new SqliteFailure("ERR_INVALID_ARG_TYPE", "a parameter is not null, a number, a bigint, a string or bytes")
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

  // Once, and at once: throws what SQLite says.
  const once = <A>(
    prepare: (sql: string) => StatementSync,
    sql: string,
    params: ReadonlyArray<unknown>,
    options: { readonly asArrays: boolean; readonly asBigInts: boolean },
    use: (statement: StatementSync, params: ReadonlyArray<SQLInputValue>) => A
  ): A => {
    const statement = prepare(sql)
    // Always set, because a cached statement remembers how it was used last.
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

  // With setReturnArrays, rows are arrays, which the types of Node do not know.
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
    // All rows are read first: a statement that is left half read would keep the whole log from being written back.
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

// Not when this module is loaded: then users of other databases would see Node 22's warning, too.
const load = Effect.tryPromise({
  try: () => import("node:sqlite"),
  catch: () => unusable("ERR_UNKNOWN_BUILTIN_MODULE", "this runtime has no node:sqlite: use Node 22.19 or later")
})

const unusable = (code: string, message: string): SqlError =>
  new SqlError({
    reason: new ConnectionError({ cause: new SqliteFailure(code, message), message, operation: "open" })
  })

/**
 * Opens a database, which is closed with the scope. Closing the last connection writes everything from the log back
 * into the file.
 *
 * Fails with an `SqlError` when the file is not a database, is damaged, cannot be written, stays locked for longer than
 * `busyTimeout`, or is where a write-ahead log cannot be. A file that is not usable is left as it is.
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

  // Reads before it writes: SQLite opens any file, and says only now whether it is a database.
  yield* execute("SELECT count(*) FROM sqlite_schema")
  for (const pragma of pragmas) yield* execute(pragma)
  const [journal] = yield* connection.executeValuesUnprepared("PRAGMA journal_mode = WAL", [])
  if (journal?.[0] !== "wal" && journal?.[0] !== "memory") {
    return yield* unusable("ERR_NO_WAL", "a write-ahead log is not possible here: use a local disk")
  }
  // What may only be read is found out now, and not when the first token is to be stored.
  // BEGIN IMMEDIATE alone would not do: it only reads a file that cannot be written.
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
    // DEFERRED would take the write lock in the middle of the transaction, when it is too late to wait for it.
    beginTransaction: "BEGIN IMMEDIATE",
    releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`,
    prepareTransactionControls: true,
    spanAttributes: [["db.system.name", "sqlite"]]
  })
})

/**
 * An `SqlClient` over a file of your choice, whose permissions are yours to see to. `layerDefault` sees to them.
 *
 * A statement that another process kept waiting for `busyTimeout` fails with `LockTimeoutError`. An integer that is too
 * large for a JavaScript number is an error, unless `SqlClient.SafeIntegers` is set, which makes all integers bigints.
 * Parameters are null, numbers, bigints, strings and bytes. Of several statements in one text, only the first is run. No
 * error holds a parameter or a statement.
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
 * As `Options`, for the file in the data directory.
 *
 * @since 0.1.0
 */
export interface DefaultOptions extends DataDirectory.Options {
  /** How long a statement waits for another process that is writing. In milliseconds, or a duration. Default: 5 seconds. */
  readonly busyTimeout?: Duration.Input | undefined
}

// What the operator has to change. Trying again later, as for every other problem, would not help.
const faults: { readonly [code: string]: string } = {
  SQLITE_NOTADB: "is not an SQLite database. It was left as it is: move it away, or set another path",
  SQLITE_CORRUPT:
    "is damaged. It was left as it is: bring back a copy, or move it away, after which users have to connect again",
  SQLITE_READONLY: "cannot be written. Let this user write to it and to its folder, or set another path",
  SQLITE_CANTOPEN: "cannot be opened. Let this user write to it and to its folder, or set another path",
  SQLITE_PERM: "cannot be opened. Let this user write to it and to its folder, or set another path",
  ERR_NO_WAL:
    "is where a write-ahead log is not possible, on a network file system for example. Set a path on a local disk",
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
 * An `SqlClient` over the embedded default: a file in the user's data directory that nobody else can read, see
 * `DataDirectory.database`.
 *
 * Fails with `InvalidConfig` when the folder or the file is not as it must be, and says what to do; and with `StoreFailed`
 * when trying again may help, because another process keeps it locked for example.
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
