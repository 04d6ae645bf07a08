import { beforeAll, expect, it } from "@effect/vitest"
import * as RecordCodec from "@zapier-workflow-auth/core/store/RecordCodec"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { SqlClient } from "effect/sql/SqlClient"
import * as PostgresClient from "../../src/stores/PostgresClient.ts"
import * as SqlStores from "../../src/stores/SqlStores.ts"
import { describeWithPostgres } from "../utils/PostgresSuite.ts"
import { clientId, type Operation, operations, pages, sentBy } from "../utils/QueryPlans.ts"
import * as Suite from "../utils/SqlStoreSuite.ts"

describeWithPostgres("Postgres' plans", (server) => {
  // Virtual time may pass faster than a connection is made, and a busy machine takes its time for a statement.
  const patient = { connectTimeout: "1 day", statementTimeout: "1 hour" } as const
  const client = Layer.unwrap(Effect.sync(() => PostgresClient.layer({ url: Redacted.make(server().url), ...patient })))
  const stores = Layer.provideMerge(SqlStores.layer, client)

  // So many that to read all of them costs more than any index; one in a hundred must reconnect.
  const fill = Effect.gen(function* () {
    const sql = yield* SqlClient
    yield* sql`INSERT INTO zapier_grants (client_id, subject, version, state, record)
      SELECT ${clientId}, 'user-' || lpad(i::text, 5, '0'), i,
        CASE WHEN i % 100 = 0 THEN 'ReconnectRequired' ELSE 'Active' END, ${RecordCodec.grant.encode(Suite.grant(1))}
      FROM generate_series(1, 20000) i`
    yield* sql`INSERT INTO zapier_consent_attempts (state_digest, version, expires_at, subject, started_at, record)
      SELECT 'digest-' || i, i, i * 1000, 'user-' || lpad((i % 7000)::text, 5, '0'), i, repeat('x', 500)
      FROM generate_series(1, 20000) i`
    yield* sql`VACUUM (ANALYZE) zapier_grants`
    yield* sql`VACUUM (ANALYZE) zapier_consent_attempts`
  })

  beforeAll(() => Effect.runPromise(Effect.provide(fill, stores)))

  const plansOf = Effect.fnUntraced(function* (use: Operation) {
    const sql = yield* SqlClient
    const sent = yield* sentBy(use)
    return yield* Effect.forEach(sent, ({ parameters, text }) =>
      Effect.map(sql.unsafe<{ readonly "QUERY PLAN": string }>(`EXPLAIN ${text}`, parameters), (lines) => ({
        text,
        lines: lines.map((line) => line["QUERY PLAN"])
      }))
    )
  })

  it.effect.each(Object.entries(operations))("%s finds by an index", ([, operation]) =>
    Effect.gen(function* () {
      const plans = yield* plansOf(operation)
      expect(plans.length).toBeGreaterThan(0)
      for (const { lines } of plans) {
        expect(lines).toContainEqual(expect.stringMatching(/Index (Only )?Scan/))
        expect(lines).not.toContainEqual(expect.stringContaining("Seq Scan"))
      }
    }).pipe(Effect.provide(stores))
  )

  it.effect.each(Object.entries(pages))("a page %s is one search, in order", ([, page]) =>
    Effect.gen(function* () {
      const [plan] = yield* plansOf(page)
      expect(plan?.lines[1]).toContain("Index Scan using")
      // Nothing is sorted, and nothing is read that the index did not find.
      expect(plan?.lines).not.toContainEqual(expect.stringMatching(/Sort|Filter|Seq Scan/))
      const condition = plan?.lines.find((line) => line.includes("Index Cond"))
      expect(condition?.includes("state = ")).toBe(plan?.text.includes("state = "))
    }).pipe(Effect.provide(stores))
  )
})
