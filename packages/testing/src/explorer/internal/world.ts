/** The world of one key: processes that drive it, a store, the fake, and what is under way between them. */
import type * as AppCredential from "@zapier-workflow-auth/core/machine/AppCredential"
import type * as ConsentAttempt from "@zapier-workflow-auth/core/machine/ConsentAttempt"
import type * as ConsentAttemptDriver from "@zapier-workflow-auth/core/machine/ConsentAttemptDriver"
import type * as Driver from "@zapier-workflow-auth/core/machine/Driver"
import * as DriverState from "@zapier-workflow-auth/core/machine/DriverState"
import type * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import type * as TokenOutcome from "@zapier-workflow-auth/core/oauth/TokenOutcome"
import type { TokenRequest } from "@zapier-workflow-auth/core/oauth/TokenRequest"
import type * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import type * as Settings from "@zapier-workflow-auth/core/Settings"
import * as Redacted from "effect/Redacted"
import type * as FakeHttp from "../../fake/FakeHttp.ts"
import type * as FakeState from "../../fake/FakeState.ts"
import * as Invariants from "../../Invariants.ts"

export type Record = UserGrant.State | AppCredential.State | ConsentAttempt.State
export type Event = UserGrant.Event | AppCredential.Event | ConsentAttempt.Event
export type Command = UserGrant.Command | AppCredential.Command | ConsentAttempt.Command
export type Request = ConsentAttemptDriver.Request | TokenRequest
export type Outcome = ConsentAttemptDriver.Outcome
/**
 * The driver of any key: of a grant, a consent attempt, or the app's token.
 *
 * @since 0.1.0
 */
export type AnyDriver = Driver.Driver<Record, Event, Command, Request, Outcome>
export type Input = DriverState.Input<Record, Event, Outcome>
export type Driven = DriverState.State<Record, Event, Command, Request>

/**
 * What is explored: the drivers, and how the stores are used.
 *
 * @since 0.1.0
 */
export interface Client {
  /** Whose tokens they are: a user's, or the app's own. */
  readonly mode: "user" | "app"
  readonly settings: Settings.Settings
  /** Of what all processes share: the grant, or the app's token. */
  readonly shared: (owner: string) => AnyDriver
  readonly attempts: (owner: string) => AnyDriver
  /** Whether a write of this state expects the version that was read. */
  readonly comparesVersions: (state: Record) => boolean
  /** Whether a token's time counts from the start of its request; else from the response. */
  readonly countsFromStart: boolean
}

/** The key of what all processes share. Attempts have their digests as keys. */
export const shared = "shared"

/**
 * - `Load`: a read that takes long. It finds what was there when it began.
 * - `Save`: `result` once the store has done it, and its process has yet to hear. `isHung`: it never hears.
 * - `Send`: `response` once the server has acted; `outcome` once that is in the socket.
 * - `Bring`: an attempt waits until its grant is stored.
 */
export type Operation = { readonly key: string; readonly id: number } & (
  | { readonly _tag: "Load"; readonly found: Slot | undefined }
  | {
      readonly _tag: "Save"
      readonly expected: number | undefined
      readonly state: Record
      readonly from: Record | undefined
      readonly isHung: boolean
      readonly result: "Saved" | "Conflicted" | undefined
    }
  | {
      readonly _tag: "Send"
      readonly request: TokenRequest
      readonly sentAt: number
      readonly until: number
      /** The response comes late, or never. */
      readonly fate: "Slow" | "Silent" | undefined
      readonly response: FakeHttp.FakeResponse | undefined
      readonly outcome: TokenOutcome.TokenOutcome | undefined
    }
  | { readonly _tag: "Bring"; readonly caller: number }
)

export type Of<Tag extends Operation["_tag"]> = Extract<Operation, { readonly _tag: Tag }>

/** Whether a write expects the version that is there. */
export const isCurrent = ({ store }: World, { expected, key }: Of<"Save">): boolean => {
  const { state, version } = slot({ store }, key)
  return expected === (state === undefined ? undefined : version)
}

/** Whether it is a request that may still reach the server. */
export const isOnItsWay = (operation: Operation): operation is Of<"Send"> =>
  operation._tag === "Send" && operation.response === undefined && operation.fate !== "Silent"

/** Somebody who needs an access token and calls the API with it, or who has brought an event. */
export interface Caller {
  readonly id: number
  readonly wants: "Access" | "Event"
  readonly doing:
    | { readonly _tag: "Idle" }
    | { readonly _tag: "Waiting"; readonly since: number; readonly isReplay: boolean }
    | { readonly _tag: "Calling"; readonly access: Tokens.UsableAccess; readonly isReplay: boolean }
}

export interface Process {
  readonly name: string
  /** One higher with every restart. */
  readonly life: number
  readonly isPaused: boolean
  /** Since when it has not stood still. */
  readonly awakeSince: number
  /** How far its clock is ahead of the others, in milliseconds. */
  readonly offset: number
  readonly isClosing: boolean
  readonly drivers: { readonly [key: string]: Driven }
  readonly operations: ReadonlyArray<Operation>
  readonly callers: ReadonlyArray<Caller>
  readonly nextCaller: number
  readonly hasFailed: boolean
  /** Whether it has the lease by a write that was done after it had been given up. */
  readonly hasLateClaim: boolean
}

export interface Callback {
  readonly digest: string
  readonly code: string
}

export interface Slot {
  /** Grows over removals. */
  readonly version: number
  /** Nothing where there is no record. */
  readonly state: Record | undefined
}

/**
 * All that there is at one moment.
 *
 * @since 0.1.0
 */
export interface World {
  readonly now: number
  readonly server: FakeState.FakeState
  readonly store: { readonly [key: string]: Slot }
  readonly processes: ReadonlyArray<Process>
  /** Requests that nobody waits for, and that may still reach the server. */
  readonly strays: ReadonlyArray<TokenRequest>
  /** Writes that nobody waits for, and that may still be done. */
  readonly lateWrites: ReadonlyArray<{ readonly name: string; readonly owner: string; readonly save: Of<"Save"> }>
  /** Callbacks that are about to arrive. */
  readonly callbacks: ReadonlyArray<Callback>
  /** How many faults may still happen. */
  readonly faults: number
  /** How often an access token may still come to its end by itself. */
  readonly expiries: number
  readonly history: Invariants.History
  /** Tokens and codes by what they came from, so that the order of drawing makes no difference. */
  readonly names: { readonly [secret: string]: string }
}

export const ownerOf = ({ life, name }: Pick<Process, "life" | "name">): string => `${name}${life}`

export const wall = ({ now }: Pick<World, "now">, { offset }: Process): number => now + offset

export const isBusy = ({ drivers }: Process): boolean => Object.values(drivers).some(DriverState.isBusy)

/** What a request presents. */
export const presented = (request: TokenRequest): string => {
  switch (request._tag) {
    case "AuthorizationCode":
      return Redacted.value(request.code)
    case "Refresh":
      return Redacted.value(request.refreshToken)
    // The token of a White Label user is not explored by itself: its driver is the app's.
    case "ClientCredentials":
    case "TokenExchange":
    case "ConnectToken":
      return Invariants.app
  }
}

/** Whether the process has the lease of this state. */
export const isHolder = (state: Record | undefined, process: Process): boolean =>
  state !== undefined && "lease" in state && state.lease.owner === ownerOf(process)

/** The access token that the store has. */
export const accessOf = ({ state }: Slot): Tokens.Access | undefined => {
  if (state === undefined) return undefined
  if ("tokens" in state) return state.tokens
  return "access" in state ? state.access : undefined
}

export const slot = ({ store }: Pick<World, "store">, key: string): Slot =>
  store[key] ?? { version: 0, state: undefined }
