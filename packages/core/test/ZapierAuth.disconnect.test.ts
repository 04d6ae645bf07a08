/** A disconnected user's token is not used any more, and a new consent is not removed. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { GrantStore } from "../src/store/GrantStore.ts"
import * as MemoryStores from "../src/store/MemoryStores.ts"
import { ZapierAuth } from "../src/ZapierAuth.ts"
import { StoreFailed } from "../src/ZapierAuthError.ts"
import * as TestZapier from "./utils/TestZapier.ts"

const { reasonOf, subject } = TestZapier

const failure = Effect.fail(new StoreFailed({ store: "grant store", operation: "write", problem: "no disk" }))

/** Stores of which that for grants removes as it is told to. */
const stores = (remove: (usual: Effect.Effect<boolean>) => Effect.Effect<boolean> | typeof failure) =>
  Layer.effectContext(
    Effect.map(Layer.build(MemoryStores.layer), (context) => {
      const store = Context.get(context, GrantStore)
      const changed = GrantStore.of({
        ...store,
        remove: (key, expected) => remove(Effect.orDie(store.remove(key, expected)))
      })
      return Context.add(context, GrantStore, changed)
    })
  )

describe("ZapierAuth: disconnect", () => {
  it.effect("with a call at the same time leaves nothing for the call after it", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust("9 hours")
      yield* TestClock.adjust("56 minutes")
      const gate = Deferred.makeUnsafe<void>()
      zapier.nextToken(TestZapier.held(gate))
      const both = yield* Effect.forkChild(
        Effect.all([Effect.exit(auth.accessToken(subject)), auth.disconnect(subject)], { concurrency: "unbounded" }),
        { startImmediately: true }
      )
      yield* Fiber.join(both)
      assert.strictEqual(yield* reasonOf(auth.accessToken(subject)), "ReconnectRequired")
      yield* Deferred.succeed(gate, undefined)
      yield* TestZapier.tick
      assert.strictEqual(yield* reasonOf(auth.accessToken(subject)), "ReconnectRequired")
      assert.deepStrictEqual(yield* auth.status(subject), { _tag: "Absent", subject })
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("is followed by nothing from memory, though its store failed after the removal", () => {
    const zapier = TestZapier.make()
    const layer = stores((usual) => Effect.andThen(usual, failure))
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* TestZapier.connect(subject)
      yield* auth.accessToken(subject)
      assert.strictEqual(yield* reasonOf(auth.disconnect(subject)), "StoreFailed")
      assert.strictEqual(yield* reasonOf(auth.accessToken(subject)), "ReconnectRequired")
    }).pipe(Effect.provide(Layer.provideMerge(zapier.process(), layer)))
  })

  it.effect("that fails leaves a user with a stored grant connected", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* TestZapier.connect(subject)
      assert.strictEqual(yield* reasonOf(auth.disconnect(subject)), "StoreFailed")
      assert.strictEqual(TestZapier.value(yield* auth.accessToken(subject)), "access-token-1")
      assert.strictEqual(zapier.tokenRequests.length, 1)
    }).pipe(
      Effect.provide(
        Layer.provideMerge(
          zapier.process(),
          stores(() => failure)
        )
      )
    )
  })

  it.effect("that is interrupted is still carried out, and nothing is used from memory", () => {
    const zapier = TestZapier.make()
    const gate = Deferred.makeUnsafe<void>()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* TestZapier.connect(subject)
      yield* auth.accessToken(subject)
      const leaving = yield* Effect.forkChild(auth.disconnect(subject), { startImmediately: true })
      yield* TestZapier.tick
      yield* Fiber.interrupt(leaving)
      const asked = yield* Effect.forkChild(reasonOf(auth.accessToken(subject)), { startImmediately: true })
      yield* TestZapier.tick
      assert.isUndefined(asked.pollUnsafe())
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(yield* Fiber.join(asked), "ReconnectRequired")
    }).pipe(
      Effect.provide(
        Layer.provideMerge(
          zapier.process(),
          stores((usual) => Effect.andThen(Deferred.await(gate), usual))
        )
      )
    )
  })

  // One process is about to remove the grant, and waits; another goes on meanwhile.
  const removingLate = Effect.fnUntraced(function* (zapier: ReturnType<typeof TestZapier.make>) {
    const shared = yield* Layer.build(MemoryStores.layer)
    const store = Context.get(shared, GrantStore)
    const gate = Deferred.makeUnsafe<void>()
    const removals: Array<boolean> = []
    const slow = GrantStore.of({
      ...store,
      remove: (key, expected) =>
        Effect.andThen(Deferred.await(gate), store.remove(key, expected)).pipe(
          Effect.tap((isRemoved) => Effect.sync(() => void removals.push(isRemoved)))
        )
    })
    const process = (context: typeof shared) =>
      Layer.build(Layer.provide(zapier.process(), Layer.succeedContext(context)))
    const one = yield* process(Context.add(shared, GrantStore, slow))
    const other = yield* process(shared)
    yield* Effect.provide(TestZapier.connect(subject), other)
    yield* TestClock.adjust(TestZapier.lifetime)
    const leaving = yield* Effect.forkChild(Context.get(one, ZapierAuth).disconnect(subject), {
      startImmediately: true
    })
    yield* TestZapier.tick
    const end = Effect.andThen(Deferred.succeed(gate, undefined), Fiber.join(leaving))
    return { one: Context.get(one, ZapierAuth), other: Context.get(other, ZapierAuth), removals, end }
  })

  it.effect("removes no consent that was stored after it had looked", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const { end, one, other, removals } = yield* removingLate(zapier)
      yield* Effect.provideService(TestZapier.connect(subject, "code-2"), ZapierAuth, other)
      yield* end
      assert.deepStrictEqual(removals, [false])
      assert.strictEqual(TestZapier.value(yield* one.accessToken(subject)), "access-token-2")
      assert.strictEqual(TestZapier.value(yield* other.accessToken(subject)), "access-token-2")
    })
  })

  it.effect("removes a grant that another process has renewed meanwhile", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const { end, other, removals } = yield* removingLate(zapier)
      yield* other.accessToken(subject)
      yield* end
      assert.deepStrictEqual(removals, [false, true])
    })
  })
})
