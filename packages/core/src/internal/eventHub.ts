/** Tells events to whoever listens. Nobody waits for a listener: a slow one loses the oldest. */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { AuthEvent } from "../AuthEvent.ts"

// How many events a slow listener may be behind.
const capacity = 1_024

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

  return {
    // Listeners have their turn before whoever publishes goes on.
    publish: (event: AuthEvent) =>
      Effect.suspend(() => {
        for (const listener of listeners) Queue.offerUnsafe(listener, event)
        return listeners.size === 0 ? Effect.void : Effect.yieldNow
      }),
    events: Stream.unwrap(
      Effect.map(
        Effect.acquireRelease(listen, (queue) => Effect.sync(() => listeners.delete(queue))),
        Stream.fromQueue
      )
    )
  }
})
