/**
 * The database of a crash test, seen from outside: a journal of each state of each grant that was ever committed, kept by
 * the database itself, and what a fresh connection finds after a kill.
 */
import { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import * as RecordCodec from "@zapier-workflow-auth/core/store/RecordCodec"
import * as SqlStores from "@zapier-workflow-auth/node-adapter/stores/SqlStores"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as SqlClient from "effect/sql/SqlClient"
import * as Database from "../database.ts"
import type { StoreKind } from "../kinds.ts"
import { application, real } from "./settings.ts"
import type { Written } from "./verdict.ts"

// In the same transaction as the write itself: what is not here was never committed.
const note = "INSERT INTO crash_journal (subject, record) VALUES (NEW.subject, NEW.record)"

const statements = {
  sqlite: [
    "CREATE TABLE crash_journal (place INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT NOT NULL, record TEXT NOT NULL)",
    `CREATE TRIGGER crash_inserted AFTER INSERT ON zapier_grants BEGIN ${note}; END`,
    `CREATE TRIGGER crash_updated AFTER UPDATE ON zapier_grants BEGIN ${note}; END`
  ],
  postgres: [
    "CREATE TABLE crash_journal (place bigserial PRIMARY KEY, subject text NOT NULL, record text NOT NULL)",
    `CREATE FUNCTION crash_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${note}; RETURN NULL; END $$`,
    `CREATE TRIGGER crash_written AFTER INSERT OR UPDATE ON zapier_grants FOR EACH ROW EXECUTE FUNCTION crash_note()`
  ]
} as const

interface Row {
  readonly subject: string
  readonly record: string
}

/** Has the database keep the journal. The tables have to be there. */
export const install = (kind: StoreKind) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.forEach(statements[kind], (statement) => sql.unsafe(statement).unprepared, { discard: true })
  )

/** The records that are whole, and how many are not. */
const decodeAll = (rows: ReadonlyArray<Row>) => {
  const written: Array<Written> = []
  for (const { record, subject } of rows) {
    const grant = RecordCodec.grant.decode(record)
    if (Option.isSome(grant)) written.push({ subject, grant: grant.value })
  }
  return { written, torn: rows.length - written.length }
}

/** All that was committed, in order. */
export const read = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.map(sql<Row>`SELECT subject, record FROM crash_journal ORDER BY place`, decodeAll)
)

/**
 * Postgres carries on with what a dead client has sent: waits until the server has done with it. For SQLite, who is dead
 * writes nothing more.
 */
export const settle = (kind: StoreKind, process: string) =>
  kind === "sqlite"
    ? Effect.void
    : Effect.flatMap(SqlClient.SqlClient, (sql) =>
        sql`SELECT 1 FROM pg_stat_activity WHERE application_name = ${process}`.pipe(
          Effect.tap((left) => (left.length > 0 ? Effect.sleep(real(10)) : Effect.void)),
          Effect.repeat({ while: (left) => left.length > 0 })
        )
      )

const looking = Effect.fnUntraced(function* (checkFile: boolean) {
  const sql = yield* SqlClient.SqlClient
  const grants = yield* GrantStore
  const { torn } = decodeAll(yield* sql<Row>`SELECT subject, record FROM zapier_grants`)
  const lost = yield* grants.page({ clientId: application.clientId, state: "ReconnectRequired", limit: 1_000 })
  const integrity = checkFile
    ? yield* sql<{ readonly integrity_check: string }>`PRAGMA integrity_check`
    : [{ integrity_check: "ok" }]
  return {
    torn,
    lost: lost.entries.map(({ key }) => key.subject),
    damage: integrity.map((row) => row.integrity_check).filter((found) => found !== "ok")
  }
})

/** Opens the store as a new process would, and looks at every grant in it. */
export const look = (database: Database.Database, checkFile: boolean) =>
  Effect.provide(
    looking(checkFile && database.kind === "sqlite"),
    Layer.provideMerge(SqlStores.layer, Database.layer(database, { name: "crash-look" }))
  )
