/**
 * Group commit for SQLite: writes that arrive together share one transaction, and so one `fsync`.
 *
 * Each caller queues its write and takes its turn for the connection. The first one to get it runs all that are queued
 * between `BEGIN IMMEDIATE` and `COMMIT`, in one synchronous call; the others find their result when their turn comes. So
 * no caller continues before its own write is on the disk, and there is no fiber beside the callers that could end before them.
 *
 * SQLite undoes a statement that fails, and its transaction goes on: only the caller of that statement fails. Where an
 * error ends the whole transaction (a full disk for example), the other writes stay queued and run again.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { SqlError } from "effect/sql/SqlError"
import { sqliteError } from "./sqliteError.ts"

interface Options {
  /** Each call of `exec` throws what SQLite says. */
  readonly database: { readonly exec: (sql: string) => void; readonly isTransaction: boolean }
  /** Gives the connection to one effect at a time. */
  readonly inTurn: <A>(effect: Effect.Effect<A, SqlError>) => Effect.Effect<A, SqlError>
  /** Runs an effect again while another process has locked the database. */
  readonly patiently: <A>(effect: Effect.Effect<A, SqlError>) => Effect.Effect<A, SqlError>
  /** Ends a transaction whose `COMMIT` failed. */
  readonly onCommitFailure: Effect.Effect<void, SqlError>
}

interface Write<A = unknown> {
  readonly run: () => A
  exit: Exit.Exit<A, SqlError> | undefined
}

// How many writes share a commit: each blocks the event loop for some 20 µs, beside the `fsync`.
const longestGroup = 128

/** True for a statement that may share a commit: one that changes rows, and nothing else. */
export const isWrite = (sql: string): boolean => /^\s*(?:INSERT|UPDATE|DELETE)\b/i.test(sql)

const attempt = <A>(run: () => A): Exit.Exit<A, SqlError> => {
  try {
    return Exit.succeed(run())
  } catch (thrown) {
    return Exit.fail(sqliteError(thrown, "execute"))
  }
}

/** Runs a write, which is on the disk when the effect succeeds. */
export type GroupCommit = <A>(run: () => A) => Effect.Effect<A, SqlError>

export const make = ({ database, inTurn, onCommitFailure, patiently }: Options): GroupCommit => {
  const queued = new Set<Write>()

  const settle = (write: Write, exit: Exit.Exit<unknown, SqlError>) => {
    write.exit = exit
    queued.delete(write)
  }

  // A transaction has begun, and no other fiber runs before its COMMIT.
  const commitAll = Effect.suspend(() => {
    const done: Array<readonly [Write, Exit.Exit<unknown, SqlError>]> = []
    for (const write of queued) {
      if (done.length === longestGroup) break
      const exit = attempt(write.run)
      if (!database.isTransaction) {
        // It took the transaction along: nothing is written of the others.
        settle(write, exit)
        return Effect.void
      }
      done.push([write, exit])
    }
    const committed = attempt(() => database.exec("COMMIT"))
    for (const [write, exit] of done)
      settle(write, Exit.isSuccess(exit) && Exit.isFailure(committed) ? committed : exit)
    return Exit.isSuccess(committed) ? Effect.void : Effect.ignore(onCommitFailure)
  })

  const begin = patiently(Effect.suspend(() => attempt(() => database.exec("BEGIN IMMEDIATE"))))

  const result = <A>(own: Write<A>): Effect.Effect<A, SqlError> =>
    Effect.suspend(() => {
      if (own.exit !== undefined) return own.exit
      if (queued.size === 1) return patiently(Effect.suspend(() => attempt(own.run)))
      return Effect.andThen(Effect.andThen(begin, commitAll), result(own))
    })

  return <A>(run: () => A) =>
    Effect.suspend(() => {
      const own: Write<A> = { run, exit: undefined }
      queued.add(own)
      const leave = Effect.sync(() => void queued.delete(own))
      // One turn of the event loop, in which others queue their writes.
      const gathered = Effect.suspend(() => own.exit ?? Effect.andThen(Effect.yieldNow, result(own)))
      // It leaves the queue while it has the connection, so that no other caller runs it again; also if it was interrupted before.
      return Effect.ensuring(inTurn(Effect.ensuring(gathered, leave)), leave)
    })
}
