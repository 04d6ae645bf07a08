import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { inspect } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { problemOf } from "../../src/internal/sqlProblem.ts"
import * as SqliteClient from "../../src/stores/SqliteClient.ts"
import { withFolder, keys, codeOf, another, building } from "../utils/Sqlite.ts"

const isNode22 = process.versions.node.startsWith("22.")

/** A database in a file of its own, with a table `t` of keys and values. */
const withTable = <A, E, R>(use: (filename: string) => Effect.Effect<A, E, R | SqlClient.SqlClient>) =>
  withFolder((folder) => {
    const filename = NodePath.join(folder, "db.sqlite")
    return Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`CREATE TABLE t (k TEXT PRIMARY KEY, v)`
      return yield* use(filename)
    }).pipe(Effect.provide(SqliteClient.layer({ filename })))
  })

const insert = Effect.fnUntraced(function* (k: string, v: unknown = null) {
  const sql = yield* SqlClient.SqlClient
  return yield* sql`INSERT INTO t (k, v) VALUES (${k}, ${v})`
})

describe("SqliteClient.layer", () => {
  it.effect("has the settings in force that keep what is committed", () =>
    withTable(() =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const found: Record<string, unknown> = {}
        for (const name of ["journal_mode", "synchronous", "fullfsync", "busy_timeout", "trusted_schema"]) {
          found[name] = (yield* sql`PRAGMA ${sql.literal(name)}`.values)[0]?.[0]
        }
        // 2 is FULL. SQLite itself does not wait: it would stop the event loop.
        expect(found).toEqual({ journal_mode: "wal", synchronous: 2, fullfsync: 1, busy_timeout: 0, trusted_schema: 0 })
        expect(sql.onDialectOrElse({ sqlite: () => true, orElse: () => false })).toBe(true)
      })
    )
  )

  it.effect("keeps everything in the file alone after it was closed", () =>
    withFolder((folder) =>
      Effect.gen(function* () {
        const filename = NodePath.join(folder, "db.sqlite")
        const layer = SqliteClient.layer({ filename })
        const write = Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          yield* sql`CREATE TABLE t (k TEXT PRIMARY KEY, v)`
          yield* insert("a")
          expect(NodeFs.readdirSync(folder).sort()).toEqual(["db.sqlite", "db.sqlite-shm", "db.sqlite-wal"])
        })
        yield* Effect.provide(write, layer)
        expect(NodeFs.readdirSync(folder)).toEqual(["db.sqlite"])
        expect(yield* Effect.provide(keys, layer)).toEqual(["a"])
      })
    )
  )

  it.effect("answers with an error after it was closed", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(SqliteClient.layer({ filename: ":memory:" }), scope)
      yield* Scope.close(scope, yield* Effect.exit(Effect.void))
      const error = yield* Effect.flip(Effect.provide(keys, context))
      expect(codeOf(error)).toBe("ERR_INVALID_STATE")
    })
  )

  it.effect("shows what others commit to the same file, and the other way round", () =>
    withTable((filename) =>
      Effect.gen(function* () {
        const other = yield* Layer.build(Layer.fresh(SqliteClient.layer({ filename })))
        yield* insert("mine")
        yield* Effect.provide(insert("theirs"), other)
        expect(yield* keys).toEqual(["mine", "theirs"])
        expect(yield* Effect.provide(keys, other)).toEqual(["mine", "theirs"])
      })
    )
  )
})

describe("SqliteClient.layer, values", () => {
  it.effect.each([
    ["null", null],
    ["an integer", 42],
    ["the largest safe integer", Number.MAX_SAFE_INTEGER],
    ["a fraction", 0.1],
    ["empty text", ""],
    ["quotes", `'"\`; DROP TABLE t --`],
    ["unicode", "Zoë 🦄 \u202E\uFFFD"],
    ["bytes", new Uint8Array([0, 1, 255])],
    ["no bytes", new Uint8Array()]
  ])("gives back %s", ([, value]) =>
    withTable(() =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* insert("a", value)
        expect(yield* sql`SELECT v FROM t`.values).toEqual([[value]])
      })
    )
  )

  // Node 22 reads text only up to the NUL.
  it.effect.skipIf(isNode22)("gives back a text with a NUL", () =>
    withTable(() =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* insert("a\0b", "\0")
        expect(yield* sql`SELECT k, v FROM t`.values).toEqual([["a\0b", "\0"]])
        expect(yield* sql`SELECT k FROM t WHERE k = ${"a"}`).toEqual([])
      })
    )
  )

  it.effect("never rounds an integer", () =>
    withTable(() =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const value = 2n ** 63n - 1n
        yield* insert("a", value)
        const read = sql`SELECT v FROM t`.values
        const error = yield* Effect.flip(read)
        expect(codeOf(error)).toBe("ERR_OUT_OF_RANGE")
        expect(error.message).toContain("SafeIntegers")
        expect(inspect(error, { depth: 9 })).not.toContain(String(value))
        expect(yield* Effect.provideService(read, SqlClient.SafeIntegers, true)).toEqual([[value]])
        // A cached statement does not remember how it was read last.
        yield* sql`UPDATE t SET v = 1`
        expect(yield* read).toEqual([[1]])
        expect(codeOf(yield* Effect.flip(insert("b", 2n ** 63n)))).toBe("ERR_INVALID_ARG_VALUE")
      })
    )
  )

  it.effect.each([
    ["a boolean", true],
    ["a list", []],
    ["an object", { k: "x" }]
  ])("refuses %s instead of guessing what it means", ([, value]) =>
    withTable(() =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        expect(codeOf(yield* Effect.flip(sql`SELECT ${value}, ${1}`))).toBe("ERR_INVALID_ARG_TYPE")
        expect(codeOf(yield* Effect.flip(insert("a", value)))).toBe("ERR_INVALID_ARG_TYPE")
        expect(yield* keys).toEqual([])
      })
    )
  )

  it.effect("gives rows as objects, as arrays, as a stream, and counts as they are", () =>
    withTable(() =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        expect(yield* sql`INSERT INTO t (k, v) VALUES ('a', 1), ('b', 2) RETURNING k`).toEqual([{ k: "a" }, { k: "b" }])
        const rows = sql`SELECT k, v FROM t ORDER BY k`
        const objects = [
          { k: "a", v: 1 },
          { k: "b", v: 2 }
        ]
        const arrays = [
          ["a", 1],
          ["b", 2]
        ]
        // One cached statement, used in turns.
        for (let i = 0; i < 2; i++) {
          expect(yield* rows).toEqual(objects)
          expect(yield* rows.values).toEqual(arrays)
          expect(yield* rows.unprepared).toEqual(objects)
          expect(yield* rows.valuesUnprepared).toEqual(arrays)
          expect(yield* rows.raw).toEqual(objects)
          expect(yield* Stream.runCollect(rows.stream)).toEqual(objects)
        }
        expect(yield* sql`UPDATE t SET v = 3`.raw).toMatchObject({ changes: 2 })
        expect(yield* sql`UPDATE t SET v = 4`).toEqual([])
      })
    )
  )

  it.effect("works with more statements than it keeps", () =>
    withTable(() =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        for (let round = 0; round < 2; round++) {
          for (let i = 0; i < 250; i++) expect(yield* sql`SELECT ${sql.literal(String(i))} AS n`).toEqual([{ n: i }])
        }
      })
    )
  )

  // Node 22 gives the columns that there were when the statement was prepared.
  it.effect.skipIf(isNode22)("gives a column that was added after the statement was used", () =>
    withTable(() =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* insert("a", 1)
        const everything = sql`SELECT * FROM t`
        expect(yield* everything).toEqual([{ k: "a", v: 1 }])
        yield* sql`ALTER TABLE t ADD COLUMN w DEFAULT 7`
        expect(yield* everything).toEqual([{ k: "a", v: 1, w: 7 }])
      })
    )
  )
})

describe("SqliteClient.layer, transactions", () => {
  it.effect("commits what succeeds, and rolls back what fails, dies or is interrupted", () =>
    withTable(() =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql.withTransaction(insert("kept"))
        yield* Effect.exit(sql.withTransaction(Effect.andThen(insert("failed"), Effect.fail("no"))))
        yield* Effect.exit(sql.withTransaction(Effect.andThen(insert("died"), Effect.die("no"))))
        yield* Effect.exit(sql.withTransaction(Effect.andThen(insert("interrupted"), Effect.interrupt)))
        expect(yield* keys).toEqual(["kept"])
      })
    )
  )

  it.effect("rolls back an inner transaction alone", () =>
    withTable(() =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql.withTransaction(
          Effect.gen(function* () {
            yield* insert("outer")
            yield* Effect.exit(sql.withTransaction(Effect.andThen(insert("failed"), Effect.fail("no"))))
            yield* sql.withTransaction(insert("inner"))
          })
        )
        expect(yield* keys).toEqual(["inner", "outer"])
      })
    )
  )

  it.effect("does not mix what fibers do at the same time", () =>
    withTable(() =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* insert("counter", 0)
        const increment = sql.withTransaction(
          Effect.gen(function* () {
            const [row] = yield* sql<{ readonly v: number }>`SELECT v FROM t WHERE k = 'counter'`
            // Gives the others every chance to come in between.
            yield* Effect.yieldNow
            yield* sql`UPDATE t SET v = ${(row?.v ?? 0) + 1} WHERE k = 'counter'`
          })
        )
        yield* Effect.all(
          Array.from({ length: 50 }, () => increment),
          { concurrency: "unbounded" }
        )
        expect(yield* sql`SELECT v FROM t`.values).toEqual([[50]])
      })
    )
  )

  it.effect("lets a statement outside of it wait until it has ended", () =>
    withTable(() =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const begun = yield* Deferred.make<void>()
        const end = yield* Deferred.make<void>()
        const transaction = yield* Effect.forkChild(
          sql.withTransaction(
            Effect.gen(function* () {
              yield* insert("first")
              yield* Deferred.succeed(begun, undefined)
              yield* Deferred.await(end)
              yield* insert("second")
            })
          )
        )
        yield* Deferred.await(begun)
        const outside = yield* Effect.forkChild(keys)
        for (let i = 0; i < 20; i++) yield* Effect.yieldNow
        expect(outside.pollUnsafe()).toBeUndefined()
        yield* Deferred.succeed(end, undefined)
        yield* Fiber.join(transaction)
        expect(yield* Fiber.join(outside)).toEqual(["first", "second"])
      })
    )
  )

  it.effect("counts fibers that are forked inside to it", () =>
    withTable(() =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const inside = Effect.all([insert("a"), insert("b")], { concurrency: "unbounded" })
        yield* Effect.exit(sql.withTransaction(Effect.andThen(inside, Effect.fail("no"))))
        expect(yield* keys).toEqual([])
      })
    )
  )
})

describe("SqliteClient.layer, a file that another process has locked", () => {
  const locked = (filename: string) =>
    Effect.tap(another(filename), (other) => Effect.sync(() => other.exec("BEGIN EXCLUSIVE")))

  it.effect.each([
    ["a statement", insert("a")],
    ["a transaction", Effect.flatMap(SqlClient.SqlClient, (sql) => sql.withTransaction(insert("a")))]
  ] as const)("lets %s wait, then fail, and goes on working", ([, write]) =>
    withTable((filename) =>
      Effect.gen(function* () {
        const other = yield* locked(filename)
        const waiting = yield* Effect.forkChild(Effect.flip(write))
        yield* TestClock.adjust(4999)
        expect(waiting.pollUnsafe()).toBeUndefined()
        yield* TestClock.adjust(1)
        const error = yield* Fiber.join(waiting)
        expect(error.reason._tag).toBe("LockTimeoutError")
        expect(error.isRetryable).toBe(true)
        expect(codeOf(error)).toBe("SQLITE_BUSY")
        other.exec("ROLLBACK")
        yield* write
        expect(yield* keys).toEqual(["a"])
      })
    )
  )

  it.effect("lets it go on as soon as the lock is gone", () =>
    withTable((filename) =>
      Effect.gen(function* () {
        const other = yield* locked(filename)
        const waiting = yield* Effect.forkChild(insert("a"))
        yield* TestClock.adjust(3000)
        other.exec("COMMIT")
        yield* TestClock.adjust(50)
        yield* Fiber.join(waiting)
        expect(yield* keys).toEqual(["a"])
      })
    )
  )

  it.effect("may still be read", () =>
    withTable((filename) =>
      Effect.gen(function* () {
        yield* insert("a")
        yield* locked(filename)
        expect(yield* keys).toEqual(["a"])
      })
    )
  )

  it.effect("is not waited for when told so", () =>
    withTable((filename) =>
      Effect.gen(function* () {
        yield* locked(filename)
        const error = yield* building(Layer.fresh(SqliteClient.layer({ filename, busyTimeout: 0 })))
        expect(error.reason._tag).toBe("LockTimeoutError")
      })
    )
  )

  it.effect("lets several connections write in turn", () =>
    withTable((filename) =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* insert("counter", 0)
        const worker = Effect.gen(function* () {
          const own = yield* SqlClient.SqlClient
          const increment = own.withTransaction(
            Effect.gen(function* () {
              const [row] = yield* own<{ readonly v: number }>`SELECT v FROM t WHERE k = 'counter'`
              yield* Effect.yieldNow
              yield* own`UPDATE t SET v = ${(row?.v ?? 0) + 1} WHERE k = 'counter'`
            })
          )
          for (let i = 0; i < 10; i++) yield* increment
        }).pipe(Effect.provide(Layer.fresh(SqliteClient.layer({ filename }))))
        const workers = yield* Effect.forkChild(Effect.all([worker, worker, worker], { concurrency: "unbounded" }))
        while (workers.pollUnsafe() === undefined) yield* TestClock.adjust(1)
        yield* Fiber.join(workers)
        expect(yield* sql`SELECT v FROM t WHERE k = 'counter'`.values).toEqual([[30]])
      })
    )
  )
})

describe("SqliteClient.layer, a disk that is full", () => {
  it.effect("fails, keeps what was there, and goes on when there is room again", () =>
    withTable(() =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* insert("before")
        const [pages] = yield* sql<{ readonly page_count: number }>`PRAGMA page_count`
        yield* sql`PRAGMA max_page_count = ${sql.literal(String((pages?.page_count ?? 0) + 1))}`
        const large = insert("large", new Uint8Array(100_000))
        expect(codeOf(yield* Effect.flip(large))).toBe("SQLITE_FULL")
        const both = sql.withTransaction(Effect.andThen(insert("small"), large))
        expect(codeOf(yield* Effect.flip(both))).toBe("SQLITE_FULL")
        expect(yield* keys).toEqual(["before"])
        yield* sql`PRAGMA max_page_count = 1000`
        yield* both
        expect(yield* keys).toEqual(["before", "large", "small"])
        expect(yield* sql`PRAGMA integrity_check`.values).toEqual([["ok"]])
      })
    )
  )
})

describe("SqliteClient.layer, errors", () => {
  const secret = "s3cret-t0ken"

  it.effect("hold no parameter and no statement", () =>
    withTable(() =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`CREATE TRIGGER r BEFORE INSERT ON t WHEN NEW.v = 1 BEGIN SELECT RAISE(ABORT, 's3cret-t0ken'); END`
        yield* insert(secret)
        const unsafe = sql.literal(`'${secret}'`)
        const statements = [
          insert(secret),
          insert("a", 1),
          insert(secret, true),
          sql`SELECT ${unsafe} FROM nowhere`,
          sql`SELECT "s3cret-t0ken"`,
          sql`SELECT ${sql.literal(`'${secret}`)}`,
          sql`SELECT json(${secret})`
        ]
        const errors = yield* Effect.forEach(statements, (statement) => Effect.flip(Effect.asVoid(statement)))
        expect(errors.map(codeOf)).toEqual([
          "SQLITE_CONSTRAINT",
          "SQLITE_CONSTRAINT",
          "ERR_INVALID_ARG_TYPE",
          "SQLITE_ERROR",
          "SQLITE_ERROR",
          "SQLITE_ERROR",
          "SQLITE_ERROR"
        ])
        for (const error of errors) {
          expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(secret)
          expect(JSON.stringify(error)).not.toContain(secret)
          expect(problemOf(error)).not.toContain(secret)
        }
        // What helps is kept.
        expect(errors[0]?.message).toBe("UNIQUE constraint failed: t.k")
        expect(errors[3]?.message).toBe("no such table: nowhere")
      })
    )
  )

  it.effect("tell a second row with the same unique value from others", () =>
    withTable(() =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`CREATE UNIQUE INDEX u ON t (v)`
        yield* insert("a", 1)
        const error = yield* Effect.flip(insert("b", 1))
        expect(error.reason).toMatchObject({ _tag: "UniqueViolation", constraint: "t.v" })
        expect(problemOf(error)).toBe("the row already exists (SQLITE_CONSTRAINT)")
      })
    )
  )
})
