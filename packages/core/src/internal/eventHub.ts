/** Tells events to whoever listens. Nobody waits for a listener: a slow one loses the oldest. */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { AuthEvent } from "../AuthEvent.ts"

/** Tells an event to all listeners. */
export type Publish = (event: AuthEvent) => void

// How many events a slow listener may be behind.
const capacity = 1_024

/** A machine that has moved. `to` says why, or else the failure that the event is about. */
interface Change<State extends string, Event extends string, Why extends string, Failure extends string> {
  readonly from: { readonly _tag: State }
  readonly event: { readonly _tag: Event; readonly failure?: { readonly cause: { readonly _tag: Failure } } }
  readonly to: { readonly _tag: State; readonly generation?: number; readonly why?: Why }
}

/** The members that the events of all machines share. */
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
 * Listeners end with the scope.
 *
 * Effect's `PubSub` would add 4 kB to every bundle, where `Queue` and `Stream` are there already. Of a sliding one only an effect
 * drops the oldest, which costs a microsecond for each event without a listener and six with one, in the place of 20 ns.
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
