/**
 * The rules for the token of the app itself, under the names that they have in `Invariants`: checks over what can be
 * observed from outside. What they say of a user's refresh token they say here of the right to ask; rules about refresh
 * tokens, codes and consents have nothing to say.
 *
 * A request for an app's token names nothing that tells one from another. It is taken to be for the generation that the
 * record had when its sender got the lease.
 *
 * @since 0.1.0
 */
import type * as AppCredential from "@zapier-workflow-auth/core/machine/AppCredential"
import type * as TokenOutcome from "@zapier-workflow-auth/core/oauth/TokenOutcome"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import * as Redacted from "effect/Redacted"
import type { Options, Violation } from "./Invariants.ts"

/**
 * What can be seen. `owner` names a process, `at` is in milliseconds since the epoch.
 *
 * - `TokenStored`: the store has this state now.
 * - `TokenAsked`, `TokenAnswered`: a request for a token left, and came back as that outcome. `until`: when it will be cut
 *   off, where that is known.
 * - `AccessRejected`: the API answered 401 to that access token.
 * - `ProcessSuspended`: it stands still, and its timers with it, for longer than it knows.
 * - `ProcessEnded`: it is gone, with all that it held in memory.
 * - `Settled`: nothing is under way any more. `waiting`: callers who have no answer.
 *
 * @since 0.1.0
 */
export type Observation =
  | { readonly _tag: "TokenStored"; readonly state: AppCredential.State }
  | { readonly _tag: "TokenAsked"; readonly owner: string; readonly at: number; readonly until?: number }
  | {
      readonly _tag: "TokenAnswered"
      readonly owner: string
      readonly at: number
      readonly outcome: TokenOutcome.TokenOutcome
    }
  | { readonly _tag: "AccessRejected"; readonly owner: string; readonly accessToken: string }
  | { readonly _tag: "ProcessSuspended"; readonly owner: string }
  | { readonly _tag: "ProcessEnded"; readonly owner: string }
  | { readonly _tag: "Settled"; readonly waiting: number }

/**
 * A lease that a process got, good for asking until `deadline`.
 *
 * @since 0.1.0
 */
export interface Claim {
  readonly owner: string
  readonly generation: number
  readonly deadline: number
}

/**
 * A request that has no answer yet.
 *
 * @since 0.1.0
 */
export interface Request extends Claim {
  readonly sentAt: number
  readonly isSuspended: boolean
}

/**
 * A token that a process was given and has yet to store.
 *
 * @since 0.1.0
 */
export interface Delivery {
  readonly owner: string
  readonly generation: number
  readonly accessToken: string
  readonly sentAt: number
}

/**
 * What has been seen of one app's token, as far as it still matters.
 *
 * @since 0.1.0
 */
export interface Ledger {
  readonly record: AppCredential.State
  /** When the token of this generation was to end, whatever has become of it. */
  readonly expiresAt: number
  /** Of each process the last, unless it was given back or has led to a token. */
  readonly claims: ReadonlyArray<Claim>
  readonly requests: ReadonlyArray<Request>
  readonly deliveries: ReadonlyArray<Delivery>
  /** The access token that the API rejected last, for each process that it told. */
  readonly rejections: ReadonlyArray<{ readonly owner: string; readonly accessToken: string }>
}

/**
 * Nothing has been seen.
 *
 * @since 0.1.0
 */
export const empty: Ledger = {
  record: { _tag: "Absent", notBefore: 0 },
  expiresAt: 0,
  claims: [],
  requests: [],
  deliveries: [],
  rejections: []
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

const generationOf = (state: AppCredential.State) => (state._tag === "Absent" ? 0 : state.generation)

const accessOf = (state: AppCredential.State) => (state._tag === "Absent" ? undefined : state.access)

const accessTokenOf = (state: AppCredential.State) => {
  const access = accessOf(state)
  return access && Redacted.value(access.accessToken)
}

// -----------------------------------------------------------------------------
// The store
// -----------------------------------------------------------------------------

const checkNewToken = (ledger: Ledger, after: AppCredential.State): ReadonlyArray<Violation> => {
  const accessToken = accessTokenOf(after)
  const deliveries = ledger.deliveries.filter(
    (delivery) => delivery.accessToken === accessToken && delivery.generation === generationOf(ledger.record)
  )
  if (deliveries.length === 0) {
    return [{ rule: "R4 never overwrite newer", what: "the stored token was not asked for to replace that one" }]
  }
  const obtainedAt = accessOf(after)?.obtainedAt ?? 0
  return deliveries.some(({ sentAt }) => obtainedAt <= sentAt)
    ? none
    : [{ rule: "R8 refresh when used", what: "a token's time does not count from the start of its request" }]
}

const checkWrite = (ledger: Ledger, after: AppCredential.State): ReadonlyArray<Violation> => {
  const before = generationOf(ledger.record)
  const now = generationOf(after)
  if (now === before + 1) return checkNewToken(ledger, after)
  if (now !== before) {
    return [{ rule: "R4 never overwrite newer", what: `generation ${before} was followed by ${now}` }]
  }
  return accessTokenOf(after) === accessTokenOf(ledger.record)
    ? none
    : [{ rule: "R4 never overwrite newer", what: "a token was replaced without a new generation" }]
}

// Whoever gets the lease may ask. A record that moves on takes that right from nobody; to give the lease back does.
const claimsAfter = ({ claims, record }: Ledger, after: AppCredential.State): ReadonlyArray<Claim> => {
  const generation = generationOf(after)
  if (after._tag === "Requesting") {
    const { deadline, owner } = after.lease
    const isOld = record._tag === "Requesting" && record.lease.owner === owner && record.lease.deadline === deadline
    return isOld ? claims : [...claims.filter((claim) => claim.owner !== owner), { owner, generation, deadline }]
  }
  return record._tag === "Requesting" && record.generation === generation
    ? claims.filter(({ owner }) => owner !== record.lease.owner)
    : claims
}

const written = (ledger: Ledger, after: AppCredential.State): Ledger => {
  const before = ledger.record
  const accessToken = accessTokenOf(after)
  const isNew = accessToken !== accessTokenOf(before)
  return {
    ...ledger,
    record: after,
    expiresAt: isNew ? (accessOf(after)?.expiresAt ?? 0) : ledger.expiresAt,
    claims: claimsAfter(ledger, after),
    // A token that was asked for in place of an older one has nothing left to replace.
    deliveries: ledger.deliveries.filter(
      (delivery) => delivery.accessToken !== accessToken && delivery.generation >= generationOf(after)
    ),
    rejections: isNew
      ? ledger.rejections.filter((rejection) => rejection.accessToken === accessTokenOf(before))
      : ledger.rejections
  }
}

// -----------------------------------------------------------------------------
// Requests
// -----------------------------------------------------------------------------

type Asked = Extract<Observation, { readonly _tag: "TokenAsked" }>

// Whether somebody else has the right to ask for this generation, or has asked and waits.
const isTaken = ({ record, requests }: Ledger, { at, owner }: Asked, generation: number): boolean =>
  requests.some((other) => other.owner !== owner && other.generation === generation && !other.isSuspended) ||
  (record._tag === "Requesting" &&
    record.generation === generation &&
    record.lease.owner !== owner &&
    at < record.lease.deadline)

// To ask while the token has time left is right only if the API has rejected it.
const checkNeed = (ledger: Ledger, { at, owner }: Asked, { expiryMargin }: Options): ReadonlyArray<Violation> => {
  const access = accessOf(ledger.record)
  if (access === undefined) return none
  const due = Tokens.dueAt({ obtainedAt: access.obtainedAt, expiresAt: ledger.expiresAt }, expiryMargin)
  const current = accessTokenOf(ledger.record)
  if (at >= due || ledger.rejections.some(({ accessToken }) => accessToken === current)) return none
  return ledger.rejections.some((rejection) => rejection.owner === owner)
    ? [{ rule: "R7 401 means look again", what: "a 401 to an older token led to a request for a new one" }]
    : [{ rule: "R8 refresh when used", what: "a token was asked for while the one that is there had time left" }]
}

const asked = (ledger: Ledger, observation: Asked, options: Options): Observed => {
  const { at, owner, until } = observation
  const claim = ledger.claims.find((claim) => claim.owner === owner)
  const generation = claim?.generation ?? generationOf(ledger.record)
  const deadline = claim?.deadline ?? Infinity
  const violations: Array<Violation> = []
  if (isTaken(ledger, observation, generation)) {
    violations.push({ rule: "R1 one refresher", what: "a token was asked for while another process asked for it" })
  }
  if (claim === undefined) {
    violations.push({ rule: "R1 one refresher", what: "a token was asked for by a process that held no lease" })
  }
  if (at >= deadline || (until !== undefined && until > deadline)) {
    violations.push({
      rule: "R2 the lease outlives the request",
      what: "a request would go on after its lease has ended"
    })
  }
  // Between the claim and the request the record may have moved on.
  if (generation === generationOf(ledger.record)) violations.push(...checkNeed(ledger, observation, options))
  const request: Request = { owner, generation, deadline, sentAt: at, isSuspended: false }
  return { ledger: { ...ledger, requests: [...ledger.requests, request] }, violations }
}

const answered = (
  ledger: Ledger,
  { at, outcome, owner }: Extract<Observation, { readonly _tag: "TokenAnswered" }>
): Observed => {
  const index = ledger.requests.findLastIndex((request) => request.owner === owner)
  const request = ledger.requests[index]
  if (request === undefined) return { ledger, violations: none }
  const { deadline, generation, isSuspended, sentAt } = request
  const isGranted = outcome._tag === "Granted"
  // A token in place of one that the record has moved on from is of no use any more.
  const delivery: ReadonlyArray<Delivery> =
    isGranted && generation === generationOf(ledger.record)
      ? [{ owner, generation, accessToken: Redacted.value(outcome.tokens.accessToken), sentAt }]
      : []
  return {
    ledger: {
      ...ledger,
      requests: ledger.requests.toSpliced(index, 1),
      deliveries: [...ledger.deliveries, ...delivery],
      claims: isGranted ? ledger.claims.filter((claim) => claim.owner !== owner) : ledger.claims
    },
    violations:
      at > deadline && !isSuspended
        ? [{ rule: "R2 the lease outlives the request", what: "a request went on after its lease had ended" }]
        : none
  }
}

// -----------------------------------------------------------------------------
// All of it
// -----------------------------------------------------------------------------

// Whoever heard of it: a token that was rejected stays so.
const ended = (ledger: Ledger, ending: string): Ledger => {
  const isOther = ({ owner }: { readonly owner: string }) => owner !== ending
  const current = accessTokenOf(ledger.record)
  return {
    ...ledger,
    claims: ledger.claims.filter(isOther),
    requests: ledger.requests.filter(isOther),
    deliveries: ledger.deliveries.filter(isOther),
    rejections: ledger.rejections.filter((rejection) => isOther(rejection) || rejection.accessToken === current)
  }
}

const settled = (ledger: Ledger, waiting: number): ReadonlyArray<Violation> => {
  const violations: Array<Violation> = []
  if (ledger.deliveries.length > 0) {
    violations.push({ rule: "R3 success always wins", what: "a new token was thrown away" })
  }
  if (waiting > 0) violations.push({ rule: "Everybody is answered", what: `${waiting} callers wait for ever` })
  return violations
}

/**
 * Takes note of an observation and checks it.
 *
 * @example
 * ```ts
 * import * as AppInvariants from "@zapier-workflow-auth/testing/AppInvariants"
 *
 * const { violations } = AppInvariants.observe(
 *   AppInvariants.empty,
 *   { _tag: "TokenAsked", owner: "a process without a lease", at: 0 },
 *   { expiryMargin: 300_000 }
 * )
 * violations[0]?.rule // => "R1 one refresher"
 * ```
 *
 * @since 0.1.0
 */
export const observe = (ledger: Ledger, observation: Observation, options: Options): Observed => {
  switch (observation._tag) {
    case "TokenStored":
      return { ledger: written(ledger, observation.state), violations: checkWrite(ledger, observation.state) }
    case "TokenAsked":
      return asked(ledger, observation, options)
    case "TokenAnswered":
      return answered(ledger, observation)
    case "AccessRejected": {
      const { accessToken, owner } = observation
      // Of each process the latest is enough.
      const others = ledger.rejections.filter((rejection) => rejection.owner !== owner)
      return { ledger: { ...ledger, rejections: [...others, { owner, accessToken }] }, violations: none }
    }
    case "ProcessSuspended": {
      const requests = ledger.requests.map((request) =>
        request.owner === observation.owner ? { ...request, isSuspended: true } : request
      )
      return { ledger: { ...ledger, requests }, violations: none }
    }
    case "ProcessEnded":
      return { ledger: ended(ledger, observation.owner), violations: none }
    case "Settled":
      return { ledger, violations: settled(ledger, observation.waiting) }
  }
}
