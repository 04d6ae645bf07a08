/** The observations of one key, the history kept of it, and the names of the rules. */
import type * as AppCredential from "@zapier-workflow-auth/core/machine/AppCredential"
import type * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import type { TokenOutcome } from "@zapier-workflow-auth/core/oauth/TokenOutcome"
import type * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import type * as Data from "effect/Data"
import type * as Violations from "../../Violation.ts"

/**
 * The rules and their meanings.
 *
 * @since 0.1.0
 */
export const rules = {
  "R1 one refresher": "Only the holder of a lease sends, and no other process takes a live lease.",
  "R2 patience":
    "Nothing is sent again while an earlier request may still get a response; waiting ends a margin before the lease.",
  "R3 success always wins":
    "New tokens that arrive are stored if the tokens they replace are still stored, in any state; those of a code always.",
  "R4 never overwrite newer": "Nothing decided on one generation replaces or removes the next one.",
  "R5 unknown is not failed":
    "A grant is given up only after a rejection, for the right reason, and is then left alone.",
  "R6 the right thing is blamed": "Only invalid_grant ends a grant.",
  "R7 401 means look again": "A 401 refreshes only the token that it rejected.",
  "R8 refresh when used":
    "A token with time left is not refreshed, and a new one's lifetime counts from the start of its request.",
  "R9 a code is exchanged once": "A code is sent once, within two minutes of its arrival.",
  "R10 no dead token":
    "A process hands out no access token that it knows to be rejected or removed, and nothing is sent during a pause.",
  "R12 a fresh token is believed":
    "A token that has just replaced a rejected one is not replaced again because of a 401.",
  "Leases are released": "A process with nothing under way holds no live lease.",
  "A disconnect is final": "A removed grant comes back only with a new consent.",
  "Every caller gets a result": "No caller waits longer than the request timeout, and without a fault no call fails.",
  "Drivers follow their table": "A driver follows its edges, never throws, and changes something when it is woken."
} as const

/**
 * The name of a rule.
 *
 * @since 0.1.0
 */
export type Rule = keyof typeof rules

/** A broken rule. */
export type Violation = Violations.Violation<Rule>

/**
 * The stored record of a key.
 *
 * @since 0.1.0
 */
export type State = UserGrant.State | AppCredential.State

/**
 * An observation. `owner` names a process. `at` is in milliseconds since the epoch, by the clock of that process.
 * `token` is the refresh token of a request, or `app` for the app's own requests.
 *
 * - `Stored`: the store now has this state. `isAlive`: the server would still accept its refresh token. `from`: the
 *   state on which the write was decided, if known. `isUnconfirmed`: the writer got no result, and may write again.
 *   `isLate`: the writer had given up, and its callers got an error.
 * - `Sent`, `Responded`: a refresh, or a request for a token of the app, was sent, or got that outcome. `until`: when
 *   the process stops waiting, if known. An abandoned request has the outcome `NoResponse`.
 * - `CodeArrived`, `CodeSent`, `CodeResponded`: a callback brought a code; the code was sent to the token endpoint; the
 *   response arrived. `owner`: the process, if known. If a code arrives again, the later arrival counts: a process that
 *   ended may have told no other of the first.
 * - `AccessGiven`: a caller got that access token.
 * - `AccessRejected`, `AccessAccepted`: the API responded 401 to that access token, or accepted it.
 * - `DisconnectAsked`: the process was asked to remove the grant.
 * - `ProcessPaused`: the process and its timers are paused, for an unknown time.
 * - `ClocksDisagree`: the clocks of two processes disagree by more than the margin of a lease.
 * - `ProcessQuiet`: the process has nothing under way any more.
 * - `ProcessEnded`: the process ended, and its memory is lost.
 * - `Settled`: nothing is under way any more. `waiting`: the number of callers without a result.
 *
 * @since 0.1.0
 */
export type Observation<S extends State = State> = Data.TaggedEnum<{
  Stored: {
    state: S
    isAlive: boolean
    at: number
    owner?: string | undefined
    from?: State | undefined
    isUnconfirmed?: boolean
    isLate?: boolean
  }
  Sent: { owner: string; token: string; at: number; until?: number }
  Responded: { owner: string; token: string; at: number; outcome: TokenOutcome }
  CodeArrived: { code: string; at: number; owner?: string }
  CodeSent: { code: string; at: number; owner?: string }
  CodeResponded: { outcome: TokenOutcome; owner?: string }
  AccessGiven: { owner: string; access: Tokens.UsableAccess }
  AccessRejected: { owner: string; access: Tokens.UsableAccess; at: number }
  AccessAccepted: Holder
  DisconnectAsked: { owner: string }
  ProcessPaused: { owner: string }
  ClocksDisagree: {}
  ProcessQuiet: { owner: string; at: number }
  ProcessEnded: { owner: string }
  Settled: { waiting: number }
}>

export type Of<Tag extends Observation["_tag"], S extends State = State> = Extract<
  Observation<S>,
  { readonly _tag: Tag }
>

/**
 * One request with a token. `outcome` is `Open` until the response arrives, and `Ended` once its process has ended.
 *
 * @since 0.1.0
 */
export interface Request {
  readonly owner: string
  readonly token: string
  readonly sentAt: number
  /** The deadline of the lease under which it was sent. */
  readonly deadline: number
  /** True if its process has been paused since: it cannot know when to stop. */
  readonly isExcused: boolean
  readonly outcome: TokenOutcome["_tag"] | "Open" | "Ended"
  /** True if the server may have acted on it without a response. */
  readonly isUnknown: boolean
  /** True if the record has been refreshed since the claim, and still has the same token. */
  readonly isOutdated: boolean
}

/**
 * New tokens that a process received and has not stored yet.
 *
 * @since 0.1.0
 */
export interface Delivery {
  readonly owner: string
  readonly token: string
  readonly accessToken: string
  readonly sentAt: number
}

/** A process that holds an access token. */
export interface Holder {
  readonly owner: string
  readonly accessToken: string
}

/** A process whose access token the API rejected. */
export interface Rejection extends Holder {
  /** True if the token had just replaced a rejected one, so that the process still trusts it. */
  readonly isBelieved: boolean
}

/**
 * The observations of one key that still matter.
 *
 * @since 0.1.0
 */
export interface History<S extends State = State> {
  readonly isApp: boolean
  readonly record: S
  /** True if the holder of its lease has not sent yet. */
  readonly isUnsent: boolean
  /** When the access token of this generation expires, even if it was ended early. */
  readonly expiresAt: number
  readonly requests: ReadonlyArray<Request>
  readonly deliveries: ReadonlyArray<Delivery>
  /** The access tokens that the API rejected, and the processes that sent them. */
  readonly rejections: ReadonlyArray<Rejection>
  /** The processes that called successfully with the current access token. */
  readonly accepted: ReadonlyArray<Holder>
  /** The last claim of each process on a record that has changed since: it may still send it. */
  readonly claims: ReadonlyArray<{ readonly owner: string; readonly token: string }>
  /** The families that a process was asked to remove. */
  readonly left: ReadonlyArray<{ readonly owner: string; readonly family: string }>
  /** True if clocks disagree by more than a lease tolerates, so that leases promise nothing. */
  readonly isAstray: boolean
  /** Access tokens of a consent that may still be stored. */
  readonly consented: ReadonlyArray<string>
  /** The ones among them that no write has contained, and the processes that received them. */
  readonly exchanged: ReadonlyArray<Holder>
  readonly codes: ReadonlyArray<{
    readonly code: string
    /** The process that received it, if known. */
    readonly owner: string | undefined
    readonly arrivedAt: number
    readonly wasSent: boolean
  }>
}

/**
 * The settings of a client that the rules need, in milliseconds.
 *
 * @since 0.1.0
 */
export interface Options {
  /** How long before its expiry a token may be refreshed. */
  readonly expiryMargin: number
  /** How long a token that replaced a rejected one is trusted. */
  readonly rejectionInterval: number
}

/**
 * A history with one more observation, and the rules that it breaks.
 *
 * @since 0.1.0
 */
export interface Observed<S extends State = State> {
  readonly history: History<S>
  readonly violations: ReadonlyArray<Violation>
}
