/**
 * The migrations, a list that only grows: a released migration is never changed, and each must leave the tables usable for
 * processes of the previous release, which may still be running.
 */
import * as Effect from "effect/Effect"
import * as Migrator from "effect/sql/Migrator"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"

type Migration = Effect.Effect<void, SqlError, SqlClient.SqlClient>

const tables = ["zapier_grants", "zapier_consent_attempts", "zapier_app_credentials"] as const

const all = (statements: ReadonlyArray<string>): Migration =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.forEach(statements, (statement) => sql.unsafe(statement).unprepared, { discard: true })
  )

// Keys are compared by bytes: a collation might consider two of them equal.
const sqlite: Migration = all([
  `CREATE TABLE zapier_grants (
    client_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    version INTEGER NOT NULL,
    state TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (client_id, subject)
  ) STRICT`,
  "CREATE INDEX zapier_grants_by_state ON zapier_grants (client_id, state, subject)",
  `CREATE TABLE zapier_consent_attempts (
    state_digest TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    expires_at REAL NOT NULL,
    record TEXT NOT NULL
  ) STRICT`,
  "CREATE INDEX zapier_consent_attempts_by_end ON zapier_consent_attempts (expires_at)",
  `CREATE TABLE zapier_app_credentials (
    client_id TEXT NOT NULL,
    scopes TEXT NOT NULL,
    version INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (client_id, scopes)
  ) STRICT`,
  // The highest removed version. A new record begins above it, so that no version is used twice.
  "CREATE TABLE zapier_removed (version INTEGER NOT NULL) STRICT",
  "INSERT INTO zapier_removed (version) VALUES (0)",
  ...tables.map(
    (table) =>
      `CREATE TRIGGER ${table}_removed AFTER DELETE ON ${table} BEGIN
        UPDATE zapier_removed SET version = max(version, OLD.version);
      END`
  )
])

const postgres: Migration = all([
  `CREATE TABLE zapier_grants (
    client_id text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    state text COLLATE "C" NOT NULL,
    record text NOT NULL,
    PRIMARY KEY (client_id, subject)
  )`,
  "CREATE INDEX zapier_grants_by_state ON zapier_grants (client_id, state, subject)",
  `CREATE TABLE zapier_consent_attempts (
    state_digest text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    expires_at double precision NOT NULL,
    record text NOT NULL
  )`,
  "CREATE INDEX zapier_consent_attempts_by_end ON zapier_consent_attempts (expires_at)",
  `CREATE TABLE zapier_app_credentials (
    client_id text COLLATE "C" NOT NULL,
    scopes text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    record text NOT NULL,
    PRIMARY KEY (client_id, scopes)
  )`,
  // One sequence for all records, so that no version is used twice, even by concurrent writers.
  "CREATE SEQUENCE zapier_version"
])

// Attempts of the previous release have no subject. They are not counted, and are removed within an hour of expiry.
const attemptsBySubject = (text: string, real: string): Migration =>
  all([
    `ALTER TABLE zapier_consent_attempts ADD COLUMN subject ${text}`,
    `ALTER TABLE zapier_consent_attempts ADD COLUMN started_at ${real}`,
    "CREATE INDEX zapier_consent_attempts_by_subject ON zapier_consent_attempts (subject, started_at)"
  ])

const byDialect = (dialects: { readonly sqlite: Migration; readonly postgres: Migration }): Migration =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.onDialectOrElse({
      sqlite: () => dialects.sqlite,
      pg: () => dialects.postgres,
      orElse: () => Effect.die(new Error("only SQLite and Postgres are supported"))
    })
  )

const migrations = {
  "1_tables": byDialect({ sqlite, postgres }),
  "2_attempts_by_subject": byDialect({
    sqlite: attemptsBySubject("TEXT", "REAL"),
    postgres: attemptsBySubject('text COLLATE "C"', "double precision")
  })
}

const table = "zapier_migrations"

const newest = Math.max(...Object.keys(migrations).map((name) => Number.parseInt(name, 10)))

const isAboutTables = ({ reason }: SqlError) => reason._tag === "SqlSyntaxError" || reason._tag === "UnknownError"

/** The last migration of the tables, read by one statement without a lock. 0 if there are no tables. */
const latest: Effect.Effect<number, SqlError, SqlClient.SqlClient> = SqlClient.SqlClient.use(
  (sql) => sql<{ readonly id: number | null }>`SELECT max(migration_id) AS id FROM ${sql(table)}`
).pipe(
  Effect.map(([row]) => row?.id ?? 0),
  Effect.catchIf(isAboutTables, () => Effect.succeed(0))
)

/** True if the library's tables exist, of any release. */
export const areThere = Effect.map(latest, (id) => id > 0)

const migrate = Migrator.make({})({ loader: Migrator.fromRecord(migrations), table })

/**
 * Migrates the tables. Several processes may do so at once: one migrates while the others wait. If the tables are up to date,
 * as at every start but the first, there is no lock and no wait.
 */
export const run = Effect.flatMap(latest, (id) => (id >= newest ? Effect.void : Effect.asVoid(migrate)))
