/** How many consent attempts of one user there are at most, and which of them go. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import type * as Settings from "../src/Settings.ts"
import { AttemptStore } from "../src/store/AttemptStore.ts"
import * as MemoryStores from "../src/store/MemoryStores.ts"
import { ZapierAuth } from "../src/ZapierAuth.ts"
import { StoreFailed } from "../src/ZapierAuthError.ts"
import * as TestZapier from "./utils/TestZapier.ts"

const { reasonOf, subject } = TestZapier

type Store = AttemptStore["Service"]

const minute = 60_000

const begin = Effect.fnUntraced(function* (of = subject) {
  yield* TestClock.adjust(1)
  const { attempt, url } = yield* ZapierAuth.use((auth) => auth.authorizationUrl({ subject: of, scopes: ["zap"] }))
  return { attempt, state: new URL(Redacted.value(url)).searchParams.get("state") ?? "" }
})

const beginMany = (count: number) => Effect.replicateEffect(begin(), count)

const take = (parameters: Record<string, string>) =>
  ZapierAuth.use((auth) => auth.handleCallback(`?${new URLSearchParams(parameters)}`, { subject }))

const complete = ({ state }: { readonly state: string }, code = "code-1") => take({ state, code })

const listed = (of = subject) =>
  AttemptStore.use((store) => store.bySubject({ subject: of, skip: 0, limit: 1_000_000 }))

const stores = (change: (store: Store) => Store) =>
  Layer.effect(AttemptStore, Effect.map(AttemptStore, change)).pipe(Layer.provideMerge(MemoryStores.layer))

/** The library, over a store of attempts that is changed. */
const over = (change: (store: Store) => Store, settings?: Settings.Options, zapier = TestZapier.make()) =>
  zapier.process(settings).pipe(Layer.provideMerge(stores(change)))

const failed = new StoreFailed({ store: "attempt store", operation: "respond", problem: "no disk" })

const run = Effect.fnUntraced(function* <A, E>(test: Effect.Effect<A, E, ZapierAuth | AttemptStore>) {
  return yield* Effect.provide(test, TestZapier.make().layer())
})

describe("ZapierAuth: the attempts of a user", () => {
  it.effect("are twenty: the twenty-first has the oldest forgotten, and all others work", () =>
    run(
      Effect.gen(function* () {
        const [first, second, ...others] = yield* beginMany(20)
        assert.strictEqual((yield* listed()).length, 20)
        const newest = yield* begin()
        const kept = [newest, ...others.toReversed(), second]
        assert.deepStrictEqual(
          (yield* listed()).map(({ key }) => key),
          kept.map((attempt) => `client-1:${attempt?.attempt}`)
        )
        if (first === undefined || second === undefined) throw new Error("nothing has begun")
        const error = yield* Effect.flip(complete(first))
        assert.deepInclude(error.reason, { _tag: "StateMismatch", why: "Unknown" })
        assert.strictEqual((yield* complete(second))._tag, "Active")
        assert.strictEqual((yield* complete(newest, "code-2"))._tag, "Active")
      })
    )
  )

  it.effect("are as many as the setting says, at least the newest", () =>
    Effect.gen(function* () {
      const [, last] = yield* beginMany(2)
      assert.strictEqual((yield* listed()).length, 1)
      if (last === undefined) throw new Error("nothing has begun")
      assert.strictEqual((yield* complete(last))._tag, "Active")
    }).pipe(Effect.provide(TestZapier.make().layer({ attemptsPerSubject: 1 })))
  )

  it.effect("are counted for each user", () =>
    run(
      Effect.gen(function* () {
        yield* beginMany(20)
        yield* begin("user-2")
        assert.strictEqual((yield* listed()).length, 20)
        assert.strictEqual((yield* listed("user-2")).length, 1)
      })
    )
  )

  it.effect("are counted with any end: denied ones do not pile up", () =>
    run(
      Effect.gen(function* () {
        for (let i = 0; i < 100; i++) {
          const { state } = yield* begin()
          assert.strictEqual(yield* reasonOf(take({ state, error: "access_denied" })), "ConsentDenied")
        }
        assert.strictEqual((yield* listed()).length, 20)
      })
    )
  )

  it.effect("do not include one with an exchange under way: it continues", () => {
    const zapier = TestZapier.make()
    const gate = Deferred.makeUnsafe<void>()
    zapier.nextToken(TestZapier.held(gate))
    return Effect.gen(function* () {
      const first = yield* begin()
      const exchange = yield* Effect.forkChild(complete(first), { startImmediately: true })
      yield* TestZapier.tick
      yield* beginMany(50)
      const states = (yield* listed()).map(({ state }) => state)
      assert.deepStrictEqual(states, [...Array.from({ length: 20 }, () => "Pending"), "Exchanging"])
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual((yield* Fiber.join(exchange))._tag, "Active")
      assert.strictEqual((yield* listed()).at(-1)?.state, "Completed")
      yield* begin()
      assert.strictEqual((yield* listed()).length, 20)
    }).pipe(Effect.ensuring(Deferred.succeed(gate, undefined)), Effect.provide(zapier.layer()))
  })

  it.effect("do not include one with a callback during the lookup of the oldest", () => {
    const zapier = TestZapier.make()
    const [found, exchanged] = [Deferred.makeUnsafe<void>(), Deferred.makeUnsafe<void>()]
    zapier.nextToken(TestZapier.held(exchanged))
    const slow = (store: Store): Store => ({
      ...store,
      bySubject: (options) =>
        Effect.tap(store.bySubject(options), (beyond) =>
          beyond.length > 0 && options.skip > 0 ? Deferred.await(found) : Effect.void
        )
    })
    return Effect.gen(function* () {
      const [first] = yield* beginMany(20)
      if (first === undefined) throw new Error("nothing has begun")
      const next = yield* Effect.forkChild(begin(), { startImmediately: true })
      yield* TestZapier.tick
      const exchange = yield* Effect.forkChild(complete(first), { startImmediately: true })
      yield* TestZapier.tick
      yield* Deferred.succeed(found, undefined)
      yield* Fiber.join(next)
      yield* Deferred.succeed(exchanged, undefined)
      assert.strictEqual((yield* Fiber.join(exchange))._tag, "Active")
    }).pipe(
      Effect.ensuring(Effect.andThen(Deferred.succeed(found, undefined), Deferred.succeed(exchanged, undefined))),
      Effect.provide(over(slow, undefined, zapier))
    )
  })

  it.effect("include the one that has just begun, by a clock that is behind", () =>
    run(
      Effect.gen(function* () {
        yield* TestClock.setTime(10 * minute)
        yield* beginMany(20)
        yield* TestClock.setTime(5 * minute)
        yield* begin()
        const newest = yield* begin()
        assert.isAtMost((yield* listed()).length, 21)
        assert.strictEqual((yield* complete(newest))._tag, "Active")
      })
    )
  )

  it.effect("are twenty again after many simultaneous starts", () => {
    // Others come in between, before each operation and after it.
    const remote = <A, E>(operation: Effect.Effect<A, E>) =>
      Effect.yieldNow.pipe(
        Effect.andThen(operation),
        Effect.tap(() => Effect.yieldNow)
      )
    let removals = 0
    const slow = (store: Store): Store => ({
      get: (key) => remote(store.get(key)),
      compareAndSet: (key, expected, value) => remote(store.compareAndSet(key, expected, value)),
      remove: (key, expected) => {
        removals++
        return remote(store.remove(key, expected))
      },
      bySubject: (options) => remote(store.bySubject(options))
    })
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      const once = auth.authorizationUrl({ subject, scopes: ["zap"] })
      yield* Effect.replicateEffect(once, 500, { concurrency: "unbounded", discard: true })
      yield* begin()
      assert.strictEqual((yield* listed()).length, 20)
      // Each is removed once, and who tries in vain does so once.
      assert.isAtMost(removals, 2 * 501)
    }).pipe(Effect.provide(over(slow)))
  })

  it.effect("shrink to a lowered bound from any number", () =>
    Effect.gen(function* () {
      const store = yield* Layer.build(MemoryStores.layer)
      const zapier = TestZapier.make()
      const process = (attemptsPerSubject: number) =>
        Effect.provide(zapier.process({ attemptsPerSubject }).pipe(Layer.provideMerge(Layer.succeedContext(store))))
      yield* beginMany(350).pipe(process(1_000))
      assert.strictEqual((yield* Effect.provideContext(listed(), store)).length, 350)
      yield* begin().pipe(process(20))
      assert.strictEqual((yield* Effect.provideContext(listed(), store)).length, 20)
    })
  )

  it.effect("are looked up again only after a removal, so that a store that removes none does not block", () => {
    let lists = 0
    const stubborn = (store: Store): Store => ({
      ...store,
      remove: () => Effect.succeed(false),
      bySubject: (options) => Effect.suspend(() => (lists++ > 1_000 ? Effect.fail(failed) : store.bySubject(options)))
    })
    return Effect.gen(function* () {
      yield* beginMany(150)
      assert.strictEqual(lists, 150)
    }).pipe(Effect.provide(over(stubborn, { attemptsPerSubject: 1 })))
  })

  const broken: ReadonlyArray<readonly [string, (store: Store) => Store]> = [
    ["cannot list", (store) => ({ ...store, bySubject: () => Effect.fail(failed) })],
    ["cannot remove", (store) => ({ ...store, remove: () => Effect.fail(failed) })],
    ["never responds to a list", (store) => ({ ...store, bySubject: () => Effect.never })],
    ["never responds to a removal", (store) => ({ ...store, remove: () => Effect.never })],
    // Of a store that was written in JavaScript, for the release before.
    ["has no list", ({ bySubject: _, ...store }) => store as Store]
  ]

  it.effect.each(broken)("still begin when the store %s, with a warning", ([, change]) => {
    const logged: Array<string> = []
    const logger = Logger.layer([Logger.make(({ message }) => void logged.push(String(message)))])
    return Effect.gen(function* () {
      yield* beginMany(3).pipe(Effect.forkChild({ startImmediately: true }), Effect.flatMap(waited))
      assert.isAbove(logged.length, 0)
      for (const line of logged) {
        assert.match(line, /^Could not remove a user's older consent attempts: /)
        assert.notInclude(line, subject)
      }
    }).pipe(Effect.provide([over(change, { attemptsPerSubject: 1, storeTimeout: "2 seconds" }), logger]))
  })

  // Lets time pass until it is done.
  const waited = Effect.fnUntraced(function* <A, E>(fiber: Fiber.Fiber<A, E>) {
    while (fiber.pollUnsafe() === undefined) {
      yield* TestClock.adjust("1 second")
      yield* TestZapier.tick
    }
    return yield* Fiber.join(fiber)
  })
})
