/** Clocks that differ from the machine's, for the library and the fake alike. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

export interface MovableClock extends Clock.Clock {
  readonly advance: (by: Duration.Input) => Effect.Effect<void>
}

const live = Context.get(Context.empty(), Clock.Clock)

/** A clock that can be moved ahead. Sleeping takes real time. */
export const make = (): MovableClock => {
  let ahead = 0
  const millis = () => live.currentTimeMillisUnsafe() + ahead
  const nanos = () => live.currentTimeNanosUnsafe() + BigInt(ahead) * 1_000_000n
  return {
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: () => live.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: live.monotonicTimeNanos,
    sleep: (duration) => live.sleep(duration),
    advance: (by) =>
      Effect.sync(() => {
        ahead += Duration.toMillis(Duration.fromInputUnsafe(by))
      })
  }
}

/** A clock that is faster by a factor, sleep included. Those of all processes on a machine agree. */
export const fast = (speed: number): Clock.Clock => {
  const factor = BigInt(speed)
  const millis = () => live.currentTimeMillisUnsafe() * speed
  const nanos = () => live.currentTimeNanosUnsafe() * factor
  const monotonic = () => live.monotonicTimeNanosUnsafe() * factor
  return {
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: monotonic,
    monotonicTimeNanos: Effect.sync(monotonic),
    sleep: (duration) => live.sleep(Duration.divideUnsafe(duration, speed))
  }
}
