/** Describes an `SqlError` of any database without values, statements or secrets. */
import * as Predicate from "effect/Predicate"
import type { SqlError, SqlErrorReason } from "effect/sql/SqlError"

const problems: { readonly [tag in SqlErrorReason["_tag"]]: string } = {
  ConnectionError: "there is no connection to the database",
  AuthenticationError: "the database refused the credentials",
  AuthorizationError: "the database does not allow this to its user",
  SqlSyntaxError: "the database did not understand the statement; its tables may belong to another version",
  UniqueViolation: "the row already exists",
  ConstraintError: "a constraint of the database was violated",
  DeadlockError: "another transaction was waiting for this one",
  SerializationError: "another transaction changed the same rows",
  LockTimeoutError: "the database was locked for too long",
  StatementTimeoutError: "the database took too long",
  UnknownError: "the database failed"
}

// SQLSTATE (42P01), SQLite's (SQLITE_FULL), Node's (ECONNREFUSED, ERR_OUT_OF_RANGE). Anything else may hold a value.
const isCode = (u: unknown): u is string => typeof u === "string" && /^[A-Z0-9_]{3,40}$/.test(u)

// Drivers wrap errors: use the first code in the chain of causes.
const codeOf = (cause: unknown, depth = 0): string | undefined =>
  depth > 3
    ? undefined
    : Predicate.hasProperty(cause, "code") && isCode(cause.code)
      ? cause.code
      : Predicate.hasProperty(cause, "cause")
        ? codeOf(cause.cause, depth + 1)
        : undefined

/** Describes an error for the `problem` of a `StoreFailed`, with the database's code but without its own text. */
export const problemOf = (error: SqlError): string => {
  const code = codeOf(error.reason.cause)
  return code === undefined ? problems[error.reason._tag] : `${problems[error.reason._tag]} (${code})`
}
