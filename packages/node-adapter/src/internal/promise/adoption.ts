/** Takes over an app's existing tokens, row by row, from any iterable. */
import * as Adoption from "@zapier-workflow-auth/core/Adoption"
import type { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import { AppCodeFailed, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { errorName } from "../errorName.ts"
import * as Failure from "./failure.ts"
import { invalid, isRecord } from "./input.ts"

/**
 * A user's existing tokens.
 *
 * @since 0.1.0
 */
export interface AdoptRow extends Adoption.Row {
  readonly refreshToken: string
  readonly accessToken?: string | null | undefined
}

/**
 * A row that was not adopted, with an `InvalidConfig` that names the invalid member. Holds no token.
 *
 * @since 0.1.0
 */
export interface RefusedRow {
  /** The index of the row, from 0. */
  readonly index: number
  /** Its subject, if that is text. */
  readonly subject: string | undefined
  readonly error: Failure.Failure
}

/**
 * The result of `adopt`.
 *
 * @since 0.1.0
 */
export interface Adopted {
  /** The number of newly connected users. */
  readonly adopted: number
  /** The number of users who already had a grant, which is unchanged. */
  readonly alreadyConnected: number
  /** The invalid rows, in order. */
  readonly refused: ReadonlyArray<RefusedRow>
}

// The number of concurrent writes.
const concurrency = 16

const isIterable = (rows: unknown): rows is Iterable<unknown> | AsyncIterable<unknown> =>
  typeof rows === "object" && rows !== null && (Symbol.iterator in rows || Symbol.asyncIterator in rows)

async function* each(rows: Iterable<unknown> | AsyncIterable<unknown>) {
  yield* rows
}

const unreadable = (cause: unknown): ZapierAuthError =>
  ZapierAuthError.make(
    new AppCodeFailed({
      option: "rows",
      operation: "return the next row",
      problem: `it failed with ${errorName(cause) ?? typeof cause}`
    })
  )

const subjectOf = ({ subject }: { readonly subject?: unknown }) => (typeof subject === "string" ? subject : undefined)

// A row may be an instance of a class, whose getters can throw.
const readRow = (row: unknown) => {
  if (!isRecord(row)) return Result.fail(invalid("row", "pass { subject, refreshToken, scopes }"))
  return Result.try({
    try: () => {
      const { accessToken, expiresAt, refreshToken, scopes, subject } = row
      return { accessToken, expiresAt, refreshToken, scopes, subject }
    },
    catch: () => invalid("row", "pass plain values: reading one of them threw an error")
  })
}

const one = Effect.fnUntraced(function* (given: unknown, index: number) {
  const row = readRow(given)
  const outcome = yield* Effect.fromResult(row).pipe(
    // The core validates it.
    Effect.flatMap((row) => Adoption.adopt(row as unknown as Adoption.Row)),
    Effect.result
  )
  if (Result.isSuccess(outcome)) return outcome.success
  const { failure } = outcome
  // Only an invalid row is skipped; other failures concern all rows.
  if (failure.reason._tag !== "InvalidConfig") return yield* failure
  return {
    index,
    subject: Result.match(row, { onFailure: () => undefined, onSuccess: subjectOf }),
    error: Failure.ofError(failure)
  }
})

/** Adopts each row. Ends at the first failure that does not concern a single row; earlier rows are adopted. */
export const all = (rows: unknown): Effect.Effect<Adopted, ZapierAuthError, ZapierAuth> => {
  if (!isIterable(rows)) {
    return Effect.fail(invalid("rows", "pass an iterable or async iterable of { subject, refreshToken, scopes }"))
  }
  return Stream.fromAsyncIterable(each(rows), unreadable).pipe(
    Stream.zipWithIndex,
    Stream.mapEffect(([row, index]) => one(row, index), { concurrency }),
    Stream.runFold(
      (): { adopted: number; alreadyConnected: number; refused: Array<RefusedRow> } => ({
        adopted: 0,
        alreadyConnected: 0,
        refused: []
      }),
      (summary, outcome) => {
        if (outcome === true) summary.adopted++
        else if (outcome === false) summary.alreadyConnected++
        else summary.refused.push(outcome)
        return summary
      }
    )
  )
}
