/**
 * A `VersionedStore` in one table. Each operation is one statement: the database lets one of several concurrent writers win,
 * and no lock is held between operations.
 */
import * as RecordCodec from "@zapier-workflow-auth/core/store/RecordCodec"
import type { Versioned, VersionedStore } from "@zapier-workflow-auth/core/store/VersionedStore"
import { StoreFailed } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { problemOf } from "./sqlProblem.ts"
import { escape } from "@zapier-workflow-auth/core/store/KeyText"

/** A row. Some databases return large integers as bigints. */
export interface Row {
  readonly version: number | bigint
  readonly record: string
}

export interface Options<Key, A> {
  readonly sql: SqlClient
  /** The name in errors. */
  readonly store: string
  readonly table: string
  readonly codec: RecordCodec.RecordCodec<A>
  readonly key: (key: Key) => { readonly [column: string]: string }
  /** The searchable columns of a record. */
  readonly derived: (record: A) => { readonly [column: string]: string | number }
}

// After a pause of the process, its connections have often ended. Repeating a read is harmless.
const whenCut = { while: ({ reason }: SqlError) => reason._tag === "ConnectionError", times: 2 }

export const make = <Key, A>({ codec, derived, key, sql, store, table }: Options<Key, A>) => {
  const failed = (operation: string) => (error: SqlError) =>
    new StoreFailed({ store, operation, problem: problemOf(error) })

  const decode = ({ record, version }: Row): Result.Result<Versioned<A>, StoreFailed> => {
    const decoded = Number.isSafeInteger(Number(version)) ? codec.decode(record) : Option.none()
    return Option.match(decoded, {
      onNone: () =>
        Result.fail(new StoreFailed({ store, operation: "read a record", problem: RecordCodec.unreadable })),
      onSome: (value) => Result.succeed({ version: Number(version), value })
    })
  }

  const name = sql(table)

  // A version exceeds all earlier ones of the record, and of removed records with the same key.
  const versions = sql.onDialectOrElse({
    pg: () => ({ first: sql`nextval('zapier_version')`, next: sql`nextval('zapier_version')` }),
    orElse: () => ({ first: sql`(SELECT version + 1 FROM zapier_removed)`, next: sql`version + 1` })
  })

  const is = (columns: { readonly [column: string]: string }) =>
    sql.and(Object.entries(columns).map(([column, value]) => sql`${sql(column)} = ${escape(value)}`))

  const columnsOf = (of: Key, value: A) =>
    Object.entries({
      ...Object.fromEntries(Object.entries(key(of)).map(([column, text]) => [column, escape(text)])),
      ...derived(value),
      record: codec.encode(value)
    })

  const insert = (of: Key, value: A) => {
    const columns = columnsOf(of, value)
    const names = sql.csv([...columns.map(([column]) => sql`${sql(column)}`), sql`version`])
    const values = sql.csv([...columns.map(([, part]) => sql`${part}`), versions.first])
    return sql`INSERT INTO ${name} (${names}) VALUES (${values}) ON CONFLICT DO NOTHING RETURNING version`
  }

  const update = (of: Key, expected: number, value: A) => {
    const parts = Object.entries({ ...derived(value), record: codec.encode(value) })
    const changes = sql.csv([
      ...parts.map(([column, part]) => sql`${sql(column)} = ${part}`),
      sql`version = ${versions.next}`
    ])
    return sql`UPDATE ${name} SET ${changes} WHERE ${is(key(of))} AND version = ${expected} RETURNING version`
  }

  const records: VersionedStore<Key, A> = {
    get: (of) =>
      sql<Row>`SELECT version, record FROM ${name} WHERE ${is(key(of))}`.pipe(
        Effect.retry(whenCut),
        Effect.mapError(failed("read a record")),
        Effect.flatMap(([row]) =>
          row === undefined ? Effect.succeedNone : Effect.asSome(Effect.fromResult(decode(row)))
        )
      ),
    compareAndSet: (of, expected, value) =>
      (Option.isNone(expected) ? insert(of, value) : update(of, expected.value, value)).pipe(
        Effect.mapError(failed("write a record")),
        Effect.map((written) => written.length > 0)
      ),
    remove: (of, expected) =>
      sql`DELETE FROM ${name} WHERE ${is(key(of))} AND version = ${expected} RETURNING version`.pipe(
        Effect.mapError(failed("remove a record")),
        Effect.map((removed) => removed.length > 0)
      )
  }

  return { records, decode, failed }
}
