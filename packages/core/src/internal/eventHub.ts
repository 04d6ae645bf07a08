/** Tells events to whoever listens. Nobody waits for a listener: a slow one loses the oldest. */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { AuthEvent } from "../AuthEvent.ts"
import type * as Machine from "../machine/Machine.ts"
import type * as TokenOutcome from "../oauth/TokenOutcome.ts"

/** Tells an event to all listeners. */
export type Publish = (event: AuthEvent) => void

// How many events a slow listener may be behind.
const capacity = 1_024

const generationOf = (state: object) =>
  "generation" in state && typeof state.generation === "number" ? { generation: state.generation } : {}

/** The event of a machine that went from one state to another. */
export const transition = (
  machine: string,
  about: string,
  change: { readonly from: Machine.Tagged; readonly event: Machine.Tagged; readonly to: Machine.Tagged },
  at: number
): AuthEvent => ({
  _tag: "Transition",
  machine,
  about,
  from: change.from._tag,
  event: change.event._tag,
  to: change.to._tag,
  ...generationOf(change.to),
  at
})

/** The event of a token response that was taken although it is odd. */
export const oddResponse = (
  machine: string,
  about: string,
  oddities: ReadonlyArray<TokenOutcome.Oddity>,
  at: number
): AuthEvent => ({ _tag: "OddResponseTaken", machine, about, oddities, at })

/** Listeners end with the scope. */
export const make = Effect.gen(function* () {
  const listeners = new Set<Queue.Queue<AuthEvent, Cause.Done>>()
  let isOpen = true

  const listen = Effect.gen(function* () {
    const queue = yield* Queue.sliding<AuthEvent, Cause.Done>(capacity)
    if (isOpen) listeners.add(queue)
    else yield* Queue.end(queue)
    return queue
  })

  yield* Effect.addFinalizer(() => {
    isOpen = false
    return Effect.forEach(listeners, Queue.end, { discard: true })
  })

  const publish: Publish = (event) => {
    for (const listener of listeners) Queue.offerUnsafe(listener, event)
  }

  return {
    publish,
    events: Stream.unwrap(
      Effect.map(
        Effect.acquireRelease(listen, (queue) => Effect.sync(() => listeners.delete(queue))),
        Stream.fromQueue
      )
    )
  }
})
