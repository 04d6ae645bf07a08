/**
 * The loop around a pure machine: load, step, compare-and-set, and again if somebody else was faster. A state is stored
 * before its commands are carried out.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type { AuthEvent } from "../AuthEvent.ts"
import type * as Machine from "../machine/Machine.ts"
import type { Versioned } from "../store/VersionedStore.ts"
import { from, IllegalTransition, type ZapierAuthError } from "../ZapierAuthError.ts"

export type Publish = (event: AuthEvent) => Effect.Effect<void>

/** A record, or what stands for none. */
export interface Loaded<S> {
  readonly version: Option.Option<number>
  readonly state: S
}

export interface Stored<S> {
  readonly load: Effect.Effect<Loaded<S>, ZapierAuthError>
  readonly save: (expected: Option.Option<number>, state: S) => Effect.Effect<boolean, ZapierAuthError>
}

export type Step<S, E, C> = (event: E) => Effect.Effect<Machine.Next<S, C>, ZapierAuthError>

export const loadedOr = <S, A extends S, B extends S>(record: Option.Option<Versioned<A>>, none: B): Loaded<S> => ({
  version: Option.map(record, ({ version }) => version),
  state: Option.match(record, { onNone: (): S => none, onSome: ({ value }) => value })
})

const generationOf = (state: object) =>
  "generation" in state && typeof state.generation === "number" ? { generation: state.generation } : {}

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

const patience = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("1 second")]).pipe(
  Schedule.jittered,
  Schedule.upTo({ duration: "10 seconds" })
)

/** What Zapier has answered is not thrown away because a store fails for a while: it is tried again. */
export const insist = <A>(write: Effect.Effect<A, ZapierAuthError>): Effect.Effect<A, ZapierAuthError> =>
  Effect.retry(write, { while: ({ reason }) => reason._tag === "StoreFailed", schedule: patience })

export const makeStep =
  <S extends Machine.Tagged, E extends Machine.Tagged, C extends Machine.Tagged>(options: {
    readonly machine: Machine.Machine<S, E, C>
    readonly about: string
    readonly stored: Stored<S>
    readonly publish: Publish
  }): Step<S, E, C> =>
  (event) =>
    Effect.gen(function* () {
      const { about, machine, publish, stored } = options
      while (true) {
        const { state, version } = yield* stored.load
        const now = yield* Clock.currentTimeMillis
        const next = yield* Effect.mapError(Effect.fromResult(machine.step(state, event, now)), (illegal) =>
          from(new IllegalTransition(illegal))
        )
        if (next.state === state) return next
        if (yield* stored.save(version, next.state)) {
          yield* publish(transition(machine.name, about, { from: state, event, to: next.state }, now))
          return next
        }
      }
    })
