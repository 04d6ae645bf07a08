/**
 * Waits for real I/O. Virtual time stands still while something is under way, but real I/O of an app, such as Web
 * Crypto or a database, is invisible until it settles. Once it was noticed, and in the first runs, time passes only
 * after a while in which nothing settled.
 */
import * as Effect from "effect/Effect"

/** The pace of one run. */
export interface Pace {
  /** Waits briefly, if there may be I/O to wait for. */
  readonly await: (hasCome: () => boolean) => Effect.Effect<void>
  /** Waits longer, when nothing else can happen. Returns whether something settled. */
  readonly search: (hasCome: () => boolean) => Effect.Effect<boolean>
  /** Called when a rule was broken. Returns a more patient pace for another try, unless that can change nothing. */
  readonly again: () => Pace | undefined
  /** Called at the end of the run. */
  readonly done: () => void
}

// A real timer, because the runner's clock may be a test's that stands still.
const millisecond = Effect.callback<void>((resume) => {
  // @effect-diagnostics-next-line globalTimersInEffect:off
  const timer = setTimeout(() => resume(Effect.void), 1)
  return Effect.sync(() => clearTimeout(timer))
})

// How many first runs are watched for real I/O.
const watched = 2

// How many milliseconds without I/O count as the end of it: usually, and when a run is tried again.
const moments = [2, 20, 100] as const
const longs = [100, 500, 2_000] as const

// The largest usual wait, once waits turned out to be too short.
const longest = 8

type Level = 0 | 1 | 2

/**
 * Makes one pace for all runs of a check, so that they share what was noticed.
 *
 * @param isFixed true if the app itself says how long to wait
 */
export const make = ({ isFixed = false } = {}): Pace => {
  let runs = 0
  let usual: number = moments[0]
  // True if real I/O was noticed; undefined until a run was tried again.
  let isReal: boolean | undefined
  // True if the most patient run broke a rule too: then shrinking needs no further proof.
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
        // The failure was only due to too short a wait.
        if (level > 0 && !isBroken) usual = Math.min(longest, usual * 2)
      }
    }
  }

  return paceOf(0)
}
