/** Finds the records of a database that need a key, for key replacement. Encrypted texts begin with `zwa1.`, the key's id, and a dot. */
import * as AttemptStore from "@zapier-workflow-auth/core/store/AttemptStore"
import type { Key } from "@zapier-workflow-auth/core/store/GrantStore"
import { StoreFailed } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { problemOf } from "./sqlProblem.ts"
import { escape, unescape } from "@zapier-workflow-auth/core/store/KeyText"

const failed = (operation: string) => (error: SqlError) =>
  new StoreFailed({ store: "database", operation, problem: problemOf(error) })

/** The client applications that have grants. Each is found from the previous one by an index. */
export const clientIds: Effect.Effect<ReadonlyArray<string>, StoreFailed, SqlClient> = Effect.gen(function* () {
  const sql = yield* SqlClient
  const found: Array<string> = []
  let after: string | undefined
  while (true) {
    // Includes an empty id: this library never writes one, but a planted one must show.
    const next = after === undefined ? sql`true` : sql`client_id > ${after}`
    const [row] = yield* sql<{ readonly client_id: string }>`
      SELECT client_id FROM zapier_grants WHERE ${next} ORDER BY client_id LIMIT 1
    `
    if (row === undefined) return found
    found.push(unescape(row.client_id))
    after = row.client_id
  }
}).pipe(Effect.mapError(failed("list its client applications")))

/** The number of grants of a client application. */
export const countGrants = (clientId: string): Effect.Effect<number, StoreFailed, SqlClient> =>
  SqlClient.use(
    (sql) => sql<{ readonly count: number | bigint | string }>`
      SELECT count(*) AS count FROM zapier_grants WHERE client_id = ${escape(clientId)}
    `
  ).pipe(
    Effect.map(([row]) => Number(row?.count ?? 0)),
    Effect.mapError(failed("count its grants"))
  )

export interface Use {
  /** Some of the grants that need one of the keys. */
  readonly grants: ReadonlyArray<Key>
  /** When the last consent attempt that needs one of them is removed, in milliseconds since the epoch. */
  readonly attemptsUntil: Option.Option<number>
}

/**
 * Finds the records that still need one of the keys. The app's own tokens are ignored: undecryptable ones are requested anew.
 *
 * @param keyIds at least one
 * @param limit the maximum number of grants to list
 */
export const needing = Effect.fnUntraced(
  function* (keyIds: ReadonlyArray<string>, limit: number) {
    const sql = yield* SqlClient
    const now = yield* Clock.currentTimeMillis
    const needs = sql.or(keyIds.map((id) => sql`record LIKE ${`%"zwa1.${id}.%`}`))
    const grants = yield* sql<{ readonly client_id: string; readonly subject: string }>`
      SELECT client_id, subject FROM zapier_grants WHERE ${needs} LIMIT ${limit}
    `
    const [attempts] = yield* sql<{ readonly last: number | null }>`
      SELECT max(expires_at) AS last FROM zapier_consent_attempts
      WHERE expires_at > ${now - AttemptStore.retention} AND ${needs}
    `
    const use: Use = {
      grants: grants.map((row) => ({ clientId: unescape(row.client_id), subject: unescape(row.subject) })),
      attemptsUntil: Option.map(Option.fromNullishOr(attempts?.last), (last) => last + AttemptStore.retention)
    }
    return use
  },
  Effect.mapError(failed("find the records that need an older key"))
)
