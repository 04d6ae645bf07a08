/**
 * What a `Driver` holds, what may happen to it, and what it asks for. The theory of operation is in `Driver`.
 *
 * @since 0.1.0
 */
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
 * What this process waits for, in milliseconds, and how it is named in leases.
 *
 * @since 0.1.0
 */
export interface Settings {
  readonly owner: string
  readonly requestTimeout: number
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
 * What a command of a machine asks of the driver.
 *
 * - `Use`: hand the access token out, and to others without asking again before `until`
 * - `Await`: look at the record again, at the latest at `until`: another process is at work
 * - `Send`: send `request`, and listen until `deadline`
 * - `Tell`: tell the callers how it ended: well, or with a reason
 * - `Report`: tell the callers how the request failed
 *
 * @since 0.1.0
 */
export type Order<R> =
  | { readonly _tag: "Use"; readonly access: Tokens.UsableAccess; readonly until: number }
  | { readonly _tag: "Await"; readonly until: number }
  | { readonly _tag: "Send"; readonly about: Id; readonly request: R; readonly deadline: number }
  | { readonly _tag: "Tell"; readonly reason: Reason | undefined }
  | { readonly _tag: "Report" }

/**
 * What the driver has to know of a machine that it drives.
 *
 * @since 0.1.0
 */
export interface Driven<S extends Machine.Tagged, E extends Machine.Tagged, C extends Machine.Tagged, R, O> {
  readonly machine: Machine.Machine<S, E, C>
  /** The name of the store, for messages. */
  readonly store: string
  /** Stands for no record. */
  readonly none: S
  /** Which tokens a state holds. */
  readonly idOf: (state: S) => Id | undefined
  /** True if the state knows that the API has rejected its access token. */
  readonly isRejected: (state: S) => boolean
  /** True while a request about these tokens has something to say to the record. */
  readonly concerns: (about: Id, state: S) => boolean
  /** The event of a demand for an access token. `rejected`: the API has rejected the one that the record has. */
  readonly demand: (owner: string, rejected: Id | undefined) => E
  readonly order: (command: C, now: number) => Order<R>
  /** The event that an outcome is, and what callers are told should the machine ask for it. */
  readonly conclude: (
    about: { readonly id: Id; readonly request: R; readonly owner: string },
    outcome: O | Unanswered,
    /** Whether a caller waits, and the request may be sent once more at once. */
    isAwaited: boolean
  ) => { readonly event: E; readonly failure: Reason | undefined }
}

/**
 * An event that must reach the record.
 *
 * - `caller`: who brought it, or the request that it is the outcome of
 * - `isRetried`: whether it is retried until it is stored
 * - `isRemoval`: whether it also removes a record that cannot be read
 * - `failure`: what callers are told should the machine ask for it
 *
 * @since 0.1.0
 */
export interface Delivery<E> {
  readonly _tag: "Delivery"
  readonly event: E
  readonly isRetried: boolean
  readonly isRemoval: boolean
  readonly caller: number | undefined
  readonly failure: Reason | undefined
}

/**
 * What a store operation is for: what callers demand, or an event.
 *
 * @since 0.1.0
 */
export type Task<E> = { readonly _tag: "Demand" } | Delivery<E>

/**
 * What the driver does with the store.
 *
 * @since 0.1.0
 */
export type Store<S, E, C> =
  | { readonly _tag: "Idle" }
  | { readonly _tag: "Loading"; readonly id: number; readonly task: Task<E>; readonly until: number }
  | {
      readonly _tag: "Saving"
      readonly id: number
      readonly task: Task<E>
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
  /** Whether the load under way began after it came. */
  readonly isCovered: boolean
  /** Whether it comes because the API rejected a token. */
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
  /** Whether a call has succeeded with it, as far as that matters. */
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
  readonly inbox: ReadonlyArray<Delivery<E>>
  readonly memory: Memory | undefined
  readonly dead: ReadonlyArray<Id>
  /** When to look at the record again while somebody waits, elapsed. */
  readonly pollAt: number | undefined
  /** How often it was looked at for the callers that wait. */
  readonly polls: number
  /** How often the store has failed in a row for the first of the inbox, since when (elapsed), and why. */
  readonly trouble: { readonly failures: number; readonly since: number; readonly reason: Reason } | undefined
  /** When deadlines that have come are taken to have passed, elapsed. */
  readonly grace: number | undefined
  /** When closing began, elapsed. */
  readonly closingSince: number | undefined
  /** The next operation's. */
  readonly nextId: number
}

/**
 * What may happen to a driver. `caller` and `id` are numbers that name callers and operations.
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
 * What a caller is told.
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
 * What is to be performed.
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
 * Nothing is known.
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
 * @since 0.1.0
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

/**
 * True if all that the driver knows is its memory, so that nothing is lost if the rest is forgotten.
 *
 * @since 0.1.0
 */
export const isIdle = (state: AnyState): boolean => !isBusy(state) && state.dead.length === 0

/**
 * The access token that may be handed out without a step, if there is one. While something is under way it is used past
 * its time in memory: one asks, and the others go on.
 *
 * @param wall milliseconds since the epoch
 *
 * @since 0.1.0
 */
export const peek = (memory: Memory | undefined, isBusy: boolean, wall: number): Tokens.UsableAccess | undefined =>
  memory !== undefined && memory.since <= wall && wall < memory.access.expiresAt && (isBusy || wall < memory.until)
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
  // Callers come one after the other, and all wait equally long.
  return Math.min(earliest, callers[0]?.until ?? Infinity)
}

/**
 * True for a caller that waits for an access token.
 *
 * @since 0.1.0
 */
export const wantsAccess = ({ wants }: Caller) => wants === "Access"

/**
 * When the driver is to be woken, in elapsed milliseconds: `Infinity` if only another input can change anything.
 *
 * @since 0.1.0
 */
export const wakeAt = (state: AnyState): number => {
  const { callers, pollAt, store } = state
  const deadline = state.grace ?? nextDeadline(state)
  if (store._tag === "Backoff") return Math.min(deadline, store.until)
  return store._tag === "Idle" && pollAt !== undefined && callers.some(wantsAccess)
    ? Math.min(deadline, pollAt)
    : deadline
}

const look = { Idle: "else", Loading: "an event is in the inbox, or a caller waits and a look is due" }
const idle = {
  Asked: look,
  Left: look,
  Brought: { Loading: "always" },
  Responded: look,
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

/**
 * The edges of the region `store`. Outcomes that name another operation than the one that is under way are stale and not
 * in the table.
 *
 * @since 0.1.0
 */
export const edges = {
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
    Conflicted: look,
    StoreFailed: failing,
    Woken: { ...failing, Saving: "the store has time left" }
  },
  Backoff: {
    Asked: resting,
    Left: resting,
    Brought: resting,
    Responded: resting,
    Accepted: resting,
    Woken: resting,
    Closing: resting
  }
} as const satisfies Machine.Edges<Store<never, never, never>["_tag"], Input<never, never, never>["_tag"]>

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
