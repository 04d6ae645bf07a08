/** Bodies that are long, slow or broken: how much is read of them, and when their connection is let go. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as TestClock from "effect/testing/TestClock"
import * as BoundedBody from "../../src/internal/boundedBody.ts"
import * as TokenOutcome from "../../src/oauth/TokenOutcome.ts"
import { subject } from "../utils/TestZapier.ts"
import * as TestZapier from "../utils/TestZapier.ts"
import * as Credential from "../../src/zapier/Credential.ts"
import { ZapierAuth } from "../../src/ZapierAuth.ts"
import { ZapierHttpClient } from "../../src/ZapierHttpClient.ts"

const encoder = new TextEncoder()

const limit = TokenOutcome.longestBody

const token = '{"access_token":"acc3ss","token_type":"Bearer"}'

/** A body made of chunks, and then of what happens: it ends, breaks off, goes on for ever, or stalls. */
const make = (
  chunks: ReadonlyArray<string | Uint8Array>,
  then: "ends" | "breaks" | "repeats" | "stalls",
  status = 200
) => {
  const seen = { pulled: 0, isCancelled: false }
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const isOver = seen.pulled >= chunks.length
        const chunk = chunks[isOver ? chunks.length - 1 : seen.pulled] ?? ""
        seen.pulled++
        // So that a test fails that would read on for ever.
        if (seen.pulled > 5_000) return controller.error(new Error("too much was read"))
        if (!isOver || then === "repeats") {
          controller.enqueue(typeof chunk === "string" ? encoder.encode(chunk) : chunk)
          return
        }
        if (then === "ends") return controller.close()
        if (then === "breaks") return controller.error(new Error("broken"))
        return new Promise<void>(() => {})
      },
      cancel() {
        seen.isCancelled = true
      }
    },
    { highWaterMark: 0 }
  )
  return { seen, response: new Response(stream, { status }) }
}

const responseOf = (response: Response) =>
  HttpClientResponse.fromWeb(HttpClientRequest.get("https://zapier.example/"), response)

const read = (response: Response) => BoundedBody.read(responseOf(response), limit, TokenOutcome.isComplete)

const kilobyte = " ".repeat(1_024)

describe("reading a body", () => {
  it.effect("returns all of a short one, for any chunks", () =>
    Effect.gen(function* () {
      const [first, second] = [encoder.encode("aé").slice(0, 2), encoder.encode("aé").slice(2)]
      const { response } = make([first, second], "ends")
      assert.deepStrictEqual(yield* read(response), { body: "aé", isTruncated: false })
      assert.deepStrictEqual(yield* read(new Response(null, { status: 204 })), { body: "", isTruncated: false })
    })
  )

  it.effect("stops at the first chunk beyond the limit, and lets go", () =>
    Effect.gen(function* () {
      const { response, seen } = make([kilobyte], "repeats")
      assert.isTrue((yield* read(response)).isTruncated)
      assert.deepStrictEqual(seen, { pulled: 65, isCancelled: true })
    })
  )

  it.effect("takes as much as may be", () =>
    Effect.gen(function* () {
      const { response } = make(
        Array.from({ length: 64 }, () => kilobyte),
        "ends"
      )
      assert.strictEqual((yield* read(response)).isTruncated, false)
    })
  )

  it.effect.each(["breaks", "repeats", "stalls"] as const)("is over when a JSON object is, if the rest %s", (then) =>
    Effect.gen(function* () {
      const { response, seen } = make([token.slice(0, 9), token.slice(9), "\n"], then)
      assert.deepStrictEqual(yield* read(response), { body: token, isTruncated: false })
      assert.isTrue(seen.isCancelled)
    })
  )

  it.effect("fails when it breaks off before", () =>
    Effect.gen(function* () {
      const { response } = make([token.slice(0, 9)], "breaks")
      assert.isTrue(Exit.isFailure(yield* Effect.exit(read(response))))
    })
  )

  it.effect("accepts a body that the client has already read", () =>
    Effect.gen(function* () {
      const response = responseOf(new Response(token))
      yield* response.text
      const again = BoundedBody.read(response, limit, TokenOutcome.isComplete)
      assert.deepStrictEqual(yield* again, { body: token, isTruncated: false })
      const long = responseOf(new Response(" ".repeat(limit + 1)))
      yield* long.text
      assert.isTrue((yield* BoundedBody.read(long, limit, TokenOutcome.isComplete)).isTruncated)
    })
  )

  it.effect("lets go when it is interrupted", () =>
    Effect.gen(function* () {
      const { response, seen } = make([token.slice(0, 9)], "stalls")
      const fiber = yield* Effect.forkChild(read(response), { startImmediately: true })
      yield* TestZapier.tick
      yield* Fiber.interrupt(fiber)
      assert.isTrue(seen.isCancelled)
    })
  )
})

const script =
  (response: Response): TestZapier.Script =>
  () =>
    Effect.succeed(response)

const call = ZapierHttpClient.use((zapier) => zapier.call("GET /v2/zaps", { credential: Credential.user(subject) }))

const accessToken = ZapierAuth.use((auth) => auth.accessToken(subject))

describe("a token response", () => {
  it.effect("that is longer than 64 kB is read no further, and is called so", () => {
    const zapier = TestZapier.make()
    const { response, seen } = make([kilobyte], "repeats")
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust(TestZapier.lifetime)
      zapier.nextToken(script(response))
      const { reason } = yield* Effect.flip(accessToken)
      assert.deepInclude(reason, { _tag: "MalformedResponse", problem: "it is longer than 64 kB" })
      assert.deepStrictEqual(seen, { pulled: 65, isCancelled: true })
      // The server may have replaced the refresh token: after a pause the old one shows whether it has.
      zapier.state.refreshTokens.clear()
      yield* TestClock.adjust("1 second")
      assert.deepInclude((yield* Effect.flip(accessToken)).reason, { _tag: "ReconnectRequired", why: "ResponseLost" })
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("that breaks off, stalls or goes on after its JSON object is taken", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      for (const then of ["breaks", "stalls", "repeats"] as const) {
        yield* TestClock.adjust(TestZapier.lifetime)
        zapier.nextToken(script(make([`{"access_token":"${then}"}`, "\n"], then).response))
        assert.strictEqual(TestZapier.value(yield* accessToken), then)
      }
      assert.strictEqual(zapier.tokenRequests.length, 4)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect.each([
    [429, "RateLimited"],
    [503, "ServiceUnavailable"],
    [307, "MalformedResponse"]
  ] as const)("with the decisive status %i is not read, even if its body is slow", ([status, tag]) => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      for (const then of ["stalls", "repeats", "breaks"] as const) {
        const { response, seen } = make([kilobyte], then, status)
        zapier.nextToken(script(response))
        const asking = Effect.flip(ZapierAuth.use((auth) => auth.appToken(["zap"])))
        const fiber = yield* Effect.forkChild(asking, { startImmediately: true })
        yield* TestZapier.tick
        assert.isDefined(fiber.pollUnsafe(), then)
        assert.strictEqual((yield* Fiber.join(fiber)).reason._tag, tag)
        yield* TestClock.adjust("61 seconds")
        yield* TestZapier.tick
        assert.isTrue(seen.isCancelled || then === "breaks")
      }
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("that drips is listened to until the lease ends, and no longer", () => {
    const zapier = TestZapier.make()
    const { response, seen } = make(['{"access_token":"', "a"], "stalls")
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust(TestZapier.lifetime)
      zapier.nextToken(script(response))
      const fiber = yield* Effect.forkChild(Effect.flip(accessToken), { startImmediately: true })
      yield* TestZapier.tick
      yield* TestClock.adjust("21 seconds")
      assert.strictEqual((yield* Fiber.join(fiber)).reason._tag, "ResponsePending")
      yield* TestClock.adjust("38 seconds")
      assert.isFalse(seen.isCancelled)
      yield* TestClock.adjust("2 seconds")
      yield* TestZapier.tick
      assert.isTrue(seen.isCancelled)
    }).pipe(Effect.provide(zapier.layer()))
  })
})

describe("a 401 that is replayed", () => {
  it.effect.each(["repeats", "stalls", "breaks"] as const)(
    "is not waited for, and is let go, if its body %s",
    (then) => {
      const zapier = TestZapier.make()
      const { response, seen } = make([kilobyte], then, 401)
      return Effect.gen(function* () {
        yield* TestZapier.connect(subject)
        zapier.nextApi(script(response))
        assert.strictEqual((yield* call).status, 200)
        yield* TestZapier.tick
        yield* TestClock.adjust("1 second")
        yield* TestZapier.tick
        assert.isAtMost(seen.pulled, 65)
        assert.strictEqual(seen.isCancelled, then !== "breaks")
      }).pipe(Effect.provide(zapier.layer()))
    }
  )

  it.effect("is let go when there is no other token, too", () => {
    const zapier = TestZapier.make()
    const { response, seen } = make([kilobyte], "stalls", 401)
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      zapier.state.refreshTokens.clear()
      zapier.nextApi(script(response))
      yield* Effect.flip(call)
      yield* TestZapier.tick
      yield* TestClock.adjust("1 second")
      yield* TestZapier.tick
      assert.isTrue(seen.isCancelled)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("that is short is read to its end, so that its connection goes on", () => {
    const zapier = TestZapier.make()
    const { response, seen } = make(["{}"], "ends", 401)
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      zapier.nextApi(script(response))
      yield* call
      yield* TestZapier.tick
      assert.deepStrictEqual(seen, { pulled: 2, isCancelled: false })
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("that is given back to the caller has its body", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      zapier.nextApi(
        TestZapier.respond(401, "first"),
        TestZapier.respond(401, "second"),
        TestZapier.respond(401, "third")
      )
      assert.strictEqual(yield* Effect.flatMap(call, ({ text }) => text), "second")
      assert.strictEqual(yield* Effect.flatMap(call, ({ text }) => text), "third")
    }).pipe(Effect.provide(zapier.layer()))
  })
})
