/** Counts what is under way, so that closing can wait for it, and lets nothing begin once closing has begun. */
import * as Effect from "effect/Effect"
import { Closed, ZapierAuthError } from "../ZapierAuthError.ts"

/** Something that closing waits for: begun by `enter`, which says whether it may, and ended by `leave`. */
export interface Gate {
  readonly enter: () => boolean
  readonly leave: () => void
  /** How long closing waits for what is under way, in milliseconds. */
  readonly patience: number
}

/** @param patience milliseconds */
export const make = (patience: number) => {
  let underWay = 0
  let isClosing = false
  let onQuiet: (() => void) | undefined

  /** False once closing has begun. */
  const enter = () => {
    if (!isClosing) underWay++
    return !isClosing
  }

  const leave = () => {
    underWay--
    if (underWay === 0) onQuiet?.()
  }

  return {
    enter,
    leave,
    patience,
    /** Runs an effect as a part of what closing waits for. Fails with `Closed` once closing has begun. */
    during: <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | ZapierAuthError, R> =>
      Effect.suspend(() => {
        let isUnderWay = false
        // Counted in the same step as it begins, so that an interruption cannot come in between.
        const begun = Effect.suspend((): Effect.Effect<A, E | ZapierAuthError, R> => {
          isUnderWay = enter()
          return isUnderWay ? effect : Effect.fail(ZapierAuthError.make(new Closed({})))
        })
        return Effect.onExit(begun, () => (isUnderWay ? Effect.sync(leave) : Effect.void))
      }),
    /** Lets nothing begin from now on, and ends when nothing is under way any more, or when patience is over. */
    close: Effect.callback<void>((resume) => {
      isClosing = true
      onQuiet = () => resume(Effect.void)
      if (underWay === 0) onQuiet()
    }).pipe(Effect.timeoutOption(patience), Effect.asVoid)
  }
}
