/** Publishes events to listeners without waiting for them. A slow listener loses the oldest events. */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { AuthEvent } from "../AuthEvent.ts"

/** Publishes an event to all listeners. */
export type Publish = (event: AuthEvent) => void

// The number of unread events that a listener may have.
const capacity = 1_024

/** A transition. The cause comes from `to`, or else from the event's failure. */
interface Change<State extends string, Event extends string, Why extends string, Failure extends string> {
  readonly from: { readonly _tag: State }
  readonly event: { readonly _tag: Event; readonly failure?: { readonly cause: { readonly _tag: Failure } } }
  readonly to: { readonly _tag: State; readonly generation?: number; readonly why?: Why }
}

/** The members that all machines' events share. */
export const move = <
  State extends string,
  Event extends string,
  Why extends string = never,
  Failure extends string = never
>(
  { event, from, to }: Change<State, Event, Why, Failure>,
  at: number
) => {
  const { generation, why: cause = event.failure?.cause._tag } = to
  return {
    from: from._tag,
    event: event._tag,
    to: to._tag,
    ...(generation === undefined ? {} : { generation }),
    ...(cause === undefined ? {} : { cause }),
    at
  }
}

/**
 * Makes the hub. Listeners end with its scope.
 *
 * Not Effect's `PubSub`, which would add 4 kB to every bundle, while `Queue` and `Stream` are needed anyway. Also, a sliding
 * `PubSub` costs a microsecond for each event without a listener and six with one, instead of 20 ns, because only an effect
 * can drop its oldest event.
 */
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
