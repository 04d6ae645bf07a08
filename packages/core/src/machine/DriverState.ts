/**
 * The state of a `Driver`, its inputs and its outputs. The theory of operation is in `Driver`.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type { TokenOutcome } from "../oauth/TokenOutcome.ts"
import type * as Tokens from "../oauth/Tokens.ts"
import type { Reason } from "../ZapierAuthError.ts"
import type * as Machine from "./Machine.ts"

/**
 * - `wall`: milliseconds since the epoch, for what the record says
 * - `elapsed`: milliseconds of a clock that never jumps, for what this process waits for
 *
 * @since 0.1.0
 */
export interface Now {
  readonly wall: number
  readonly elapsed: number
}

/**
 * Which tokens are meant: their family, and how many renewals it has had.
 *
 * @since 0.1.0
 */
export interface Id {
  readonly family: string
  readonly generation: number
}

/**
 * The times that a process waits, in milliseconds, and its name in leases.
 *
 * @since 0.1.0
 */
export interface Settings {
  readonly owner: string
  readonly requestTimeout: number
  readonly answerTimeout: number
  readonly storeTimeout: number
  readonly rejectionInterval: number
  readonly memoryLifetime: number
}

/**
 * Outcomes that the driver itself gives a request: its response did not come in time, or it was not sent.
 *
 * @since 0.1.0
 */
export type Unanswered = Extract<TokenOutcome, { readonly _tag: "NoResponse" | "NotTried" }>

/**
 * An order to the driver: a command of a machine, in terms that all machines share.
 *
 * - `Use`: hand the access token out, and to others without asking again before `until`
 * - `Await`: look at the record again, at the latest at `until`: another process is at work
 * - `Send`: send `request`, and listen until `deadline`. `completes`: also while the process ends, because it completes
 *   what was begun
 * - `Tell`: tell the callers how it ended: well, or with a reason
 * - `Report`: tell the callers how the request failed
 *
 * @since 0.1.0
 */
export type Order<R> =
  | { readonly _tag: "Use"; readonly access: Tokens.UsableAccess; readonly until: number }
  | { readonly _tag: "Await"; readonly until: number }
  | {
      readonly _tag: "Send"
      readonly about: Id
      readonly request: R
      readonly deadline: number
      readonly completes?: true
    }
  | { readonly _tag: "Tell"; readonly reason: Reason | undefined }
  | { readonly _tag: "Report" }

/**
 * A machine to be driven.
 *
 * @since 0.1.0
 */
export interface Driven<S extends Machine.Tagged, E extends Machine.Tagged, C extends Machine.Tagged, R, O> {
  readonly machine: Machine.Machine<S, E, C>
  /** The name of the store, for messages. */
  readonly store: string
  /** The reason for a caller that has waited for as long as callers do. */
  readonly pending: (waited: Duration.Duration) => Reason
  /** Stands for no record. */
  readonly none: S
  /** Which tokens a state holds. */
  readonly idOf: (state: S) => Id | undefined
  /** The access token of a state, live or not. */
  readonly accessOf: (state: S) => Tokens.UsableAccess | undefined
  /** True while a request about these tokens has something to say to the record. */
  readonly concerns: (about: Id, state: S) => boolean
  /** The event of a demand for an access token. `rejected`: the API has rejected the one that the record has. */
  readonly demand: (owner: string, rejected: Id | undefined) => E
  readonly order: (command: C, now: number) => Order<R>
  /** The event that an outcome is, and what callers are told should the machine ask for it. */
  readonly conclude: (
    about: { readonly id: Id; readonly request: R; readonly owner: string },
    outcome: O | Unanswered,
    /** True if a caller waits, so that the request may be sent once more at once. */
    isAwaited: boolean
  ) => { readonly event: E; readonly failure: Reason | undefined }
}

/**
 * An event that must reach the record.
 *
 * - `caller`: who brought it, or the request that it is the outcome of
 * - `isRetried`: true if it is retried until it is stored
 * - `isRemoval`: true if it also removes a record that cannot be read
 * - `failure`: what callers are told should the machine ask for it
 * - `decidedOn`: the state that a write of it was decided on that may have been carried out, though it failed, or that was
 *   to remove it, and came too late
 *
 * @since 0.1.0
 */
export interface Delivery<S, E> {
  readonly _tag: "Delivery"
  readonly event: E
  readonly isRetried: boolean
  readonly isRemoval: boolean
  readonly caller: number | undefined
  readonly failure: Reason | undefined
  readonly decidedOn: S | undefined
}

/**
 * The purpose of a store operation: the demand of callers, or an event.
 *
 * @since 0.1.0
 */
export type Task<S, E> = { readonly _tag: "Demand" } | Delivery<S, E>

/**
 * The operation of the store that is under way.
 *
 * @since 0.1.0
 */
export type Store<S, E, C> =
  | { readonly _tag: "Idle" }
  | { readonly _tag: "Loading"; readonly id: number; readonly task: Task<S, E>; readonly until: number }
  | {
      readonly _tag: "Saving"
      readonly id: number
      readonly task: Task<S, E>
      readonly until: number
      readonly event: E
      /** The state before, unless it could not be read. */
      readonly from: S | undefined
      readonly next: Machine.Next<S, C>
    }
  | { readonly _tag: "Backoff"; readonly until: number }

/**
 * A request that is open.
 *
 * @since 0.1.0
 */
export interface Request<R> {
  readonly id: number
  readonly about: Id
  readonly request: R
  /** When the listening ends, elapsed. */
  readonly until: number
  /** Until when a response could still be stored under the lease, elapsed. */
  readonly latest: number
  readonly caller: number | undefined
}

/**
 * Somebody who waits: for an access token, or for an event to be recorded.
 *
 * @since 0.1.0
 */
export interface Caller {
  readonly id: number
  readonly wants: "Access" | "Event"
  /** When it is told that it has to come back, elapsed. */
  readonly until: number
  /** True if the load under way began after it came. */
  readonly isCovered: boolean
  /** True if it comes because the API rejected a token. */
  readonly wasRejected: boolean
}

/**
 * An access token in memory. Times are those of the wall, so that a look at one clock is enough.
 *
 * @since 0.1.0
 */
export interface Memory {
  readonly access: Tokens.UsableAccess
  readonly since: number
  readonly until: number
  /** While the record is being looked at, it is used until then. */
  readonly latest: number
  /** True if a call is known to have succeeded with it. */
  readonly isProven: boolean
}

/**
 * All that a process knows of one key beside its record.
 *
 * @since 0.1.0
 */
export interface State<S, E, C, R> {
  readonly store: Store<S, E, C>
  readonly request: Request<R> | undefined
  readonly callers: ReadonlyArray<Caller>
  readonly inbox: ReadonlyArray<Delivery<S, E>>
  readonly memory: Memory | undefined
  readonly dead: ReadonlyArray<Id>
  /** When to look at the record again while somebody waits, elapsed. */
  readonly pollAt: number | undefined
  /** How often it was looked at for the callers that wait. */
  readonly polls: number
  /** How often the store has failed in a row for the first of the inbox, since when (elapsed), and why. */
  readonly trouble: { readonly failures: number; readonly since: number; readonly reason: Reason } | undefined
  /** How often in a row another process was faster to write. */
  readonly conflicts: number
  /** When deadlines that have come are taken to have passed, elapsed. */
  readonly grace: number | undefined
  /** When closing began, elapsed. */
  readonly closingSince: number | undefined
  /** The next operation's. */
  readonly nextId: number
}

/**
 * An input of a driver. `caller` and `id` are numbers that name callers and operations.
 *
 * - `Asked`: a caller needs an access token, and cannot use `unusable`, because the API rejected it
 * - `Left`: a caller no longer waits
 * - `Brought`: a caller brings an event for the record
 * - `Loaded`, `Saved`, `Conflicted`, `StoreFailed`: how an operation of the store ended. `version`: of a record that is
 *   there and cannot be read
 * - `Responded`: the outcome of the request
 * - `Accepted`: a call succeeded with an access token
 * - `Woken`: `wakeAt` has come
 * - `Closing`: the process ends: nothing new is begun
 *
 * @since 0.1.0
 */
export type Input<S, E, O> =
  | { readonly _tag: "Asked"; readonly caller: number; readonly unusable?: Tokens.UsableAccess | undefined }
  | { readonly _tag: "Left"; readonly caller: number }
  | {
      readonly _tag: "Brought"
      readonly caller: number
      readonly event: E
      readonly isRetried: boolean
      readonly isRemoval: boolean
    }
  | { readonly _tag: "Loaded"; readonly id: number; readonly state: S; readonly version: number | undefined }
  | { readonly _tag: "Saved"; readonly id: number }
  | { readonly _tag: "Conflicted"; readonly id: number }
  | {
      readonly _tag: "StoreFailed"
      readonly id: number
      readonly reason: Reason
      readonly version?: number | undefined
    }
  | { readonly _tag: "Responded"; readonly id: number; readonly outcome: O | Unanswered }
  | { readonly _tag: "Accepted"; readonly access: Id }
  | { readonly _tag: "Woken" }
  | { readonly _tag: "Closing" }

/**
 * The answer to a caller.
 *
 * - `Access`: the access token
 * - `Done`: the event is recorded. `before`: the state that it found, unless that could not be read
 * - `Failed`: why not
 *
 * @since 0.1.0
 */
export type Reply<S> =
  | { readonly _tag: "Access"; readonly access: Tokens.UsableAccess }
  | { readonly _tag: "Done"; readonly before: S | undefined }
  | { readonly _tag: "Failed"; readonly reason: Reason }

/**
 * Any state, as far as the machine that is driven makes no difference.
 *
 * @since 0.1.0
 */
export type AnyState = State<unknown, unknown, unknown, unknown>

/**
 * An output of a driver, to be performed.
 *
 * - `Load`, `Save`: an operation of the store. A `Save` expects the version that was loaded; of `none` it is a removal.
 * - `Send`: send the request, unless `until` (elapsed) has come
 * - `Abandon`: nobody waits for that operation any more
 * - `Reply`: tell callers
 * - `Publish`: a transition is stored
 * - `Count`: for metrics
 *
 * @since 0.1.0
 */
export type Output<S, E, R> =
  | { readonly _tag: "Load"; readonly id: number }
  | { readonly _tag: "Save"; readonly id: number; readonly expected: number | undefined; readonly state: S }
  | { readonly _tag: "Send"; readonly id: number; readonly request: R; readonly until: number }
  | { readonly _tag: "Abandon"; readonly id: number }
  | { readonly _tag: "Reply"; readonly callers: ReadonlyArray<number>; readonly reply: Reply<S> }
  | { readonly _tag: "Publish"; readonly from: S; readonly event: E; readonly to: S }
  | { readonly _tag: "Count"; readonly what: "wait" | "adoption" }

/**
 * The state of a driver that knows nothing.
 *
 * @since 0.1.0
 */
export const initial: State<never, never, never, never> = {
  store: { _tag: "Idle" },
  request: undefined,
  callers: [],
  inbox: [],
  memory: undefined,
  dead: [],
  pollAt: undefined,
  polls: 0,
  trouble: undefined,
  conflicts: 0,
  grace: undefined,
  closingSince: undefined,
  nextId: 0
}

/**
 * How long deadlines that have come give I/O its turn, in milliseconds.
 *
 * @since 0.1.0
 */
export const grace = 250

/**
 * True if both name the same tokens.
 *
 * @internal
 */
export const isSame = (a: Id | undefined, b: Id | undefined): boolean =>
  a !== undefined && b !== undefined && a.family === b.family && a.generation === b.generation

/**
 * True while something is under way.
 *
 * @since 0.1.0
 */
export const isBusy = ({ callers, inbox, request, store }: AnyState): boolean =>
  store._tag !== "Idle" || request !== undefined || inbox.length > 0 || callers.length > 0

// The record is looked at for a caller.
const isLooking = (store: AnyState["store"]): boolean => "task" in store && store.task._tag === "Demand"

/**
 * The access token that may be handed out without a step, if there is one. While the record is looked at for one caller,
 * the others go on with what was good a moment ago.
 *
 * @param wall milliseconds since the epoch
 *
 * @since 0.1.0
 */
export const peek = (
  { memory, store }: Pick<AnyState, "memory" | "store">,
  wall: number
): Tokens.UsableAccess | undefined =>
  memory !== undefined &&
  memory.since <= wall &&
  wall < memory.access.expiresAt &&
  wall < (isLooking(store) ? memory.latest : memory.until)
    ? memory.access
    : undefined

/**
 * When something that is waited for takes too long, elapsed.
 *
 * @since 0.1.0
 */
export const nextDeadline = ({ callers, request, store }: AnyState): number => {
  let earliest = request?.until ?? Infinity
  if (store._tag === "Loading" || store._tag === "Saving") earliest = Math.min(earliest, store.until)
  // Callers come one after the other, and all who are told at some time wait equally long.
  return Math.min(earliest, callers.find(({ until }) => until !== Infinity)?.until ?? Infinity)
}

/**
 * True for a caller that waits for an access token.
 *
 * @internal
 */
export const wantsAccess = ({ wants }: Caller) => wants === "Access"

/**
 * When the record is to be looked at again, elapsed.
 *
 * @since 0.1.0
 */
export const nextLook = ({ callers, pollAt, store }: AnyState): number => {
  if (store._tag === "Backoff") return store.until
  return store._tag === "Idle" && pollAt !== undefined && callers.some(wantsAccess) ? pollAt : Infinity
}

/**
 * When the driver is to be woken, in elapsed milliseconds: `Infinity` if only another input can change anything.
 *
 * @since 0.1.0
 */
export const wakeAt = (state: AnyState): number => Math.min(state.grace ?? nextDeadline(state), nextLook(state))

const look = { Idle: "else", Loading: "an event is in the inbox, or a caller waits and a look is due" }
const idle = {
  Asked: look,
  Left: look,
  Brought: { Loading: "else", Idle: "the process is closing, and refuses it" },
  Responded: { Loading: "always" },
  Accepted: look,
  Woken: look,
  Closing: look
}
const busy = <Tag extends "Loading" | "Saving">(state: Tag) => {
  const stays = { [state]: "always" } as { readonly [Target in Tag]: "always" }
  return { Asked: stays, Left: stays, Brought: stays, Responded: stays, Accepted: stays, Closing: stays }
}
const failing = {
  Backoff: "an event must reach the record",
  Loading: "what it was for is given up, and a caller waits",
  Idle: "what it was for is given up"
}
const resting = { Backoff: "else", Loading: "the backoff is over" }
const rested = /* @__PURE__ */ (() => ({
  ...resting,
  Idle: "the backoff is over, and nobody needs the record any more"
}))()

const tabulate = () =>
  ({
    Idle: idle,
    Loading: {
      ...busy("Loading"),
      Loaded: { Saving: "the machine changes the record", ...look },
      StoreFailed: { ...failing, Saving: "the record cannot be read, and is to be removed" },
      Woken: { ...failing, Loading: "the store has time left, or what it was for is given up and a caller waits" }
    },
    Saving: {
      ...busy("Saving"),
      Saved: look,
      Conflicted: { ...look, Backoff: "others were faster three times in a row" },
      StoreFailed: failing,
      Woken: { ...failing, Saving: "the store has time left" }
    },
    Backoff: {
      Asked: rested,
      Left: rested,
      Brought: rested,
      Responded: resting,
      Accepted: rested,
      Woken: rested,
      Closing: rested
    }
  }) as const satisfies Machine.Edges<Store<never, never, never>["_tag"], Input<never, never, never>["_tag"]>

/**
 * The edges of the region `store`. Outcomes that name another operation than the one that is under way, or another request
 * than the open one, are stale and not in the table.
 *
 * @since 0.1.0
 */
// A bundle that does not draw it leaves it out.
export const edges = /* @__PURE__ */ tabulate()

/**
 * True if the region `store` may go from one state to another on an input, or the input is stale and changes nothing.
 *
 * @since 0.1.0
 */
export const isEdge = (
  from: keyof typeof edges,
  input: Input<never, never, never>["_tag"],
  to: keyof typeof edges
): boolean => {
  const targets: { readonly [input: string]: { readonly [to: string]: string } } = edges[from]
  return targets[input] === undefined ? from === to : Object.hasOwn(targets[input], to)
}
