/** Lets virtual time pass in a scenario: only when nothing is left to do, neither here nor on the platform. */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Timeline from "../../internal/timeline.ts"
import type { Pace } from "./pace.ts"

// The longest wait for an action, in milliseconds.
const patience = 600_000

// How many quiet turns of the event loop show that nothing is under way.
const quietTurns = 2

export const make = (timeline: Timeline.Timeline, pace: Pace, turn: Effect.Effect<void>) => {
  // Runs everything that is ready, and lets the platform run, until nothing happens any more.
  const rest = Effect.gen(function* () {
    let quiet = 0
    while (quiet < quietTurns) {
      timeline.runUntil(timeline.now())
      const before = timeline.steps()
      const hasCome = () => timeline.isReady() || timeline.steps() !== before
      yield* turn
      if (quiet === quietTurns - 1 && !hasCome()) yield* pace.await(hasCome)
      quiet = hasCome() ? 0 : quiet + 1
    }
  })

  // From here on only real I/O can continue.
  const search = Effect.fnUntraced(function* (times: number) {
    const before = timeline.steps()
    for (let tried = 0; tried < times; tried++) {
      if (yield* pace.search(() => timeline.isReady() || timeline.steps() !== before)) return true
    }
    return false
  })

  /** Lets time pass until `end`, or until `isOver`. */
  const runUntil = Effect.fnUntraced(function* (end: number, isOver?: () => boolean, searches = 1) {
    while (true) {
      yield* rest
      if (isOver?.() === true) return
      const next = timeline.nextAt()
      if (next === undefined || next > end) {
        if (next === undefined && isOver !== undefined && (yield* search(searches))) continue
        break
      }
      timeline.runUntil(next)
    }
    timeline.runUntil(end)
    yield* rest
  })

  /** Lets time pass until all fibers have ended, or the longest wait is over. */
  const until = (fibers: ReadonlyArray<Fiber.Fiber<unknown, unknown>>, searches?: number) =>
    runUntil(timeline.now() + patience, () => fibers.every((fiber) => fiber.pollUnsafe() !== undefined), searches)

  return { runUntil, until }
}
