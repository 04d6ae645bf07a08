/**
 * The state, inputs and outputs of a `Driver`, which explains its theory of operation.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type { TokenOutcome } from "../oauth/TokenOutcome.ts"
import type * as Tokens from "../oauth/Tokens.ts"
import type { Reason } from "../ZapierAuthError.ts"
import type * as Machine from "./Machine.ts"

/**
 * The time on two clocks.
 *
 * - `wall`: milliseconds since the epoch, for times in the record
 * - `elapsed`: milliseconds of a clock that never jumps, for this process's own waits
 *
 * @since 0.1.0
 */
export interface Now {
  readonly wall: number
  readonly elapsed: number
}

/**
 * Identifies tokens by their family and number of renewals.
 *
 * @since 0.1.0
 */
export interface Id {
  readonly family: string
  readonly generation: number
}

/**
 * The timeouts of a process, in milliseconds, and its name in leases.
 *
 * @since 0.1.0
 */
export interface Settings {
  readonly owner: string
  readonly requestTimeout: number
  readonly responseTimeout: number
  readonly storeTimeout: number
  readonly rejectionInterval: number
  readonly memoryLifetime: number
}

/**
 * Outcomes that the driver itself reports: no response in time, or not sent.
 *
 * @since 0.1.0
 */
export type DriverOutcome = Extract<TokenOutcome, { readonly _tag: "NoResponse" | "NotTried" }>

/**
 * A machine's command to the driver, in terms shared by all machines.
 *
 * - `Use`: give out the access token, and to later callers without a step until `until`
 * - `Await`: another process is at work; look at the record again by `until` at the latest
 * - `Send`: send `request` and listen until `deadline`. `completes`: even while the process closes, to complete what was
 *   begun
 * - `Tell`: tell the callers that it ended well, or the reason why not
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
 * A machine and what its driver needs to know about it.
 *
 * @since 0.1.0
 */
export interface Driven<S extends Machine.Tagged, E extends Machine.Tagged, C extends Machine.Tagged, R, O> {
  readonly machine: Machine.Machine<S, E, C>
  /** The name of the store, for messages. */
  readonly store: string
  /** The reason for a caller whose wait has timed out. */
  readonly pending: (waited: Duration.Duration) => Reason
  /** The state that stands for no record. */
  readonly none: S
  /** Identifies the tokens of a state. */
  readonly idOf: (state: S) => Id | undefined
  /** The access token of a state, valid or not. */
  readonly accessOf: (state: S) => Tokens.UsableAccess | undefined
  /** True while the outcome of a request about these tokens can still change the record. */
  readonly concerns: (about: Id, state: S) => boolean
  /** Makes the event that demands an access token. `rejected`: the record's token, if the API has rejected it. */
  readonly demand: (owner: string, rejected: Id | undefined) => E
  readonly order: (command: C, now: number) => Order<R>
  /** Converts an outcome to an event, and to the reason for callers if the machine reports a failure. */
  readonly conclude: (
    about: { readonly id: Id; readonly request: R; readonly owner: string },
    outcome: O | DriverOutcome,
    /** True if a caller waits, so that the request may be sent once more at once. */
    isAwaited: boolean
  ) => { readonly event: E; readonly failure: Reason | undefined }
}

/**
 * An event that must reach the record.
 *
 * - `caller`: the caller who brought the event, or the request that led to it
 * - `isRetried`: true if it is retried until stored
 * - `isRemoval`: true if it also removes an unreadable record
 * - `failure`: the reason for callers if the machine reports a failure
 * - `decidedOn`: the state that an earlier write of this event was based on. Set if that write failed but may have been
 *   carried out, or if it was a removal that came too late
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
 * The current operation of the store.
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
      /** The previous state, unless it could not be read. */
      readonly from: S | undefined
      readonly next: Machine.Next<S, C>
    }
  | { readonly _tag: "Backoff"; readonly until: number }

/**
 * An open request.
 *
 * @since 0.1.0
 */
export interface Request<R> {
  readonly id: number
  readonly about: Id
  readonly request: R
  /** When listening ends, elapsed. */
  readonly until: number
  /** The last time at which a response can still be stored under the lease, elapsed. */
  readonly latest: number
  readonly caller: number | undefined
}

/**
 * A caller that waits for an access token, or for an event to be recorded.
 *
 * @since 0.1.0
 */
export interface Caller {
  readonly id: number
  readonly wants: "Access" | "Event"
  /** When its wait times out, elapsed. */
  readonly until: number
  /** True if the current load began after it came. */
  readonly isCovered: boolean
  /** True if it asks because the API rejected a token. */
  readonly wasRejected: boolean
}

/**
 * An access token in memory. Times are wall times, so that one clock is enough.
 *
 * @since 0.1.0
 */
export interface Memory {
  readonly access: Tokens.UsableAccess
  readonly since: number
  readonly until: number
  /** Until when it may be used while the record is being loaded. */
  readonly latest: number
  /** True if a call is known to have succeeded with it. */
  readonly isProven: boolean
}

/**
 * A process's knowledge of one key, beside the record.
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
  /** When to look at the record again while a caller waits, elapsed. */
  readonly pollAt: number | undefined
  /** How often the record has been polled for the waiting callers. */
  readonly polls: number
  /** The store's failures in a row for the first event in the inbox: how many, since when (elapsed), and why. */
  readonly trouble: { readonly failures: number; readonly since: number; readonly reason: Reason } | undefined
  /** How often in a row another process wrote first. */
  readonly conflicts: number
  /** When overdue deadlines take effect, elapsed. */
  readonly grace: number | undefined
  /** When closing began, elapsed. */
  readonly closingSince: number | undefined
  /** The id of the next operation. */
  readonly nextId: number
}

/**
 * An input of a driver. `caller` and `id` are numbers that name callers and operations.
 *
 * - `Asked`: a caller needs an access token, and cannot use `unusable`, because the API rejected it
 * - `Left`: a caller no longer waits
 * - `Brought`: a caller brings an event for the record
 * - `Loaded`, `Saved`, `Conflicted`, `StoreFailed`: how an operation of the store ended. `version`: that of an unreadable
 *   record
 * - `Responded`: the outcome of the request
 * - `Accepted`: a call succeeded with an access token
 * - `Woken`: the time `wakeAt` has come
 * - `Closing`: the process is closing and begins nothing new
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
  | { readonly _tag: "Responded"; readonly id: number; readonly outcome: O | DriverOutcome }
  | { readonly _tag: "Accepted"; readonly access: Id }
  | { readonly _tag: "Woken" }
  | { readonly _tag: "Closing" }

/**
 * The reply to a caller.
 *
 * - `Access`: the access token
 * - `Done`: the event is recorded. `before`: the previous state, unless it could not be read
 * - `Failed`: the reason
 *
 * @since 0.1.0
 */
export type Reply<S> =
  | { readonly _tag: "Access"; readonly access: Tokens.UsableAccess }
  | { readonly _tag: "Done"; readonly before: S | undefined }
  | { readonly _tag: "Failed"; readonly reason: Reason }

/**
 * The state of a driver of any machine.
 *
 * @since 0.1.0
 */
export type AnyState = State<unknown, unknown, unknown, unknown>

/**
 * An output of a driver, to be performed.
 *
 * - `Load`, `Save`: an operation of the store. A `Save` expects the loaded version; saving `none` removes the record.
 * - `Send`: send the request, unless `until` (elapsed) has passed
 * - `Abandon`: the outcome of that operation is no longer needed
 * - `Reply`: reply to callers
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
 * The initial state of every driver.
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
 * How long overdue deadlines wait for I/O, in milliseconds.
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
 * True while an operation, a request, an event or a caller is pending.
 *
 * @since 0.1.0
 */
export const isBusy = ({ callers, inbox, request, store }: AnyState): boolean =>
  store._tag !== "Idle" || request !== undefined || inbox.length > 0 || callers.length > 0

// True while the record is loaded or saved for callers.
const isLooking = (store: AnyState["store"]): boolean => "task" in store && store.task._tag === "Demand"

/**
 * Returns the access token that may be handed out without a step, if any. While the record is loaded for one caller, others
 * keep using the token that was valid a moment ago.
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
 * The earliest deadline of callers, request and store, elapsed.
 *
 * @since 0.1.0
 */
export const nextDeadline = ({ callers, request, store }: AnyState): number => {
  let earliest = request?.until ?? Infinity
  if (store._tag === "Loading" || store._tag === "Saving") earliest = Math.min(earliest, store.until)
  // Callers are in order of arrival, and those with a deadline wait equally long.
  return Math.min(earliest, callers.find(({ until }) => until !== Infinity)?.until ?? Infinity)
}

/**
 * True for a caller that waits for an access token.
 *
 * @internal
 */
export const wantsAccess = ({ wants }: Caller) => wants === "Access"

/**
 * When to look at the record again, elapsed.
 *
 * @since 0.1.0
 */
export const nextLook = ({ callers, pollAt, store }: AnyState): number => {
  if (store._tag === "Backoff") return store.until
  return store._tag === "Idle" && pollAt !== undefined && callers.some(wantsAccess) ? pollAt : Infinity
}

/**
 * When to wake the driver, elapsed: `Infinity` if only another input can change anything.
 *
 * @since 0.1.0
 */
export const wakeAt = (state: AnyState): number => Math.min(state.grace ?? nextDeadline(state), nextLook(state))

const look = { Idle: "else", Loading: "an event is in the inbox, or a caller waits and a look is due" }
const idle = {
  Asked: look,
  Left: look,
  Brought: { Loading: "else", Idle: "the process is closing and refuses it" },
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
  Loading: "the task is given up, and a caller waits",
  Idle: "the task is given up"
}
const resting = { Backoff: "else", Loading: "the backoff is over" }
const rested = /* @__PURE__ */ (() => ({
  ...resting,
  Idle: "the backoff is over, and no task needs the record"
}))()

const tabulate = () =>
  ({
    Idle: idle,
    Loading: {
      ...busy("Loading"),
      Loaded: { Saving: "the machine changes the record", ...look },
      StoreFailed: { ...failing, Saving: "the record cannot be read and is to be removed" },
      Woken: { ...failing, Loading: "the store has time left, or the task is given up and a caller waits" }
    },
    Saving: {
      ...busy("Saving"),
      Saved: look,
      Conflicted: { ...look, Backoff: "three or more conflicts in a row" },
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
 * The edges of the region `store`. Outcomes of an operation or request other than the current one are stale and not in the
 * table.
 *
 * @since 0.1.0
 */
// Pure, so that bundlers drop it where it is unused.
export const edges = /* @__PURE__ */ tabulate()

/**
 * True if the region `store` may go from one state to another on an input, or if the input is stale.
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
