/** Takes over the tokens that an app has already, row by row, whatever the rows come from. */
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
 * A user's tokens that the app has already.
 *
 * @since 0.1.0
 */
export interface AdoptRow extends Adoption.Row {
  readonly refreshToken: string
  readonly accessToken?: string | null | undefined
}

/**
 * A row that was not adopted, and why: `InvalidConfig`, which names the member that is no use. Holds no token.
 *
 * @since 0.1.0
 */
export interface RefusedRow {
  /** Which row it was; the first is 0. */
  readonly index: number
  /** Its subject, where that is text. */
  readonly subject: string | undefined
  readonly error: Failure.Failure
}

/**
 * What came of the rows.
 *
 * @since 0.1.0
 */
export interface Adopted {
  /** How many users are connected now who were not before. */
  readonly adopted: number
  /** How many have a grant already, which is left as it is. */
  readonly alreadyConnected: number
  /** The rows that are no use, in their order. */
  readonly refused: ReadonlyArray<RefusedRow>
}

// Rows that are written at a time.
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
      operation: "give the next row",
      problem: `it failed with ${errorName(cause) ?? typeof cause}`
    })
  )

const subjectOf = ({ subject }: { readonly subject?: unknown }) => (typeof subject === "string" ? subject : undefined)

// A row of a database may be of a class, whose members throw.
const readRow = (row: unknown) => {
  if (!isRecord(row)) return Result.fail(invalid("row", "give { subject, refreshToken, scopes }"))
  return Result.try({
    try: () => {
      const { accessToken, expiresAt, refreshToken, scopes, subject } = row
      return { accessToken, expiresAt, refreshToken, scopes, subject }
    },
    catch: () => invalid("row", "give plain values: something throws when it is read")
  })
}

const one = Effect.fnUntraced(function* (given: unknown, index: number) {
  const row = readRow(given)
  const outcome = yield* Effect.fromResult(row).pipe(
    // Whatever it has, the core checks.
    Effect.flatMap((row) => Adoption.adopt(row as unknown as Adoption.Row)),
    Effect.result
  )
  if (Result.isSuccess(outcome)) return outcome.success
  const { failure } = outcome
  // What is wrong with one row is not wrong with the next.
  if (failure.reason._tag !== "InvalidConfig") return yield* failure
  return {
    index,
    subject: Result.match(row, { onFailure: () => undefined, onSuccess: subjectOf }),
    error: Failure.ofError(failure)
  }
})

/** Adopts each row. The first failure that is no row's own ends it; those before are adopted. */
export const all = (rows: unknown): Effect.Effect<Adopted, ZapierAuthError, ZapierAuth> => {
  if (!isIterable(rows)) {
    return Effect.fail(invalid("rows", "give a list of { subject, refreshToken, scopes }, or what for await takes"))
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
