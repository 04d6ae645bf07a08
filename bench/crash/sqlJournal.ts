/** A crash test's journal, kept by triggers of the database. */
import { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import * as SqlStores from "@zapier-workflow-auth/node-adapter/stores/SqlStores"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import * as Database from "../database.ts"
import { decodeAll, type Journal, type Row } from "./journal.ts"
import { application, real } from "./settings.ts"

// In the same transaction as the write itself: anything missing here was never committed.
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

/** Runs each statement on its own connection. */
export const make = (database: Database.SqlDatabase): Journal => {
  const connected = Effect.provide(Database.layer(database, { name: "crash-parent" }))
  return {
    install: Effect.flatMap(SqlClient.SqlClient, (sql) =>
      Effect.forEach(statements[database.kind], (statement) => sql.unsafe(statement).unprepared, { discard: true })
    ).pipe(connected, Effect.orDie),
    rows: Effect.flatMap(
      SqlClient.SqlClient,
      (sql) => sql<Row>`SELECT subject, record FROM crash_journal ORDER BY place`
    ).pipe(connected, Effect.orDie),
    settle: (process) =>
      database.kind === "sqlite"
        ? Effect.void
        : Effect.flatMap(SqlClient.SqlClient, (sql) =>
            sql`SELECT 1 FROM pg_stat_activity WHERE application_name = ${process}`.pipe(
              Effect.tap((left) => (left.length > 0 ? Effect.sleep(real(10)) : Effect.void)),
              Effect.repeat({ while: (left) => left.length > 0 })
            )
          ).pipe(connected, Effect.orDie, Effect.asVoid),
    look: (checkFile) =>
      Effect.provide(
        looking(checkFile && database.kind === "sqlite"),
        Layer.provideMerge(SqlStores.layer, Database.layer(database, { name: "crash-look" }))
      )
  }
}
