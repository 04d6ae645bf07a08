/** What the parts of a simulation know of each other. */
import type * as AppCredential from "@zapier-workflow-auth/core/machine/AppCredential"
import type * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import type { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import type { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Context from "effect/Context"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { Fault } from "../Fault.ts"
import type * as Invariants from "../Invariants.ts"
import type { Fate, Fates } from "./fates.ts"
import type { Seeded } from "./seeded.ts"
import type { Host, StoreFailure } from "./simHost.ts"
import type { Server } from "./simServer.ts"
import type { Timeline } from "./timeline.ts"

/** Whoever calls. */
interface Party {
  readonly name: string
  /** How many calls wait for their answer. */
  underWay: number
  /** When something was last sent, written or asked for it. */
  activeAt: number
  /** Until when the oracle's access token lives. */
  servedUntil: number
}

/** The app itself, with its own token or its client id. */
export interface App extends Party {
  readonly _tag: "App"
  ledger: Invariants.History<AppCredential.State>
}

/** A user of the app, and the one user of the fake that it stands for. */
export interface Subject extends Party {
  readonly _tag: "User"
  readonly email: string
  readonly userId: number
  ledger: Invariants.History<UserGrant.State>
  readonly fate: Fate
}

export type Caller = Subject | App

export interface Call {
  readonly caller: Caller
  /** None yet where the process does not know of the call, because it stands still. */
  fiber: Fiber.Fiber<unknown, unknown> | undefined
  readonly since: number
  /** Its process has ended. */
  readonly end: () => void
}

/** How a call ended; `Ended`: its process did. */
export type Outcome<A> = Exit.Exit<A, unknown> | { readonly _tag: "Ended" }

export interface Process extends Host {
  readonly scope: Scope.Closeable
  readonly context: Context.Context<ZapierAuth | ZapierHttpClient>
  readonly calls: Set<Call>
}

/** What the parts share. */
export interface Hub {
  readonly timeline: Timeline
  readonly latency: Seeded
  readonly fates: Fates
  readonly observe: (subject: Subject, observation: Invariants.Observation<UserGrant.State>) => void
  readonly observeApp: (observation: Invariants.Observation<AppCredential.State>) => void
  readonly server: Server
  /** What happens to a token request that is about to leave. */
  readonly faultOf: (host: Host) => Fault | undefined
  /** Whether that is what happens to it next, while it claims. */
  readonly isArmed: (host: Host, fault: Fault) => boolean
  /** How the operation fails that a process has sent to a store, if it does. */
  readonly failureOf: (host: Host, isOfTokens: boolean) => StoreFailure | undefined
  /** It happens now. */
  readonly strike: (host: Host, fault: Fault) => void
  readonly crash: (host: Host) => void
  /** It stands still, for longer than a lease. */
  readonly suspend: (host: Host) => void
  readonly counts: { tokenRequests: number; appTokenRequests: number; unauthorized: number }
  readonly requestTimeout: number
}

/** For whom a request is sent. */
export const CurrentCaller = Context.Reference<Caller | undefined>(
  "@zapier-workflow-auth/testing/Simulation/CurrentCaller",
  { defaultValue: () => undefined }
)
