/** An access token that the API rejects is never sent again, and costs one refresh. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Credential from "../src/zapier/Credential.ts"
import { ZapierAuth } from "../src/ZapierAuth.ts"
import { isZapierAuthError } from "../src/ZapierAuthError.ts"
import { ZapierHttpClient } from "../src/ZapierHttpClient.ts"
import * as TestZapier from "./utils/TestZapier.ts"

const { subject } = TestZapier

const call = Effect.flatMap(ZapierHttpClient, (zapier) =>
  zapier.call("GET /v2/zaps", { credential: Credential.user(subject) })
)

/** A status, or the reason of a failure. */
const outcomeOf = <A extends { readonly status: number }, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.match(effect, {
    onSuccess: ({ status }) => status,
    onFailure: (error) => (isZapierAuthError(error) ? error.reason._tag : "other")
  })

const times = (n: number) => Array.from({ length: n }, (_, index) => index)

describe("an access token that the API rejects", () => {
  it.effect("is never sent again once the user has revoked the grant, and never handed out", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* TestZapier.connect(subject)
      yield* call
      zapier.state.accessTokens.clear()
      zapier.state.refreshTokens.clear()
      assert.strictEqual(yield* outcomeOf(call), "ReconnectRequired")
      const sent = zapier.apiRequests.length
      for (const _ of times(3)) assert.strictEqual(yield* outcomeOf(call), "ReconnectRequired")
      assert.strictEqual(yield* TestZapier.reasonOf(auth.accessToken(subject)), "ReconnectRequired")
      assert.strictEqual(zapier.apiRequests.length, sent)
      assert.strictEqual(zapier.tokenRequests.length, 2)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("is not sent during a server's pause, and callers get the reason", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      yield* call
      zapier.state.accessTokens.clear()
      zapier.nextToken(TestZapier.respond(503, "", { "retry-after": "60" }))
      assert.strictEqual(yield* outcomeOf(call), "ServiceUnavailable")
      const sent = zapier.apiRequests.length
      for (const _ of times(20)) assert.strictEqual(yield* outcomeOf(call), "ServiceUnavailable")
      assert.strictEqual(zapier.apiRequests.length, sent)
      assert.strictEqual(zapier.tokenRequests.length, 2)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* outcomeOf(call), 200)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("is not handed out by another process that reads the record, wherever its clock stands", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      yield* TestClock.setTime(Duration.toMillis(TestZapier.lifetime))
      yield* TestZapier.connect(subject)
      const rejected = yield* Effect.flatMap(ZapierAuth, (auth) => auth.accessToken(subject))
      zapier.nextToken(TestZapier.respond(503, "", { "retry-after": "60" }))
      yield* Effect.flip(Effect.flatMap(ZapierAuth, (auth) => auth.accessTokenRejected(subject, rejected)))
      yield* TestClock.setTime(0)
      yield* Effect.gen(function* () {
        const access = yield* Effect.flatMap(ZapierAuth, (auth) => auth.accessToken(subject))
        assert.notStrictEqual(TestZapier.value(access), TestZapier.value(rejected))
      }).pipe(Effect.provide(zapier.process()))
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("costs one refresh where an endpoint responds 401 to everything", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      zapier.nextApi(...times(21).map(() => TestZapier.respond(401, {})))
      for (const _ of times(20)) assert.strictEqual(yield* outcomeOf(call), 401)
      assert.strictEqual(zapier.tokenRequests.length, 2)
      // 20 calls, and one replay.
      assert.strictEqual(zapier.apiRequests.length, 21)
      assert.strictEqual(yield* outcomeOf(call), 200)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("is replaced as usual after a successful call, or some time later", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      // The replay succeeds with the second token, so that its rejection means something.
      for (const expected of [2, 3]) {
        zapier.state.accessTokens.clear()
        assert.strictEqual(yield* outcomeOf(call), 200)
        assert.strictEqual(zapier.tokenRequests.length, expected)
      }
      zapier.nextApi(TestZapier.respond(401, {}), TestZapier.respond(401, {}), TestZapier.respond(401, {}))
      assert.strictEqual(yield* outcomeOf(call), 401)
      assert.strictEqual(yield* outcomeOf(call), 401)
      assert.strictEqual(zapier.tokenRequests.length, 4)
      yield* TestClock.adjust("31 seconds")
      zapier.nextApi(TestZapier.respond(401, {}))
      assert.strictEqual(yield* outcomeOf(call), 200)
      assert.strictEqual(zapier.tokenRequests.length, 5)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("costs one request for the app, too", () => {
    const zapier = TestZapier.make()
    const asApp = Effect.flatMap(ZapierHttpClient, (client) =>
      client.call("DELETE /v2/promotions/{enrollment_id}", { path: { enrollment_id: "1" } })
    )
    zapier.state.scope = undefined
    return Effect.gen(function* () {
      zapier.nextApi(...times(21).map(() => TestZapier.respond(401, {})))
      for (const _ of times(20)) assert.strictEqual(yield* outcomeOf(asApp), 401)
      assert.strictEqual(zapier.tokenRequests.length, 2)
      assert.strictEqual(yield* outcomeOf(asApp), 200)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect.each([
    ["a page of a proxy", TestZapier.respond(403, "<html>")],
    ["a success without tokens", TestZapier.respond(200, {})],
    ["a server that fails", TestZapier.respond(500, "")],
    ["no connection", TestZapier.refused],
    ["a connection that breaks", TestZapier.requestLost]
  ] as const)("leads to pauses that grow while refreshing fails for a while: %s", ([, script]) => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust(TestZapier.lifetime)
      zapier.nextToken(...times(30).map(() => script))
      const requests = Effect.fnUntraced(function* (seconds: number) {
        const before = zapier.tokenRequests.length
        for (const _ of times(seconds)) {
          for (const __ of times(3)) yield* outcomeOf(call)
          yield* TestClock.adjust("1 second")
        }
        return zapier.tokenRequests.length - before
      })
      // Where a connection breaks the token is presented twice each time.
      const attempts = script === TestZapier.requestLost ? 2 : 1
      // At 0, 1, 3, 7, 15 and 31 s, and then every 30 s.
      assert.strictEqual(yield* requests(31), 5 * attempts)
      assert.strictEqual(yield* requests(60), 2 * attempts)
      yield* Effect.ignore(call)
    }).pipe(Effect.provide(zapier.layer()))
  })
})
