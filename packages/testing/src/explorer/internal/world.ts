/** The world of one key: processes that drive it, a store, the fake, and the operations under way between them. */
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
 * The driver of any key: a grant, a consent attempt, or the app's token.
 *
 * @since 0.1.0
 */
export type AnyDriver = Driver.Driver<Record, Event, Command, Request, Outcome>
export type Input = DriverState.Input<Record, Event, Outcome>
export type Driven = DriverState.State<Record, Event, Command, Request>

/**
 * The subject of an exploration: the drivers, and how they use the stores.
 *
 * @since 0.1.0
 */
export interface Client {
  /** The kind of token: a user's, or the app's own. */
  readonly mode: "user" | "app"
  readonly settings: Settings.Settings
  /** The driver of the record that all processes share: the grant, or the app's token. */
  readonly shared: (owner: string) => AnyDriver
  readonly attempts: (owner: string) => AnyDriver
  /** True if a write of this state expects the version that was read. */
  readonly comparesVersions: (state: Record) => boolean
  /** True if a token's lifetime counts from the start of its request, false if from the response. */
  readonly countsFromStart: boolean
}

/** The key of the record that all processes share. Attempts use their digests as keys. */
export const shared = "shared"

/**
 * - `Load`: a slow read. It finds what was there when it began.
 * - `Save`: `result` is set once the store has carried it out, before its process gets it. `isHung`: the process never
 *   gets it.
 * - `Send`: `response` is set once the server has acted; `outcome` once the response is in the socket.
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
      /** Set if the response is late or never arrives. */
      readonly delivery: "Slow" | "Silent" | undefined
      readonly response: FakeHttp.FakeResponse | undefined
      readonly outcome: TokenOutcome.TokenOutcome | undefined
    }
  | { readonly _tag: "Bring"; readonly caller: number }
)

export type Of<Tag extends Operation["_tag"]> = Extract<Operation, { readonly _tag: Tag }>

/** True if a write expects the current version. */
export const isCurrent = ({ store }: World, { expected, key }: Of<"Save">): boolean => {
  const { state, version } = slot({ store }, key)
  return expected === (state === undefined ? undefined : version)
}

/** True for a request that may still reach the server. */
export const isOnItsWay = (operation: Operation): operation is Of<"Send"> =>
  operation._tag === "Send" && operation.response === undefined && operation.delivery !== "Silent"

/** A caller that needs an access token and calls the API with it, or that has brought an event. */
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
  /** Counts restarts. */
  readonly life: number
  readonly isPaused: boolean
  /** When it was last resumed. */
  readonly awakeSince: number
  /** How far its clock is ahead of the others, in milliseconds. */
  readonly offset: number
  readonly isClosing: boolean
  readonly drivers: { readonly [key: string]: Driven }
  readonly operations: ReadonlyArray<Operation>
  readonly callers: ReadonlyArray<Caller>
  readonly nextCaller: number
  readonly hasFailed: boolean
  /** True if it holds the lease by a write that was carried out after the process had given it up. */
  readonly hasLateClaim: boolean
}

export interface Callback {
  readonly digest: string
  readonly code: string
}

export interface Slot {
  /** Grows even across removals. */
  readonly version: number
  /** Undefined if there is no record. */
  readonly state: Record | undefined
}

/**
 * A whole world at one moment.
 *
 * @since 0.1.0
 */
export interface World {
  readonly now: number
  readonly server: FakeState.FakeState
  readonly store: { readonly [key: string]: Slot }
  readonly processes: ReadonlyArray<Process>
  /** Requests without a waiting process that may still reach the server. */
  readonly strays: ReadonlyArray<TokenRequest>
  /** Writes without a waiting process that may still be carried out. */
  readonly lateWrites: ReadonlyArray<{ readonly name: string; readonly owner: string; readonly save: Of<"Save"> }>
  /** Callbacks that are about to arrive. */
  readonly callbacks: ReadonlyArray<Callback>
  /** How many faults may still happen. */
  readonly faults: number
  /** How often an access token may still expire by itself. */
  readonly expiries: number
  readonly history: Invariants.History
  /** Names of tokens and codes by their origin, so that the order of creation has no effect. */
  readonly names: { readonly [secret: string]: string }
}

export const ownerOf = ({ life, name }: Pick<Process, "life" | "name">): string => `${name}${life}`

export const wall = ({ now }: Pick<World, "now">, { offset }: Process): number => now + offset

export const isBusy = ({ drivers }: Process): boolean => Object.values(drivers).some(DriverState.isBusy)

/** The secret of a request: a code or a refresh token. */
export const secretOf = (request: TokenRequest): string => {
  switch (request._tag) {
    case "AuthorizationCode":
      return Redacted.value(request.code)
    case "Refresh":
      return Redacted.value(request.refreshToken)
    // A White Label user's token uses the app's driver, which is explored already.
    case "ClientCredentials":
    case "TokenExchange":
    case "ConnectToken":
      return Invariants.app
  }
}

/** True if the process holds the lease of this state. */
export const isHolder = (state: Record | undefined, process: Process): boolean =>
  state !== undefined && "lease" in state && state.lease.owner === ownerOf(process)

/** The stored access token. */
export const accessOf = ({ state }: Slot): Tokens.Access | undefined => {
  if (state === undefined) return undefined
  if ("tokens" in state) return state.tokens
  return "access" in state ? state.access : undefined
}

export const slot = ({ store }: Pick<World, "store">, key: string): Slot =>
  store[key] ?? { version: 0, state: undefined }
