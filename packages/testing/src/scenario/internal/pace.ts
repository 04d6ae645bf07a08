/**
 * How long reality is given its turns. The time of a scenario stands still while something is under way in it; what an app
 * waits for in reality, such as Web Crypto or a database, is not seen to be under way. It is noticed when it comes: from
 * then on, and at first, time goes on only after a while in which nothing has come.
 */
import * as Effect from "effect/Effect"

/** How one run is paced. */
export interface Pace {
  /** Waits for a moment, where there may be something to wait for. */
  readonly await: (hasCome: () => boolean) => Effect.Effect<void>
  /** Waits for longer, when nothing else can happen. Says whether something has come. */
  readonly search: (hasCome: () => boolean) => Effect.Effect<boolean>
  /** A rule was broken. Gives a more patient pace to try the run again with, unless that can change nothing. */
  readonly again: () => Pace | undefined
  /** The run has ended. */
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

// How many milliseconds nothing comes, until nothing is taken to come: usually, and when a run is tried again.
const moments = [2, 20, 100] as const
const longs = [100, 500, 2_000] as const

// What is waited for usually grows up to here, where it has turned out to be too little.
const longest = 8

type Level = 0 | 1 | 2

/**
 * One for all runs of a check: what was noticed in one holds for the others.
 *
 * @param isFixed whether the app has said itself how long it has to be waited for
 */
export const make = ({ isFixed = false } = {}): Pace => {
  let runs = 0
  let usual: number = moments[0]
  // Whether anything comes from outside; unknown until a run was tried again.
  let isReal: boolean | undefined
  // Whether the most patient run has broken a rule: then the app is to blame, and what is shrunk need not be proven as well.
  let isProven = false

  const paceOf = (level: Level): Pace => {
    let isBroken = false

    const wait = Effect.fnUntraced(function* (millis: number, hasCome: () => boolean) {
      for (let waited = 0; waited < millis && !hasCome(); waited++) yield* millisecond
      if (hasCome()) isReal = true
      return hasCome()
    })

    return {
      await: (hasCome) =>
        Effect.suspend(() => {
          if (isFixed || (level === 0 && isReal !== true && runs >= watched)) return Effect.void
          return wait(level === 0 ? usual : moments[level], hasCome)
        }),

      search: (hasCome) => Effect.suspend(() => (isFixed ? Effect.succeed(false) : wait(longs[level], hasCome))),

      again: () => {
        isBroken = true
        if (level === 0) return isFixed || isReal === false ? undefined : paceOf(1)
        isReal ??= false
        if (level === 1) return isReal && !isProven ? paceOf(2) : undefined
        isProven = true
        return undefined
      },

      done: () => {
        runs++
        // It was only too little that was waited for.
        if (level > 0 && !isBroken) usual = Math.min(longest, usual * 2)
      }
    }
  }

  return paceOf(0)
}
