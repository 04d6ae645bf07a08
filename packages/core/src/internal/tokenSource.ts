/**
 * What the user grant and the app credential have in common: callers of one key share one flight, live tokens come from
 * memory, and the commands of the machine are carried out until one of them answers the caller.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as AuthMetrics from "../AuthMetrics.ts"
import type * as Machine from "../machine/Machine.ts"
import type * as Tokens from "../oauth/Tokens.ts"
import {
  from,
  RateLimited,
  type Reason,
  type ReconnectCause,
  ReconnectRequired,
  type ZapierAuthError
} from "../ZapierAuthError.ts"
import { insist, type Step } from "./stepper.ts"

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
  answer: Deferred.Deferred<Tokens.UsableAccess, ZapierAuthError>
  /** Done when nothing of the flight is under way any more. */
  readonly landed: Deferred.Deferred<void>
  /** Whether what it finds may be remembered: not if it was to be forgotten meanwhile. */
  isCurrent: boolean
  /** There while nobody waits, because they were told that the store is away: done for whoever comes next. */
  awaited: Deferred.Deferred<void> | undefined
}

/** Handed out without asking, but for a clock that has jumped out of this time. */
interface Live {
  readonly access: Tokens.UsableAccess
  readonly since: number
  readonly until: number
}

// How often a waiter looks whether the owner of a lease is done, in milliseconds: each time half as often.
const firstPoll = 50
const slowestPoll = 1_000

const isSame = (a: Tokens.UsableAccess, b: Tokens.UsableAccess | undefined) =>
  b !== undefined && a.generation === b.generation && a.family === b.family

export const make = <S extends Machine.Tagged, E extends Machine.Tagged, Request extends Machine.Tagged>(options: {
  readonly scope: Scope.Scope
  /** Its name, for metrics. */
  readonly machine: string
  /** How long an access is handed out at most without asking the store, in milliseconds. */
  readonly memoryLifetime: number
  /** How many accesses are kept in memory. */
  readonly memoryCapacity: number
  readonly step: (key: string) => Step<S, E, Command<Request>>
  readonly request: (key: string, command: Request) => Effect.Effect<Outcome<E>, ZapierAuthError>
}) => {
  const flights = new Map<string, Flight>()
  /** The one that the store was asked for least recently is the first. */
  const live = new Map<string, Live>()

  const remember = (key: string, access: Tokens.UsableAccess, until: number) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      live.delete(key)
      live.set(key, { access, since: now, until: Math.min(until, now + options.memoryLifetime) })
      const [oldest] = live.keys()
      if (live.size > options.memoryCapacity && oldest !== undefined) live.delete(oldest)
    })

  // Stores what came of a request, however long the store is away. Whoever waits is told after a while; then it is tried
  // again and again, so that it is done before others take the lease over, and with more patience when somebody waits
  // again or the process is to end.
  const conclude = (key: string, event: E, flight: Flight) =>
    Effect.gen(function* () {
      const write = options.step(key)(event)
      let isWanted = true
      let isClosing = false
      while (true) {
        const written = yield* Effect.result(isWanted ? insist(write) : write)
        if (Result.isSuccess(written)) return written.success
        if (written.failure.reason._tag !== "StoreFailed" || isClosing) return yield* written.failure
        if (!isWanted && flight.awaited === undefined) {
          isWanted = true
          continue
        }
        yield* Deferred.fail(flight.answer, written.failure)
        flight.awaited = Deferred.makeUnsafe<void>()
        const rest = Effect.timeoutOption(Deferred.await(flight.awaited), slowestPoll)
        const rested = yield* Effect.exit(Effect.interruptible(rest))
        isClosing = Exit.isFailure(rested)
        isWanted = isClosing || flight.awaited === undefined
      }
    })

  const isOwn = (command: Command<Request>): command is Request =>
    !["UseAccessToken", "AwaitLease", "AwaitTime", "RequireReconnect", "ReportFailure"].includes(command._tag)

  // Steps the machine and carries out its commands, until nothing of them is left.
  const fly = Effect.fnUntraced(function* (key: string, demand: Demand<E>, flight: Flight) {
    let outcome: E | undefined
    let failure: Reason | undefined
    let polls = 0
    let asked = false
    while (true) {
      const { commands } = yield* outcome === undefined
        ? options.step(key)(demand.event)
        : conclude(key, outcome, flight)
      // Unless a command says otherwise, the machine has taken note, and what was asked for is asked for again.
      outcome = undefined
      let own: Request | undefined
      for (const command of commands) {
        if (isOwn(command)) {
          own = command
          continue
        }
        switch (command._tag) {
          case "UseAccessToken": {
            const another = polls > 0 || demand.rejected !== undefined
            if (another && !asked && own === undefined) {
              yield* AuthMetrics.count.adoption({ machine: options.machine })
            }
            if (flight.isCurrent) yield* remember(key, command.access, command.until)
            yield* Deferred.succeed(flight.answer, command.access)
            break
          }
          case "AwaitLease": {
            const now = yield* Clock.currentTimeMillis
            yield* AuthMetrics.count.wait({ machine: options.machine })
            const wait = Math.min(firstPoll * 2 ** polls++, slowestPoll, command.until - now)
            yield* Effect.interruptible(Effect.sleep(Math.max(1, wait)))
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
        asked = true
        const requested = yield* options.request(key, own)
        outcome = requested.event
        failure = requested.failure
      } else if (yield* Deferred.isDone(flight.answer)) {
        return
      }
    }
  })

  // The flight outlives its callers: interrupting one of them harms neither the others nor the write.
  const takeOff = (key: string, demand: Demand<E>): Effect.Effect<Flight> =>
    Effect.suspend(() => {
      // What is forked into a scope that has ended never starts, and whoever waits for it would wait for ever.
      if (options.scope.state._tag === "Closed") return Effect.interrupt
      const flight: Flight = {
        answer: Deferred.makeUnsafe(),
        landed: Deferred.makeUnsafe(),
        isCurrent: true,
        awaited: undefined
      }
      flights.set(key, flight)
      return fly(key, demand, flight).pipe(
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

  const join = (flight: Flight): Effect.Effect<Flight> => {
    const { awaited } = flight
    if (awaited === undefined) return Effect.succeed(flight)
    flight.awaited = undefined
    flight.answer = Deferred.makeUnsafe()
    return Effect.as(Deferred.succeed(awaited, undefined), flight)
  }

  const obtain = (key: string, demand: Demand<E>): Effect.Effect<Tokens.UsableAccess, ZapierAuthError> =>
    Effect.gen(function* () {
      while (true) {
        const under = flights.get(key)
        const flight = yield* under === undefined ? takeOff(key, demand) : join(under)
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
        const usable =
          entry !== undefined &&
          entry.since <= now &&
          now < entry.access.expiresAt &&
          !isSame(entry.access, demand.rejected)
        // Past `until` the next caller asks; while it does, the others go on with what they have.
        return usable && (now < entry.until || flights.has(key)) ? Effect.succeed(entry.access) : obtain(key, demand)
      }),
    /** Whatever is in memory is not to be used any more. */
    forget: (key: string) =>
      Effect.sync(() => {
        live.delete(key)
        const flight = flights.get(key)
        if (flight !== undefined) flight.isCurrent = false
      })
  }
}
