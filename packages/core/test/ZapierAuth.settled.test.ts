/** What a process that is about to be frozen can wait for. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { ZapierAuth } from "../src/ZapierAuth.ts"
import * as TestZapier from "./utils/TestZapier.ts"

const { subject } = TestZapier

const token = (auth: ZapierAuth["Service"]) => Effect.map(auth.accessToken(subject), TestZapier.value)

/** Connected, with a token that is to be renewed and still lives. */
const due = Effect.gen(function* () {
  yield* TestZapier.connect(subject)
  yield* TestClock.adjust("597 minutes")
})

describe("settled", () => {
  it.effect("ends once a token that is renewed ahead is stored, which its caller has not waited for", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* due
      const gate = Deferred.makeUnsafe<void>()
      zapier.nextToken(TestZapier.held(gate))
      assert.strictEqual(yield* token(auth), "access-token-1")
      assert.isFalse(auth.isSettled())
      const settled = yield* Effect.forkChild(auth.settled, { startImmediately: true })
      yield* TestClock.adjust("30 seconds")
      assert.isUndefined(settled.pollUnsafe())
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(settled)
      assert.isTrue(auth.isSettled())
      assert.deepInclude(yield* auth.status(subject), { _tag: "Active", generation: 2 })
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("ends at once where nothing is under way, and waits for nothing that begins later", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      assert.isTrue(auth.isSettled())
      yield* auth.settled
      yield* due
      const first = Deferred.makeUnsafe<void>()
      zapier.nextToken(TestZapier.held(first))
      yield* token(auth)
      const settled = yield* Effect.forkChild(auth.settled, { startImmediately: true })
      const second = Deferred.makeUnsafe<void>()
      zapier.nextToken(TestZapier.held(second))
      const later = yield* Effect.forkChild(auth.appToken(["promotions:read"]), { startImmediately: true })
      yield* Deferred.succeed(first, undefined)
      yield* Fiber.join(settled)
      assert.isFalse(auth.isSettled())
      yield* Deferred.succeed(second, undefined)
      yield* Fiber.join(later)
      yield* TestZapier.tick
      assert.isTrue(auth.isSettled())
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("ends when the callers have left and the response has still arrived", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust(TestZapier.lifetime)
      const gate = Deferred.makeUnsafe<void>()
      zapier.nextToken(TestZapier.held(gate))
      const caller = yield* Effect.forkChild(token(auth), { startImmediately: true })
      yield* TestZapier.tick
      yield* Fiber.interrupt(caller)
      const settled = yield* Effect.forkChild(auth.settled, { startImmediately: true })
      yield* TestZapier.tick
      assert.isUndefined(settled.pollUnsafe())
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(settled)
      assert.deepInclude(yield* auth.status(subject), { _tag: "Active", generation: 2 })
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("with no margin a token is used until its end, and renewed by the call that needs another", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* due
      assert.strictEqual(yield* token(auth), "access-token-1")
      yield* TestZapier.tick
      assert.isTrue(auth.isSettled())
      assert.strictEqual(zapier.tokenRequests.length, 1)
      yield* TestClock.adjust("3 minutes")
      assert.strictEqual(yield* token(auth), "access-token-2")
      yield* TestZapier.tick
      assert.isTrue(auth.isSettled())
    }).pipe(Effect.provide(zapier.layer({ expiryMargin: 0 })))
  })
})
