import { randomUUID } from "node:crypto"
import { inspect } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import { AttemptStore } from "@zapier-workflow-auth/core/store/AttemptStore"
import { type Grant, GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as LayerMap from "effect/LayerMap"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as TestClock from "effect/testing/TestClock"
import * as RedisClient from "../../src/stores/RedisClient.ts"
import * as RedisStores from "../../src/stores/RedisStores.ts"
import * as RedisLayers from "../utils/RedisLayers.ts"
import { describeWithRedis } from "../utils/RedisSuite.ts"
import * as Suite from "../utils/SqlStoreSuite.ts"
import { describeLaws } from "../utils/StoreLawSuite.ts"

const { send } = RedisLayers

const grant: Grant = {
  _tag: "Active",
  family: "consent",
  generation: 1,
  tokens: { accessToken: Tokens.secret("access"), scopes: ["zap"], obtainedAt: 0, expiresAt: 36_000_000 },
  responseLost: false
}

describeWithRedis("Redis", (server) => {
  const stores = () => RedisLayers.stores(server)

  const library = (fake: Layer.Layer<FakeZapier.FakeZapier>) => Suite.libraryOver(Layer.fresh(stores()), fake)

  const attempts = (subject: string) => AttemptStore.use((store) => store.bySubject({ subject, skip: 0, limit: 100 }))

  describeLaws("Redis", stores(), 20)

  describe("the library", () => {
    it.effect("finds its users connected after a restart, and needs no consent", () =>
      Effect.gen(function* () {
        const fake = Suite.lastingFake()
        const subject = randomUUID()
        yield* Effect.provide(Suite.connect(subject), library(fake))
        yield* TestClock.adjust("11 hours")
        const after = Effect.flatMap(ZapierAuth, (auth) => auth.accessToken(subject))
        expect((yield* Effect.provide(after, library(fake))).generation).toBe(2)
        expect((yield* Effect.provide(after, library(fake))).generation).toBe(2)
      })
    )

    it.effect("of several processes refreshes once", () =>
      Effect.gen(function* () {
        const fake = Suite.lastingFake()
        const subject = randomUUID()
        yield* Effect.provide(Suite.connect(subject), library(fake))
        yield* TestClock.adjust("11 hours")
        const call = Effect.provide(
          Effect.flatMap(ZapierAuth, (auth) => auth.accessToken(subject)),
          library(fake)
        )
        const tokens = yield* Suite.whileTimePasses(Effect.replicateEffect(call, 6, { concurrency: "unbounded" }))
        expect(tokens.map(({ generation }) => generation)).toEqual([2, 2, 2, 2, 2, 2])
        const { issued } = yield* Effect.provide(FakeZapier.FakeZapier, fake)
        expect((yield* issued).map(({ origin }) => origin._tag)).toEqual(["Code", "RefreshToken"])
      })
    )

    it.effect("keeps twenty attempts of a user, and the newest connects", () =>
      Effect.gen(function* () {
        const subject = randomUUID()
        const auth = yield* ZapierAuth
        const begin = Effect.map(auth.authorizationUrl({ subject, scopes: ["zap"] }), ({ url }) => Redacted.value(url))
        yield* Effect.replicateEffect(begin, 40, { concurrency: 8 })
        yield* TestClock.adjust(1)
        const newest = yield* begin
        expect(yield* attempts(subject)).toHaveLength(20)
        const zapier = yield* FakeZapier.FakeZapier
        const status = yield* auth.handleCallback(yield* zapier.approve(newest), { subject })
        expect(status._tag).toBe("Active")
      }).pipe(Effect.provide(Layer.suspend(() => library(Suite.lastingFake()))))
    )
  })

  it.effect("keeps tenants apart who have a database each", () =>
    Effect.gen(function* () {
      const tenants = yield* LayerMap.make(
        (database: number) =>
          RedisStores.layer.pipe(
            Layer.provide(
              Layer.suspend(() => RedisClient.layer({ url: Redacted.make(`${server().url}/${database}`) }))
            ),
            Layer.provide(Layer.succeed(References.MinimumLogLevel, "Error"))
          ),
        { idleTimeToLive: "1 hour" }
      )
      const key = { clientId: randomUUID(), subject: "ada" }
      const found = Effect.map(
        GrantStore.use((grants) => grants.get(key)),
        Option.isSome
      )
      const connect = GrantStore.use((grants) => grants.compareAndSet(key, Option.none(), grant))
      expect(yield* Effect.provide(connect, tenants.get(1))).toBe(true)
      expect(yield* Effect.provide(found, tenants.get(1))).toBe(true)
      expect(yield* Effect.provide(found, tenants.get(2))).toBe(false)
    }).pipe(Effect.scoped)
  )

  describe("an attempt", () => {
    const attempt = (stateDigest: string, subject: string) =>
      ({
        _tag: "Pending",
        stateDigest,
        subject,
        redirectUri: "https://acme.example/callback",
        scopes: ["zap"],
        startedAt: 0,
        expiresAt: 900_000,
        codeVerifier: Tokens.secret("verifier")
      }) as const

    it.effect("is forgotten by the server an hour after it has expired, and so is the list of its user", () =>
      Effect.gen(function* () {
        const store = yield* AttemptStore
        const [digest, subject] = [randomUUID(), randomUUID()]
        yield* store.compareAndSet(digest, Option.none(), attempt(digest, subject))
        for (const key of [`attempt:${digest}`, `of:${subject}`]) {
          const left = Number(yield* send("PTTL", `zapier:{attempts}:${key}`))
          expect(left).toBeGreaterThan(4_400_000)
          expect(left).toBeLessThanOrEqual(4_500_000)
        }
        // It has been over for longer by the clock of this process.
        yield* TestClock.setTime(5_000_000)
        yield* store.compareAndSet(randomUUID(), Option.none(), attempt("late", randomUUID()))
        const [late] = (yield* send("KEYS", "zapier:{attempts}:attempt:late")) as ReadonlyArray<string>
        expect(late).toBeUndefined()
      }).pipe(Effect.provide(stores()))
    )

    it.effect("that the server has forgotten is taken out of the list of its user", () =>
      Effect.gen(function* () {
        const store = yield* AttemptStore
        const [one, other, subject] = [randomUUID(), randomUUID(), randomUUID()]
        for (const digest of [one, other]) yield* store.compareAndSet(digest, Option.none(), attempt(digest, subject))
        yield* send("DEL", `zapier:{attempts}:attempt:${one}`)
        expect((yield* attempts(subject)).map(({ key }) => key)).toEqual([other])
        expect(yield* send("ZRANGE", `zapier:{attempts}:of:${subject}`, "0", "-1")).toEqual([other])
      }).pipe(Effect.provide(stores()))
    )
  })

  describe("a record", () => {
    const keyOf = (clientId: string) => `zapier:{c${Buffer.from(clientId).toString("base64url")}}`

    it.effect("that cannot be understood is an error, and is left as it is", () =>
      Effect.gen(function* () {
        const grants = yield* GrantStore
        const key = { clientId: randomUUID(), subject: "ada" }
        const hash = `${keyOf(key.clientId)}:grant:ada`
        for (const subject of ["ada", "bob"]) {
          yield* grants.compareAndSet({ ...key, subject }, Option.none(), Suite.grant(1))
        }
        yield* send("HSET", hash, "record", '{"_tag":"OfTomorrow"}')
        const error = yield* Effect.flip(grants.get(key))
        expect(error).toMatchObject({ _tag: "StoreFailed", store: "grant store", operation: "read a record" })
        const page = yield* grants.page({ clientId: key.clientId, limit: 5 })
        expect(page.entries.map((entry) => entry.key.subject)).toEqual(["bob"])
        expect(page.unreadable).toEqual([{ key, version: expect.any(Number), error }])
        expect(yield* grants.compareAndSet(key, Option.none(), Suite.grant(2))).toBe(false)
        expect(yield* send("HGET", hash, "record")).toBe('{"_tag":"OfTomorrow"}')
        expect(yield* grants.remove(key, page.unreadable?.[0]?.version ?? 0)).toBe(true)
      }).pipe(Effect.provide(stores()))
    )

    it.effect("never has a version again, whatever the server has lost, and wherever its clock was set", () =>
      Effect.gen(function* () {
        const grants = yield* GrantStore
        const key = { clientId: randomUUID(), subject: "ada" }
        const version = Effect.map(grants.get(key), (found) => Option.getOrThrow(found).version)
        yield* grants.compareAndSet(key, Option.none(), Suite.grant(1))
        const first = yield* version
        yield* send("DEL", `${keyOf(key.clientId)}:grant:ada`, `${keyOf(key.clientId)}:version`)
        yield* grants.compareAndSet(key, Option.none(), Suite.grant(1))
        const second = yield* version
        expect(second).toBeGreaterThan(first)
        // The clock went back by a year after this.
        const ahead = second + 365 * 86_400_000_000
        yield* send("SET", `${keyOf(key.clientId)}:version`, String(ahead))
        yield* grants.compareAndSet(key, Option.some(second), Suite.grant(2))
        expect(yield* version).toBe(ahead + 1)
      }).pipe(Effect.provide(stores()))
    )

    it.effect("is written although the server has forgotten the scripts", () =>
      Effect.gen(function* () {
        const grants = yield* GrantStore
        const key = { clientId: randomUUID(), subject: "ada" }
        expect(yield* grants.compareAndSet(key, Option.none(), Suite.grant(1))).toBe(true)
        yield* send("SCRIPT", "FLUSH")
        expect(yield* grants.compareAndSet(key, Option.none(), Suite.grant(1))).toBe(false)
      }).pipe(Effect.provide(stores()))
    )

    it.effect("whose key another program uses is an error without the record, and is not written by half", () =>
      Effect.gen(function* () {
        const grants = yield* GrantStore
        const key = { clientId: randomUUID(), subject: "ada" }
        yield* send("SET", `${keyOf(key.clientId)}:subjects`, "theirs")
        const error = yield* Effect.flip(grants.compareAndSet(key, Option.none(), Suite.grant(7)))
        expect(error.message).toContain("WRONGTYPE")
        expect(inspect(error, { depth: null })).not.toMatch(/access-7|refresh-7/)
        expect(yield* grants.get(key)).toEqual(Option.none())
        yield* send("DEL", `${keyOf(key.clientId)}:subjects`)
        expect(yield* grants.compareAndSet(key, Option.none(), Suite.grant(7))).toBe(true)
      }).pipe(Effect.provide(stores()))
    )
  })
})
