/** Access tokens, of users and of the app: when they are renewed, by whom, and what callers are told. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import { GrantStore } from "../src/store/GrantStore.ts"
import * as MemoryStores from "../src/store/MemoryStores.ts"
import { ZapierAuth } from "../src/ZapierAuth.ts"
import * as TestZapier from "./utils/TestZapier.ts"

const { lifetime, reasonOf, subject, value } = TestZapier

describe("ZapierAuth: accessToken", () => {
  it.effect("asks a user without a connection to connect, without a request to Zapier", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      const { reason } = yield* Effect.flip(auth.accessToken("nobody"))
      assert.deepInclude(reason, { _tag: "ReconnectRequired", why: "NeverConnected" })
      assert.strictEqual(zapier.tokenRequests.length, 0)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("refreshes once for any number of callers, and rotates both tokens", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust(lifetime)
      const tokens = yield* Effect.forEach(Array.from({ length: 1_000 }), () => auth.accessToken(subject), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual([...new Set(tokens.map(value))], ["access-token-2"])
      assert.strictEqual(zapier.tokenRequests.length, 2)
      yield* TestClock.adjust(lifetime)
      assert.strictEqual(value(yield* auth.accessToken(subject)), "access-token-3")
      assert.deepStrictEqual(
        zapier.tokenRequests.map(({ form }) => form.get("refresh_token")),
        [null, "refresh-token-1", "refresh-token-2"]
      )
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("counts the lifetime from the start of the request", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      zapier.nextToken((_, usual) => Effect.delay(Effect.sync(usual), "10 seconds"))
      const connected = yield* Effect.forkChild(TestZapier.connect(subject))
      while (zapier.tokenRequests.length === 0) yield* TestZapier.tick
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(connected)
      assert.deepInclude(yield* auth.status(subject), { expiresAt: Duration.toMillis(lifetime) })
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("goes on refreshing for others when the first caller is interrupted", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust(lifetime)
      const gate = yield* Deferred.make<void>()
      zapier.nextToken(TestZapier.held(gate))
      const first = yield* Effect.forkChild(auth.accessToken(subject), { startImmediately: true })
      const second = yield* Effect.forkChild(auth.accessToken(subject), { startImmediately: true })
      while (zapier.tokenRequests.length < 2) yield* TestZapier.tick
      yield* Fiber.interrupt(first)
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(value(yield* Fiber.join(second)), "access-token-2")
      assert.strictEqual(zapier.tokenRequests.length, 2)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("uses the live token while it is renewed ahead of its end", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust(Duration.minutes(9 * 60 + 56))
      const gate = yield* Deferred.make<void>()
      zapier.nextToken(TestZapier.held(gate))
      assert.strictEqual(value(yield* auth.accessToken(subject)), "access-token-1")
      assert.strictEqual(value(yield* auth.accessToken(subject)), "access-token-1")
      while (zapier.tokenRequests.length < 2) yield* TestZapier.tick
      yield* Deferred.succeed(gate, undefined)
      while ((yield* auth.status(subject))._tag !== "Active") yield* TestZapier.tick
      assert.strictEqual(value(yield* auth.accessToken(subject)), "access-token-2")
      assert.strictEqual(zapier.tokenRequests.length, 2)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("sends the refresh token once more after a lost request, and continues", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust(lifetime)
      zapier.nextToken(TestZapier.requestLost)
      assert.strictEqual(value(yield* auth.accessToken(subject)), "access-token-2")
      assert.strictEqual(zapier.tokenRequests.length, 3)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("reports a lost response when the refresh token is rejected afterwards, and then sends nothing", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust(lifetime)
      zapier.nextToken(TestZapier.responseLost)
      const { reason } = yield* Effect.flip(auth.accessToken(subject))
      assert.deepInclude(reason, { _tag: "ReconnectRequired", why: "ResponseLost" })
      assert.strictEqual(zapier.tokenRequests.length, 3)
      yield* Effect.flip(auth.accessToken(subject))
      assert.strictEqual(zapier.tokenRequests.length, 3)
      assert.deepInclude(yield* auth.status(subject), { _tag: "ReconnectRequired", why: "ResponseLost" })
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("fails callers in time when a server is silent, keeps listening, and keeps the grant", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust(lifetime)
      zapier.nextToken(TestZapier.silent)
      const ask = Effect.forkChild(Effect.flip(auth.accessToken(subject)), { startImmediately: true })
      const first = yield* ask
      yield* TestClock.adjust("21 seconds")
      assert.strictEqual((yield* Fiber.join(first)).reason._tag, "ResponsePending")
      const last = yield* TestClock.adjust("24 seconds").pipe(Effect.andThen(ask))
      yield* TestClock.adjust("16 seconds")
      assert.strictEqual((yield* Fiber.join(last)).reason._tag, "RefreshOutcomeUnknown")
      assert.strictEqual(zapier.tokenRequests.length, 2)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(zapier.tokenRequests.length, 2)
      assert.strictEqual(value(yield* auth.accessToken(subject)), "access-token-2")
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("says that the grant was revoked when the refresh token is refused", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust(lifetime)
      zapier.state.refreshTokens.clear()
      const { reason } = yield* Effect.flip(auth.accessToken(subject))
      assert.deepInclude(reason, { _tag: "ReconnectRequired", why: "Revoked" })
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect.each([
    ["invalid_client", TestZapier.respond(401, { error: "invalid_client" }), "ClientRejected"],
    ["429", TestZapier.respond(429, "", { "retry-after": "5" }), "RateLimited"],
    ["503", TestZapier.respond(503, ""), "ServiceUnavailable"],
    ["no connection", TestZapier.refused, "TransportFailed"],
    ["a refused request", TestZapier.respond(400, { error: "unauthorized_client" }), "TokenRequestRefused"],
    ["a page of a proxy", TestZapier.respond(403, "<html>"), "MalformedResponse"]
  ] as const)("blames the right thing for %s, and keeps the grant", ([, script, expected]) => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust(lifetime)
      zapier.nextToken(script)
      assert.strictEqual(yield* reasonOf(auth.accessToken(subject)), expected)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(value(yield* auth.accessToken(subject)), "access-token-2")
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("does not ask again before a rate limit ends", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust(lifetime)
      zapier.nextToken(TestZapier.respond(429, ""))
      yield* Effect.flip(auth.accessToken(subject))
      yield* TestClock.adjust("59 seconds")
      const { reason } = yield* Effect.flip(auth.accessToken(subject))
      assert.strictEqual(reason._tag === "RateLimited" ? Duration.toMillis(reason.retryAfter) : 0, 1_000)
      assert.strictEqual(zapier.tokenRequests.length, 2)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("picks a regenerated secret up without a restart", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust(lifetime)
      zapier.nextToken((_, __) =>
        Effect.sync(() => {
          zapier.application.clientSecret = "client-secret-2"
          return new Response('{"error":"invalid_client"}', { status: 401 })
        })
      )
      assert.strictEqual(value(yield* auth.accessToken(subject)), "access-token-2")
      assert.strictEqual(zapier.tokenRequests.length, 3)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("sends nothing while the application cannot be read, and goes on once it can", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust(lifetime)
      const { clientSecret } = zapier.application
      zapier.application.clientSecret = ""
      const { reason } = yield* Effect.flip(auth.accessToken(subject))
      assert.deepInclude(reason, { _tag: "InvalidConfig", setting: "clientSecret" })
      assert.deepInclude(yield* auth.status(subject), { _tag: "Active", generation: 1 })
      assert.strictEqual(zapier.tokenRequests.length, 1)
      zapier.application.clientSecret = clientSecret
      assert.strictEqual(value(yield* auth.accessToken(subject)), "access-token-2")
      assert.strictEqual(zapier.tokenRequests.length, 2)
    }).pipe(Effect.provide(zapier.layer()))
  })
})

describe("ZapierAuth: accessTokenRejected", () => {
  it.effect("refreshes once for all rejections of a token, and never for a late one", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* TestZapier.connect(subject)
      const rejected = yield* auth.accessToken(subject)
      const tokens = yield* Effect.forEach(
        Array.from({ length: 100 }),
        () => auth.accessTokenRejected(subject, rejected),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual([...new Set(tokens.map(value))], ["access-token-2"])
      assert.strictEqual(value(yield* auth.accessTokenRejected(subject, rejected)), "access-token-2")
      assert.strictEqual(zapier.tokenRequests.length, 2)
    }).pipe(Effect.provide(zapier.layer()))
  })
})

describe("ZapierAuth: several processes over one store", () => {
  it.effect("send one refresh", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const one = yield* Effect.provide(ZapierAuth, yield* Layer.build(zapier.process()))
      const two = yield* Effect.provide(ZapierAuth, yield* Layer.build(Layer.fresh(zapier.process())))
      yield* Effect.provideService(TestZapier.connect(subject), ZapierAuth, one)
      yield* TestClock.adjust(lifetime)
      const callers = yield* Effect.forEach([one, two, one, two], (auth) =>
        Effect.forkChild(auth.accessToken(subject), { startImmediately: true })
      )
      yield* TestClock.adjust("1 second")
      const tokens = yield* Effect.forEach(callers, Fiber.join)
      assert.deepStrictEqual([...new Set(tokens.map(value))], ["access-token-2"])
      assert.strictEqual(zapier.tokenRequests.length, 2)
    }).pipe(Effect.scoped, Effect.provide(MemoryStores.layer))
  })

  it.effect("take over the lease of one that is gone", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      const store = yield* GrantStore
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust(lifetime)
      const now = yield* Clock.currentTimeMillis
      const key = { clientId: zapier.application.clientId, subject }
      const grant = yield* Effect.fromOption(yield* store.get(key))
      if (grant.value._tag !== "Active") return assert.fail("not active")
      const { _tag: _, tokens, ...held } = grant.value
      const { refreshToken } = tokens
      if (refreshToken === undefined) return assert.fail("no refresh token")
      yield* store.compareAndSet(key, Option.some(grant.version), {
        _tag: "Refreshing",
        ...held,
        tokens: { ...tokens, refreshToken },
        lease: { owner: "a process that is gone", deadline: now + 30_000 },
        attempt: 1
      })
      const first = yield* Effect.forkChild(Effect.flip(auth.accessToken(subject)), { startImmediately: true })
      yield* TestClock.adjust("21 seconds")
      assert.strictEqual((yield* Fiber.join(first)).reason._tag, "ResponsePending")
      const caller = yield* Effect.forkChild(auth.accessToken(subject), { startImmediately: true })
      yield* TestClock.adjust("8 seconds")
      assert.strictEqual(zapier.tokenRequests.length, 1)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(value(yield* Fiber.join(caller)), "access-token-2")
    }).pipe(Effect.provide(zapier.layer()))
  })
})

describe("ZapierAuth: appToken", () => {
  it.effect("asks once for any number of callers of the same scopes, in any order of the scopes", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      const tokens = yield* Effect.forEach(
        Array.from({ length: 100 }),
        (_, index) => auth.appToken(index % 2 === 0 ? ["a", "b"] : ["b", "a"]),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(tokens.map(value)).size, 1)
      assert.strictEqual(zapier.tokenRequests.length, 1)
      assert.strictEqual(zapier.tokenRequests[0]?.form.get("scope"), "a b")
      yield* auth.appToken(["a"])
      assert.strictEqual(zapier.tokenRequests.length, 2)
      const [first] = tokens
      if (first === undefined) return assert.fail("no token")
      assert.notStrictEqual(value(yield* auth.appTokenRejected(["a", "b"], first)), value(first))
      assert.strictEqual(zapier.tokenRequests.length, 3)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("asks anew after the end, and after a failure", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      zapier.nextToken(TestZapier.responseLost)
      // It was sent: nothing says that Zapier was not reached.
      const { message, reason } = yield* Effect.flip(auth.appToken(["a"]))
      assert.deepInclude(reason, { _tag: "RefreshOutcomeUnknown", of: "app" })
      assert.match(message, /did not arrive.*another token will be requested/)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(value(yield* auth.appToken(["a"])), "access-token-2")
      yield* TestClock.adjust(lifetime)
      assert.strictEqual(value(yield* auth.appToken(["a"])), "access-token-3")
    }).pipe(Effect.provide(zapier.layer()))
  })
})
