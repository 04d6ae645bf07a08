/** What the parts of a simulation know of each other. */
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

/** Whoever calls. */
interface Party<S extends Invariants.State> {
  readonly name: string
  history: Invariants.History<S>
  /** How many calls wait for their response. */
  underWay: number
  /** When something was last sent, written or asked for it. */
  activeAt: number
  /** Until when the oracle's access token lives. */
  servedUntil: number
}

/** The app itself, with its own token or its client id. */
export interface App extends Party<AppCredential.State> {
  readonly _tag: "App"
}

/** A user of the app, and the one user of the fake that it stands for. */
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
  /** Whether it needs an access token. */
  readonly wantsAccess: boolean
  /** None yet where the process does not know of the call, because it stands still. */
  fiber: Fiber.Fiber<unknown, unknown> | undefined
  readonly since: number
  /** Its process has ended. */
  readonly end: () => void
}

/** How a call ended; `Ended`: its process did. */
export type Outcome<A> = Exit.Exit<A, unknown> | { readonly _tag: "Ended" }

/** A process, as its stores and its network know it. */
export interface Host extends Sender {
  readonly slot: number
  readonly calls: Set<Call>
  /** What is to happen to its next token requests, in order. */
  readonly armed: Array<TokenRequestFault>
  /** How many of its store operations are on their way. They arrive, even if it ends. */
  pending: number
  /** It ends as soon as its next write of a grant is done. */
  endsAfterWrite: boolean
  /** It stands still as soon as it turns to the store again. */
  pausesAtStore: boolean
  /** How its next operations of a store of tokens fail, and how many are spared before. */
  failures: ReadonlyArray<{ readonly failure: StoreFailure; readonly spared: number }>
  /** How far its clock is ahead. */
  ahead: number
}

export interface Process extends Host {
  readonly scope: Scope.Closeable
  readonly context: Context.Context<ZapierAuth | ZapierHttpClient>
}

/** What the parts share. */
export interface Hub {
  readonly timeline: Timeline
  readonly latency: Seeded
  readonly settings: Settings.Settings
  readonly recoveries: Recoveries
  readonly observe: (caller: Caller, observation: Invariants.Observation<never>) => void
  readonly app: App
  /** The user whose code or refresh token that is. */
  readonly subjectOf: (secret: string) => Subject
  /** The store has another state of a user's grant, or of the app's token. */
  readonly written: (subject: string, state: UserGrant.State, by: Host) => void
  readonly appWritten: (state: AppCredential.State, by: Host) => void
  readonly server: Server
  /** What happens to a token request that is about to leave. */
  readonly faultOf: (host: Host) => TokenRequestFault | undefined
  /** Whether that is what happens to it next, while it claims. */
  readonly isArmed: (host: Host, fault: TokenRequestFault) => boolean
  /** How the operation fails that a process has sent to a store, if it does. */
  readonly failureOf: (host: Host, isWrite: boolean, isOfTokens: boolean) => StoreFailure | undefined
  /** It stands still now, for that fault. */
  readonly pauseFor: (host: Host, fault: TokenRequestFault) => void
  readonly crash: (host: Host) => void
  /** It stands still. */
  readonly pause: (host: Host) => void
  /** It has ended, and nothing that it has sent is on its way any more. */
  readonly forget: (host: Host) => void
  readonly counts: { tokenRequests: number; appTokenRequests: number; unauthorized: number }
}

/** The time by the clock of a process. */
export const wallOf = ({ timeline }: Hub, { ahead }: Host): number => timeline.now() + ahead

/** For whom the API is called. */
export const CurrentCaller = Context.Reference<Caller | undefined>(
  "@zapier-workflow-auth/testing/simulation/internal/types/CurrentCaller",
  { defaultValue: () => undefined }
)
