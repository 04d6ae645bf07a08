/** Stores, secret managers and other processes that misbehave: callers are told what is so, and nothing is lost. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as ClientApplication from "../src/oauth/ClientApplication.ts"
import type * as Settings from "../src/Settings.ts"
import { AttemptStore } from "../src/store/AttemptStore.ts"
import { GrantStore } from "../src/store/GrantStore.ts"
import * as MemoryStores from "../src/store/MemoryStores.ts"
import { ZapierAuth } from "../src/ZapierAuth.ts"
import { StoreFailed } from "../src/ZapierAuthError.ts"
import * as TestZapier from "./utils/TestZapier.ts"

const { reasonOf, subject } = TestZapier

const noDisk = Effect.fail(new StoreFailed({ store: "grant store", operation: "write", problem: "no disk" }))

/** Stores of which that for grants is changed. */
const stores = (change: (store: GrantStore["Service"]) => Partial<GrantStore["Service"]>) =>
  Layer.effectContext(
    Effect.map(Layer.build(MemoryStores.layer), (context) => {
      const store = Context.get(context, GrantStore)
      return Context.add(context, GrantStore, GrantStore.of({ ...store, ...change(store) }))
    })
  )

const pass = (duration: Duration.Input) =>
  Effect.andThen(Effect.andThen(TestZapier.tick, TestClock.adjust(duration)), TestZapier.tick)

/** Lets time pass until the effect ends. */
const drive = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>, by: Duration.Input = "100 millis") {
  const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
  while (fiber.pollUnsafe() === undefined) yield* pass(by)
  return yield* Fiber.join(fiber)
})

const accessToken = Effect.flatMap(ZapierAuth, (auth) => auth.accessToken(subject))

const tokenOrReason = Effect.match(accessToken, {
  onSuccess: TestZapier.value,
  onFailure: ({ reason }) => reason._tag
})

describe("a store", () => {
  it.effect("that throws once, even before it returns an effect, has failed once", () => {
    const zapier = TestZapier.make()
    const told = { throws: false }
    const layer = stores((store) => ({
      get: (key) => {
        if (!told.throws) return store.get(key)
        told.throws = false
        throw new TypeError("boom")
      }
    }))
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* TestZapier.connect(subject)
      yield* pass("2 minutes")
      told.throws = true
      assert.strictEqual(yield* tokenOrReason, "StoreFailed")
      assert.strictEqual(yield* tokenOrReason, "access-token-1")
      told.throws = true
      assert.strictEqual(yield* reasonOf(auth.status(subject)), "StoreFailed")
      assert.deepInclude(yield* auth.status(subject), { _tag: "Active" })
    }).pipe(Effect.provide(Layer.provideMerge(zapier.process(), layer)))
  })

  it.effect("of attempts that fails once does not cost the tokens of a callback that comes twice", () => {
    const zapier = TestZapier.make()
    const told = { isDown: false }
    const layer = Layer.effectContext(
      Effect.map(Layer.build(MemoryStores.layer), (context) => {
        const store = Context.get(context, AttemptStore)
        const compareAndSet: typeof store.compareAndSet = (...write) => {
          if (!told.isDown) return store.compareAndSet(...write)
          told.isDown = false
          return Effect.delay(noDisk, "50 millis")
        }
        return Context.add(context, AttemptStore, AttemptStore.of({ ...store, compareAndSet }))
      })
    )
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      const { url } = yield* auth.authorizationUrl({ subject, scopes: ["zap"] })
      const state = new URL(Redacted.value(url)).searchParams.get("state") ?? ""
      const callback = auth.handleCallback({ code: "code-1", state }, { subject })
      // One waits behind the other, whose claim is given back while the code of the one is exchanged.
      told.isDown = true
      const gate = yield* Deferred.make<void>()
      zapier.nextToken(TestZapier.held(gate))
      const both = yield* Effect.forkChild(
        Effect.all([Effect.exit(callback), Effect.exit(callback)], { concurrency: 2 })
      )
      while (zapier.tokenRequests.length === 0) yield* pass("100 millis")
      yield* pass("1 second")
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual((yield* Fiber.join(both)).filter(Exit.isSuccess).length, 1)
      assert.deepInclude(yield* auth.status(subject), { _tag: "Active" })
      assert.strictEqual(zapier.tokenRequests.length, 1)
    }).pipe(Effect.provide(Layer.provideMerge(zapier.process(), layer)))
  })

  it.effect("that always says that another was faster is not asked without end, and is blamed", () => {
    const zapier = TestZapier.make()
    const told = { refuses: false, writes: 0 }
    const layer = stores((store) => ({
      compareAndSet: (key, expected, grant) => {
        told.writes++
        return told.refuses ? Effect.succeed(false) : store.compareAndSet(key, expected, grant)
      }
    }))
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      yield* pass(TestZapier.lifetime)
      told.refuses = true
      told.writes = 0
      assert.strictEqual(yield* drive(tokenOrReason), "StoreFailed")
      assert.isBelow(told.writes, 50)
      told.refuses = false
      assert.strictEqual(yield* drive(tokenOrReason), "access-token-2")
    }).pipe(Effect.provide(Layer.provideMerge(zapier.process(), layer)))
  })

  it.effect("that is silent for longer than callers wait is named in their error", () => {
    const zapier = TestZapier.make()
    const layer = stores(() => ({ get: () => Effect.never }))
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      assert.strictEqual(yield* drive(tokenOrReason, "1 second"), "StoreFailed")
      assert.strictEqual(yield* drive(reasonOf(auth.disconnect(subject)), "1 second"), "StoreFailed")
      yield* pass("20 seconds")
    }).pipe(Effect.provide(Layer.provideMerge(zapier.process({ requestTimeout: "5 seconds" }), layer)))
  })

  it.effect("that is slow does not hide that a secret manager is silent", () => {
    const zapier = TestZapier.make()
    const told = { isSilent: false }
    const secrets = ClientApplication.layerEffect(
      Effect.suspend(() => (told.isSilent ? Effect.never : Effect.succeed({ ...zapier.application })))
    )
    const layer = stores((store) => ({
      get: (key) => Effect.delay(store.get(key), "100 millis"),
      compareAndSet: (...write) => Effect.delay(store.compareAndSet(...write), "100 millis")
    }))
    return Effect.gen(function* () {
      yield* drive(TestZapier.connect(subject))
      yield* pass(TestZapier.lifetime)
      told.isSilent = true
      assert.strictEqual(yield* drive(tokenOrReason), "ApplicationUnavailable")
    }).pipe(Effect.provide(Layer.provideMerge(zapier.process({}, secrets), layer)))
  })

  it.effect("that fails while the process closes still gets the consent before closing ends", () => {
    const zapier = TestZapier.make()
    const told = { isDown: false, isClosed: false }
    const layer = stores((store) => ({
      compareAndSet: (...write) =>
        Effect.suspend(() => {
          assert.isFalse(told.isClosed)
          return told.isDown ? noDisk : store.compareAndSet(...write)
        })
    }))
    return Effect.gen(function* () {
      const context = yield* Layer.build(layer)
      const scope = yield* Scope.make()
      const services = yield* Layer.buildWithScope(
        Layer.provide(zapier.process({ requestTimeout: "1 second" }), Layer.succeedContext(context)),
        scope
      )
      const gate = Deferred.makeUnsafe<void>()
      zapier.nextToken(TestZapier.held(gate))
      yield* Effect.forkChild(Effect.exit(Effect.provide(TestZapier.connect(subject), services)), {
        startImmediately: true
      })
      while (zapier.tokenRequests.length === 0) yield* TestZapier.tick
      told.isDown = true
      const closing = Effect.andThen(
        Scope.close(scope, Exit.void),
        Effect.sync(() => void (told.isClosed = true))
      )
      yield* Effect.forkChild(closing, { startImmediately: true })
      yield* Deferred.succeed(gate, undefined)
      yield* pass("3 seconds")
      assert.isFalse(told.isClosed)
      told.isDown = false
      yield* pass("2 seconds")
      assert.isTrue(told.isClosed)
      const key = { clientId: zapier.application.clientId, subject }
      assert.isTrue(Option.isSome(yield* Context.get(context, GrantStore).get(key)))
    })
  })
})

describe("another process", () => {
  const twoProcesses = Effect.fnUntraced(function* (
    zapier: ReturnType<typeof TestZapier.make>,
    settings?: Settings.Options
  ) {
    const context = yield* Layer.build(stores((store) => ({ get: (key) => Effect.delay(store.get(key), 5) })))
    const process = () => Layer.build(Layer.provide(zapier.process(settings), Layer.succeedContext(context)))
    return [Context.get(yield* process(), ZapierAuth), Context.get(yield* process(), ZapierAuth)] as const
  })

  it.effect("that has disconnected the user hours ago is noticed by all of several calls at once", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const [one, other] = yield* twoProcesses(zapier)
      yield* drive(Effect.provideService(TestZapier.connect(subject), ZapierAuth, one))
      yield* drive(one.accessToken(subject))
      yield* drive(other.disconnect(subject))
      yield* pass("5 hours")
      const calls = [1, 2, 3].map(() => Effect.provideService(tokenOrReason, ZapierAuth, one))
      assert.deepStrictEqual(
        yield* drive(Effect.all(calls, { concurrency: "unbounded" })),
        calls.map(() => "ReconnectRequired")
      )
    })
  })

  it.effect("that disconnects the user is noticed in time although a refresh ahead is not responded to", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const [one, other] = yield* twoProcesses(zapier)
      const ask = drive(Effect.provideService(tokenOrReason, ZapierAuth, one))
      yield* drive(Effect.provideService(TestZapier.connect(subject), ZapierAuth, one))
      yield* pass("9 hours")
      yield* pass("56 minutes")
      zapier.nextToken(TestZapier.silent)
      assert.strictEqual(yield* ask, "access-token-1")
      // The token is still good, and the record says so.
      yield* pass("61 seconds")
      assert.strictEqual(yield* ask, "access-token-1")
      yield* drive(other.disconnect(subject))
      yield* pass("61 seconds")
      assert.strictEqual(yield* ask, "ReconnectRequired")
    })
  })
})

describe("a token that has just replaced a rejected one", () => {
  it.effect("is not handed out again after a disconnect", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* TestZapier.connect(subject)
      const first = yield* auth.accessToken(subject)
      const second = yield* auth.accessTokenRejected(subject, first)
      yield* auth.disconnect(subject)
      assert.strictEqual(yield* reasonOf(auth.accessTokenRejected(subject, second)), "ReconnectRequired")
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("gives way to a newer one", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* TestZapier.connect(subject)
      const first = yield* auth.accessToken(subject)
      const second = yield* auth.accessTokenRejected(subject, first)
      yield* auth.accessTokenAccepted(subject, second)
      const third = yield* auth.accessTokenRejected(subject, second)
      assert.strictEqual(TestZapier.value(third), "access-token-3")
      assert.strictEqual(TestZapier.value(yield* auth.accessTokenRejected(subject, second)), "access-token-3")
      assert.strictEqual(zapier.tokenRequests.length, 3)
    }).pipe(Effect.provide(zapier.layer()))
  })
})

it.effect("a caller that disconnects at once after its result gets no more tokens", () => {
  const zapier = TestZapier.make()
  const nextTurn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))
  return Effect.gen(function* () {
    const auth = yield* ZapierAuth
    yield* TestZapier.connect(subject)
    yield* pass("2 minutes")
    yield* auth.accessToken(subject)
    const leaving = yield* Effect.forkChild(auth.disconnect(subject), { startImmediately: true })
    assert.strictEqual(yield* tokenOrReason, "ReconnectRequired")
    yield* Fiber.join(leaving)
  }).pipe(
    Effect.provide(
      Layer.provideMerge(
        zapier.process(),
        stores((store) => ({ get: (key) => Effect.andThen(nextTurn, store.get(key)) }))
      )
    )
  )
})

it.effect("a server that fails and asks for no pause is left alone for a second, too", () => {
  const zapier = TestZapier.make()
  return Effect.gen(function* () {
    yield* TestZapier.connect(subject)
    yield* pass(TestZapier.lifetime)
    zapier.nextToken(TestZapier.respond(503, "", { "retry-after": "0" }))
    for (let call = 0; call < 20; call++) assert.strictEqual(yield* tokenOrReason, "ServiceUnavailable")
    assert.strictEqual(zapier.tokenRequests.length, 2)
  }).pipe(Effect.provide(zapier.layer()))
})
