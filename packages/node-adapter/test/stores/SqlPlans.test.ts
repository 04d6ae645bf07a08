import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { SqlClient } from "effect/sql/SqlClient"
import * as SqliteClient from "../../src/stores/SqliteClient.ts"
import * as SqlStores from "../../src/stores/SqlStores.ts"
import { type Operation, operations, pages, sentBy } from "../utils/QueryPlans.ts"

const stores = Layer.provideMerge(SqlStores.layer, SqliteClient.layer({ filename: ":memory:" }))

/** What SQLite would do for each statement. https://www.sqlite.org/eqp.html */
const plansOf = Effect.fnUntraced(function* (use: Operation) {
  const sql = yield* SqlClient
  const sent = yield* sentBy(use)
  return yield* Effect.forEach(sent, ({ parameters, text }) =>
    Effect.map(sql.unsafe<{ readonly detail: string }>(`EXPLAIN QUERY PLAN ${text}`, parameters), (steps) => ({
      text,
      // Of removals one row is kept, for the versions.
      steps: steps.map(({ detail }) => detail).filter((detail) => detail !== "SCAN zapier_removed")
    }))
  )
})

const search = /^SEARCH zapier_\w+ USING (COVERING )?INDEX \w+ \(.+\)$/

describe("SQLite's plans", () => {
  it.effect.each(Object.entries(operations))("%s finds by an index", ([, operation]) =>
    Effect.gen(function* () {
      const plans = yield* plansOf(operation)
      expect(plans.length).toBeGreaterThan(0)
      for (const { steps } of plans) {
        expect(steps).toContainEqual(expect.stringMatching(search))
        for (const step of steps) expect(step).toMatch(/^SEARCH |^LIST SUBQUERY/)
      }
    }).pipe(Effect.provide(stores))
  )

  it.effect.each(Object.entries(pages))("a page %s is one search, in order", ([, page]) =>
    Effect.gen(function* () {
      const [plan] = yield* plansOf(page)
      // No step sorts.
      expect(plan?.steps).toEqual([expect.stringMatching(search)])
      const step = plan?.steps[0] ?? ""
      const text = plan?.text ?? ""
      expect(step).toContain("client_id=?")
      // What is not in the search would be read and thrown away.
      expect(step.includes("state=?")).toBe(text.includes("state = "))
      expect(step.includes("subject>?")).toBe(text.includes("subject >"))
      expect(step.includes("subject<?")).toBe(text.includes("subject <"))
    }).pipe(Effect.provide(stores))
  )

  it.effect("a page of a prefix begins where the page before has ended", () =>
    Effect.gen(function* () {
      const [sent] = yield* sentBy(pages["of a prefix, after another"])
      // Of two lower bounds SQLite searches by the first, and the others only filter what was read.
      expect(sent?.text).toMatch(/subject > \?.*subject >= \?/)
    }).pipe(Effect.provide(stores))
  )
})
