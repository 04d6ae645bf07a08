/**
 * Converts errors of `node:sqlite` to an `SqlError` that may be logged: it keeps SQLite's code and drops all text that may
 * hold a value or part of a statement.
 */
import * as Predicate from "effect/Predicate"
import { classifySqliteError, SqlError } from "effect/sql/SqlError"

/** The cause of an `SqlError` of SQLite. `code` is SQLite's name; `errno` its extended number, if SQLite failed. */
export class SqliteFailure extends Error {
  override readonly name = "SqliteFailure"
  readonly code: string
  readonly errno: number | undefined

  constructor(code: string, message: string, errno?: number) {
    super(message)
    this.code = code
    this.errno = errno
  }
}

// https://www.sqlite.org/rescode.html: the primary result codes, from 1 on.
const names = (
  "ERROR INTERNAL PERM ABORT BUSY LOCKED NOMEM READONLY INTERRUPT IOERR CORRUPT NOTFOUND FULL CANTOPEN PROTOCOL EMPTY " +
  "SCHEMA TOOBIG CONSTRAINT MISMATCH MISUSE NOLFS AUTH FORMAT RANGE NOTADB"
).split(" ")

// The low byte of an extended code is its primary code.
const nameOf = (errno: number) => `SQLITE_${names[(errno & 0xff) - 1] ?? "ERROR"}`

// These messages name only tables and columns. Others quote the statement, or a value.
const harmless = /^(UNIQUE constraint failed|NOT NULL constraint failed|no such table): [\w., ]+$/

// Errors of Node itself. Its own messages are not used, because one of them contains the number that is too large.
const refusals: { readonly [code: string]: string } = {
  ERR_OUT_OF_RANGE: "an integer is too large for a JavaScript number: read it with SqlClient.SafeIntegers",
  ERR_INVALID_ARG_TYPE: "a parameter must be null, a number, a bigint, a string or bytes",
  ERR_INVALID_ARG_VALUE: "there is no statement, or a bigint has more than 64 bits",
  ERR_INVALID_STATE: "the database is closed"
}

const failureOf = (thrown: unknown): SqliteFailure => {
  if (thrown instanceof SqliteFailure) return thrown
  if (Predicate.hasProperty(thrown, "errcode") && typeof thrown.errcode === "number") {
    const message = Predicate.hasProperty(thrown, "message") ? String(thrown.message) : ""
    // errstr is SQLite's fixed text for the code.
    const general = Predicate.hasProperty(thrown, "errstr") ? String(thrown.errstr) : "SQLite failed"
    return new SqliteFailure(nameOf(thrown.errcode), harmless.test(message) ? message : general, thrown.errcode)
  }
  const code = Predicate.hasProperty(thrown, "code") && typeof thrown.code === "string" ? thrown.code : "unknown"
  return new SqliteFailure(code, refusals[code] ?? "node:sqlite failed")
}

/** Makes the error of a failed `operation`, classified by Effect. */
export const sqliteError = (thrown: unknown, operation: string): SqlError => {
  const failure = failureOf(thrown)
  return new SqlError({ reason: classifySqliteError(failure, { message: failure.message, operation }) })
}

/** SQLite's name of the error, if SQLite failed. */
export const sqliteCodeOf = (error: SqlError): string | undefined =>
  error.reason.cause instanceof SqliteFailure ? error.reason.cause.code : undefined
