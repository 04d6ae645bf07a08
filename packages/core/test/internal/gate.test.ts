import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as Gate from "../../src/internal/gate.ts"

const started = <A, E>(effect: Effect.Effect<A, E>) => Effect.forkChild(effect, { startImmediately: true })

describe("a gate", () => {
  it.effect("closes when all work under way has ended, in any way", () =>
    Effect.gen(function* () {
      const gate = Gate.make(1_000)
      const done = yield* Deferred.make<string>()
      const succeeds = yield* started(gate.during(Deferred.await(done)))
      const fails = yield* started(gate.during(Effect.flip(Deferred.await(done))))
      const interrupted = yield* started(gate.during(Effect.never))
      const closing = yield* started(gate.close)
      expect(yield* Effect.flip(gate.during(Effect.succeed("late")))).toMatchObject({ reason: { _tag: "Closed" } })
      yield* Fiber.interrupt(interrupted)
      expect(closing.pollUnsafe()).toBeUndefined()
      yield* Deferred.succeed(done, "done")
      expect(yield* Fiber.join(succeeds)).toBe("done")
      expect(Exit.isFailure(yield* Fiber.await(fails))).toBe(true)
      yield* Fiber.join(closing)
    })
  )

  it.effect("closes at once when nothing is under way, and again", () =>
    Effect.gen(function* () {
      const gate = Gate.make(1_000)
      yield* gate.during(Effect.void)
      yield* gate.close
      yield* gate.close
    })
  )

  it.effect("waits only up to its limit", () =>
    Effect.gen(function* () {
      const gate = Gate.make(1_000)
      yield* started(gate.during(Effect.never))
      const closing = yield* started(gate.close)
      yield* TestClock.adjust(999)
      expect(closing.pollUnsafe()).toBeUndefined()
      yield* TestClock.adjust(1)
      yield* Fiber.join(closing)
    })
  )
})
