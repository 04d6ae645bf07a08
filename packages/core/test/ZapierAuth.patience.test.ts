/** The times that callers and the owner of a request wait, also for stores and secret managers. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as ClientApplication from "../src/oauth/ClientApplication.ts"
import { GrantStore } from "../src/store/GrantStore.ts"
import * as MemoryStores from "../src/store/MemoryStores.ts"
import { ZapierAuth } from "../src/ZapierAuth.ts"
import * as TestZapier from "./utils/TestZapier.ts"

const { subject } = TestZapier

/** The access token, or the reason why there is none. */
const outcome = Effect.flatMap(ZapierAuth, (auth) => auth.accessToken(subject)).pipe(
  Effect.match({ onSuccess: TestZapier.value, onFailure: ({ reason }) => reason._tag })
)

const callers = (n: number) =>
  Effect.forEach(Array.from({ length: n }), () => Effect.forkChild(outcome, { startImmediately: true }))

const heard = (fibers: ReadonlyArray<Fiber.Fiber<string>>) =>
  Effect.map(Effect.forEach(fibers, Fiber.join), (outcomes) => [...new Set(outcomes)])

/** Stores of which that for grants does not respond while it is told so. It cannot be interrupted. */
const hangingStores = () => {
  const told = { hangs: false }
  const layer = Layer.effectContext(
    Effect.map(Layer.build(MemoryStores.layer), (context) => {
      const store = Context.get(context, GrantStore)
      const hang = <A, E>(effect: Effect.Effect<A, E>) =>
        Effect.uninterruptible(Effect.suspend(() => (told.hangs ? Effect.never : effect)))
      const grants = GrantStore.of({
        ...store,
        get: (key) => hang(store.get(key)),
        compareAndSet: (key, expected, value) => hang(store.compareAndSet(key, expected, value)),
        remove: (key, expected) => hang(store.remove(key, expected))
      })
      return Context.add(context, GrantStore, grants)
    })
  )
  return { told, layer }
}

describe("patience", () => {
  it.effect("a slow server gets one request, and callers get an error meanwhile", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust(TestZapier.lifetime)
      const gate = Deferred.makeUnsafe<void>()
      zapier.nextToken(TestZapier.held(gate))
      const early = yield* callers(1_000)
      yield* TestClock.adjust("21 seconds")
      assert.deepStrictEqual(yield* heard(early), ["ResponsePending"])
      const late = yield* callers(1_000)
      yield* TestClock.adjust("10 seconds")
      yield* Deferred.succeed(gate, undefined)
      assert.deepStrictEqual(yield* heard(late), ["access-token-2"])
      assert.strictEqual(zapier.tokenRequests.length, 2)
      assert.deepInclude(yield* auth.status(subject), { _tag: "Active", generation: 2 })
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("callers of another process wait as long, and it sends nothing while the response may come", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const one = yield* Layer.build(zapier.process())
      const other = yield* Layer.build(Layer.fresh(zapier.process()))
      yield* Effect.provide(TestZapier.connect(subject), one)
      yield* TestClock.adjust(TestZapier.lifetime)
      const gate = Deferred.makeUnsafe<void>()
      zapier.nextToken(TestZapier.held(gate))
      const owner = yield* Effect.provide(callers(1), one)
      yield* TestZapier.tick
      for (const _ of [1, 2]) {
        const waiting = yield* Effect.provide(callers(200), other)
        yield* TestClock.adjust("21 seconds")
        assert.deepStrictEqual(yield* heard(waiting), ["ResponsePending"])
      }
      assert.deepStrictEqual(yield* heard(owner), ["ResponsePending"])
      yield* Deferred.succeed(gate, undefined)
      yield* TestZapier.tick
      const served = yield* Effect.provide(callers(200), other)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* heard(served), ["access-token-2"])
      assert.strictEqual(zapier.tokenRequests.length, 2)
    }).pipe(Effect.scoped, Effect.provide(MemoryStores.layer))
  })

  it.effect("a response that came while the process stood still is stored, past every timeout", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust(TestZapier.lifetime)
      // The response lies in the socket; the timers, which are late, fire before it is read.
      zapier.nextToken((_, usual) => Effect.delay(Effect.sync(usual), "60001 millis"))
      const waiting = yield* callers(50)
      yield* TestClock.adjust("70 seconds")
      yield* heard(waiting)
      assert.strictEqual(yield* outcome, "access-token-2")
      assert.strictEqual(zapier.tokenRequests.length, 2)
      assert.deepInclude(yield* auth.status(subject), { _tag: "Active", generation: 2 })
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("a login and an app token get the response that comes late, too", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      const gate = Deferred.makeUnsafe<void>()
      zapier.nextToken(TestZapier.held(gate), TestZapier.held(gate))
      const login = yield* Effect.forkChild(TestZapier.reasonOf(TestZapier.connect(subject)), {
        startImmediately: true
      })
      const app = yield* Effect.forkChild(TestZapier.reasonOf(auth.appToken(["zap"])), { startImmediately: true })
      while (zapier.tokenRequests.length < 2) yield* TestZapier.tick
      yield* TestClock.adjust("21 seconds")
      assert.deepStrictEqual(yield* Effect.all([Fiber.join(login), Fiber.join(app)]), [
        "ResponsePending",
        "ResponsePending"
      ])
      yield* Deferred.succeed(gate, undefined)
      yield* TestZapier.tick
      assert.deepInclude(yield* auth.status(subject), { _tag: "Active", generation: 1 })
      yield* auth.appToken(["zap"])
      assert.strictEqual(zapier.tokenRequests.length, 2)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("a store that does not respond is given up, and the call after it is served", () => {
    const zapier = TestZapier.make()
    const stores = hangingStores()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust("2 minutes")
      stores.told.hangs = true
      const asked = yield* callers(3)
      const looking = yield* Effect.forkChild(TestZapier.reasonOf(auth.status(subject)), { startImmediately: true })
      yield* TestClock.adjust("11 seconds")
      assert.strictEqual(yield* Fiber.join(looking), "StoreFailed")
      stores.told.hangs = false
      assert.deepStrictEqual(yield* heard(asked), ["StoreFailed"])
      assert.strictEqual(yield* outcome, "access-token-1")
    }).pipe(Effect.provide(Layer.provideMerge(zapier.process(), stores.layer)))
  })

  it.effect("a secret manager that does not respond is given up, nothing is sent, and the grant is free again", () => {
    const zapier = TestZapier.make()
    const told = { hangs: false }
    const secrets = ClientApplication.layerEffect(
      Effect.uninterruptible(
        Effect.suspend(() => (told.hangs ? Effect.never : Effect.succeed({ ...zapier.application })))
      )
    )
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust(TestZapier.lifetime)
      told.hangs = true
      const early = yield* callers(1)
      yield* TestClock.adjust("1 second")
      const late = yield* callers(1)
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(yield* heard([...early, ...late]), ["ApplicationUnavailable"])
      assert.deepInclude(yield* auth.status(subject), { _tag: "Active", generation: 1 })
      assert.strictEqual(zapier.tokenRequests.length, 1)
      told.hangs = false
      assert.strictEqual(yield* outcome, "access-token-2")
    }).pipe(Effect.provide(zapier.layer(undefined, secrets)))
  })

  it.effect("closing ends although a store and a secret manager do not respond", () => {
    const zapier = TestZapier.make()
    const stores = hangingStores()
    return Effect.gen(function* () {
      const scope = yield* Scope.make()
      const services = yield* Layer.buildWithScope(Layer.provide(zapier.process(), stores.layer), scope)
      yield* Effect.provide(TestZapier.connect(subject), services)
      yield* TestClock.adjust("2 minutes")
      stores.told.hangs = true
      const waiting = yield* Effect.provide(callers(2), services)
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* TestClock.adjust("11 seconds")
      assert.isDefined(closing.pollUnsafe())
      assert.deepStrictEqual(yield* heard(waiting), ["StoreFailed"])
    })
  })
})
