/** A clock whose timers do not keep the process alive, for housekeeping such as closing idle connections. */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

// The longest delay of a Node timer, in milliseconds.
const longest = 2 ** 31 - 1

const quiet = (clock: Clock.Clock): Clock.Clock => {
  const sleep = (millis: number): Effect.Effect<void> =>
    Effect.callback((resume) => {
      // Implements sleeping itself. @effect-diagnostics-next-line globalTimersInEffect:off
      const timer = setTimeout(
        () => resume(millis > longest ? sleep(millis - longest) : Effect.void),
        Math.min(millis, longest)
      )
      timer.unref()
      return Effect.sync(() => clearTimeout(timer))
    })
  return Object.assign(Object.create(clock) as Clock.Clock, {
    sleep: (duration: Duration.Duration) => {
      const millis = Duration.toMillis(duration)
      return millis > 0 && Number.isFinite(millis) ? sleep(millis) : clock.sleep(duration)
    }
  })
}

/** Runs an effect with such a clock, unless it already has a clock of its own, such as a test's. */
export const withQuietClock = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.contextWith((context: Context.Context<never>) =>
    context.mapUnsafe.has(Clock.Clock.key) ? effect : Effect.updateService(effect, Clock.Clock, quiet)
  )
