/** Counts work in progress, so that closing can wait for it, and refuses new work once closing has begun. */
import * as Effect from "effect/Effect"
import { Closed, ZapierAuthError } from "../ZapierAuthError.ts"

/** Admits work that closing waits for: `enter` begins it, unless it returns `false`, and `leave` ends it. */
export interface Gate {
  readonly enter: () => boolean
  readonly leave: () => void
  /** How long closing waits for work in progress, in milliseconds. */
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
    /** Runs an effect as work that closing waits for. Fails with `Closed` once closing has begun. */
    during: <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | ZapierAuthError, R> =>
      Effect.suspend(() => {
        let isUnderWay = false
        // Count it in the step that begins it, so that no interruption comes between.
        const begun = Effect.suspend((): Effect.Effect<A, E | ZapierAuthError, R> => {
          isUnderWay = enter()
          return isUnderWay ? effect : Effect.fail(ZapierAuthError.make(new Closed({})))
        })
        return Effect.onExit(begun, () => (isUnderWay ? Effect.sync(leave) : Effect.void))
      }),
    /** Refuses new work, and completes when all work has ended or patience is over. */
    close: Effect.callback<void>((resume) => {
      isClosing = true
      onQuiet = () => resume(Effect.void)
      if (underWay === 0) onQuiet()
    }).pipe(Effect.timeoutOption(patience), Effect.asVoid)
  }
}
