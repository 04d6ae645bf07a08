/** Closing waits for what is under way, lets nothing begin, and closes the stores last. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as MemoryStores from "../src/store/MemoryStores.ts"
import * as Credential from "../src/zapier/Credential.ts"
import { ZapierAuth } from "../src/ZapierAuth.ts"
import { isZapierAuthError } from "../src/ZapierAuthError.ts"
import { ZapierHttpClient } from "../src/ZapierHttpClient.ts"
import * as TestZapier from "./utils/TestZapier.ts"

const { subject } = TestZapier

const setup = Effect.fnUntraced(function* (zapier: ReturnType<typeof TestZapier.make>) {
  const scope = yield* Scope.make()
  let isStoreOpen = true
  const stores = Layer.merge(
    MemoryStores.layer,
    Layer.effectDiscard(Effect.addFinalizer(() => Effect.sync(() => (isStoreOpen = false))))
  )
  const services = yield* Layer.buildWithScope(Layer.provideMerge(zapier.process(), stores), scope)
  const client = Context.get(services, ZapierHttpClient)
  const auth = Context.get(services, ZapierAuth)
  yield* Effect.provideContext(TestZapier.connect(subject), services)
  const call = Effect.match(client.call("GET /v2/zaps", { credential: Credential.user(subject) }), {
    onSuccess: ({ status }): number | string => status,
    onFailure: (error) => (isZapierAuthError(error) ? error.reason._tag : "other")
  })
  const close = Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
  return { auth, call, close, client, isStoreOpen: () => isStoreOpen }
})

describe("closing", () => {
  it.effect("waits for calls under way, and rejects later ones with any credential", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const { auth, call, client, close, isStoreOpen } = yield* setup(zapier)
      const gate = yield* Deferred.make<void>()
      zapier.nextApi(TestZapier.held(gate))
      const underWay = yield* Effect.forkChild(call, { startImmediately: true })
      const closing = yield* close
      assert.strictEqual(yield* call, "Closed")
      assert.strictEqual(yield* TestZapier.reasonOf(auth.status(subject)), "Closed")
      const consent = auth.authorizationUrl({ subject, scopes: ["zap"] })
      assert.strictEqual(yield* TestZapier.reasonOf(consent), "Closed")
      const apps = client.as(Credential.clientId).get("/v1/apps")
      assert.isTrue(isZapierAuthError(yield* Effect.flip(apps)))
      assert.isTrue(isStoreOpen())
      assert.isUndefined(closing.pollUnsafe())
      assert.strictEqual(zapier.apiRequests.length, 1)
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(yield* Fiber.join(underWay), 200)
      yield* Fiber.join(closing)
      assert.isFalse(isStoreOpen())
    })
  })

  it.effect("begins no refresh for a call that gets a 401 meanwhile", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const { call, close } = yield* setup(zapier)
      const gate = yield* Deferred.make<void>()
      zapier.state.accessTokens.clear()
      zapier.nextApi(TestZapier.held(gate))
      const underWay = yield* Effect.forkChild(call, { startImmediately: true })
      const closing = yield* close
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(yield* Fiber.join(underWay), "Closed")
      yield* Fiber.join(closing)
      assert.strictEqual(zapier.tokenRequests.length, 1)
    })
  })

  it.effect("does not wait for a call longer than `requestTimeout`", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const { call, close, isStoreOpen } = yield* setup(zapier)
      zapier.nextApi(TestZapier.silent)
      yield* Effect.forkChild(call, { startImmediately: true })
      const closing = yield* close
      yield* TestClock.adjust("19 seconds")
      assert.isTrue(isStoreOpen())
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(closing)
      assert.isFalse(isStoreOpen())
    })
  })
})
