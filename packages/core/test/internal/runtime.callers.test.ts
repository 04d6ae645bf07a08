/** Callers of one key share what is under way, and have nothing to do with each other. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Tracer from "effect/Tracer"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as ClientApplication from "../../src/oauth/ClientApplication.ts"
import * as TokenEndpoint from "../../src/oauth/TokenEndpoint.ts"
import { GrantStore } from "../../src/store/GrantStore.ts"
import * as MemoryStores from "../../src/store/MemoryStores.ts"
import * as ZapierAuth from "../../src/ZapierAuth.ts"
import * as TestZapier from "../utils/TestZapier.ts"
import * as Spans from "../utils/Spans.ts"

const { subject } = TestZapier

const accessToken = Effect.flatMap(ZapierAuth.ZapierAuth, (auth) => auth.accessToken(subject))

describe("runtime: a caller that is interrupted", () => {
  it.effect("harms no other caller at any point", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      for (let offset = 0; offset < 60; offset++) {
        yield* TestClock.adjust(TestZapier.lifetime)
        const before = zapier.tokenRequests.length
        const fiber = yield* Effect.forkChild(accessToken).pipe(Effect.provideService(Scheduler.MaxOpsBeforeYield, 3))
        for (let turn = 0; turn < offset; turn++) yield* Effect.yieldNow
        yield* Fiber.interrupt(fiber)
        assert.match(TestZapier.value(yield* accessToken), /^access-token-/)
        assert.strictEqual(zapier.tokenRequests.length, before + 1, `interrupted after ${offset} turns`)
      }
    }).pipe(Effect.provide(zapier.layer()))
  })
})

describe("runtime: a caller that has left", () => {
  it.effect("is not waited for: a connection that breaks then is not followed by another request", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust(TestZapier.lifetime)
      const gate = Deferred.makeUnsafe<void>()
      zapier.nextToken((...sent) => Effect.andThen(Deferred.await(gate), TestZapier.requestLost(...sent)))
      const caller = yield* Effect.forkChild(accessToken, { startImmediately: true })
      while (zapier.tokenRequests.length < 2) yield* TestZapier.tick
      yield* Fiber.interrupt(caller)
      yield* Deferred.succeed(gate, undefined)
      for (let turn = 0; turn < 5; turn++) yield* TestZapier.tick
      assert.strictEqual(zapier.tokenRequests.length, 2)
    }).pipe(Effect.provide(zapier.layer()))
  })
})

describe("runtime: a caller's services", () => {
  /** Over Effect's fetch client, whose `fetch` counts its calls. */
  const setup = () => {
    const calls: Array<string> = []
    const fetch = (name: string, status = 200) =>
      (async () => {
        calls.push(name)
        return Response.json({ access_token: `token of ${name}`, expires_in: 3_600 }, { status })
      }) as unknown as typeof globalThis.fetch
    const layer = ZapierAuth.layer({ retryFor: 0 }).pipe(
      Layer.provide([TokenEndpoint.layer, MemoryStores.layer]),
      Layer.provide([
        ClientApplication.layer({ clientId: "a", clientSecret: "b", redirectUris: ["https://app.example/callback"] }),
        FetchHttpClient.layer.pipe(Layer.provideMerge(Layer.succeed(FetchHttpClient.Fetch, fetch("the app")))),
        Digest.layerWebCrypto,
        SecureRandom.layerWebCrypto
      ])
    )
    return { calls, fetch, layer }
  }

  it.effect("is not used for others, though it is the first to ask", () => {
    const { calls, fetch, layer } = setup()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth.ZapierAuth
      const tokens = yield* Effect.all(
        [
          Effect.provideService(auth.appToken(["zap"]), FetchHttpClient.Fetch, fetch("the first caller", 500)),
          auth.appToken(["zap"])
        ],
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(tokens.map(TestZapier.value), ["token of the app", "token of the app"])
      assert.deepStrictEqual(calls, ["the app"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("has its span linked to the request's, which has no parent", () => {
    const { spans, tracer } = Spans.recording()
    const { layer } = setup()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth.ZapierAuth
      const caller = (name: string) => Effect.withSpan(auth.appToken(["zap"]), name)
      yield* Effect.all([caller("one"), caller("two")], { concurrency: "unbounded" })
      const named = (name: string) => spans.find((span) => span.name === name)
      const request = named("AppCredential.request")
      assert.strictEqual(request?.parent._tag, "None")
      for (const name of ["one", "two"]) {
        assert.deepStrictEqual(
          named(name)?.links.map(({ span }) => span.spanId),
          [request?.spanId]
        )
      }
    }).pipe(Effect.provide(Layer.provideMerge(layer, Layer.succeed(Tracer.Tracer, tracer))))
  })
})

describe("runtime: closing", () => {
  it.effect("waits for a code that is being exchanged, and stores the grant before the stores are closed", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const context = yield* Layer.build(MemoryStores.layer)
      const store = Context.get(context, GrantStore)
      const closed = { stores: false, writes: 0 }
      const guarded = GrantStore.of({
        ...store,
        compareAndSet: (key, expected, value) =>
          Effect.suspend(() => {
            assert.isFalse(closed.stores)
            closed.writes++
            return store.compareAndSet(key, expected, value)
          })
      })
      const stores = Layer.effectContext(
        Effect.as(
          Effect.addFinalizer(() => Effect.sync(() => void (closed.stores = true))),
          Context.add(context, GrantStore, guarded)
        )
      )
      const scope = yield* Scope.make()
      const services = yield* Layer.buildWithScope(Layer.provide(zapier.process(), stores), scope)
      const gate = Deferred.makeUnsafe<void>()
      zapier.nextToken(TestZapier.held(gate))
      const login = yield* Effect.forkChild(Effect.provide(TestZapier.connect(subject), services), {
        startImmediately: true
      })
      while (zapier.tokenRequests.length === 0) yield* TestZapier.tick
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* TestZapier.tick
      assert.isUndefined(closing.pollUnsafe())
      // The caller's end does not matter.
      yield* Fiber.interrupt(login)
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(closing)
      assert.deepStrictEqual(closed, { stores: true, writes: 1 })
    })
  })

  it.effect("fails callers that wait for another process, and begins nothing", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const context = yield* Layer.build(MemoryStores.layer)
      const one = yield* Layer.build(Layer.provide(zapier.process(), Layer.succeedContext(context)))
      const scope = yield* Scope.make()
      const other = yield* Layer.buildWithScope(Layer.provide(zapier.process(), Layer.succeedContext(context)), scope)
      yield* Effect.provide(TestZapier.connect(subject), one)
      yield* TestClock.adjust(TestZapier.lifetime)
      const gate = Deferred.makeUnsafe<void>()
      zapier.nextToken(TestZapier.held(gate))
      yield* Effect.forkChild(Effect.provide(accessToken, one), { startImmediately: true })
      while (zapier.tokenRequests.length < 2) yield* TestZapier.tick
      const waiting = yield* Effect.forkChild(TestZapier.reasonOf(Effect.provide(accessToken, other)), {
        startImmediately: true
      })
      yield* TestZapier.tick
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* Fiber.join(waiting), "Closed")
      yield* Deferred.succeed(gate, undefined)
    })
  })
})
