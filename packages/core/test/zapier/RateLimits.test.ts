import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as RateLimiter from "effect/persistence/RateLimiter"
import * as TestClock from "effect/testing/TestClock"
import * as ClientApplication from "../../src/oauth/ClientApplication.ts"
import * as RateLimits from "../../src/zapier/RateLimits.ts"
import { tick } from "../utils/TestZapier.ts"

/** A server that notes when it was asked, and answers as told. */
const setup = (options?: RateLimits.Options, answer = (_: number) => new Response()) => {
  const askedAt: Array<number> = []
  const client = HttpClient.make((request) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      askedAt.push(now)
      return HttpClientResponse.fromWeb(request, answer(askedAt.length))
    })
  )
  const layer = RateLimits.layer(options).pipe(
    Layer.provide([
      Layer.succeed(HttpClient.HttpClient, client),
      Layer.provide(RateLimiter.layer, RateLimiter.layerStoreMemory),
      ClientApplication.layer({ clientId: "a", clientSecret: "b", redirectUris: ["https://app.example/callback"] })
    ])
  )
  return { askedAt, layer }
}

const get = HttpClient.get("https://api.zapier.com/v2/zaps")

const pass = (duration: Parameters<typeof TestClock.adjust>[0]) =>
  Effect.andThen(Effect.andThen(tick, TestClock.adjust(duration)), tick)

describe("RateLimits", () => {
  it.effect.each([
    ["60 a minute for an address", {}, 60],
    ["150 a minute for a partner", { perAddress: 1_000 }, 150],
    ["as many as told", { perAddress: 3, perPartner: 5 }, 3]
  ] as const)("lets pass %s, and the others wait", ([, options, limit]) => {
    const { askedAt, layer } = setup(options)
    return Effect.gen(function* () {
      const all = Array.from({ length: limit + 1 }, () => get)
      const fiber = yield* Effect.forkChild(Effect.all(all, { concurrency: "unbounded" }), { startImmediately: true })
      yield* pass("1 second")
      expect(askedAt).toHaveLength(limit)
      yield* pass("2 minutes")
      expect((yield* Fiber.join(fiber)).map(({ status }) => status)).toEqual(all.map(() => 200))
      expect(askedAt.at(-1)).toBeGreaterThanOrEqual(59_000)
    }).pipe(Effect.provide(layer))
  })

  it.effect("returns a 429 as it is, and holds back the next request for as long as it says", () => {
    const { askedAt, layer } = setup({}, (count) =>
      count === 1 ? new Response(null, { status: 429, headers: { "retry-after": "60" } }) : new Response()
    )
    return Effect.gen(function* () {
      expect((yield* get).status).toBe(429)
      const fiber = yield* Effect.forkChild(get, { startImmediately: true })
      yield* pass("59 seconds")
      expect(askedAt).toEqual([0])
      yield* pass("2 minutes")
      expect((yield* Fiber.join(fiber)).status).toBe(200)
      expect(askedAt[1]).toBeGreaterThanOrEqual(60_000)
    }).pipe(Effect.provide(layer))
  })

  it.effect("a caller's deadline wins over waiting", () => {
    const { askedAt, layer } = setup({ perAddress: 1 })
    return Effect.gen(function* () {
      yield* get
      const fiber = yield* Effect.forkChild(Effect.timeout(get, "5 seconds"), { startImmediately: true })
      yield* pass("5 seconds")
      expect(Exit.isFailure(yield* Fiber.await(fiber))).toBe(true)
      yield* pass("2 minutes")
      expect(askedAt).toEqual([0])
    }).pipe(Effect.provide(layer))
  })

  it.effect("sends nothing when the limiter's store fails", () => {
    const { askedAt } = setup()
    const broken = RateLimits.layer().pipe(
      Layer.provide([
        Layer.succeed(
          HttpClient.HttpClient,
          HttpClient.make((request) => Effect.succeed(HttpClientResponse.fromWeb(request, new Response())))
        ),
        Layer.provide(
          RateLimiter.layer,
          Layer.effect(
            RateLimiter.RateLimiterStore,
            Effect.map(RateLimiter.RateLimiterStore, (store) => ({ ...store, fixedWindow: () => failing }))
          ).pipe(Layer.provide(RateLimiter.layerStoreMemory))
        ),
        ClientApplication.layer({ clientId: "a", clientSecret: "b", redirectUris: ["https://app.example/callback"] })
      ])
    )
    return Effect.gen(function* () {
      const error = yield* Effect.flip(get)
      expect(error.reason._tag).toBe("TransportError")
      expect(askedAt).toEqual([])
    }).pipe(Effect.provide(broken))
  })

  const failing = Effect.fail(
    new RateLimiter.RateLimiterError({ reason: new RateLimiter.RateLimitStoreError({ message: "gone" }) })
  )
})
