/** Types that the parts of a simulation share. */
import type * as AppCredential from "@zapier-workflow-auth/core/machine/AppCredential"
import type * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import type * as Settings from "@zapier-workflow-auth/core/Settings"
import type { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import type { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Context from "effect/Context"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { TokenRequestFault, StoreFailure } from "../TokenRequestFault.ts"
import type * as Invariants from "../../Invariants.ts"
import type { Recoverability, Recoveries, Sender } from "./recoverability.ts"
import type { Seeded } from "../../internal/seeded.ts"
import type { Server } from "./server.ts"
import type { Timeline } from "../../internal/timeline.ts"

/** A caller: the app, or a user. */
interface Party<S extends Invariants.State> {
  readonly name: string
  history: Invariants.History<S>
  /** How many calls wait for their response. */
  underWay: number
  /** When something was last sent, written or requested for it. */
  activeAt: number
  /** When the oracle's access token expires. */
  servedUntil: number
}

/** The app itself, with its own token or its client id. */
export interface App extends Party<AppCredential.State> {
  readonly _tag: "App"
}

/** A user of the app, and the same user of the fake. */
export interface Subject extends Party<UserGrant.State> {
  readonly _tag: "User"
  readonly email: string
  readonly userId: number
  readonly recoverability: Recoverability
  /** Its latest codes and refresh tokens. */
  readonly secrets: Array<string>
}

export type Caller = Subject | App

export interface Call {
  readonly caller: Caller
  /** True if it needs an access token. */
  readonly wantsAccess: boolean
  /** Undefined while the process does not know of the call because it is paused. */
  fiber: Fiber.Fiber<unknown, unknown> | undefined
  readonly since: number
  /** Called when its process has ended. */
  readonly end: () => void
}

/** How a call ended; `Ended`: its process did. */
export type Outcome<A> = Exit.Exit<A, unknown> | { readonly _tag: "Ended" }

/** A process, as its stores and its network know it. */
export interface Host extends Sender {
  readonly slot: number
  readonly calls: Set<Call>
  /** The faults of its next token requests, in order. */
  readonly armed: Array<TokenRequestFault>
  /** How many of its store operations are under way. They arrive even if the process ends. */
  pending: number
  /** True to crash it as soon as its next write of a grant is done. */
  endsAfterWrite: boolean
  /** True to pause it at its next store operation. */
  pausesAtStore: boolean
  /** The failures of its next operations on a token store, and how many operations come before. */
  failures: ReadonlyArray<{ readonly failure: StoreFailure; readonly spared: number }>
  /** How far its clock is ahead. */
  ahead: number
}

export interface Process extends Host {
  readonly scope: Scope.Closeable
  readonly context: Context.Context<ZapierAuth | ZapierHttpClient>
}

/** The shared parts. */
export interface Hub {
  readonly timeline: Timeline
  readonly latency: Seeded
  readonly settings: Settings.Settings
  readonly recoveries: Recoveries
  readonly observe: (caller: Caller, observation: Invariants.Observation<never>) => void
  readonly app: App
  /** The owner of a code or refresh token. */
  readonly subjectOf: (secret: string) => Subject
  /** The store has a new state of a user's grant, or of the app's token. */
  readonly written: (subject: string, state: UserGrant.State, by: Host) => void
  readonly appWritten: (state: AppCredential.State, by: Host) => void
  readonly server: Server
  /** The fault of a token request that is about to be sent. */
  readonly faultOf: (host: Host) => TokenRequestFault | undefined
  /** True if that is its next fault while it claims. */
  readonly isArmed: (host: Host, fault: TokenRequestFault) => boolean
  /** How an operation of a process on a store fails, if it does. */
  readonly failureOf: (host: Host, isWrite: boolean, isOfTokens: boolean) => StoreFailure | undefined
  /** Pauses the process now, for that fault. */
  readonly pauseFor: (host: Host, fault: TokenRequestFault) => void
  readonly crash: (host: Host) => void
  /** Pauses the process. */
  readonly pause: (host: Host) => void
  /** Forgets an ended process without operations under way. */
  readonly forget: (host: Host) => void
  readonly counts: { tokenRequests: number; appTokenRequests: number; unauthorized: number }
}

/** The time by a process's clock. */
export const wallOf = ({ timeline }: Hub, { ahead }: Host): number => timeline.now() + ahead

/** The caller for whom the API is called. */
export const CurrentCaller = Context.Reference<Caller | undefined>(
  "@zapier-workflow-auth/testing/simulation/internal/types/CurrentCaller",
  { defaultValue: () => undefined }
)
