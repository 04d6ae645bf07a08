/**
 * Removes expired attempts in the background of writes, which neither wait for a sweep nor fail with it.
 *
 * A sweep continues until none is left, in small statements between which others can run. So it keeps up with any rate of
 * writes.
 */
import * as AttemptStore from "@zapier-workflow-auth/core/store/AttemptStore"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type { SqlClient } from "effect/sql/SqlClient"
import { problemOf } from "./sqlProblem.ts"

// How many attempts one statement removes at most.
const batchSize = 500

export interface Sweep {
  /** Requests a sweep, which runs at most once a minute, without waiting for it. */
  readonly ask: Effect.Effect<void>
}

/** Makes the sweep, which ends with the scope. */
export const make = Effect.fnUntraced(function* (sql: SqlClient): Effect.fn.Return<Sweep, never, Scope.Scope> {
  const forgetSome = (until: number) => {
    const expired = sql`
      SELECT state_digest FROM zapier_consent_attempts WHERE expires_at <= ${until}
      ORDER BY expires_at LIMIT ${batchSize}
    `
    const isExpired = sql.onDialectOrElse({
      // Lets concurrent sweeps skip rows that another process is deleting.
      pg: () => sql`state_digest = ANY (ARRAY (${expired} FOR UPDATE SKIP LOCKED))`,
      orElse: () => sql`state_digest IN (${expired})`
    })
    return sql`DELETE FROM zapier_consent_attempts WHERE ${isExpired} RETURNING state_digest`
  }

  const forgetAll = Effect.fnUntraced(function* (until: number) {
    while ((yield* forgetSome(until)).length === batchSize) yield* Effect.yieldNow
  })

  const warn = (problem: string) =>
    Effect.logWarning(`Could not remove expired consent attempts; the next sweep will retry: ${problem}`)

  // On its own fiber, because the writing one may be in a transaction, or be interrupted.
  const due = yield* Queue.sliding<number>(1)
  yield* Queue.take(due).pipe(
    Effect.flatMap((now) => forgetAll(now - AttemptStore.retention)),
    Effect.catch((error) => warn(problemOf(error))),
    Effect.catchDefect(() => warn("the database client threw")),
    Effect.forever,
    Effect.forkScoped
  )

  let askedAt = 0
  const ask = Effect.map(Clock.currentTimeMillis, (now) => {
    if (Math.abs(now - askedAt) < AttemptStore.sweepInterval) return
    askedAt = now
    Queue.offerUnsafe(due, now)
  })
  return { ask }
})
