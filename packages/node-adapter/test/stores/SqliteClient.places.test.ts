/** Where a database may be, and what is said of places that are not fit. */
import * as NodeFs from "node:fs"
import { tmpdir } from "node:os"
import * as NodePath from "node:path"
import { DatabaseSync } from "node:sqlite"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import * as SqliteClient from "../../src/stores/SqliteClient.ts"
import { withFolder, keys, codeOf, another, building } from "../utils/Sqlite.ts"

const isRoot = process.geteuid?.() === 0

const onWindows = process.platform === "win32"

const stranger = 65534

/** Files that look like a database, and are none. */
const unusable = (() => {
  const folder = NodeFs.mkdtempSync(NodePath.join(tmpdir(), "zapier-sqlite-"))
  const filename = NodePath.join(folder, "db.sqlite")
  const database = new DatabaseSync(filename)
  database.exec("CREATE TABLE t (k TEXT PRIMARY KEY, v); INSERT INTO t VALUES ('a', zeroblob(20000))")
  database.close()
  const whole = new Uint8Array(NodeFs.readFileSync(filename))
  NodeFs.rmSync(folder, { recursive: true })
  const damaged = (at: number, ...bytes: ReadonlyArray<number>) => {
    const copy = whole.slice()
    copy.set(bytes, at)
    return copy
  }
  return {
    whole,
    // https://www.sqlite.org/fileformat.html#the_database_header
    newer: damaged(18, 3),
    broken: [
      ["a text", new TextEncoder().encode("hello, I am no database\n".repeat(100)), "is not an SQLite database"],
      ["a damaged header", damaged(0, 0x58), "is not an SQLite database"],
      ["the first bytes of a database", whole.slice(0, 50), "is damaged"],
      ["half a database", whole.slice(0, whole.length / 2), "is damaged"],
      ["a database without its last page", whole.slice(0, -4096), "is damaged"],
      [
        "a database whose list of tables is overwritten",
        damaged(100, ...Array.from({ length: 3000 }, () => 0xff)),
        "is damaged"
      ]
    ] as const
  }
})()

describe("SqliteClient.layerDefault", () => {
  const prepared = (folder: string, content: Uint8Array) => {
    const path = NodePath.join(folder, "auth.sqlite")
    NodeFs.writeFileSync(path, content, { mode: 0o600 })
    return path
  }

  it.effect("opens the file in the folder it is told", () =>
    withFolder((directory) =>
      Effect.gen(function* () {
        prepared(directory, unusable.whole)
        expect(yield* Effect.provide(keys, SqliteClient.layerDefault({ directory }))).toEqual(["a"])
      })
    )
  )

  it.effect.skipIf(onWindows)(
    "keeps the file and what SQLite writes beside it from others, whatever the umask is",
    () =>
      withFolder((folder) =>
        Effect.gen(function* () {
          const umask = process.umask(0)
          yield* Effect.addFinalizer(() => Effect.sync(() => process.umask(umask)))
          const directory = NodePath.join(folder, "data")
          yield* Effect.gen(function* () {
            const sql = yield* SqlClient.SqlClient
            yield* sql`CREATE TABLE t (k)`
            const modes = ["", "/auth.sqlite", "/auth.sqlite-wal", "/auth.sqlite-shm"].map((path) =>
              (NodeFs.statSync(directory + path).mode & 0o777).toString(8)
            )
            expect(modes).toEqual(["700", "600", "600", "600"])
          }).pipe(Effect.provide(SqliteClient.layerDefault({ directory })))
        })
      )
  )

  it.effect("fails with what DataDirectory has to say", () =>
    withFolder((directory) =>
      Effect.gen(function* () {
        const error = yield* building(SqliteClient.layerDefault({ directory, name: "a/b" }))
        expect(error.message).toContain("not a file name")
      })
    )
  )

  it.effect.each(unusable.broken)("refuses %s, and leaves it as it is", ([, content, expected]) =>
    withFolder((directory) =>
      Effect.gen(function* () {
        const path = prepared(directory, content)
        const error = yield* building(SqliteClient.layerDefault({ directory }))
        expect(error.reason._tag).toBe("InvalidConfig")
        expect(error.isRetryable).toBe(false)
        expect(error.message).toContain(`${path} ${expected}. It was not changed`)
        expect(Buffer.compare(NodeFs.readFileSync(path), content)).toBe(0)
        expect(NodeFs.readdirSync(directory)).toEqual(["auth.sqlite"])
      })
    )
  )

  // SQLite only reads a file of a newer format. So it does a file of a disk that may only be read.
  it.effect("refuses a file that may only be read", () =>
    withFolder((directory) =>
      Effect.gen(function* () {
        const path = prepared(directory, unusable.newer)
        const error = yield* building(SqliteClient.layerDefault({ directory }))
        expect(error.reason._tag).toBe("InvalidConfig")
        expect(error.message).toContain(`${path} cannot be written`)
        expect(Buffer.compare(NodeFs.readFileSync(path), unusable.newer)).toBe(0)
      })
    )
  )

  it.effect("says that trying again may help when another process keeps the file locked", () =>
    withFolder((directory) =>
      Effect.gen(function* () {
        const path = prepared(directory, unusable.whole)
        const other = yield* another(path)
        other.exec("BEGIN EXCLUSIVE")
        const error = yield* building(SqliteClient.layerDefault({ directory, busyTimeout: 0 }))
        expect(error.reason._tag).toBe("StoreFailed")
        expect(error.message).toBe(
          "The embedded database could not open: the database was locked for too long (SQLITE_BUSY). Check the store, then try again."
        )
        other.exec("COMMIT")
        expect(yield* Effect.provide(keys, SqliteClient.layerDefault({ directory }))).toEqual(["a"])
      })
    )
  )
})

describe("SqliteClient.layer, places that are not fit", () => {
  it.effect("refuses a file where no write-ahead log is possible", () =>
    Effect.gen(function* () {
      // SQLite's name for a temporary file of its own.
      expect(codeOf(yield* building(SqliteClient.layer({ filename: "" })))).toBe("ERR_NO_WAL")
    })
  )

  it.effect("refuses a folder, and a folder that does not exist", () =>
    withFolder((folder) =>
      Effect.gen(function* () {
        for (const filename of [folder, NodePath.join(folder, "none", "db")]) {
          const error = yield* building(SqliteClient.layer({ filename }))
          expect(error.reason._tag).toBe("ConnectionError")
          expect(codeOf(error)).toBe("SQLITE_CANTOPEN")
        }
      })
    )
  )

  // Mode bits do not stop root, so root becomes somebody else for a while.
  it.effect.skipIf(onWindows)("refuses a file, and a folder, that may only be read", () =>
    withFolder((folder) =>
      Effect.gen(function* () {
        const filename = NodePath.join(folder, "db.sqlite")
        yield* Effect.scoped(Layer.build(SqliteClient.layer({ filename })))
        if (isRoot) {
          NodeFs.chownSync(folder, stranger, stranger)
          NodeFs.chownSync(filename, stranger, stranger)
          process.seteuid?.(stranger)
          yield* Effect.addFinalizer(() => Effect.sync(() => process.seteuid?.(0)))
        }
        NodeFs.chmodSync(filename, 0o400)
        const open = building(Layer.fresh(SqliteClient.layer({ filename })))
        expect(codeOf(yield* open)).toBe("SQLITE_READONLY")
        NodeFs.chmodSync(filename, 0o600)
        // There a log cannot be made.
        for (const beside of ["-wal", "-shm"]) NodeFs.rmSync(filename + beside, { force: true })
        NodeFs.chmodSync(folder, 0o500)
        yield* Effect.addFinalizer(() => Effect.sync(() => NodeFs.chmodSync(folder, 0o700)))
        expect(codeOf(yield* open)).toBe("SQLITE_READONLY")
      }).pipe(Effect.scoped)
    )
  )
})
