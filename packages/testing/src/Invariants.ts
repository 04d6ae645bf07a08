/**
 * The rules that no user's grant may ever see broken, as checks over what can be observed from outside: what is sent to
 * the token endpoint and what comes back, what the API refuses, and what is written to the store. They know nothing of
 * how a client works inside, so that they judge a model, a simulation and a broken client alike.
 *
 * A `Ledger` is what has been seen of one grant. `observe` takes one observation more and says which rules it breaks.
 * Tokens are those of a fake, and plain text; no violation repeats one.
 *
 * @since 0.1.0
 */
import type * as TokenOutcome from "@zapier-workflow-auth/core/oauth/TokenOutcome"
import type * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import * as Redacted from "effect/Redacted"
import * as Codes from "./internal/invariants/codes.ts"
import * as Refreshes from "./internal/invariants/refreshes.ts"
import * as Writes from "./internal/invariants/writes.ts"

/**
 * The rules, in words.
 *
 * @since 0.1.0
 */
export const rules = {
  "R1 one refresher": "While a lease is live nobody else sends that refresh token.",
  "R2 the lease outlives the request": "A token request is over before the lease that covers it ends.",
  "R3 success always wins":
    "New tokens are stored whenever the grant that they renew is still there, in whatever state.",
  "R4 never overwrite newer": "Nothing that derives from a generation replaces the next one.",
  "R5 unknown is not failed": "A grant is given up only after a refusal, for the right reason, and then left alone.",
  "R6 the right thing is blamed": "No error but invalid_grant ends a grant.",
  "R7 401 means look again": "A 401 renews no token but the one that was rejected.",
  "R8 refresh when used": "A token that has time left is not renewed, and a new one's counts from the refresh's start.",
  "R9 a code is exchanged once": "A code is sent once, within two minutes of its arrival.",
  "Disconnect holds": "A grant that was removed comes back by a new consent only.",
  "Everybody is answered": "Nobody waits for ever, and without a fault nobody fails."
} as const

/**
 * The name of a rule.
 *
 * @since 0.1.0
 */
export type Rule = keyof typeof rules

/**
 * A rule that was broken, and how.
 *
 * @since 0.1.0
 */
export interface Violation {
  readonly rule: Rule
  readonly what: string
}

/**
 * What can be seen. `owner` names a process, `at` is in milliseconds since the epoch.
 *
 * - `GrantStored`: the store has this state now. `isAlive`: whether the server would still take its refresh token.
 * - `RefreshSent`, `RefreshAnswered`: a refresh left, and came back as that outcome. `until`: when it will be cut off,
 *   where that is known.
 * - `CodeArrived`, `CodeSent`, `CodeAnswered`: a callback brought a code; it was sent to the token endpoint; the answer.
 *   A code that arrives again has arrived later: a process that ended may not have told anybody of the first time.
 * - `AccessRejected`: the API answered 401 to that access token.
 * - `ProcessSuspended`: it stands still, and its timers with it, for longer than it knows.
 * - `ProcessEnded`: it is gone, with all that it held in memory.
 * - `Settled`: nothing is under way any more. `waiting`: callers who have no answer.
 *
 * @since 0.1.0
 */
export type Observation =
  | { readonly _tag: "GrantStored"; readonly state: UserGrant.State; readonly isAlive: boolean }
  | {
      readonly _tag: "RefreshSent"
      readonly owner: string
      readonly refreshToken: string
      readonly at: number
      readonly until?: number
    }
  | {
      readonly _tag: "RefreshAnswered"
      readonly owner: string
      readonly refreshToken: string
      readonly at: number
      readonly outcome: TokenOutcome.TokenOutcome
    }
  | { readonly _tag: "CodeArrived"; readonly code: string; readonly at: number }
  | { readonly _tag: "CodeSent"; readonly code: string; readonly at: number }
  | { readonly _tag: "CodeAnswered"; readonly outcome: TokenOutcome.TokenOutcome }
  | { readonly _tag: "AccessRejected"; readonly owner: string; readonly accessToken: string }
  | { readonly _tag: "ProcessSuspended"; readonly owner: string }
  | { readonly _tag: "ProcessEnded"; readonly owner: string }
  | { readonly _tag: "Settled"; readonly waiting: number }

/**
 * One sending of a refresh token. `outcome` is `Open` until the answer is there, `Ended` when nobody is left to take it.
 *
 * @since 0.1.0
 */
export interface Presentation {
  readonly owner: string
  readonly refreshToken: string
  readonly sentAt: number
  /** Of the lease that covered it. */
  readonly deadline: number
  readonly isSuspended: boolean
  readonly outcome: TokenOutcome.TokenOutcome["_tag"] | "Open" | "Ended"
  /** Whether the server may have acted on it without a word. */
  readonly isUnknown: boolean
  /** Whether the grant has been renewed since it was claimed, and has the same refresh token still. */
  readonly isOutdated: boolean
}

/**
 * New tokens that a process was given and has yet to store.
 *
 * @since 0.1.0
 */
export interface Delivery {
  readonly owner: string
  readonly presented: string
  readonly accessToken: string
  readonly sentAt: number
}

/**
 * What has been seen of one grant, as far as it still matters.
 *
 * @since 0.1.0
 */
export interface Ledger {
  readonly grant: UserGrant.State
  /** Whether the holder of its lease has yet to send the refresh token. */
  readonly isUnsent: boolean
  /** When the access token of this generation was to end, whatever has become of it. */
  readonly expiresAt: number
  readonly presentations: ReadonlyArray<Presentation>
  readonly deliveries: ReadonlyArray<Delivery>
  /** The access token that the API rejected last, for each process that it told. */
  readonly rejections: ReadonlyArray<{ readonly owner: string; readonly accessToken: string }>
  /** What each process has claimed last of a grant that has moved on since: it may still send it. */
  readonly claims: ReadonlyArray<{ readonly owner: string; readonly refreshToken: string }>
  /** Access tokens that came of a consent and are not stored yet. */
  readonly consented: ReadonlyArray<string>
  readonly codes: ReadonlyArray<{ readonly code: string; readonly arrivedAt: number; readonly wasSent: boolean }>
}

/**
 * Nothing has been seen.
 *
 * @since 0.1.0
 */
export const empty: Ledger = {
  grant: { _tag: "Absent" },
  isUnsent: false,
  expiresAt: 0,
  presentations: [],
  deliveries: [],
  rejections: [],
  claims: [],
  consented: [],
  codes: []
}

/**
 * What the rules need to know of a client.
 *
 * @since 0.1.0
 */
export interface Options {
  /** How long before its end a token may be renewed, in milliseconds. */
  readonly expiryMargin: number
}

/**
 * The ledger with one observation more, and the rules that it breaks.
 *
 * @since 0.1.0
 */
export interface Observed {
  readonly ledger: Ledger
  readonly violations: ReadonlyArray<Violation>
}

const none: ReadonlyArray<Violation> = []

/**
 * Takes note of an observation and checks it.
 *
 * @example
 * ```ts
 * import * as Invariants from "@zapier-workflow-auth/testing/Invariants"
 *
 * const { violations } = Invariants.observe(
 *   Invariants.empty,
 *   { _tag: "CodeSent", code: "one that never arrived", at: 0 },
 *   { expiryMargin: 300_000 }
 * )
 * violations[0]?.rule // => "R9 a code is exchanged once"
 * ```
 *
 * @since 0.1.0
 */
export const observe = (ledger: Ledger, observation: Observation, options: Options): Observed => {
  switch (observation._tag) {
    case "GrantStored":
      return {
        ledger: Writes.take(ledger, observation.state),
        violations: Writes.check(ledger, observation.state, observation.isAlive)
      }
    case "RefreshSent":
      return Refreshes.sent(ledger, observation, options)
    case "RefreshAnswered":
      return Refreshes.answered(ledger, observation)
    case "CodeArrived": {
      const { at, code } = observation
      const wasSent = ledger.codes.some((entry) => entry.code === code && entry.wasSent)
      const others = ledger.codes.filter((entry) => entry.code !== code)
      return { ledger: { ...ledger, codes: [...others, { code, arrivedAt: at, wasSent }] }, violations: none }
    }
    case "CodeSent":
      return Codes.sent(ledger, observation)
    case "CodeAnswered": {
      const { outcome } = observation
      if (outcome._tag !== "Granted") return { ledger, violations: none }
      const consented = [...ledger.consented, Redacted.value(outcome.tokens.accessToken)]
      return { ledger: { ...ledger, consented }, violations: none }
    }
    case "AccessRejected": {
      const { accessToken, owner } = observation
      // Of each process the latest is enough.
      const others = ledger.rejections.filter((rejection) => rejection.owner !== owner)
      return { ledger: { ...ledger, rejections: [...others, { owner, accessToken }] }, violations: none }
    }
    case "ProcessSuspended":
      return {
        ledger: {
          ...ledger,
          presentations: ledger.presentations.map((presentation) =>
            presentation.owner === observation.owner ? { ...presentation, isSuspended: true } : presentation
          )
        },
        violations: none
      }
    case "ProcessEnded":
      return { ledger: Refreshes.ended(ledger, observation.owner), violations: none }
    case "Settled": {
      const violations: Array<Violation> = []
      if (ledger.deliveries.length > 0) {
        violations.push({ rule: "R3 success always wins", what: "new tokens were thrown away" })
      }
      if (observation.waiting > 0) {
        violations.push({ rule: "Everybody is answered", what: `${observation.waiting} callers wait for ever` })
      }
      return { ledger, violations }
    }
  }
}
