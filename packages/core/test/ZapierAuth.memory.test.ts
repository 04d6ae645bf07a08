/** Access tokens in memory and what other processes do meanwhile, and events of what was stored. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import type { AuthEvent } from "../src/AuthEvent.ts"
import * as Tokens from "../src/oauth/Tokens.ts"
import { GrantStore } from "../src/store/GrantStore.ts"
import * as MemoryStores from "../src/store/MemoryStores.ts"
import { ZapierAuth } from "../src/ZapierAuth.ts"
import * as TestZapier from "./utils/TestZapier.ts"

const { lifetime, reasonOf, subject, value } = TestZapier

/** Two processes over the same stores. */
const twoProcesses = Effect.fnUntraced(function* (zapier: ReturnType<typeof TestZapier.make>) {
  const build = Effect.map(Layer.build(Layer.fresh(zapier.process())), (built) => Context.get(built, ZapierAuth))
  return [yield* build, yield* build] as const
})

const connect = (auth: ZapierAuth["Service"]) => Effect.provideService(TestZapier.connect(subject), ZapierAuth, auth)

describe("ZapierAuth: memory", () => {
  it.effect("a disconnect in another process is noticed within a minute", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const [here, there] = yield* twoProcesses(zapier)
      yield* connect(here)
      assert.strictEqual(value(yield* here.accessToken(subject)), "access-token-1")
      yield* there.disconnect(subject)
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(value(yield* here.accessToken(subject)), "access-token-1")
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(yield* reasonOf(here.accessToken(subject)), "ReconnectRequired")
    }).pipe(Effect.provide(MemoryStores.layer))
  })

  it.effect("a new consent in another process is noticed within a minute", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const [here, there] = yield* twoProcesses(zapier)
      yield* connect(here)
      yield* here.accessToken(subject)
      yield* Effect.provideService(TestZapier.connect(subject, "code-2"), ZapierAuth, there)
      yield* TestClock.adjust("61 seconds")
      assert.strictEqual(value(yield* here.accessToken(subject)), "access-token-2")
    }).pipe(Effect.provide(MemoryStores.layer))
  })

  it.effect("tokens that were read at the same time are read again one after the other", () => {
    const zapier = TestZapier.make()
    const users = Array.from({ length: 32 }, (_, index) => `user-${index}`)
    let reads = 0
    const remote = Layer.effect(
      GrantStore,
      Effect.map(GrantStore, (store) => ({
        ...store,
        get: (key) =>
          Effect.andThen(
            Effect.andThen(
              Effect.yieldNow,
              Effect.sync(() => reads++)
            ),
            store.get(key)
          )
      }))
    )
    const stores = Layer.merge(MemoryStores.layer, Layer.provide(remote, MemoryStores.layer))
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      const tokens = { accessToken: Tokens.secret("access"), scopes: ["zap"], obtainedAt: 0, expiresAt: 36_000_000 }
      for (const user of users) yield* auth.adopt(user, tokens)
      const readsOfAll = Effect.gen(function* () {
        const before = reads
        yield* Effect.forEach(users, auth.accessToken, { concurrency: "unbounded" })
        return reads - before
      })
      assert.strictEqual(yield* readsOfAll, 32)
      yield* TestClock.adjust("44 seconds")
      assert.strictEqual(yield* readsOfAll, 0)
      yield* TestClock.adjust("9 seconds")
      // Eight of the sixteen shares of a minute are over.
      assert.strictEqual(yield* readsOfAll, 16)
      yield* TestClock.adjust("8 seconds")
      assert.strictEqual(yield* readsOfAll, 16)
    }).pipe(Effect.provide(Layer.provide(zapier.process(), stores)))
  })

  it.effect("serves a token from memory until it may no longer be used", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      assert.isUndefined(auth.accessTokenKnown(subject))
      yield* connect(auth)
      const access = yield* auth.accessToken(subject)
      assert.deepStrictEqual(auth.accessTokenKnown(subject), access)
      // Memory is believed for a minute.
      yield* TestClock.adjust("61 seconds")
      assert.isUndefined(auth.accessTokenKnown(subject))
      yield* auth.accessToken(subject)
      assert.deepStrictEqual(auth.accessTokenKnown(subject), access)
      yield* auth.disconnect(subject)
      assert.isUndefined(auth.accessTokenKnown(subject))
      // Types do not keep a program in JavaScript from asking for anything.
      assert.isUndefined(auth.accessTokenKnown(undefined as unknown as string))
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("app tokens are known by their scopes, in any order", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      assert.isUndefined(auth.appTokenKnown(["zap", "profile"]))
      const access = yield* auth.appToken(["zap", "profile"])
      assert.deepStrictEqual(auth.appTokenKnown(["profile", "zap", "zap"]), access)
      assert.isUndefined(auth.appTokenKnown(["zap"]))
      assert.isUndefined(auth.appTokenKnown(5 as unknown as ReadonlyArray<string>))
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("nothing is known any more once closing has begun", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const scope = yield* Scope.make()
      const auth = Context.get(yield* Layer.buildWithScope(Layer.fresh(zapier.process()), scope), ZapierAuth)
      yield* connect(auth)
      yield* auth.accessToken(subject)
      assert.isDefined(auth.accessTokenKnown(subject))
      yield* Scope.close(scope, Exit.void)
      assert.isUndefined(auth.accessTokenKnown(subject))
    }).pipe(Effect.provide(MemoryStores.layer))
  })

  it.effect("no caller is given an expired token while a refresh is held up", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* connect(auth)
      yield* auth.accessToken(subject)
      // Nothing asks again until the token in memory has expired.
      yield* TestClock.adjust(Duration.sum(lifetime, Duration.millis(1)))
      const gate = yield* Deferred.make<void>()
      zapier.nextToken(TestZapier.held(gate))
      const ask = Effect.forkChild(auth.accessToken(subject), { startImmediately: true })
      const first = yield* ask
      while (zapier.tokenRequests.length < 2) yield* TestZapier.tick
      const second = yield* ask
      yield* TestZapier.tick
      assert.strictEqual(first.pollUnsafe(), undefined)
      assert.strictEqual(second.pollUnsafe(), undefined)
      yield* Deferred.succeed(gate, undefined)
      for (const caller of [first, second]) assert.strictEqual(value(yield* Fiber.join(caller)), "access-token-2")
      assert.strictEqual(zapier.tokenRequests.length, 2)
    }).pipe(Effect.provide(zapier.layer()))
  })
})

describe("ZapierAuth: events", () => {
  it.effect("a write that another process was faster with publishes nothing", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const grants = yield* GrantStore
      const isRead = yield* Deferred.make<void>()
      let isRacing = false
      let readers = 0
      let lost = 0
      const racing = GrantStore.of({
        ...grants,
        // Both have read the record before one of them writes.
        get: (key) =>
          Effect.tap(grants.get(key), () => {
            if (!isRacing || ++readers > 2) return Effect.void
            return readers === 2 ? Deferred.succeed(isRead, undefined) : Deferred.await(isRead)
          }),
        compareAndSet: (key, expected, grant) =>
          Effect.tap(grants.compareAndSet(key, expected, grant), (isDone) =>
            Effect.sync(() => {
              if (!isDone) lost++
            })
          )
      })
      const both = yield* Effect.provideService(twoProcesses(zapier), GrantStore, racing)
      yield* connect(both[0])
      yield* TestClock.adjust(lifetime)
      const events: Array<AuthEvent> = []
      for (const auth of both) {
        const noted = Stream.runForEach(auth.events, (event) => Effect.sync(() => void events.push(event)))
        yield* Effect.forkScoped(noted, { startImmediately: true })
      }
      isRacing = true
      const asked = yield* Effect.forEach(both, (auth) =>
        Effect.forkChild(auth.accessToken(subject), { startImmediately: true })
      )
      while (zapier.tokenRequests.length < 2) yield* TestZapier.tick
      for (const caller of asked) {
        while (caller.pollUnsafe() === undefined) {
          yield* TestZapier.tick
          yield* TestClock.adjust("50 millis")
        }
        assert.strictEqual(value(yield* Fiber.join(caller)), "access-token-2")
      }
      assert.strictEqual(lost, 1)
      assert.deepStrictEqual(
        events.map((event) => event._tag === "UserGrantChanged" && `${event.from} -> ${event.to}`),
        ["Active -> Refreshing", "Refreshing -> Active"]
      )
    }).pipe(Effect.provide(MemoryStores.layer))
  })
})
