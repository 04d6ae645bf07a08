import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { AuthEvent } from "../../src/AuthEvent.ts"
import * as EventHub from "../../src/internal/eventHub.ts"

const event = (at: number): AuthEvent => ({
  _tag: "UserGrantChanged",
  clientId: "abc",
  subject: "ada",
  from: "Absent",
  event: "ConsentGranted",
  to: "Active",
  at
})

const times = <E, R>(events: Stream.Stream<AuthEvent, E, R>) =>
  Effect.map(Stream.runCollect(events), (all) => all.map(({ at }) => at))

describe("the hub of events", () => {
  it.effect("sends each listener the events from then on", () =>
    Effect.gen(function* () {
      const { events, publish } = yield* EventHub.make
      publish(event(0))
      const both = yield* Effect.forkChild(
        Effect.all([times(Stream.take(events, 2)), times(Stream.take(events, 2))], { concurrency: 2 }),
        { startImmediately: true }
      )
      publish(event(1))
      publish(event(2))
      publish(event(3))
      assert.deepStrictEqual(yield* Fiber.join(both), [
        [1, 2],
        [1, 2]
      ])
    }).pipe(Effect.scoped)
  )

  it.effect("drops the oldest for a listener that is slow, and waits for none", () =>
    Effect.gen(function* () {
      const { events, publish } = yield* EventHub.make
      const pull = yield* Stream.toPull(events)
      const first = yield* Effect.forkChild(pull, { startImmediately: true })
      publish(event(-1))
      yield* Fiber.join(first)
      for (let at = 0; at < 2_000; at++) publish(event(at))
      const [oldest] = yield* pull
      assert.strictEqual(oldest.at, 2_000 - 1_024)
    }).pipe(Effect.scoped)
  )

  it.effect("ends its listeners, and those that come later, with its scope", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { events, publish } = yield* Scope.provide(EventHub.make, scope)
      const listener = yield* Effect.forkChild(times(events), { startImmediately: true })
      publish(event(1))
      yield* Scope.close(scope, Exit.void)
      publish(event(2))
      assert.deepStrictEqual([yield* Fiber.join(listener), yield* times(events)], [[1], []])
    })
  )
})
