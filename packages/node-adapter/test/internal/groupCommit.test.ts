import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Semaphore from "effect/Semaphore"
import type { SqlError } from "effect/sql/SqlError"
import { DatabaseSync } from "node:sqlite"
import * as GroupCommit from "../../src/internal/groupCommit.ts"
import { sqliteError } from "../../src/internal/sqliteError.ts"

// SQLite's own numbers: https://www.sqlite.org/rescode.html
const full = () => Object.assign(new Error("database or disk is full"), { errcode: 13 })
const busy = () => Object.assign(new Error("database is locked"), { errcode: 5 })

/** A database with one table, and every statement that ended or began a transaction. */
const make = Effect.fnUntraced(function* () {
  const sqlite = yield* Effect.acquireRelease(
    Effect.sync(() => new DatabaseSync(":memory:")),
    (database) => Effect.sync(() => database.close())
  )
  sqlite.exec("CREATE TABLE t (id INTEGER PRIMARY KEY)")
  const history: Array<string> = []
  const faults = new Map<string, () => Error>()
  const database = {
    exec: (sql: string) => {
      history.push(sql)
      const fault = faults.get(sql)
      faults.delete(sql)
      if (fault !== undefined) throw fault()
      sqlite.exec(sql)
    },
    get isTransaction() {
      return sqlite.isTransaction
    }
  }
  const semaphore = yield* Semaphore.make(1)
  const write = GroupCommit.make({
    database,
    inTurn: (effect) => semaphore.withPermit(effect),
    // As the client does, without a pause.
    patiently: (effect) =>
      Effect.retry(effect, { while: ({ reason }) => reason._tag === "LockTimeoutError", times: 1 }),
    onCommitFailure: Effect.try({
      try: () => database.exec("ROLLBACK"),
      catch: (thrown) => sqliteError(thrown, "rollback")
    })
  })
  const insert = (id: number, sql = "INSERT INTO t VALUES (?)") => write(() => sqlite.prepare(sql).run(id).changes)
  const ids = () =>
    sqlite
      .prepare("SELECT id FROM t ORDER BY id")
      .all()
      .map(({ id }) => id)
  return { faults, history, ids, insert, semaphore, write }
})

const all = <A>(effects: ReadonlyArray<Effect.Effect<A, SqlError>>) =>
  Effect.forEach(effects, Effect.exit, { concurrency: "unbounded" })

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)

describe("groupCommit", () => {
  it.effect("writes that arrive together share one commit, each with its own result", () =>
    Effect.gen(function* () {
      const { history, ids, insert } = yield* make()
      const exits = yield* all(numbers(50).map((id) => insert(id)))
      expect(exits).toEqual(numbers(50).map(() => Exit.succeed(1)))
      expect(history).toEqual(["BEGIN IMMEDIATE", "COMMIT"])
      expect(ids()).toEqual(numbers(50))
    })
  )

  it.effect("more than fit in one commit take several, and none is lost", () =>
    Effect.gen(function* () {
      const { history, ids, insert } = yield* make()
      const exits = yield* all(numbers(300).map((id) => insert(id)))
      expect(exits.every(Exit.isSuccess)).toBe(true)
      expect(history.filter((sql) => sql === "COMMIT")).toHaveLength(3)
      expect(ids()).toEqual(numbers(300))
    })
  )

  it.effect("one alone needs no transaction", () =>
    Effect.gen(function* () {
      const { history, ids, insert } = yield* make()
      yield* insert(1)
      yield* insert(2)
      expect(history).toEqual([])
      expect(ids()).toEqual([1, 2])
    })
  )

  it.effect("a write that fails fails its caller only", () =>
    Effect.gen(function* () {
      const { ids, insert } = yield* make()
      const exits = yield* all([1, 2, 1, 3].map((id) => insert(id)))
      expect(exits.map(({ _tag }) => _tag)).toEqual(["Success", "Success", "Failure", "Success"])
      expect(ids()).toEqual([1, 2, 3])
    })
  )

  it.effect("an error that ends the transaction fails its caller only, and the others are written", () =>
    Effect.gen(function* () {
      const { history, ids, insert } = yield* make()
      const rollback = "INSERT OR ROLLBACK INTO t VALUES (?)"
      const exits = yield* all([insert(1), insert(2), insert(1, rollback), insert(3)])
      expect(exits.map(({ _tag }) => _tag)).toEqual(["Success", "Success", "Failure", "Success"])
      expect(history.filter((sql) => sql === "COMMIT")).toHaveLength(1)
      expect(ids()).toEqual([1, 2, 3])
    })
  )

  it.effect("nobody is told of success when the commit fails, and later writes work", () =>
    Effect.gen(function* () {
      const { faults, history, ids, insert } = yield* make()
      faults.set("COMMIT", full)
      const exits = yield* all([1, 2].map((id) => insert(id)))
      expect(exits.map(({ _tag }) => _tag)).toEqual(["Failure", "Failure"])
      expect(history).toEqual(["BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"])
      expect(ids()).toEqual([])
      expect((yield* all([1, 2].map((id) => insert(id)))).every(Exit.isSuccess)).toBe(true)
      expect(ids()).toEqual([1, 2])
    })
  )

  it.effect("a locked database is tried again, and fails only who had its turn", () =>
    Effect.gen(function* () {
      const { faults, history, ids, insert } = yield* make()
      faults.set("BEGIN IMMEDIATE", busy)
      expect((yield* all([1, 2].map((id) => insert(id)))).every(Exit.isSuccess)).toBe(true)
      expect(history).toEqual(["BEGIN IMMEDIATE", "BEGIN IMMEDIATE", "COMMIT"])
      // Once more than it is tried.
      faults.set("BEGIN IMMEDIATE", () => {
        faults.set("BEGIN IMMEDIATE", busy)
        return busy()
      })
      const exits = yield* all([3, 4].map((id) => insert(id)))
      expect(exits.map(({ _tag }) => _tag)).toEqual(["Failure", "Success"])
      expect(ids()).toEqual([1, 2, 4])
    })
  )

  it.effect("a write whose caller leaves before its turn is not carried out", () =>
    Effect.gen(function* () {
      const { ids, insert, semaphore } = yield* make()
      yield* semaphore.take(1)
      const staying = yield* Effect.forkChild(all([1, 2].map((id) => insert(id))))
      const leaving = yield* Effect.forkChild(insert(3))
      yield* Effect.yieldNow
      yield* Fiber.interrupt(leaving)
      yield* semaphore.release(1)
      yield* Fiber.join(staying)
      expect(ids()).toEqual([1, 2])
    })
  )

  it.each([
    ["INSERT INTO t VALUES (1)", true],
    ["\n  update t SET id = 1", true],
    ["DELETE FROM t", true],
    ["SELECT 1", false],
    ["PRAGMA journal_mode = WAL", false],
    ["BEGIN IMMEDIATE", false],
    ["VACUUM", false]
  ])("%s: may share a commit: %s", (sql, expected) => {
    expect(GroupCommit.isWrite(sql)).toBe(expected)
  })
})
