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
import * as ConsentAttempt from "@zapier-workflow-auth/core/ConsentAttempt"
import * as Tokens from "@zapier-workflow-auth/core/Tokens"
import * as TokenOutcome from "@zapier-workflow-auth/core/TokenOutcome"
import type * as UserGrant from "@zapier-workflow-auth/core/UserGrant"
import * as Redacted from "effect/Redacted"

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
  readonly refreshAhead: number
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

type Held = Exclude<UserGrant.State, { readonly _tag: "Absent" }>

const accessTokenOf = ({ tokens }: Held) => Redacted.value(tokens.accessToken)

const accessTokenOfState = (state: UserGrant.State) => (state._tag === "Absent" ? undefined : accessTokenOf(state))

const refreshTokenOf = (state: UserGrant.State) =>
  state._tag === "Absent" || state.tokens.refreshToken === undefined
    ? undefined
    : Redacted.value(state.tokens.refreshToken)

const checkGivingUp = (ledger: Ledger, before: Held, after: Extract<Held, { _tag: "ReconnectRequired" }>) => {
  const broken: Array<Violation> = []
  const refreshToken = refreshTokenOf(before)
  if (refreshToken === undefined) return broken
  const presentations = ledger.presentations.filter((presentation) => presentation.refreshToken === refreshToken)
  if (!presentations.some(({ outcome }) => outcome === "InvalidGrant")) {
    const last = presentations.at(-1)?.outcome
    const isTold = last !== undefined && ["InvalidClient", "Refused", "RateLimited", "NotSent"].includes(last)
    broken.push(
      isTold
        ? { rule: "R6 the right thing is blamed", what: `a grant was given up for the outcome ${last}` }
        : { rule: "R5 unknown is not failed", what: "a grant was given up although its refresh token was not refused" }
    )
  } else if (after.why === "Revoked" && presentations.some(({ isUnknown }) => isUnknown)) {
    broken.push({ rule: "R5 unknown is not failed", what: "the user was blamed for an answer that was lost" })
  }
  return broken
}

const checkNewTokens = (ledger: Ledger, before: Held, after: Held): ReadonlyArray<Violation> => {
  const accessToken = accessTokenOf(after)
  if (ledger.consented.includes(accessToken)) return []
  const presented = refreshTokenOf(before)
  const deliveries = ledger.deliveries.filter(
    (delivery) => delivery.accessToken === accessToken && delivery.presented === presented
  )
  if (deliveries.length === 0) {
    return [{ rule: "R4 never overwrite newer", what: "the stored tokens do not derive from those that they replaced" }]
  }
  // A server with a grace period gives the same tokens twice.
  return deliveries.some(({ sentAt }) => after.tokens.obtainedAt <= sentAt)
    ? []
    : [{ rule: "R8 refresh when used", what: "a token's time does not count from the start of its request" }]
}

const checkWrite = (ledger: Ledger, after: UserGrant.State, isAlive: boolean): ReadonlyArray<Violation> => {
  const before = ledger.grant
  if (after._tag === "Absent") return []
  if (before._tag === "Absent") {
    return ledger.consented.includes(accessTokenOf(after))
      ? []
      : [{ rule: "Disconnect holds", what: "a grant that was removed came back without a consent" }]
  }
  const broken: Array<Violation> = []
  if (after.generation === before.generation) {
    const isSame = after.lineage === before.lineage && accessTokenOf(after) === accessTokenOf(before)
    if (!isSame || refreshTokenOf(after) !== refreshTokenOf(before)) {
      broken.push({ rule: "R4 never overwrite newer", what: "tokens were replaced without a new generation" })
    }
  } else if (after.generation === before.generation + 1) {
    broken.push(...checkNewTokens(ledger, before, after))
  } else {
    const what = `generation ${before.generation} was followed by ${after.generation}`
    broken.push({ rule: "R4 never overwrite newer", what })
  }
  if (after._tag === "ReconnectRequired" && before._tag !== "ReconnectRequired") {
    broken.push(...checkGivingUp(ledger, before, after))
    if (isAlive) {
      broken.push({ rule: "R5 unknown is not failed", what: "a grant was given up whose refresh token still works" })
    }
  }
  return broken
}

// Whoever holds the lease of a grant that moves on, and has not sent yet, may still do so: its claim was good.
const leftBehind = ({ claims, grant, isUnsent }: Ledger): Ledger["claims"] => {
  const refreshToken = refreshTokenOf(grant)
  if (grant._tag !== "Refreshing" || refreshToken === undefined || !isUnsent) return claims
  const { owner } = grant.lease
  return [...claims.filter((claim) => claim.owner !== owner), { owner, refreshToken }]
}

// A lease that was not there before is a claim that nothing has been sent for.
const isClaim = (before: UserGrant.State, after: Extract<UserGrant.State, { readonly _tag: "Refreshing" }>) =>
  before._tag !== "Refreshing" ||
  before.lease.owner !== after.lease.owner ||
  before.lease.deadline !== after.lease.deadline ||
  before.presentation !== after.presentation

// What is known about tokens that the grant has moved on from does not matter any more.
const written = (ledger: Ledger, after: UserGrant.State): Ledger => {
  const before = ledger.grant
  const current = refreshTokenOf(after)
  const accessToken = accessTokenOfState(after)
  const isRenewed = after._tag !== "Absent" && accessToken !== accessTokenOfState(before)
  return {
    ...ledger,
    grant: after,
    isUnsent: after._tag === "Refreshing" && (isClaim(before, after) || ledger.isUnsent),
    claims: isRenewed || after._tag === "Absent" ? leftBehind(ledger) : ledger.claims,
    expiresAt: isRenewed ? after.tokens.expiresAt : ledger.expiresAt,
    // A server that does not rotate renews a grant under the same refresh token.
    presentations: ledger.presentations
      .filter(({ outcome, refreshToken }) => outcome === "Open" || (refreshToken === current && !isRenewed))
      .map((presentation) =>
        isRenewed && presentation.refreshToken === current ? { ...presentation, isOutdated: true } : presentation
      ),
    deliveries: ledger.deliveries.filter(
      (delivery) => !isRenewed && delivery.accessToken !== accessToken && delivery.presented === current
    ),
    consented: ledger.consented.filter((token) => token !== accessToken),
    rejections: isRenewed
      ? ledger.rejections.filter((rejection) => rejection.accessToken === accessTokenOfState(before))
      : ledger.rejections
  }
}

const checkSending = (
  ledger: Ledger,
  { at, owner, refreshToken, until }: Extract<Observation, { _tag: "RefreshSent" }>,
  { refreshAhead }: Options
): ReadonlyArray<Violation> => {
  const { grant } = ledger
  const broken: Array<Violation> = []
  const other = ledger.presentations.find(
    (presentation) =>
      presentation.refreshToken === refreshToken &&
      presentation.outcome === "Open" &&
      presentation.owner !== owner &&
      !presentation.isSuspended &&
      !presentation.isOutdated
  )
  if (other !== undefined) {
    broken.push({
      rule: "R1 one refresher",
      what: "a refresh token was sent while another process waited for its answer"
    })
  }
  // Between the claim and the request the grant may have been removed or renewed.
  if (ledger.claims.some((claim) => claim.owner === owner && claim.refreshToken === refreshToken)) return broken
  if (grant._tag === "Absent" || refreshTokenOf(grant) !== refreshToken) {
    broken.push({ rule: "R1 one refresher", what: "a refresh token was sent that the grant had moved on from" })
    return broken
  }
  if (grant._tag === "ReconnectRequired") {
    broken.push({
      rule: "R5 unknown is not failed",
      what: "a refresh token was sent after the grant had been given up"
    })
    return broken
  }
  if (grant._tag === "Active" || grant.lease.owner !== owner) {
    broken.push({ rule: "R1 one refresher", what: "a refresh token was sent by a process that held no lease" })
    return broken
  }
  const { deadline } = grant.lease
  if (at >= deadline || (until !== undefined && until > deadline)) {
    broken.push({ rule: "R2 the lease outlives the request", what: "a request would go on after its lease has ended" })
  }
  const due = Tokens.dueAt({ obtainedAt: grant.tokens.obtainedAt, expiresAt: ledger.expiresAt }, refreshAhead)
  const isRejected = ledger.rejections.some(({ accessToken }) => accessToken === accessTokenOf(grant))
  if (at < due && !isRejected) {
    const wasToldOfAnother = ledger.rejections.some((rejection) => rejection.owner === owner)
    broken.push(
      wasToldOfAnother
        ? { rule: "R7 401 means look again", what: "a 401 to an older token led to a refresh" }
        : { rule: "R8 refresh when used", what: "a token was renewed that had time left" }
    )
  }
  return broken
}

const answered = (
  ledger: Ledger,
  { at, outcome, owner, refreshToken }: Extract<Observation, { _tag: "RefreshAnswered" }>
): Observed => {
  const index = ledger.presentations.findLastIndex(
    (presentation) =>
      presentation.owner === owner && presentation.refreshToken === refreshToken && presentation.outcome === "Open"
  )
  const open = ledger.presentations[index]
  if (open === undefined) return { ledger, violations: [] }
  // An answer that is about a token which the grant has moved on from has nothing left to say.
  const matters = refreshTokenOf(ledger.grant) === refreshToken && !open.isOutdated
  const delivery: ReadonlyArray<Delivery> =
    outcome._tag === "Granted" && matters
      ? [
          {
            owner,
            presented: refreshToken,
            accessToken: Redacted.value(outcome.tokens.accessToken),
            sentAt: open.sentAt
          }
        ]
      : []
  return {
    ledger: {
      ...ledger,
      presentations: matters
        ? ledger.presentations.with(index, {
            ...open,
            outcome: outcome._tag,
            isUnknown: TokenOutcome.mayHaveActed(outcome)
          })
        : ledger.presentations.toSpliced(index, 1),
      deliveries: [...ledger.deliveries, ...delivery]
    },
    violations:
      at > open.deadline && !open.isSuspended
        ? [{ rule: "R2 the lease outlives the request", what: "a request went on after its lease had ended" }]
        : []
  }
}

const sent = (ledger: Ledger, { at, code }: Extract<Observation, { _tag: "CodeSent" }>): Observed => {
  const known = ledger.codes.find((entry) => entry.code === code)
  const violations: Array<Violation> = []
  if (known?.wasSent === true) {
    violations.push({ rule: "R9 a code is exchanged once", what: "a code was sent twice" })
  }
  if (known === undefined || at - known.arrivedAt >= ConsentAttempt.codeLifetime) {
    violations.push({
      rule: "R9 a code is exchanged once",
      what: "a code was sent more than two minutes after it came"
    })
  }
  return {
    ledger: {
      ...ledger,
      codes: ledger.codes.map((entry) => (entry.code === code ? { ...entry, wasSent: true } : entry))
    },
    violations
  }
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
 *   { refreshAhead: 300_000 }
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
        ledger: written(ledger, observation.state),
        violations: checkWrite(ledger, observation.state, observation.isAlive)
      }
    case "RefreshSent": {
      const { at, owner, refreshToken } = observation
      const { grant } = ledger
      const deadline = grant._tag === "Refreshing" && grant.lease.owner === owner ? grant.lease.deadline : Infinity
      const presentation: Presentation = {
        owner,
        refreshToken,
        sentAt: at,
        deadline,
        isSuspended: false,
        outcome: "Open",
        isUnknown: false,
        isOutdated:
          refreshTokenOf(grant) === refreshToken &&
          !(grant._tag === "Refreshing" && grant.lease.owner === owner) &&
          ledger.claims.some((claim) => claim.owner === owner && claim.refreshToken === refreshToken)
      }
      return {
        ledger: {
          ...ledger,
          isUnsent: ledger.isUnsent && !(grant._tag === "Refreshing" && grant.lease.owner === owner),
          presentations: [...ledger.presentations, presentation],
          claims: ledger.claims.filter((claim) => claim.owner !== owner)
        },
        violations: checkSending(ledger, observation, options)
      }
    }
    case "RefreshAnswered":
      return answered(ledger, observation)
    case "CodeArrived": {
      const { at, code } = observation
      const wasSent = ledger.codes.some((entry) => entry.code === code && entry.wasSent)
      const others = ledger.codes.filter((entry) => entry.code !== code)
      return { ledger: { ...ledger, codes: [...others, { code, arrivedAt: at, wasSent }] }, violations: none }
    }
    case "CodeSent":
      return sent(ledger, observation)
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
    case "ProcessEnded": {
      const { owner } = observation
      const current = refreshTokenOf(ledger.grant)
      return {
        ledger: {
          ...ledger,
          presentations: ledger.presentations
            .map((presentation) =>
              presentation.owner === owner && presentation.outcome === "Open"
                ? { ...presentation, outcome: "Ended" as const, isUnknown: true }
                : presentation
            )
            .filter(({ outcome, refreshToken }) => outcome === "Open" || refreshToken === current),
          deliveries: ledger.deliveries.filter((delivery) => delivery.owner !== owner),
          claims: ledger.claims.filter((claim) => claim.owner !== owner),
          // Whoever heard of it: a token that was rejected stays so.
          rejections: ledger.rejections.filter(
            (rejection) => rejection.owner !== owner || rejection.accessToken === accessTokenOfState(ledger.grant)
          )
        },
        violations: none
      }
    }
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
