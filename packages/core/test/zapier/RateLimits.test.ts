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

/** A server that notes when it was asked, and calls `respond`. */
const setup = (
  options?: RateLimits.Options,
  respond = (_: number) => new Response(),
  change = (client: HttpClient.HttpClient) => client
) => {
  const askedAt: Array<number> = []
  const client = HttpClient.make((request) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      askedAt.push(now)
      return HttpClientResponse.fromWeb(request, respond(askedAt.length))
    })
  )
  const layer = RateLimits.layer(options).pipe(
    Layer.provide([
      Layer.succeed(HttpClient.HttpClient, change(client)),
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

  // The clock here is 20 minutes behind the server's.
  const here = Date.UTC(2026, 0, 1)
  const date = "Thu, 01 Jan 2026 00:20:00 GMT"

  it.effect.each([
    ["seconds", { "retry-after": "30" }, 30],
    ["a date, measured from the response's own", { date, "retry-after": "Thu, 01 Jan 2026 00:20:40 GMT" }, 40],
    ["nonsense, which is the cool-down", { date, "retry-after": "-1" }, 60],
    ["nothing, which is the cool-down", { date }, 60],
    [
      "seconds, and ignores the rest",
      { date, "retry-after": "45", "x-ratelimit-remaining": "0", "x-ratelimit-reset": `${here / 1_000 + 1_245}` },
      45
    ]
  ] as const)("returns a 429 as it is, and holds back the next request for as long as it says: %s", (_) => {
    const [, headers, seconds] = _
    const limited = new Response("too many", { status: 429, headers })
    const { askedAt, layer } = setup({}, (count) => (count === 1 ? limited : new Response()))
    return Effect.gen(function* () {
      yield* TestClock.setTime(here)
      const refusal = yield* get
      expect(refusal.status).toBe(429)
      expect(refusal.headers).toEqual({ "content-type": "text/plain;charset=UTF-8", ...headers })
      expect(yield* refusal.text).toBe("too many")
      const fiber = yield* Effect.forkChild(get, { startImmediately: true })
      yield* pass(`${seconds - 1} seconds`)
      expect(askedAt).toEqual([here])
      yield* pass("1 second")
      expect((yield* Fiber.join(fiber)).status).toBe(200)
    }).pipe(Effect.provide(layer))
  })

  it.effect("lets pass as few as a 429 says that there may be", () => {
    const headers = { "retry-after": "1", "x-ratelimit-limit": "2" }
    const { askedAt, layer } = setup({}, (count) =>
      count === 1 ? new Response(null, { status: 429, headers }) : new Response()
    )
    return Effect.gen(function* () {
      yield* get
      yield* pass("2 minutes")
      const all = yield* Effect.forkChild(Effect.all([get, get, get], { concurrency: "unbounded" }), {
        startImmediately: true
      })
      yield* pass("50 seconds")
      expect(askedAt).toHaveLength(3)
      yield* pass("1 minute")
      expect(yield* Fiber.join(all)).toHaveLength(3)
    }).pipe(Effect.provide(layer))
  })

  it.effect("heeds a 429 that its client fails with, and fails with it", () => {
    const limited = new Response("too many", { status: 429, headers: { "retry-after": "30" } })
    const { askedAt, layer } = setup({}, (count) => (count === 1 ? limited : new Response()), HttpClient.filterStatusOk)
    return Effect.gen(function* () {
      const { reason } = yield* Effect.flip(get)
      expect(reason._tag === "StatusCodeError" ? yield* reason.response.text : reason._tag).toBe("too many")
      const fiber = yield* Effect.forkChild(get, { startImmediately: true })
      yield* pass("29 seconds")
      expect(askedAt).toEqual([0])
      yield* pass("1 second")
      expect((yield* Fiber.join(fiber)).status).toBe(200)
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
