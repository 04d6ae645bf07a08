/**
 * How long reality is given its turns. The time of a scenario stands still while something is under way in it; what an app
 * waits for in reality, such as Web Crypto or a database, is not seen to be under way. It is noticed when it comes: from
 * then on, and at first, time goes on only after a while in which nothing has come.
 */
import * as Effect from "effect/Effect"

/** One for all runs of a check: what was noticed in one holds for the others. */
export interface Pace {
  /** Whether something has come from outside. */
  readonly isReal: () => boolean
  /** Whether it waits for longer than usual. */
  readonly isPatient: boolean
  /** Waits for a moment, where there may be something to wait for. */
  readonly await: (hasCome: () => boolean) => Effect.Effect<void>
  /** Waits for longer, when nothing else can happen. Says whether something has come. */
  readonly search: (hasCome: () => boolean) => Effect.Effect<boolean>
  /** A run has ended. */
  readonly done: () => void
}

// The clock of whoever runs the scenario may be a test's, which stands still.
const millisecond = Effect.callback<void>((resume) => {
  // @effect-diagnostics-next-line globalTimersInEffect:off
  const timer = setTimeout(() => resume(Effect.void), 1)
  return Effect.sync(() => clearTimeout(timer))
})

// How many runs are watched for what comes from outside.
const watched = 2

// How many milliseconds nothing comes, until nothing is taken to come.
const moment = 2
const long = 100

/**
 * @param patience how many times as long as usual is waited
 * @param isFixed whether the app has said itself how long it has to be waited for
 */
export const make = ({ isFixed = false, isReal: wasReal = false, patience = 1 } = {}): Pace => {
  let isReal = wasReal
  let runs = 0

  const wait = Effect.fnUntraced(function* (millis: number, hasCome: () => boolean) {
    for (let waited = 0; waited < millis && !hasCome(); waited++) yield* millisecond
    if (hasCome()) isReal = true
    return hasCome()
  })

  return {
    isReal: () => isReal,
    isPatient: patience > 1,
    await: (hasCome) =>
      Effect.suspend(() => (!isFixed && (isReal || runs < watched) ? wait(moment * patience, hasCome) : Effect.void)),
    search: (hasCome) => Effect.suspend(() => (isFixed ? Effect.succeed(false) : wait(long * patience, hasCome))),
    done: () => {
      runs++
    }
  }
}
