/** What a write to the store breaks, and what is known after it. */
import type * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import type { Ledger, Violation } from "../../Invariants.ts"
import { accessTokenOf, accessTokenOfState, type Held, refreshTokenOf } from "./held.ts"

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

export const check = (ledger: Ledger, after: UserGrant.State, isAlive: boolean): ReadonlyArray<Violation> => {
  const before = ledger.grant
  if (after._tag === "Absent") return []
  if (before._tag === "Absent") {
    return ledger.consented.includes(accessTokenOf(after))
      ? []
      : [{ rule: "Disconnect holds", what: "a grant that was removed came back without a consent" }]
  }
  const broken: Array<Violation> = []
  if (after.generation === before.generation) {
    const isSame = after.family === before.family && accessTokenOf(after) === accessTokenOf(before)
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
export const take = (ledger: Ledger, after: UserGrant.State): Ledger => {
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
