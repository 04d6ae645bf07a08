/** What holds of the SQL stores on either database, besides the laws of all stores. */
import { describe, expect, it } from "@effect/vitest"
import { AppCredentialStore } from "@zapier-workflow-auth/core/store/AppCredentialStore"
import type { Pause } from "@zapier-workflow-auth/core/machine/Pause"
import type { AttemptStore } from "@zapier-workflow-auth/core/store/AttemptStore"
import { type Grant, GrantStore, type Page } from "@zapier-workflow-auth/core/store/GrantStore"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as TestClock from "effect/testing/TestClock"
import { randomUUID } from "node:crypto"
import * as SqlStores from "../../src/stores/SqlStores.ts"
import * as ZapierNode from "../../src/ZapierNode.ts"

export const app = {
  name: "Acme",
  clientId: "client-1",
  clientSecret: "s3cret",
  redirectUris: ["https://acme.example/callback"]
}

export const grant = (generation: number): Grant => ({
  _tag: "Active",
  family: "consent-1",
  generation,
  tokens: {
    accessToken: Tokens.secret(`access-${generation}`),
    refreshToken: Tokens.secret(`refresh-${generation}`),
    scopes: ["zap"],
    obtainedAt: 0,
    expiresAt: 36_000_000
  },
  responseLost: false
})

export const connect = Effect.fnUntraced(function* (subject: string) {
  const auth = yield* ZapierAuth
  const fake = yield* FakeZapier.FakeZapier
  const { url } = yield* auth.authorizationUrl({ subject, scopes: ["zap"] })
  return yield* auth.handleCallback(yield* fake.approve(Redacted.value(url)), { subject })
})

// A database takes real time, and how much virtual time that is depends on the machine.
const settings = {
  memoryLifetime: 0,
  storeTimeout: "1 hour",
  requestTimeout: "10 minutes",
  responseTimeout: "5 minutes"
} as const

export type Client = Layer.Layer<SqlClient, SqlError | ZapierAuthError>

/** The library over stores; the fake is there from one call of this to the next if it is given. */
export const libraryOver = <R, E>(
  stores: Layer.Layer<GrantStore | AttemptStore | AppCredentialStore | R, E>,
  fake: Layer.Layer<FakeZapier.FakeZapier>
) =>
  ZapierNode.layerWithoutStores({
    application: app,
    httpClient: Layer.provide(FakeZapier.layerHttpClient, fake),
    settings
  }).pipe(Layer.provideMerge(stores), Layer.provideMerge(fake))

/** The library over a database. */
export const library = (client: Client, fake: Layer.Layer<FakeZapier.FakeZapier>) =>
  libraryOver(Layer.provideMerge(SqlStores.layer, client), fake)

/**
 * One fake for several layers, so that it outlives a process of the library: another each time this is called. It limits
 * no rates: a test has many processes at one address.
 */
// @effect-diagnostics-next-line lazyEffect:off
export const lastingFake = () =>
  Layer.succeed(FakeZapier.FakeZapier, FakeZapier.make({ apps: [app], settings: { rateLimits: false } }))

/**
 * Lets virtual time pass until it is done, no more than a hundred times as fast as real time: what it waits for really
 * happens elsewhere, and has to come before anybody gives up waiting.
 */
export const whileTimePasses = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    while (fiber.pollUnsafe() === undefined) {
      yield* TestClock.adjust("100 millis")
      yield* TestClock.withLive(Effect.sleep("1 millis"))
    }
    return yield* Fiber.join(fiber)
  })

/**
 * Registers the tests.
 *
 * @param clientOf a connection of its own to one and the same database each time
 */
export const describeSqlStores = (name: string, clientOf: () => Client) => {
  const stores = () => Layer.provideMerge(SqlStores.layer, clientOf())

  describe(`${name}: tables`, () => {
    it.effect("are made once, by however many processes that start at a time", () =>
      Effect.gen(function* () {
        const start = Effect.scoped(Layer.build(stores()))
        yield* Effect.replicateEffect(start, 8, { concurrency: "unbounded", discard: true })
        const sql = yield* SqlClient
        expect(yield* sql`SELECT migration_id, name FROM zapier_migrations ORDER BY migration_id`).toEqual([
          { migration_id: 1, name: "tables" },
          { migration_id: 2, name: "attempts_by_subject" }
        ])
      }).pipe(Effect.provide(clientOf()))
    )

    it.effect("of a later release are taken as they are", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient
        yield* sql`INSERT INTO zapier_migrations (migration_id, name) VALUES (1000, 'of_tomorrow')`
        yield* Effect.scoped(Layer.build(stores()))
        yield* sql`DELETE FROM zapier_migrations WHERE migration_id = 1000`
      }).pipe(Effect.provide(stores()))
    )
  })

  describe(`${name}: records`, () => {
    it.effect("that cannot be understood are an error, and are left as they are", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient
        const grants = yield* GrantStore
        const key = { clientId: randomUUID(), subject: "ada" }
        yield* grants.compareAndSet(key, Option.none(), grant(1))
        yield* sql`UPDATE zapier_grants SET record = '{"_tag":"OfTomorrow"}' WHERE client_id = ${key.clientId}`
        const error = yield* Effect.flip(grants.get(key))
        expect(error).toMatchObject({ _tag: "StoreFailed", store: "grant store", operation: "read a record" })
        expect(error.message).toContain("has not changed it")
        for (const subject of ["Bob", "cy"]) yield* grants.compareAndSet({ ...key, subject }, Option.none(), grant(2))
        const readable = ({ entries }: Page) => entries.map((entry) => entry.key.subject)
        const first = yield* grants.page({ clientId: key.clientId, limit: 2 })
        expect([readable(first), first.unreadable]).toEqual([["Bob"], [{ key, version: expect.any(Number), error }]])
        const second = yield* grants.page({ clientId: key.clientId, limit: 2, after: first.next })
        expect([readable(second), second.unreadable, second.next]).toEqual([["cy"], [], undefined])
        expect(yield* grants.compareAndSet(key, Option.none(), grant(2))).toBe(false)
        expect(
          yield* sql`SELECT record FROM zapier_grants WHERE client_id = ${key.clientId} AND subject = 'ada'`
        ).toEqual([{ record: '{"_tag":"OfTomorrow"}' }])
        // Its version is enough to remove it.
        expect(yield* grants.remove(key, first.unreadable?.[0]?.version ?? 0)).toBe(true)
        yield* sql`DELETE FROM zapier_grants WHERE client_id = ${key.clientId}`
      }).pipe(Effect.provide(stores()))
    )

    it.effect("of app tokens are kept", () =>
      Effect.gen(function* () {
        const store = yield* AppCredentialStore
        const key = { clientId: randomUUID(), scopes: "promotions:write" }
        const pause: Pause = { until: 5, failures: 2, cause: { _tag: "Unavailable", status: 503 } }
        expect(yield* store.compareAndSet(key, Option.none(), { _tag: "Absent", pause })).toBe(true)
        expect(Option.map(yield* store.get(key), ({ value }) => value)).toEqual(Option.some({ _tag: "Absent", pause }))
      }).pipe(Effect.provide(stores()))
    )
  })

  describe(`${name}: the library`, () => {
    it.effect("finds its users connected after a restart, and needs no consent", () =>
      Effect.gen(function* () {
        const fake = lastingFake()
        const subject = randomUUID()
        yield* Effect.provide(connect(subject), library(clientOf(), fake))
        yield* TestClock.adjust("11 hours")
        const after = Effect.flatMap(ZapierAuth, (auth) => auth.accessToken(subject))
        expect((yield* Effect.provide(after, library(clientOf(), fake))).generation).toBe(2)
        expect((yield* Effect.provide(after, library(clientOf(), fake))).generation).toBe(2)
      })
    )

    it.effect("of several processes refreshes once", () =>
      Effect.gen(function* () {
        const fake = lastingFake()
        const subject = randomUUID()
        yield* Effect.provide(connect(subject), library(clientOf(), fake))
        yield* TestClock.adjust("11 hours")
        const call = Effect.provide(
          Effect.flatMap(ZapierAuth, (auth) => auth.accessToken(subject)),
          library(clientOf(), fake)
        )
        const tokens = yield* whileTimePasses(Effect.replicateEffect(call, 6, { concurrency: "unbounded" }))
        expect(tokens.map(({ generation }) => generation)).toEqual([2, 2, 2, 2, 2, 2])
        const { issued } = yield* Effect.provide(FakeZapier.FakeZapier, fake)
        expect((yield* issued).map(({ origin }) => origin._tag)).toEqual(["Code", "RefreshToken"])
      })
    )
  })
}
