import { afterAll, describe, expect, it } from "@effect/vitest"
import { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { SqlClient } from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as SqliteClient from "../../src/stores/SqliteClient.ts"
import * as SqlStores from "../../src/stores/SqlStores.ts"
import { describeAttempts } from "../utils/AttemptSuite.ts"
import { describeLaws } from "../utils/StoreLawSuite.ts"
import * as Suite from "../utils/SqlStoreSuite.ts"

const folder = mkdtempSync(join(tmpdir(), "zapier-sql-stores-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const fileOf = (name: string) => () => SqliteClient.layer({ filename: join(folder, name), busyTimeout: "1 minute" })

describeLaws("SQLite", Layer.provide(SqlStores.layer, fileOf("laws.sqlite")()), 2)

Suite.describeSqlStores("SQLite", fileOf("suite.sqlite"))

describeAttempts("SQLite", fileOf("attempts.sqlite"))

describe("SQLite: what may go wrong", () => {
  it.effect("a locked file fails writes, not reads, and loses nothing", () =>
    Effect.gen(function* () {
      const other = yield* Layer.build(fileOf("locked.sqlite")())
      const grants = yield* GrantStore
      const key = { clientId: "client-1", subject: "ada" }
      yield* grants.compareAndSet(key, Option.none(), Suite.grant(1))
      const version = Option.map(yield* grants.get(key), (record) => record.version)
      const write = grants.compareAndSet(key, version, Suite.grant(2))
      const holder = yield* Effect.provide(SqlClient, Layer.succeedContext(other))
      yield* holder.withTransaction(
        Effect.gen(function* () {
          yield* holder`UPDATE zapier_grants SET state = state`
          const error = yield* Effect.flip(Suite.whileTimePasses(write))
          expect(error).toMatchObject({ _tag: "StoreFailed", problem: expect.stringContaining("SQLITE_BUSY") })
          expect(Option.isSome(yield* grants.get(key))).toBe(true)
        })
      )
      expect(yield* write).toBe(true)
    }).pipe(Effect.scoped, Effect.provide(Layer.provide(SqlStores.layer, fileOf("locked.sqlite")())))
  )

  it.effect("an answer for which there is no room on the disk is kept until there is, and the grant with it", () =>
    Effect.gen(function* () {
      const auth = yield* ZapierAuth
      const sql = yield* SqlClient
      yield* Suite.connect("ada")
      yield* TestClock.adjust("11 hours")
      // The claim has been written; then the disk is full.
      yield* sql`CREATE TRIGGER full_disk BEFORE UPDATE ON zapier_grants WHEN OLD.state = 'Refreshing'
        BEGIN SELECT RAISE(FAIL, 'full'); END`
      const failed = yield* Effect.flip(Suite.whileTimePasses(auth.accessToken("ada")))
      expect(failed.reason._tag).toBe("StoreFailed")
      expect(yield* auth.status("ada")).toMatchObject({ _tag: "Refreshing", generation: 1 })
      yield* sql`DROP TRIGGER full_disk`
      expect((yield* Suite.whileTimePasses(auth.accessToken("ada"))).generation).toBe(2)
      const fake = yield* FakeZapier.FakeZapier
      expect((yield* fake.issued).map(({ origin }) => origin._tag)).toEqual(["Code", "RefreshToken"])
    }).pipe(Effect.provide(Suite.library(fileOf("full.sqlite")(), Suite.lastingFake())))
  )

  it.effect("a full database fails what needs room, and nothing that was there is lost", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient
      const grants = yield* GrantStore
      const keyOf = (index: number) => ({ clientId: "client-1", subject: `user-${index}` })
      const [pages] = yield* sql<{ page_count: number }>`PRAGMA page_count`
      yield* sql.unsafe(`PRAGMA max_page_count = ${(pages?.page_count ?? 0) + 4}`)
      let written = 0
      const fill = Effect.suspend(() => grants.compareAndSet(keyOf(written), Option.none(), Suite.grant(1))).pipe(
        Effect.tap(() => Effect.sync(() => written++)),
        Effect.forever
      )
      const error = yield* Effect.flip(fill)
      expect(error).toMatchObject({ _tag: "StoreFailed", problem: expect.stringContaining("SQLITE_FULL") })
      expect(written).toBeGreaterThan(0)
      expect((yield* grants.page({ clientId: "client-1", limit: 1_000 })).entries).toHaveLength(written)
      yield* sql.unsafe("PRAGMA max_page_count = 100000")
      expect(yield* grants.compareAndSet(keyOf(written), Option.none(), Suite.grant(1))).toBe(true)
    }).pipe(Effect.provide(Layer.provideMerge(SqlStores.layer, fileOf("small.sqlite")())))
  )
})
