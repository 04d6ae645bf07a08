/** Sends a token request again after an outcome that allows it. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { TokenOutcome } from "../oauth/TokenOutcome.ts"

/** True if another request may succeed, where sending twice is harmless and the server asked for no pause. */
export const isWorthAnother = (outcome: TokenOutcome): boolean =>
  outcome._tag === "NoResponse" || (outcome._tag === "Unavailable" && outcome.retryAfter === undefined)

const pauses = Schedule.jittered(Schedule.exponential("250 millis"))

interface Options {
  readonly mayRepeat: (outcome: TokenOutcome) => boolean
  /** Milliseconds; 0 for no repetition. */
  readonly retryFor: number
}

// The first outcome is known, so that the schedule begins with its first pause.
const repeatAfter = (first: TokenOutcome, next: Effect.Effect<TokenOutcome>, { mayRepeat, retryFor }: Options) => {
  let known: TokenOutcome | undefined = first
  const takeKnown = Effect.suspend(() => {
    const outcome = known
    known = undefined
    return outcome === undefined ? next : Effect.succeed(outcome)
  })
  return Effect.repeat(takeKnown, { while: mayRepeat, schedule: Schedule.upTo(pauses, { duration: retryFor }) })
}

/** Repeats a request, with pauses that grow, until it has an outcome that stands or the time is over. */
export const repeat = (request: Effect.Effect<TokenOutcome>, options: Options): Effect.Effect<TokenOutcome> =>
  // Nearly all need no schedule. A schedule allows one repetition even without any time.
  Effect.filterOrElse(
    request,
    (outcome) => options.retryFor === 0 || !options.mayRepeat(outcome),
    (first) => repeatAfter(first, request, options)
  )
