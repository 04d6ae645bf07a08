/** A store of your own, without Effect, over any database with compare-and-set. This one uses Node's SQLite. */
import { DatabaseSync } from "node:sqlite"
import type * as PromiseStores from "@zapier-workflow-auth/core/store/PromiseStores"

const tables = `
  CREATE TABLE IF NOT EXISTS grants (
    clientId TEXT, subject TEXT, version INTEGER, record TEXT, state TEXT, PRIMARY KEY (clientId, subject)
  );
  CREATE TABLE IF NOT EXISTS attempts (
    key TEXT PRIMARY KEY, version INTEGER, record TEXT, subject TEXT, startedAt INTEGER, expiresAt INTEGER
  );
  CREATE INDEX IF NOT EXISTS attempts_of_subject ON attempts (subject, startedAt);
  CREATE TABLE IF NOT EXISTS appTokens (
    clientId TEXT, scopes TEXT, version INTEGER, record TEXT, PRIMARY KEY (clientId, scopes)
  );
  CREATE TABLE IF NOT EXISTS lastVersion (value INTEGER);
  INSERT INTO lastVersion SELECT 0 WHERE NOT EXISTS (SELECT * FROM lastVersion);
`

type Columns = { readonly [column: string]: string | number }

export const open = (file: string): PromiseStores.Stores => {
  const db = new DatabaseSync(file, { timeout: 5000 })
  db.exec(tables)

  // Never the same version twice, even after a removal. In Postgres, use a sequence.
  const nextVersion = () =>
    Number(db.prepare("UPDATE lastVersion SET value = value + 1 RETURNING value").get()?.["value"])

  const rows = <Row>(sql: string, ...values: ReadonlyArray<string | number | null>) =>
    db.prepare(sql).all(...values) as unknown as ReadonlyArray<PromiseStores.Found & Row>

  const is = (columns: Columns) => Object.keys(columns).map((column) => `${column} = ?`)

  /** Each change is one statement, so only one of several writers succeeds. */
  const table = <Key, Row extends { readonly record: string }>(
    name: string,
    keyOf: (key: Key) => Columns
  ): PromiseStores.Table<Key, Row> => ({
    get: async (key) => {
      const where = keyOf(key)
      return rows(`SELECT version, record FROM ${name} WHERE ${is(where).join(" AND ")}`, ...Object.values(where))[0]
    },
    compareAndSet: async (key, expected, row) => {
      const where = keyOf(key)
      const set: Columns = { ...row, version: nextVersion() }
      const all = { ...where, ...set }
      const written =
        expected === undefined
          ? rows(
              `INSERT INTO ${name} (${Object.keys(all).join()}) VALUES (${Object.keys(all).fill("?").join()})
                ON CONFLICT DO NOTHING RETURNING version`,
              ...Object.values(all)
            )
          : rows(
              `UPDATE ${name} SET ${is(set).join()} WHERE ${is(where).join(" AND ")} AND version = ? RETURNING version`,
              ...Object.values(set),
              ...Object.values(where),
              expected
            )
      return written.length === 1
    },
    remove: async (key, expected) => {
      const where = { ...keyOf(key), version: expected }
      const sql = `DELETE FROM ${name} WHERE ${is(where).join(" AND ")} RETURNING version`
      return rows(sql, ...Object.values(where)).length === 1
    }
  })

  return {
    grants: {
      ...table("grants", ({ clientId, subject }) => ({ clientId, subject })),
      page: async ({ after = null, clientId, limit, prefix = "", state = null }) =>
        rows<{ readonly subject: string }>(
          `SELECT subject, version, record FROM grants WHERE clientId = ? AND substr(subject, 1, length(?)) = ?
            AND (? IS NULL OR state = ?) AND (? IS NULL OR subject > ?) ORDER BY subject LIMIT ?`,
          clientId,
          prefix,
          prefix,
          state,
          state,
          after,
          after,
          limit
        )
    },
    attempts: {
      ...table("attempts", (key) => ({ key })),
      bySubject: async ({ limit, skip, subject }) =>
        rows<{ readonly key: string }>(
          `SELECT key, version, record FROM attempts WHERE subject = ?
            ORDER BY startedAt DESC, version DESC LIMIT ? OFFSET ?`,
          subject,
          limit,
          skip
        )
    },
    appTokens: table("appTokens", ({ clientId, scopes }) => ({ clientId, scopes }))
  }
}
