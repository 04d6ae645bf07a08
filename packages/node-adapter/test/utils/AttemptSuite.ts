/** What holds of consent attempts in a database: how many there are at most, and when they are forgotten. */
import { describe, expect, it } from "@effect/vitest"
import * as AttemptStore from "@zapier-workflow-auth/core/store/AttemptStore"
import type * as ConsentAttempt from "@zapier-workflow-auth/core/machine/ConsentAttempt"
import * as RecordCodec from "@zapier-workflow-auth/core/store/RecordCodec"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { SqlClient } from "effect/sql/SqlClient"
import * as Statement from "effect/sql/Statement"
import * as TestClock from "effect/testing/TestClock"
import { randomUUID } from "node:crypto"
import * as SqlStores from "../../src/stores/SqlStores.ts"
import { type Client, lastingFake, library } from "./SqlStoreSuite.ts"

const { AttemptStore: Attempts, retention, sweepInterval } = AttemptStore

const attempt = (stateDigest: string, expiresAt: number, subject: string = randomUUID()): ConsentAttempt.Stored => ({
  _tag: "Pending",
  stateDigest,
  subject,
  redirectUri: "https://acme.example/callback",
  scopes: ["zap"],
  startedAt: 0,
  expiresAt
})

const begin = (digest: string, expiresAt: number) =>
  Attempts.use((store) => store.compareAndSet(digest, Option.none(), attempt(digest, expiresAt)))

const isThere = (digest: string) => Attempts.use((store) => Effect.map(store.get(digest), Option.isSome))

const turn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

/** Waits for what is done beside the test. */
const until = Effect.fnUntraced(function* <E, R>(condition: Effect.Effect<boolean, E, R>) {
  while (!(yield* condition)) yield* turn
})

const removed = (digest: string) => until(Effect.map(isThere(digest), (isThere) => !isThere))

/** Inserts attempts that expire one after the other, a pause of so many milliseconds between two, from that time on. */
const insert = Effect.fnUntraced(function* (count: number, { from = 0, pause = 0 } = {}) {
  const sql = yield* SqlClient
  const record = RecordCodec.attempt.encode(attempt("digest", 0))
  const prefix = randomUUID()
  const numbers = sql.onDialectOrElse({
    pg: () => sql`SELECT i FROM generate_series(0, ${count - 1}::int) i`,
    orElse: () => sql`
      WITH RECURSIVE numbers (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM numbers WHERE i < ${count - 1})
      SELECT i FROM numbers`
  })
  yield* sql`INSERT INTO zapier_consent_attempts (state_digest, version, expires_at, record)
    SELECT ${prefix} || CAST(i AS text), 1, ${from} + i * ${pause}, ${record} FROM (${numbers}) AS numbers`
})

const countUntil = Effect.fnUntraced(function* (expiresAt: number) {
  const sql = yield* SqlClient
  const [row] = yield* sql<{ readonly n: number | string }>`
    SELECT count(*) AS n FROM zapier_consent_attempts WHERE expires_at <= ${expiresAt}`
  return Number(row?.n)
})

/** The stores, with `onDelete` before each deletion of what has expired, whoever sends it. */
const sweeping = (client: Client, onDelete: Effect.Effect<unknown>) => {
  const transform: Statement.Transformer = (statement) =>
    Effect.suspend(() => {
      const [text] = statement.compile()
      return /DELETE[^]*expires_at/.test(text) ? Effect.as(onDelete, statement) : Effect.succeed(statement)
    })
  return SqlStores.layer.pipe(
    Layer.provideMerge(Layer.succeed(Statement.CurrentTransformer, transform)),
    Layer.provideMerge(client)
  )
}

/**
 * Registers the tests.
 *
 * @param clientOf a connection of its own to one and the same database each time
 */
export const describeAttempts = (name: string, clientOf: () => Client) => {
  const stores = () => Layer.provideMerge(SqlStores.layer, clientOf())

  describe(`${name}: attempts that have expired`, () => {
    it.effect("are forgotten an hour after that, when another is written", () =>
      Effect.gen(function* () {
        const hour = 3_600_000
        const [old, recent, fresh] = [randomUUID(), randomUUID(), randomUUID()]
        yield* begin(old, hour)
        yield* begin(recent, hour + 1)
        yield* TestClock.setTime(2 * hour)
        yield* begin(fresh, 3 * hour)
        yield* removed(old)
        expect(yield* isThere(recent)).toBe(true)
        expect(yield* isThere(fresh)).toBe(true)
      }).pipe(Effect.provide(stores()))
    )

    it.effect("are all forgotten at once, however many, by small statements", () => {
      let deletions = 0
      return Effect.gen(function* () {
        yield* insert(2_600)
        yield* TestClock.setTime(2 * retention)
        yield* begin(randomUUID(), 3 * retention)
        yield* until(Effect.map(countUntil(0), (count) => count === 0))
        expect(deletions).toBe(6)
      }).pipe(
        Effect.provide(
          sweeping(
            clientOf(),
            Effect.sync(() => deletions++)
          )
        )
      )
    })

    it.effect("are forgotten as fast as they come, 200 a second", () =>
      Effect.gen(function* () {
        const from = 3 * retention
        yield* insert(5 * 12_000, { from, pause: 5 })
        yield* TestClock.setTime(from + retention)
        for (let minute = 0; minute < 5; minute++) {
          yield* TestClock.adjust(sweepInterval)
          yield* begin(randomUUID(), 10 * retention)
          const due = from + (minute + 1) * sweepInterval
          yield* until(Effect.map(countUntil(due), (count) => count === 0))
        }
      }).pipe(Effect.provide(stores()))
    )

    it.effect("are not looked for more than once a minute", () => {
      let deletions = 0
      return Effect.gen(function* () {
        yield* TestClock.setTime(2 * retention)
        for (let i = 0; i < 10; i++) yield* begin(randomUUID(), 3 * retention)
        yield* TestClock.adjust(sweepInterval - 1)
        yield* begin(randomUUID(), 3 * retention)
        yield* until(Effect.sync(() => deletions === 1))
        yield* TestClock.adjust(1)
        yield* begin(randomUUID(), 3 * retention)
        yield* until(Effect.sync(() => deletions === 2))
      }).pipe(
        Effect.provide(
          sweeping(
            clientOf(),
            Effect.sync(() => deletions++)
          )
        )
      )
    })

    it.effect("cannot be forgotten: others are written, a warning says why, and the next sweep does it", () => {
      const logged: Array<string> = []
      const logger = Logger.layer([Logger.make(({ message }) => void logged.push(String(message)))])
      return Effect.gen(function* () {
        const sql = yield* SqlClient
        const old = randomUUID()
        const statements = sql.onDialectOrElse({
          pg: () => [
            "CREATE FUNCTION kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'kept'; END $$",
            `CREATE TRIGGER kept BEFORE DELETE ON zapier_consent_attempts FOR EACH ROW
              WHEN (OLD.state_digest = '${old}') EXECUTE FUNCTION kept()`
          ],
          orElse: () => [
            `CREATE TRIGGER kept BEFORE DELETE ON zapier_consent_attempts WHEN OLD.state_digest = '${old}'
              BEGIN SELECT RAISE(ABORT, 'kept'); END`
          ]
        })
        const drop = sql.onDialectOrElse({
          pg: () => sql`DROP FUNCTION kept CASCADE`,
          orElse: () => sql`DROP TRIGGER kept`
        })
        yield* begin(old, 0)
        yield* TestClock.setTime(2 * retention)
        yield* Effect.gen(function* () {
          yield* Effect.forEach(statements, (statement) => sql.unsafe(statement))
          expect(yield* begin(randomUUID(), 3 * retention)).toBe(true)
          yield* until(Effect.sync(() => logged.length > 0))
          expect(logged).toEqual([expect.stringContaining("the next sweep will retry: ")])
          expect(logged.join()).not.toContain(old)
          expect(yield* isThere(old)).toBe(true)
        }).pipe(Effect.ensuring(Effect.ignore(drop)))
        yield* TestClock.adjust(sweepInterval)
        expect(yield* begin(randomUUID(), 3 * retention)).toBe(true)
        yield* removed(old)
      }).pipe(Effect.provide(stores().pipe(Layer.provide(logger))))
    })

    it.effect("take long to forget: nobody who writes waits for it, nor does who closes the stores", () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(2 * retention)
        for (let minute = 0; minute < 3; minute++) {
          expect(yield* begin(randomUUID(), 4 * retention)).toBe(true)
          yield* TestClock.adjust(sweepInterval)
        }
      }).pipe(Effect.provide(sweeping(clientOf(), Effect.never)))
    )

    it.effect("are forgotten although the transaction in which another was written is not", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient
        const [old, taken] = [randomUUID(), randomUUID()]
        yield* begin(old, 0)
        yield* TestClock.setTime(2 * retention)
        yield* Effect.ignore(sql.withTransaction(Effect.andThen(begin(taken, 3 * retention), Effect.fail("not"))))
        yield* removed(old)
        expect(yield* isThere(taken)).toBe(false)
      }).pipe(Effect.provide(stores()))
    )
  })

  describe(`${name}: attempts of the release before`, () => {
    // As its tables were.
    const takeBack = Effect.gen(function* () {
      const sql = yield* SqlClient
      yield* sql`DROP INDEX zapier_consent_attempts_by_subject`
      for (const column of ["subject", "started_at"]) {
        yield* sql`ALTER TABLE zapier_consent_attempts DROP COLUMN ${sql(column)}`
      }
      yield* sql`DELETE FROM zapier_migrations WHERE migration_id = 2`
    })

    const all = (subject: string) => Attempts.use((store) => store.bySubject({ subject, skip: 0, limit: 100 }))

    it.effect("still take their callbacks, and are counted once they are written anew", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient
        const [digest, subject] = [randomUUID(), randomUUID()]
        const pending = attempt(digest, retention, subject)
        yield* Effect.provide(takeBack, stores())
        yield* sql`INSERT INTO zapier_consent_attempts (state_digest, version, expires_at, record)
          VALUES (${digest}, 1, ${retention}, ${RecordCodec.attempt.encode(pending)})`
        yield* Effect.gen(function* () {
          const store = yield* Attempts
          expect(yield* store.get(digest)).toEqual(Option.some({ version: 1, value: pending }))
          expect(yield* all(subject)).toEqual([])
          expect(yield* store.compareAndSet(digest, Option.some(1), { ...pending, _tag: "Denied" })).toBe(true)
          expect(yield* all(subject)).toMatchObject([{ key: digest, state: "Denied" }])
        }).pipe(Effect.provide(stores()))
      }).pipe(Effect.provide(clientOf()))
    )

    it.effect("are written beside newer ones: by a process of that release, which may change newer ones, too", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient
        const [newer, older, subject] = [randomUUID(), randomUUID(), randomUUID()]
        const store = yield* Attempts
        const pending = attempt(newer, retention, subject)
        expect(yield* store.compareAndSet(newer, Option.none(), pending)).toBe(true)
        const record = RecordCodec.attempt.encode({ ...pending, _tag: "Exchanging", receivedAt: 0 })
        yield* sql`UPDATE zapier_consent_attempts SET expires_at = ${retention}, record = ${record},
          version = version + 1 WHERE state_digest = ${newer}`
        yield* sql`INSERT INTO zapier_consent_attempts (state_digest, version, expires_at, record)
          VALUES (${older}, 1, ${retention}, ${RecordCodec.attempt.encode(attempt(older, retention, subject))})`
        expect(yield* all(subject)).toMatchObject([{ key: newer, state: "Exchanging" }])
        expect(yield* isThere(older)).toBe(true)
      }).pipe(Effect.provide(stores()))
    )
  })

  describe(`${name}: attempts of one user`, () => {
    const url = (subject: string) =>
      ZapierAuth.use((auth) => auth.authorizationUrl({ subject, scopes: ["zap"] })).pipe(
        Effect.map((request) => Redacted.value(request.url))
      )

    const rows = Effect.fnUntraced(function* (subject: string) {
      const sql = yield* SqlClient
      return yield* sql`SELECT version FROM zapier_consent_attempts WHERE subject = ${subject}`
    })

    it.effect("are twenty at most, by however many processes, and the newest connects", () =>
      Effect.gen(function* () {
        const subject = randomUUID()
        const fake = lastingFake()
        yield* Effect.gen(function* () {
          const other = yield* Layer.build(Layer.fresh(library(clientOf(), fake)))
          for (let i = 0; i < 60; i++) {
            yield* TestClock.adjust(1)
            yield* i % 2 === 0 ? url(subject) : Effect.provideContext(url(subject), other)
          }
          expect(yield* rows(subject)).toHaveLength(20)
          // Both at once.
          yield* Effect.all(
            Array.from({ length: 60 }, (_, i) =>
              i % 2 === 0 ? url(subject) : Effect.provideContext(url(subject), other)
            ),
            { concurrency: "unbounded" }
          )
          yield* TestClock.adjust(1)
          const newest = yield* url(subject)
          expect(yield* rows(subject)).toHaveLength(20)
          const zapier = yield* FakeZapier.FakeZapier
          const auth = yield* ZapierAuth
          const status = yield* auth.handleCallback(yield* zapier.approve(newest), { subject })
          expect(status._tag).toBe("Active")
        }).pipe(Effect.scoped, Effect.provide(library(clientOf(), fake)))
      })
    )

    it.effect("are taken for those of nobody else", () =>
      Effect.gen(function* () {
        const subjects = Array.from({ length: 5 }, () => randomUUID())
        for (let i = 0; i < 25; i++) {
          yield* TestClock.adjust(1)
          yield* Effect.forEach(subjects, url)
        }
        for (const subject of subjects) expect(yield* rows(subject)).toHaveLength(20)
      }).pipe(Effect.provide(library(clientOf(), lastingFake())))
    )
  })
}
