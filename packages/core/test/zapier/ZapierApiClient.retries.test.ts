import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import type * as ZapierApiClient from "../../src/zapier/ZapierApiClient.ts"
import * as TestZapier from "../utils/TestZapier.ts"
import * as TypedZapier from "../utils/TypedZapier.ts"

const { requestLost, respond } = TestZapier
const { categories, run, subject } = TypedZapier

const ok = respond(200, categories())
const unavailable = respond(503, { errors: [{ code: "service_unavailable" }] })
const failed = respond(500, "oops")
const limited = (after: string) => respond(429, { errors: [{ code: "throttled" }] }, { "retry-after": after })

const list = ({ categories }: ZapierApiClient.Client) => categories.list()
const create = ({ promotions }: ZapierApiClient.Client) =>
  promotions.create({ subject, payload: { promotion_id: "a" } })
const update = ({ zaps }: ZapierApiClient.Client) =>
  zaps.update({ subject, params: { id: "1" }, payload: { data: { title: "A" } } })
const remove = ({ zaps }: ZapierApiClient.Client) => zaps.remove({ subject, params: { id: "1" } })

// What a call comes to, how often it was sent, and how long it took, in seconds.
const trial = <A, E extends { readonly _tag: string }>(
  scripts: ReadonlyArray<TestZapier.Script>,
  call: (client: ZapierApiClient.Client) => Effect.Effect<A, E>,
  options?: ZapierApiClient.Options
) =>
  run(
    scripts,
    Effect.fnUntraced(function* (client, zapier) {
      const began = yield* Clock.currentTimeMillis
      let ended = began
      const fiber = yield* Effect.forkChild(
        Effect.ensuring(
          Effect.match(call(client), {
            onFailure: (error) => ("status" in error ? `${error._tag} ${String(error.status)}` : error._tag),
            onSuccess: () => "ok"
          }),
          Effect.map(Clock.currentTimeMillis, (now) => void (ended = now))
        )
      )
      for (let second = 0; second < 600; second++) yield* TestClock.adjust("1 second")
      const outcome = fiber.pollUnsafe() === undefined ? "still waiting" : yield* Fiber.join(fiber)
      return { outcome, sent: zapier.apiRequests.length, seconds: (ended - began) / 1_000 }
    }),
    options
  )

describe("ZapierApiClient: retries", () => {
  it.effect("waits for as long as Retry-After says, with any method, after a 429", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* trial([limited("7"), ok], list), { outcome: "ok", sent: 2, seconds: 7 })
      const made = respond(201, { enrollment_id: "1" })
      assert.deepStrictEqual(yield* trial([limited("7"), made], create), { outcome: "ok", sent: 2, seconds: 7 })
      assert.deepStrictEqual(yield* trial([limited("7"), respond(200, {})], update), {
        outcome: "ok",
        sent: 2,
        seconds: 7
      })
    })
  )

  it.effect("waits for Retry-After of a 503, where the request may be repeated", () =>
    Effect.gen(function* () {
      const away = respond(503, "", { "retry-after": "30" })
      assert.deepStrictEqual(yield* trial([away, ok], list), { outcome: "ok", sent: 2, seconds: 30 })
      assert.deepStrictEqual(yield* trial([away, respond(204, "")], remove), { outcome: "ok", sent: 2, seconds: 30 })
    })
  )

  it.effect("waits for the documented minute after a 429 that does not say for how long", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* trial([respond(429, ""), ok], list), { outcome: "ok", sent: 2, seconds: 60 })
    })
  )

  it.effect("repeats GET and DELETE after 5xx and lost connections, with pauses that grow", () =>
    Effect.gen(function* () {
      const { outcome, seconds, sent } = yield* trial([failed, unavailable, requestLost, ok], list)
      assert.deepStrictEqual([outcome, sent], ["ok", 4])
      // 0.5, 1 and 2 seconds, of which at least half: and the clock moves by whole seconds.
      assert.isTrue(seconds >= 1.75 && seconds <= 6, String(seconds))
      assert.strictEqual((yield* trial([failed, respond(204, "")], remove)).sent, 2)
    })
  )

  it.effect("never repeats a request that may have been carried out", () =>
    Effect.gen(function* () {
      const away = respond(503, "", { "retry-after": "1" })
      for (const call of [create, update]) {
        assert.deepStrictEqual(yield* trial([away], call), { outcome: "ZapierApiError 503", sent: 1, seconds: 0 })
        assert.deepStrictEqual(yield* trial([failed], call), { outcome: "ZapierApiError 500", sent: 1, seconds: 0 })
        assert.deepStrictEqual(yield* trial([respond(429, "")], call), {
          outcome: "ZapierApiError 429",
          sent: 1,
          seconds: 0
        })
        assert.deepStrictEqual(yield* trial([requestLost], call), { outcome: "HttpClientError", sent: 1, seconds: 0 })
      }
    })
  )

  it.effect("repeats no other status", () =>
    Effect.gen(function* () {
      for (const status of [400, 403, 404, 409, 301]) {
        const { outcome, sent } = yield* trial([respond(status, "")], list)
        assert.deepStrictEqual([outcome, sent], [`ZapierApiError ${status}`, 1])
      }
    })
  )

  it.effect("keeps within its budget, and its deadline", () =>
    Effect.gen(function* () {
      const always = Array.from({ length: 20 }, () => failed)
      assert.deepInclude(yield* trial(always, list), { outcome: "ZapierApiError 500", sent: 4 })
      assert.deepInclude(yield* trial(always, list, { retry: { times: 1 } }), { sent: 2 })
      assert.deepInclude(yield* trial(always, list, { retry: { times: 0 } }), { sent: 1 })
      const minutes = [limited("50"), limited("50"), limited("50"), ok]
      assert.deepStrictEqual(yield* trial(minutes, list), { outcome: "ZapierApiError 429", sent: 3, seconds: 100 })
      assert.deepStrictEqual(yield* trial(minutes, list, { retry: { within: "5 minutes" } }), {
        outcome: "ok",
        sent: 4,
        seconds: 150
      })
      // A pause that would be too long is not begun.
      assert.deepStrictEqual(yield* trial([limited("3600")], list), {
        outcome: "ZapierApiError 429",
        sent: 1,
        seconds: 0
      })
    })
  )

  it.effect("is off by option", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* trial([limited("1")], list, { retry: false }), {
        outcome: "ZapierApiError 429",
        sent: 1,
        seconds: 0
      })
      assert.deepInclude(yield* trial([requestLost], list, { retry: false }), { sent: 1 })
    })
  )

  it.effect("says in the error for how long Zapier asks to wait", () =>
    run([limited("3600")], (client) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(list(client))
        assert.isTrue(error._tag === "ZapierApiError" && error.isRetryable && error.retryAfter !== undefined)
        if (error._tag !== "ZapierApiError") return
        assert.strictEqual(Duration.toSeconds(error.retryAfter ?? Duration.zero), 3_600)
        assert.include(error.message, "Try again in 3600 s.")
      })
    )
  )
})

describe("ZapierApiClient: options", () => {
  // As a program in JavaScript may give them.
  const refused = (options: unknown) =>
    Effect.map(Effect.flip(run([], () => Effect.void, options as ZapierApiClient.Options)), ({ reason }) =>
      reason._tag === "InvalidConfig" ? reason.setting : reason._tag
    )

  it.effect.each([
    ["no object", "retry", "options"],
    ["a misspelled option", { retries: 3 }, "retries"],
    ["true", { retry: true }, "retry"],
    ["a number", { retry: 3 }, "retry"],
    ["null", { retry: null, other: 1 }, "other"],
    ["a misspelled member", { retry: { time: 3 } }, "retry.time"],
    ["a text", { retry: { times: "3" } }, "retry.times"],
    ["less than none", { retry: { times: -1 } }, "retry.times"],
    ["a part of one", { retry: { times: 0.5 } }, "retry.times"],
    ["no duration", { retry: { within: "soon" } }, "retry.within"],
    ["not a number", { retry: { within: Number.NaN } }, "retry.within"],
    ["the past", { retry: { within: "-1 seconds" } }, "retry.within"]
  ])("that do not fit are refused by their name: %s", ([, options, setting]) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* refused(options), setting)
    })
  )

  it.effect.each([
    [undefined],
    [{}],
    [{ retry: {} }],
    [{ retry: { times: 0, within: 0 } }],
    [{ retry: { within: Duration.infinity } }]
  ])("that fit are taken: %j", ([options]) => run([ok], list, options))
})
