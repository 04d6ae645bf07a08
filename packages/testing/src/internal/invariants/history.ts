/** What can be seen of one key, what is kept of it, and how the rules are called. */
import type * as AppCredential from "@zapier-workflow-auth/core/machine/AppCredential"
import type * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import type { TokenOutcome } from "@zapier-workflow-auth/core/oauth/TokenOutcome"
import type * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import type * as Data from "effect/Data"
import type * as Violations from "../../Violation.ts"

/**
 * The rules, in words.
 *
 * @since 0.1.0
 */
export const rules = {
  "R1 one refresher": "Only the holder of a lease sends, and a live lease is nobody else's to take.",
  "R2 patience":
    "Nothing is sent again while an earlier request may still be answered, and listening ends a margin before the lease.",
  "R3 success always wins":
    "New tokens that came are stored while what they renew is still there, in whatever state; those of a code always.",
  "R4 never overwrite newer": "Nothing that was decided on a generation replaces or removes the next one.",
  "R5 unknown is not failed": "A grant is given up only after a refusal, for the right reason, and then left alone.",
  "R6 the right thing is blamed": "No error but invalid_grant ends a grant.",
  "R7 401 means look again": "A 401 renews no token but the one that was rejected.",
  "R8 refresh when used": "A token that has time left is not renewed, and a new one's counts from the refresh's start.",
  "R9 a code is exchanged once": "A code is sent once, within two minutes of its arrival.",
  "R10 no dead token":
    "A process hands out no access token that it knows to be rejected or removed, and nothing is sent during a pause.",
  "R12 a fresh token is believed": "A token that has just replaced a rejected one is not replaced for a 401 again.",
  "Claims are given back": "A process that has nothing under way holds no live lease.",
  "Disconnect holds": "A grant that was removed comes back by a new consent only.",
  "Everybody is answered": "Nobody waits longer than the request timeout, and without a fault nobody fails.",
  "The table holds": "A driver moves along its edges, never throws, and changes something when it is woken."
} as const

/**
 * The name of a rule.
 *
 * @since 0.1.0
 */
export type Rule = keyof typeof rules

/** One of these rules that was broken. */
export type Violation = Violations.Violation<Rule>

/**
 * What the store has for a key.
 *
 * @since 0.1.0
 */
export type State = UserGrant.State | AppCredential.State

/**
 * What can be seen. `owner` names a process. `at` is in milliseconds since the epoch, by the clock of that process.
 * `token` is the refresh token that a request presents, or `app` for the app's own requests.
 *
 * - `Stored`: the store has this state now. `isAlive`: whether the server would still take its refresh token. `from`: what
 *   the write was decided on, where that is known. `isUnconfirmed`: its writer is not told, and may write again.
 *   `isLate`: its writer has given it up, and has told its callers that it failed.
 * - `Sent`, `Responded`: a refresh, or a request for a token of the app, left, and was responded to with that outcome.
 *   `until`: when the listening ends, where that is known. A request that its process gives up is `NoResponse`.
 * - `CodeArrived`, `CodeSent`, `CodeResponded`: a callback brought a code; it was sent to the token endpoint; the response.
 *   `owner`: to which process, where that is known. A code that arrives again has arrived later: a process that ended may
 *   not have told anybody of the first time.
 * - `AccessGiven`: a caller was given that access token.
 * - `AccessRejected`, `AccessAccepted`: the API responded 401 to that access token, or took it.
 * - `DisconnectAsked`: the process was asked to remove the grant.
 * - `ProcessPaused`: it stands still, and its timers with it, for longer than it knows.
 * - `ClocksDisagree`: those of two processes, by more than the margin of a lease.
 * - `ProcessQuiet`: it has nothing under way any more.
 * - `ProcessEnded`: it is gone, with all that it held in memory.
 * - `Settled`: nothing is under way any more. `waiting`: callers who have no answer.
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
  AccessAccepted: Told
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
 * One sending of a token. `outcome` is `Open` until the response is there, `Ended` when nobody is left to take it.
 *
 * @since 0.1.0
 */
export interface Request {
  readonly owner: string
  readonly token: string
  readonly sentAt: number
  /** Of the lease that covered it. */
  readonly deadline: number
  /** Whether its process has stood still since: it cannot know when to stop. */
  readonly isExcused: boolean
  readonly outcome: TokenOutcome["_tag"] | "Open" | "Ended"
  /** Whether the server may have acted on it without a word. */
  readonly isUnknown: boolean
  /** Whether the record has been renewed since it was claimed, and has the same token still. */
  readonly isOutdated: boolean
}

/**
 * New tokens that came to a process and that it has yet to store.
 *
 * @since 0.1.0
 */
export interface Delivery {
  readonly owner: string
  readonly token: string
  readonly accessToken: string
  readonly sentAt: number
}

/** Whom the API has told of an access token. */
export interface Told {
  readonly owner: string
  readonly accessToken: string
}

/** Which process the API has told that it rejects an access token. */
export interface Rejection extends Told {
  /** Whether the token had just replaced a rejected one, so that the process believed the token. */
  readonly isBelieved: boolean
}

/**
 * What has been seen of one key, as far as it still matters.
 *
 * @since 0.1.0
 */
export interface History<S extends State = State> {
  readonly isApp: boolean
  readonly record: S
  /** Whether the holder of its lease has yet to send. */
  readonly isUnsent: boolean
  /** When the access token of this generation was to end, whatever has become of it. */
  readonly expiresAt: number
  readonly requests: ReadonlyArray<Request>
  readonly deliveries: ReadonlyArray<Delivery>
  /** The access tokens that the API has rejected, and which processes it told. */
  readonly rejections: ReadonlyArray<Rejection>
  /** That a call has succeeded with the access token that is there. */
  readonly accepted: ReadonlyArray<Told>
  /** What each process has claimed last of a record that has moved on since: it may still send it. */
  readonly claims: ReadonlyArray<{ readonly owner: string; readonly token: string }>
  /** Which families a process was asked to remove. */
  readonly left: ReadonlyArray<{ readonly owner: string; readonly family: string }>
  /** Whether clocks disagree by more than a lease can stand: then it promises nothing. */
  readonly isAstray: boolean
  /** Access tokens that came of a consent, and that may yet be stored. */
  readonly consented: ReadonlyArray<string>
  /** Those of them that no write has had, and to which process they came. */
  readonly exchanged: ReadonlyArray<Told>
  readonly codes: ReadonlyArray<{
    readonly code: string
    /** To which process it came, where that is known. */
    readonly owner: string | undefined
    readonly arrivedAt: number
    readonly wasSent: boolean
  }>
}

/**
 * What the rules need to know of a client, in milliseconds.
 *
 * @since 0.1.0
 */
export interface Options {
  /** How long before its end a token may be renewed. */
  readonly expiryMargin: number
  /** How long a token that has replaced a rejected one is believed. */
  readonly rejectionInterval: number
}

/**
 * The history with one observation more, and the rules that it breaks.
 *
 * @since 0.1.0
 */
export interface Observed<S extends State = State> {
  readonly history: History<S>
  readonly violations: ReadonlyArray<Violation>
}
