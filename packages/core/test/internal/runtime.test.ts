import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as AuthMetrics from "../../src/AuthMetrics.ts"
import { GrantStore } from "../../src/store/GrantStore.ts"
import * as MemoryStores from "../../src/store/MemoryStores.ts"
import type * as Settings from "../../src/Settings.ts"
import { ZapierAuth } from "../../src/ZapierAuth.ts"
import { StoreFailed } from "../../src/ZapierAuthError.ts"
import * as TestZapier from "../utils/TestZapier.ts"

const subject = "user-1"

/** Stores in memory, of which that for grants fails while it is told to, and counts what it is asked. */
const makeStores = () => {
  const told = { fails: false, isCarriedOut: false, reads: 0 }
  const failure = Effect.fail(new StoreFailed({ store: "grant store", operation: "write", problem: "no disk" }))
  const layer = Layer.effectContext(
    Effect.map(Layer.build(MemoryStores.layer), (context) => {
      const store = Context.get(context, GrantStore)
      return Context.add(
        context,
        GrantStore,
        GrantStore.of({
          ...store,
          get: (key) =>
            Effect.suspend(() => {
              told.reads++
              return store.get(key)
            }),
          compareAndSet: (key, expected, grant) =>
            Effect.suspend(() => {
              const write = store.compareAndSet(key, expected, grant)
              if (!told.fails) return write
              return told.isCarriedOut ? Effect.andThen(write, failure) : failure
            })
        })
      )
    })
  )
  return { told, layer }
}

const accessToken = Effect.flatMap(ZapierAuth, (auth) => auth.accessToken(subject))

const valueOf = ({ accessToken: token }: { readonly accessToken: Redacted.Redacted }) => Redacted.value(token)

/** Lets all that is ready run, and virtual time pass. */
const pass = (duration: Parameters<typeof TestClock.adjust>[0]) =>
  Effect.andThen(Effect.andThen(TestZapier.tick, TestClock.adjust(duration)), TestZapier.tick)

const setup = (settings?: Settings.Options) => {
  const zapier = TestZapier.make()
  const stores = makeStores()
  return { zapier, told: stores.told, layer: Layer.provideMerge(zapier.process(settings), stores.layer) }
}

/** Asks, and has the store fail from just before the response comes, after the claim. */
const failBeforeResponse = Effect.fnUntraced(function* <A, E, R>(
  zapier: ReturnType<typeof TestZapier.make>,
  told: { fails: boolean },
  asking: Effect.Effect<A, E, R>
) {
  const gate = Deferred.makeUnsafe<void>()
  zapier.nextToken(TestZapier.held(gate))
  const fiber = yield* Effect.forkChild(asking, { startImmediately: true })
  yield* TestZapier.tick
  told.fails = true
  yield* Deferred.succeed(gate, undefined)
  return fiber
})

describe("runtime, when the store fails", () => {
  it.effect("keeps a response, and stores it when the store is back", () => {
    const { layer, told, zapier } = setup()
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust("11 hours")
      const fiber = yield* failBeforeResponse(zapier, told, accessToken)
      yield* pass("2 seconds")
      expect(fiber.pollUnsafe()).toBeUndefined()
      told.fails = false
      yield* pass("10 seconds")
      expect(valueOf(yield* Fiber.join(fiber))).toBe("access-token-2")
      expect(zapier.tokenRequests).toHaveLength(2)
    }).pipe(Effect.provide(layer))
  })

  it.effect("keeps the response for as long as the process lives", () => {
    const { layer, told, zapier } = setup()
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust("11 hours")
      const fiber = yield* failBeforeResponse(zapier, told, Effect.flip(accessToken))
      yield* pass("1 minute")
      expect((yield* Fiber.join(fiber)).reason._tag).toBe("StoreFailed")
      yield* pass("1 hour")
      told.fails = false
      // Presenting the old refresh token again would be the end of the grant.
      const asked = yield* Effect.forkChild(accessToken, { startImmediately: true })
      yield* pass("1 second")
      expect(valueOf(yield* Fiber.join(asked))).toBe("access-token-2")
      expect(zapier.tokenRequests).toHaveLength(2)
    }).pipe(Effect.provide(layer))
  })

  it.effect("stores it as soon as the store is back, with or without callers", () => {
    const { layer, told, zapier } = setup()
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust("11 hours")
      const fiber = yield* failBeforeResponse(zapier, told, Effect.flip(accessToken))
      yield* pass("25 seconds")
      expect((yield* Fiber.join(fiber)).reason._tag).toBe("StoreFailed")
      told.fails = false
      // The lease is still live: nobody else has presented the old refresh token.
      yield* pass("1 second")
      expect(yield* Effect.flatMap(ZapierAuth, (auth) => auth.status(subject))).toMatchObject({
        _tag: "Active",
        generation: 2
      })
    }).pipe(Effect.provide(layer))
  })

  it.effect("stores it before the process ends, if the store is back in time", () => {
    const { zapier } = setup()
    return Effect.gen(function* () {
      const stores = makeStores()
      const context = yield* Layer.build(stores.layer)
      const scope = yield* Scope.make()
      const services = yield* Layer.buildWithScope(
        Layer.provide(zapier.process(), Layer.succeedContext(context)),
        scope
      )
      yield* Effect.provide(TestZapier.connect(subject), services)
      yield* TestClock.adjust("11 hours")
      yield* failBeforeResponse(zapier, stores.told, Effect.provide(accessToken, services))
      yield* pass("20 seconds")
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* pass("5 seconds")
      expect(closing.pollUnsafe()).toBeUndefined()
      stores.told.fails = false
      yield* pass("2 seconds")
      expect(closing.pollUnsafe()).toBeDefined()
      const store = Context.get(context, GrantStore)
      const { entries } = yield* store.page({ clientId: "client-1", limit: 1 })
      expect(entries[0]?.grant.value).toMatchObject({ _tag: "Active", generation: 2 })
    })
  })

  it.effect("ends with the process if the store stays away", () => {
    const { zapier } = setup()
    return Effect.gen(function* () {
      const stores = makeStores()
      const scope = yield* Scope.make()
      const services = yield* Layer.buildWithScope(Layer.provide(zapier.process(), stores.layer), scope)
      yield* Effect.provide(TestZapier.connect(subject), services)
      yield* TestClock.adjust("11 hours")
      yield* failBeforeResponse(zapier, stores.told, Effect.provide(accessToken, services))
      yield* pass("20 seconds")
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* pass("15 seconds")
      expect(closing.pollUnsafe()).toBeDefined()
    })
  })

  // A user connects while writes fail for a second, whether they are carried out or not.
  const connectInTrouble = (isCarriedOut: boolean) => {
    const { layer, told, zapier } = setup()
    return Effect.gen(function* () {
      const gate = Deferred.makeUnsafe<void>()
      zapier.nextToken(TestZapier.held(gate))
      const fiber = yield* Effect.forkChild(TestZapier.connect(subject), { startImmediately: true })
      yield* TestZapier.tick
      yield* TestZapier.tick
      told.fails = true
      told.isCarriedOut = isCarriedOut
      yield* Deferred.succeed(gate, undefined)
      yield* pass("1 second")
      told.fails = false
      yield* pass("10 seconds")
      yield* Fiber.join(fiber)
      expect(valueOf(yield* accessToken)).toBe("access-token-1")
      expect(yield* Effect.flatMap(ZapierAuth, (auth) => auth.status(subject))).toMatchObject({ generation: 1 })
    }).pipe(Effect.provide(layer))
  }

  it.effect("stores a consent once, though its write fails after it was carried out", () => connectInTrouble(true))

  it.effect("does the same for the response to a code exchange", () => connectInTrouble(false))

  it.effect("does not keep a failure: the next call tries again", () => {
    const { layer, told, zapier } = setup()
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust("11 hours")
      told.fails = true
      expect((yield* Effect.flip(accessToken)).reason._tag).toBe("StoreFailed")
      told.fails = false
      const asked = yield* Effect.forkChild(accessToken, { startImmediately: true })
      yield* pass("1 second")
      expect(valueOf(yield* Fiber.join(asked))).toBe("access-token-2")
      expect(zapier.tokenRequests).toHaveLength(2)
    }).pipe(Effect.provide(layer))
  })
})

describe("runtime, when clocks jump", () => {
  it.effect("asks the store again when the clock has jumped back", () => {
    const { layer, told } = setup()
    return Effect.gen(function* () {
      yield* TestClock.setTime(100 * 3_600_000)
      yield* TestZapier.connect(subject)
      yield* accessToken
      const { reads } = told
      yield* accessToken
      expect(told.reads).toBe(reads)
      yield* TestClock.setTime(3_600_000)
      yield* accessToken
      expect(told.reads).toBe(reads + 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("waits no longer than the longest lease for one that was given under a clock far ahead", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const context = yield* Layer.build(MemoryStores.layer)
      const process = () => Layer.build(Layer.provide(zapier.process(), Layer.succeedContext(context)))
      const first = yield* process()
      const second = yield* process()
      yield* TestClock.setTime(100 * 3_600_000)
      yield* Effect.provide(TestZapier.connect(subject), first)
      yield* TestClock.adjust("11 hours")
      // The first process claims, and is never heard of again.
      zapier.nextToken(TestZapier.silent)
      yield* Effect.forkChild(Effect.provide(accessToken, first), { startImmediately: true })
      yield* TestZapier.tick
      // All clocks go back by a day; the access token has been rejected.
      yield* TestClock.setTime(87 * 3_600_000)
      const auth = Context.get(second, ZapierAuth)
      const rejected = yield* auth.accessToken(subject)
      const ask = Effect.forkChild(auth.accessTokenRejected(subject, rejected), { startImmediately: true })
      yield* Effect.ignore(yield* Effect.map(ask, Fiber.join).pipe(Effect.tap(pass("5 minutes"))))
      expect(zapier.tokenRequests).toHaveLength(2)
      const fiber = yield* ask
      yield* pass("31 seconds")
      yield* Effect.ignore(Fiber.join(fiber))
      expect(valueOf(yield* auth.accessTokenRejected(subject, rejected))).toMatch(/^access-token-/)
      expect(zapier.tokenRequests).toHaveLength(3)
      // The first process gives up in the end, so that it can be closed.
      yield* pass("2 days")
    })
  })
})

describe("runtime, in memory", () => {
  it.effect("keeps up to memoryCapacity tokens, and asks the store for the others", () => {
    const { layer, told, zapier } = setup({ memoryCapacity: 2 })
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      for (const [index, name] of ["a", "b", "c"].entries()) {
        yield* TestZapier.connect(name, `code-${index + 1}`)
        yield* auth.accessToken(name)
      }
      const reads = Effect.fnUntraced(function* (name: string) {
        const before = told.reads
        yield* auth.accessToken(name)
        return told.reads - before
      })
      expect([yield* reads("c"), yield* reads("b"), yield* reads("a")]).toEqual([0, 0, 1])
      // "a" is in memory now, and has taken the place of "b".
      expect([yield* reads("a"), yield* reads("c"), yield* reads("b")]).toEqual([0, 0, 1])
      expect(zapier.tokenRequests).toHaveLength(3)
    }).pipe(Effect.provide(layer))
  })

  it.effect("does not remember a grant that was disconnected during its load", () => {
    const { layer, zapier } = setup({ expiryMargin: "1 hour" })
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust("9.5 hours")
      const gate = Deferred.makeUnsafe<void>()
      zapier.nextToken(TestZapier.held(gate))
      // Served with the live token, while the refresh goes on.
      yield* accessToken
      expect(yield* auth.disconnect(subject)).toMatchObject({ subject, wasConnected: true })
      yield* Deferred.succeed(gate, undefined)
      yield* TestZapier.tick
      expect((yield* Effect.flip(accessToken)).reason).toMatchObject({
        _tag: "ReconnectRequired",
        why: "NeverConnected"
      })
      expect(yield* auth.disconnect(subject)).toMatchObject({ wasConnected: false })
    }).pipe(Effect.provide(layer))
  })
})

describe("runtime, counted", () => {
  const counted = <I>(metric: Metric.Metric<I, Metric.CounterState<number>>, labels: Record<string, string>) =>
    Effect.map(Metric.value(Metric.withAttributes(metric, labels)), ({ count }) => count)

  it.effect("counts requests, waits and adoptions", () => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const context = yield* Layer.build(MemoryStores.layer)
      const process = () => Layer.build(Layer.provide(zapier.process(), Layer.succeedContext(context)))
      const first = yield* process()
      const second = yield* process()
      yield* Effect.provide(TestZapier.connect(subject), first)
      yield* TestClock.adjust("11 hours")
      const gate = Deferred.makeUnsafe<void>()
      zapier.nextToken(TestZapier.held(gate))
      const one = yield* Effect.forkChild(Effect.provide(accessToken, first), { startImmediately: true })
      yield* TestZapier.tick
      const other = yield* Effect.forkChild(Effect.provide(accessToken, second), { startImmediately: true })
      yield* pass("1 second")
      yield* Deferred.succeed(gate, undefined)
      yield* pass("1 second")
      expect(valueOf(yield* Fiber.join(one))).toBe(valueOf(yield* Fiber.join(other)))
      const machine = { machine: "UserGrant" }
      expect(yield* counted(AuthMetrics.tokenRequests, { grant: "Refresh", outcome: "Granted" })).toBe(1)
      expect(yield* counted(AuthMetrics.tokenRequests, { grant: "AuthorizationCode", outcome: "Granted" })).toBe(1)
      expect(yield* counted(AuthMetrics.adoptions, machine)).toBe(1)
      // 50, 100, 200, 400 and 800 milliseconds: in a second there is time for four, and the fifth finds the token.
      expect(yield* counted(AuthMetrics.waits, machine)).toBe(5)
      const duration = yield* Metric.value(
        Metric.withAttributes(AuthMetrics.tokenRequestDuration, { grant: "Refresh" })
      )
      expect(duration).toMatchObject({ count: 1, sum: 1_000 })
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
  })

  it.effect("does not fail without waiting callers", () => {
    const { layer, zapier } = setup()
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      yield* TestClock.adjust("11 hours")
      const gate = Deferred.makeUnsafe<void>()
      zapier.nextToken(TestZapier.held(gate))
      const fiber = yield* Effect.forkChild(accessToken, { startImmediately: true })
      yield* TestZapier.tick
      yield* Fiber.interrupt(fiber)
      yield* Deferred.succeed(gate, undefined)
      yield* TestZapier.tick
      expect(Exit.isSuccess(yield* Effect.exit(accessToken))).toBe(true)
      expect(zapier.tokenRequests).toHaveLength(2)
    }).pipe(Effect.provide(layer))
  })
})
