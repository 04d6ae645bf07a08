/**
 * What the user grant and the app credential have in common: callers of one key share one flight, live tokens come from
 * memory, and the commands of the machine are carried out until one of them answers the caller.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Machine from "../Machine.ts"
import type * as Tokens from "../Tokens.ts"
import {
  from,
  RateLimited,
  type Reason,
  type ReconnectCause,
  ReconnectRequired,
  type ZapierAuthError
} from "../ZapierAuthError.ts"
import type { Step } from "./stepper.ts"

/** The commands that this module carries out itself; `Request` is the machine's own. */
export type Command<Request> =
  | { readonly _tag: "UseAccessToken"; readonly access: Tokens.UsableAccess; readonly until: number }
  | { readonly _tag: "AwaitLease"; readonly until: number }
  | { readonly _tag: "AwaitTime"; readonly until: number }
  | { readonly _tag: "RequireReconnect"; readonly why: ReconnectCause }
  | { readonly _tag: "ReportFailure" }
  | Request

/** What came of the machine's own command: the event to go on with, and what to report should the machine say so. */
export interface Outcome<E> {
  readonly event: E
  readonly failure: Reason | undefined
}

export interface Demand<E> {
  readonly event: E
  /** The access that the caller cannot use, if it had one. */
  readonly rejected: Tokens.UsableAccess | undefined
}

interface Flight {
  /** The access for whoever waits. */
  readonly answer: Deferred.Deferred<Tokens.UsableAccess, ZapierAuthError>
  /** Done when nothing of the flight is under way any more. */
  readonly landed: Deferred.Deferred<void>
}

interface Live {
  readonly access: Tokens.UsableAccess
  /** Handed out without asking until then. */
  readonly until: number
}

// How often a waiter looks whether the owner of a lease is done, in milliseconds.
const pollInterval = 250

const isSame = (a: Tokens.UsableAccess, b: Tokens.UsableAccess | undefined) =>
  b !== undefined && a.generation === b.generation && a.lineage === b.lineage

export const make = <S extends Machine.Tagged, E extends Machine.Tagged, Request extends Machine.Tagged>(options: {
  readonly scope: Scope.Scope
  /** How long an access is handed out at most without asking the store, in milliseconds. */
  readonly memoryLifetime: number
  readonly step: (key: string) => Step<S, E, Command<Request>>
  readonly request: (key: string, command: Request) => Effect.Effect<Outcome<E>, ZapierAuthError>
}) => {
  const flights = new Map<string, Flight>()
  const live = new Map<string, Live>()

  const remember = (key: string, access: Tokens.UsableAccess, until: number) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      live.set(key, { access, until: Math.min(until, now + options.memoryLifetime) })
    })

  const isOwn = (command: Command<Request>): command is Request =>
    !["UseAccessToken", "AwaitLease", "AwaitTime", "RequireReconnect", "ReportFailure"].includes(command._tag)

  // Steps the machine and carries out its commands, until nothing of them is left.
  const fly = Effect.fnUntraced(function* (key: string, demand: E, answer: Flight["answer"]) {
    let event = demand
    let failure: Reason | undefined
    while (true) {
      const { commands } = yield* options.step(key)(event)
      // Unless a command says otherwise, the machine has taken note, and what was asked for is asked for again.
      event = demand
      let own: Request | undefined
      for (const command of commands) {
        if (isOwn(command)) {
          own = command
          continue
        }
        switch (command._tag) {
          case "UseAccessToken": {
            yield* remember(key, command.access, command.until)
            yield* Deferred.succeed(answer, command.access)
            break
          }
          case "AwaitLease": {
            const now = yield* Clock.currentTimeMillis
            const wait = Math.max(1, Math.min(pollInterval, command.until - now))
            yield* Effect.interruptible(Effect.sleep(wait))
            break
          }
          case "AwaitTime": {
            const now = yield* Clock.currentTimeMillis
            return yield* from(new RateLimited({ retryAfter: Duration.millis(Math.max(0, command.until - now)) }))
          }
          case "RequireReconnect":
            return yield* from(new ReconnectRequired({ why: command.why }))
          case "ReportFailure":
            if (failure !== undefined) return yield* from(failure)
        }
      }
      if (own !== undefined) {
        const outcome = yield* options.request(key, own)
        event = outcome.event
        failure = outcome.failure
      } else if (yield* Deferred.isDone(answer)) {
        return
      }
    }
  })

  // The flight outlives its callers: interrupting one of them harms neither the others nor the write.
  const takeOff = (key: string, event: E): Effect.Effect<Flight> =>
    Effect.suspend(() => {
      const flight: Flight = { answer: Deferred.makeUnsafe(), landed: Deferred.makeUnsafe() }
      flights.set(key, flight)
      return fly(key, event, flight.answer).pipe(
        Effect.onExit((exit) =>
          Effect.suspend(() => {
            flights.delete(key)
            // Nobody waits for an answer that has been given; anything else than a failure ends with one.
            return Effect.andThen(
              exit._tag === "Failure" ? Deferred.failCause(flight.answer, exit.cause) : Effect.void,
              Deferred.succeed(flight.landed, undefined)
            )
          })
        ),
        // Whoever waits is told; the fiber itself has nobody to tell.
        Effect.exit,
        Effect.uninterruptible,
        Effect.forkIn(options.scope, { startImmediately: true }),
        Effect.as(flight)
      )
    })

  const obtain = (key: string, demand: Demand<E>): Effect.Effect<Tokens.UsableAccess, ZapierAuthError> =>
    Effect.gen(function* () {
      while (true) {
        const under = flights.get(key)
        const flight = under ?? (yield* takeOff(key, demand.event))
        const access = yield* Deferred.await(flight.answer)
        const now = yield* Clock.currentTimeMillis
        const usable = now < access.expiresAt && !isSame(access, demand.rejected)
        if (under === undefined || usable) return access
        yield* Deferred.await(under.landed)
      }
    })

  return {
    /** An access that is not the rejected one, from memory if it may be. */
    get: (key: string, demand: Demand<E>): Effect.Effect<Tokens.UsableAccess, ZapierAuthError> =>
      Effect.clockWith((clock) => {
        const now = clock.currentTimeMillisUnsafe()
        const entry = live.get(key)
        const usable = entry !== undefined && now < entry.access.expiresAt && !isSame(entry.access, demand.rejected)
        // Past `until` the next caller asks; while it does, the others go on with what they have.
        return usable && (now < entry.until || flights.has(key)) ? Effect.succeed(entry.access) : obtain(key, demand)
      }),
    /** Whatever is in memory is not to be used any more. */
    forget: (key: string) => Effect.sync(() => void live.delete(key))
  }
}
