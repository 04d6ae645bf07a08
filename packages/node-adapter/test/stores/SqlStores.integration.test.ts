import { beforeAll, describe, expect, it } from "@effect/vitest"
import { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import * as GrantStoreLaws from "@zapier-workflow-auth/testing/GrantStoreLaws"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { SqlClient } from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import { inspect } from "node:util"
import * as PostgresClient from "../../src/stores/PostgresClient.ts"
import * as SqlStores from "../../src/stores/SqlStores.ts"
import { describeWithPostgres } from "../utils/PostgresSuite.ts"
import { describeAttempts } from "../utils/AttemptSuite.ts"
import { describeLaws } from "../utils/StoreLawSuite.ts"
import * as Suite from "../utils/SqlStoreSuite.ts"

describeWithPostgres("Postgres", (server) => {
  // Virtual time may pass faster than a connection is made, and a busy machine takes its time for a statement.
  const patient = { connectTimeout: "1 day", statementTimeout: "1 hour" } as const

  const client = (options: Partial<PostgresClient.Options> = {}) =>
    Layer.unwrap(Effect.sync(() => PostgresClient.layer({ url: Redacted.make(server().url), ...patient, ...options })))

  describeLaws("Postgres", Layer.provide(SqlStores.layer, client()), 2)

  Suite.describeSqlStores("Postgres", client)

  describeAttempts("Postgres", client)

  describe("Postgres, in a database of another locale", () => {
    const database = "in_another_locale"

    beforeAll(() =>
      Effect.runPromise(
        Effect.gen(function* () {
          const sql = yield* SqlClient
          // It does not order texts by their bytes.
          yield* sql`CREATE DATABASE ${sql(database)} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'`
            .unprepared
        }).pipe(Effect.provide(client()))
      )
    )

    const there = Layer.unwrap(
      Effect.sync(() => {
        const url = new URL(server().url)
        url.pathname = database
        return client({ url: Redacted.make(url.href) })
      })
    )

    const stores = Layer.provideMerge(SqlStores.layer, there)

    for (const { check, name } of GrantStoreLaws.all) it.live(name, () => check(stores, { runs: 2 }))

    it.live("all that is searched for is compared by its bytes", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient
        const otherwise = sql`
          SELECT table_name, column_name FROM information_schema.columns
          WHERE table_name LIKE 'zapier!_%' ESCAPE '!' AND table_name <> 'zapier_migrations' AND data_type = 'text'
            AND column_name <> 'record' AND collation_name IS DISTINCT FROM 'C'
        `
        expect(yield* otherwise).toEqual([])
      }).pipe(Effect.provide(stores))
    )
  })

  describe("a connection", () => {
    const settingsOf = (options: Partial<PostgresClient.Options> = {}) =>
      Effect.gen(function* () {
        const sql = yield* SqlClient
        const [timeout] = yield* sql`SHOW statement_timeout`
        const [name] = yield* sql`SHOW application_name`
        return { ...timeout, ...name }
      }).pipe(
        Effect.provide(
          Layer.unwrap(Effect.sync(() => PostgresClient.layer({ url: Redacted.make(server().url), ...options })))
        )
      )

    it.live("ends a statement after five seconds unless told otherwise, and has a name", () =>
      Effect.gen(function* () {
        expect(yield* settingsOf()).toEqual({ statement_timeout: "5s", application_name: "zapier-workflow-auth" })
        const other = { statementTimeout: "90 seconds", applicationName: "acme" } as const
        expect(yield* settingsOf(other)).toEqual({ statement_timeout: "90s", application_name: "acme" })
        expect(yield* settingsOf({ statementTimeout: 0 })).toMatchObject({ statement_timeout: "1ms" })
        // What the database says holds.
        expect(yield* settingsOf({ statementTimeout: Duration.infinity })).toMatchObject({ statement_timeout: "0" })
      })
    )
  })

  describe("a start", () => {
    const here = (options?: Partial<PostgresClient.Options>) =>
      Layer.provideMerge(SqlStores.layer, client({ maxConnections: 1, ...options }))

    it.live("waits for no lock where the tables are right, and sends one statement over one connection", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient
        const locked = Effect.gen(function* () {
          yield* sql`LOCK TABLE zapier_migrations IN EXCLUSIVE MODE`
          // A start that took the lock would be ended by the server, and fail.
          const starts = Array.from({ length: 20 }, (_, index) => {
            const applicationName = `cold-start-${index}`
            const statementTimeout = index === 0 ? "2 seconds" : "1 hour"
            return Effect.scoped(
              Effect.gen(function* () {
                const services = yield* Layer.build(Layer.fresh(here({ applicationName, statementTimeout })))
                return yield* Effect.provide(
                  SqlClient.use(
                    (own) => own`SELECT count(*) AS n FROM pg_stat_activity
                    WHERE application_name = ${applicationName}`
                  ),
                  services
                )
              })
            )
          })
          return yield* Effect.all(starts, { concurrency: 5 })
        })
        const connections = yield* sql.withTransaction(locked)
        expect(connections.flat().map(({ n }) => Number(n))).toEqual(Array.from({ length: 20 }, () => 1))
      }).pipe(Effect.provide(here({ maxConnections: 2 })))
    )

    it.live("may be of a user who may not make tables, once they are there", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient
        yield* sql`CREATE ROLE app_only LOGIN PASSWORD 'a-password'`.unprepared
        yield* sql`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app_only`.unprepared
        const url = new URL(server().url)
        url.username = "app_only"
        url.password = "a-password"
        const grants = yield* Effect.provide(
          GrantStore.use((store) => store.page({ clientId: "client-of-nobody", limit: 1 })),
          Layer.fresh(Layer.provide(SqlStores.layer, client({ url: Redacted.make(url.href) })))
        )
        expect(grants.entries).toEqual([])
      }).pipe(Effect.provide(here()))
    )
  })

  describe("what may go wrong", () => {
    const stores = (options?: Partial<PostgresClient.Options>) => Layer.provideMerge(SqlStores.layer, client(options))

    const key = (subject: string) => ({ clientId: "client-1", subject })

    const written = Effect.fnUntraced(function* (subject: string) {
      const grants = yield* GrantStore
      yield* grants.compareAndSet(key(subject), Option.none(), Suite.grant(1))
      return Option.map(yield* grants.get(key(subject)), ({ version }) => version)
    })

    it.effect("a server that is restarted fails what is asked meanwhile, and nothing afterwards", () =>
      Effect.gen(function* () {
        const grants = yield* GrantStore
        const version = yield* written("restarted")
        yield* Effect.promise(() => server().stop())
        const error = yield* Effect.flip(grants.get(key("restarted")))
        expect(error).toMatchObject({ _tag: "StoreFailed", store: "grant store" })
        expect(inspect(error, { depth: null })).not.toContain(new URL(server().url).password)
        yield* Effect.promise(() => server().start())
        expect(yield* grants.compareAndSet(key("restarted"), version, Suite.grant(2))).toBe(true)
      }).pipe(Effect.provide(stores()))
    )

    it.effect("connections that are cut are replaced, and no read fails for it", () =>
      Effect.gen(function* () {
        const grants = yield* GrantStore
        const version = yield* written("cut")
        const cut = Effect.flatMap(
          SqlClient,
          (sql) => sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'victim'`
        )
        expect((yield* Effect.provide(cut, client())).length).toBeGreaterThan(0)
        expect(Option.map(yield* grants.get(key("cut")), (found) => found.version)).toEqual(version)
        expect(yield* grants.compareAndSet(key("cut"), version, Suite.grant(2))).toBe(true)
      }).pipe(Effect.provide(stores({ applicationName: "victim", maxConnections: 2 })))
    )

    it.live("a statement that has to wait too long for another is ended", () =>
      Effect.gen(function* () {
        const grants = yield* GrantStore
        const sql = yield* SqlClient
        const version = yield* written("locked")
        const isLocked = yield* Deferred.make<void>()
        const isOver = yield* Deferred.make<void>()
        const holder = yield* sql`SELECT 1 FROM zapier_grants WHERE subject = 'locked' FOR UPDATE`.pipe(
          Effect.andThen(Deferred.succeed(isLocked, undefined)),
          Effect.andThen(Deferred.await(isOver)),
          sql.withTransaction,
          Effect.forkChild
        )
        yield* Deferred.await(isLocked)
        const impatient = GrantStore.use((other) => other.compareAndSet(key("locked"), version, Suite.grant(2)))
        const error = yield* Effect.flip(
          Effect.provide(impatient, Layer.fresh(stores({ statementTimeout: "2 seconds" })))
        )
        expect(error).toMatchObject({
          _tag: "StoreFailed",
          problem: expect.stringContaining("the database took too long")
        })
        yield* Deferred.succeed(isOver, undefined)
        yield* Fiber.join(holder)
        expect(yield* grants.compareAndSet(key("locked"), version, Suite.grant(2))).toBe(true)
      }).pipe(Effect.provide(stores()))
    )

    it.effect("an answer for which there is no room on the disk is kept until there is, and the grant with it", () =>
      Effect.gen(function* () {
        const auth = yield* ZapierAuth
        const sql = yield* SqlClient
        yield* Suite.connect("crowded")
        yield* TestClock.adjust("11 hours")
        yield* sql`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
          AS $$ BEGIN RAISE 'no space left on device' USING ERRCODE = 'disk_full'; END $$`
        yield* sql`CREATE TRIGGER full_disk BEFORE UPDATE ON zapier_grants
          FOR EACH ROW WHEN (OLD.subject = 'crowded' AND OLD.state = 'Refreshing') EXECUTE FUNCTION refuse()`
        const failed = yield* Effect.flip(Suite.whileTimePasses(auth.accessToken("crowded")))
        expect(failed.reason).toMatchObject({ _tag: "StoreFailed", problem: expect.stringContaining("53100") })
        expect(yield* auth.status("crowded")).toMatchObject({ _tag: "Refreshing", generation: 1 })
        yield* sql`DROP FUNCTION refuse CASCADE`
        expect((yield* Suite.whileTimePasses(auth.accessToken("crowded"))).generation).toBe(2)
        const fake = yield* FakeZapier.FakeZapier
        expect((yield* fake.issued).map(({ origin }) => origin._tag)).toEqual(["Code", "RefreshToken"])
      }).pipe(Effect.provide(Layer.suspend(() => Suite.library(client(), Suite.lastingFake()))))
    )

    it.effect("a refresh that the server's restart falls into is stored when it is back", () =>
      Effect.gen(function* () {
        const auth = yield* ZapierAuth
        yield* Suite.connect("patient")
        yield* TestClock.adjust("11 hours")
        const fiber = yield* Effect.forkChild(Suite.whileTimePasses(Effect.exit(auth.accessToken("patient"))))
        yield* Effect.promise(() => server().stop())
        yield* Fiber.join(fiber)
        yield* Effect.promise(() => server().start())
        expect((yield* Suite.whileTimePasses(auth.accessToken("patient"))).generation).toBe(2)
      }).pipe(Effect.provide(Layer.suspend(() => Suite.library(client(), Suite.lastingFake()))))
    )

    it.effect(
      "a server that is not there, or does not know its user, is an error that says so and shows no password",
      () =>
        Effect.gen(function* () {
          const wrong = new URL(server().url)
          wrong.password = "pl4nted"
          const nowhere = new URL(wrong)
          nowhere.port = "1"
          for (const url of [wrong, nowhere]) {
            const build = Layer.build(stores({ url: Redacted.make(url.href) }))
            const error = yield* Effect.flip(Effect.scoped(build))
            expect(error).toMatchObject({ reason: { _tag: "StoreFailed", store: "database" } })
            expect(inspect(error, { depth: null })).not.toContain("pl4nted")
          }
        })
    )
  })
})
