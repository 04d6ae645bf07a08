import { describe, expect, it } from "@effect/vitest"
import { LockTimeoutError, SqlError, UnknownError } from "effect/sql/SqlError"
import { problemOf } from "../../src/internal/sqlProblem.ts"

const unknown = (cause: unknown) => new SqlError({ reason: new UnknownError({ cause, message: "s3cret" }) })

describe("problemOf", () => {
  it("says what happened, and the database's code for it", () => {
    const cause = Object.assign(new Error("s3cret"), { code: "55P03" })
    expect(problemOf(new SqlError({ reason: new LockTimeoutError({ cause }) }))).toBe(
      "the database was locked for too long (55P03)"
    )
  })

  it("finds the code in an error that was wrapped", () => {
    const cause = new Error("s3cret", { cause: Object.assign(new Error("s3cret"), { code: "ECONNREFUSED" }) })
    expect(problemOf(unknown(cause))).toBe("the database failed (ECONNREFUSED)")
  })

  it.each([
    undefined,
    null,
    "s3cret",
    new Error("s3cret"),
    { code: "s3cret" },
    { code: 7 },
    { code: "S3CRET WITH SPACES" }
  ])("repeats nothing else of the cause (%o)", (cause) => {
    expect(problemOf(unknown(cause))).toBe("the database failed")
  })

  it("does not follow a cause that is its own", () => {
    const cause: { cause?: unknown } = {}
    cause.cause = cause
    expect(problemOf(unknown(cause))).toBe("the database failed")
  })
})
