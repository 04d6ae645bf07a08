/** A clock that can be moved ahead, for the library and the fake alike. Sleeping takes real time. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

export interface MovableClock extends Clock.Clock {
  readonly advance: (by: Duration.Input) => Effect.Effect<void>
}

export const make = (): MovableClock => {
  const live = Context.get(Context.empty(), Clock.Clock)
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
