/** An `SqlError` of any database in a few words that hold no value, no statement and no secret. */
import * as Predicate from "effect/Predicate"
import type { SqlError, SqlErrorReason } from "effect/sql/SqlError"

const problems: { readonly [tag in SqlErrorReason["_tag"]]: string } = {
  ConnectionError: "there is no connection to the database",
  AuthenticationError: "the database refused the credentials",
  AuthorizationError: "the database does not allow this to its user",
  SqlSyntaxError: "the database did not understand the statement; its tables may be of another version",
  UniqueViolation: "there is such a row already",
  ConstraintError: "a constraint of the database was violated",
  DeadlockError: "another transaction was waiting for this one",
  SerializationError: "another transaction changed the same rows",
  LockTimeoutError: "the database was locked for too long",
  StatementTimeoutError: "the database took too long",
  UnknownError: "the database failed"
}

// SQLSTATE (42P01), SQLite's (SQLITE_FULL), Node's (ECONNREFUSED, ERR_OUT_OF_RANGE). Whatever else is there may be a text with a value in it.
const isCode = (u: unknown): u is string => typeof u === "string" && /^[A-Z0-9_]{3,40}$/.test(u)

// Drivers wrap errors: the code is on the first that has one.
const codeOf = (cause: unknown, depth = 0): string | undefined =>
  depth > 3
    ? undefined
    : Predicate.hasProperty(cause, "code") && isCode(cause.code)
      ? cause.code
      : Predicate.hasProperty(cause, "cause")
        ? codeOf(cause.cause, depth + 1)
        : undefined

/** For the `problem` of a `StoreFailed`: what went wrong, and the database's code for it. Never the database's own text. */
export const problemOf = (error: SqlError): string => {
  const code = codeOf(error.reason.cause)
  return code === undefined ? problems[error.reason._tag] : `${problems[error.reason._tag]} (${code})`
}
