/** `rateLimits` lets calls wait for their turn. */
import { describe, expect, expectTypeOf, it } from "@effect/vitest"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import * as RateLimits from "@zapier-workflow-auth/core/zapier/RateLimits"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as RateLimiter from "effect/persistence/RateLimiter"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as ZapierNode from "../src/ZapierNode.ts"

const app = {
  name: "Acme",
  clientId: "client-1",
  clientSecret: "s3cret",
  redirectUris: ["https://acme.example/callback"]
}

const waitsFor = (limit: string) => Metric.value(Metric.withAttributes(RateLimits.waits, { limit }))

const world = (options: ZapierNode.Options) => {
  const fake = FakeZapier.layer({ apps: [app] })
  const httpClient = Layer.provide(FakeZapier.layerHttpClient, fake)
  return Layer.merge(fake, ZapierNode.layerMemory({ application: app, httpClient, ...options }))
}

const connect = Effect.gen(function* () {
  const auth = yield* ZapierAuth
  const fake = yield* FakeZapier.FakeZapier
  const { url } = yield* auth.authorizationUrl({ subject: "ada", scopes: ["zap"] })
  yield* auth.handleCallback(yield* fake.approve(Redacted.value(url)), { subject: "ada" })
})

const call = ZapierHttpClient.use((zapier) => zapier.call("GET /v2/zaps", { credential: Credential.user("ada") }))

/** As many calls at a time, and five minutes. */
const statusesOf = (count: number) =>
  Effect.gen(function* () {
    const calls = Effect.all(
      Array.from({ length: count }, () => call),
      { concurrency: "unbounded" }
    )
    const fiber = yield* Effect.forkChild(calls, { startImmediately: true })
    for (let second = 0; second < 300; second++) yield* TestClock.adjust("1 second")
    return (yield* Fiber.join(fiber)).map(({ status }) => status)
  })

const refused = (statuses: ReadonlyArray<number>) => statuses.filter((status) => status === 429).length

const all200 = (count: number) => Array.from({ length: count }, () => 200)

describe("ZapierNode with rateLimits", () => {
  it.effect("is off unless it is asked for: of 70 calls within a minute, some are refused", () =>
    Effect.gen(function* () {
      yield* connect
      expect(refused(yield* statusesOf(70))).toBe(11)
    }).pipe(Effect.provide(world({})))
  )

  it.effect("lets 70 calls within a minute wait, so that none is refused", () =>
    Effect.gen(function* () {
      yield* connect
      const before = (yield* waitsFor("address")).count
      expect(yield* statusesOf(70)).toEqual(all200(70))
      const fake = yield* FakeZapier.FakeZapier
      const times = (yield* fake.requests).map(({ at }) => at)
      expect(times.filter((at) => at < 60_000)).toHaveLength(60)
      // One of the first minute was the token request.
      expect((yield* waitsFor("address")).count - before).toBe(11)
    }).pipe(Effect.provide(world({ rateLimits: true })))
  )

  it.effect("lets no token request wait, and leaves room for it", () =>
    Effect.gen(function* () {
      yield* connect
      yield* TestClock.adjust("11 hours")
      const fake = yield* FakeZapier.FakeZapier
      const from = yield* Clock.currentTimeMillis
      const auth = yield* ZapierAuth
      // The address has used up its minute when the app's own token is asked for.
      const calls = yield* Effect.forkChild(statusesOf(70), { startImmediately: true })
      yield* auth.appToken(["zap"])
      expect(yield* Fiber.join(calls)).toEqual(all200(70))
      const tokens = (yield* fake.requests).filter(
        ({ at, line }) => at >= from && line.startsWith("POST /oauth/token/")
      )
      expect(tokens.map(({ at }) => at - from)).toEqual([0, 0])
    }).pipe(Effect.provide(world({ rateLimits: { perAddress: 58 } })))
  )

  it.effect("takes limits of the app's own, and a limiter that clients share", () => {
    const limiter = Layer.provide(RateLimiter.layer, RateLimiter.layerStoreMemory)
    const fake = FakeZapier.layer({ apps: [app, { ...app, clientId: "client-2" }] })
    const clientOf = (clientId: string) =>
      ZapierNode.layerMemory({
        application: { ...app, clientId },
        httpClient: Layer.provide(FakeZapier.layerHttpClient, fake),
        rateLimits: { limiter: Layer.effect(RateLimiter.RateLimiter, RateLimiter.RateLimiter), perAddress: 10 }
      })
    expectTypeOf(clientOf).returns.toEqualTypeOf<
      Layer.Layer<ZapierAuth | ZapierHttpClient, ZapierAuthError, RateLimiter.RateLimiter>
    >()
    const apps = ZapierHttpClient.use((zapier) => zapier.call("GET /v1/apps"))
    const some = Effect.all(
      Array.from({ length: 8 }, () => apps),
      { concurrency: "unbounded", discard: true }
    )
    return Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(
        Effect.all([Effect.provide(some, clientOf("client-1")), Effect.provide(some, clientOf("client-2"))], {
          concurrency: 2
        }),
        { startImmediately: true }
      )
      yield* TestClock.adjust("1 second")
      const { requests } = yield* FakeZapier.FakeZapier
      yield* Effect.repeat(Effect.yieldNow, { times: 100 })
      yield* TestClock.adjust("2 minutes")
      yield* Fiber.join(fiber)
      const times = (yield* requests).map(({ at }) => at)
      expect(times).toHaveLength(16)
      expect(times.filter((at) => at < 60_000)).toHaveLength(10)
    }).pipe(Effect.provide(Layer.merge(fake, limiter)))
  })

  it.effect.each([0, -1, 1.5, Number.NaN])("refuses a limit of %s", (perAddress) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.scoped(Layer.build(world({ rateLimits: { perAddress } }))))
      expect(error).toMatchObject({ reason: { _tag: "InvalidConfig", setting: "rateLimits.perAddress" } })
    })
  )
})
