/** Checks a write to the store, and updates the history. */
import * as Lease from "@zapier-workflow-auth/core/machine/Lease"
import * as Pause from "@zapier-workflow-auth/core/machine/Pause"
import { accessTokenOf, held, type Held, heldOf } from "./held.ts"
import type { History, Of, State, Holder, Violation } from "./history.ts"

const blameless: ReadonlySet<string> = new Set(["InvalidClient", "Refused", "RateLimited", "NotSent"])

const checkGivingUp = (
  { requests }: History,
  { token }: Held,
  why: string,
  isAlive: boolean
): ReadonlyArray<Violation> => {
  if (token === undefined) return []
  const broken: Array<Violation> = []
  const rule = "R5 unknown is not failed"
  if (isAlive) broken.push({ rule, observed: "a grant was given up although its refresh token still works" })
  const about = requests.filter((request) => request.token === token)
  if (about.some(({ outcome }) => outcome === "InvalidGrant")) {
    const isBlamed = why === "Revoked" && about.some(({ isUnknown }) => isUnknown)
    return isBlamed ? [...broken, { rule, observed: "a lost response was reported as a revocation" }] : broken
  }
  const last = about.at(-1)?.outcome
  return last !== undefined && blameless.has(last)
    ? [...broken, { rule: "R6 the right thing is blamed", observed: `a grant was given up for the outcome ${last}` }]
    : [...broken, { rule, observed: "a grant was given up although its refresh token was not rejected" }]
}

const checkNewTokens = (history: History, before: Held, after: Held): ReadonlyArray<Violation> => {
  const accessToken = accessTokenOf(after)
  if (accessToken !== undefined && history.consented.includes(accessToken)) return []
  const deliveries = history.deliveries.filter(
    (delivery) => delivery.accessToken === accessToken && delivery.token === before.token
  )
  if (deliveries.length === 0) {
    // If clocks disagree, the generation of an app's request is unknown.
    if (history.isApp && history.isAstray) return []
    return [
      { rule: "R4 never overwrite newer", observed: "the stored tokens were not issued for those that they replaced" }
    ]
  }
  // A server with a grace period returns the same tokens twice.
  return deliveries.some(({ sentAt }) => (after.access?.obtainedAt ?? 0) <= sentAt)
    ? []
    : [{ rule: "R8 refresh when used", observed: "a token's lifetime does not count from the start of its request" }]
}

// A lease that was not there before.
const isClaim = (before: Held | undefined, after: Held) =>
  after.lease !== undefined &&
  (before?.lease === undefined ||
    before.lease.owner !== after.lease.owner ||
    // A clamped lease is the same lease, and ends earlier.
    before.lease.deadline < after.lease.deadline ||
    before.attempt !== after.attempt)

const checkClaim = ({ isAstray }: History, before: Held, after: Held, time: number): ReadonlyArray<Violation> => {
  if (isAstray || !isClaim(before, after)) return []
  // Clocks may disagree, or jump, by up to a lease's margin.
  const at = time + Lease.margin
  const isTaken =
    before.lease !== undefined &&
    before.lease.owner !== after.lease?.owner &&
    Lease.isLive(Lease.clamp(before.lease, at), at)
  if (isTaken) {
    return [{ rule: "R1 one refresher", observed: "a live lease was taken" }]
  }
  return before.lease === undefined && Pause.isOn(before.pause, at)
    ? [{ rule: "R10 no dead token", observed: "a lease was claimed during a pause" }]
    : []
}

export const check = (history: History, { at, from, isAlive, state }: Of<"Stored">): ReadonlyArray<Violation> => {
  const before = held(history)
  const after = heldOf(state, history.isApp)
  if (after === undefined) {
    const decided = from && heldOf(from, history.isApp)
    return decided !== undefined &&
      before !== undefined &&
      (decided.family !== before.family || decided.generation !== before.generation)
      ? [{ rule: "R4 never overwrite newer", observed: "a newer grant was removed than the one that was meant" }]
      : []
  }
  const accessToken = accessTokenOf(after)
  if (before === undefined) {
    return accessToken !== undefined && history.consented.includes(accessToken)
      ? []
      : [{ rule: "A disconnect is final", observed: "a removed grant came back without a consent" }]
  }
  const broken: Array<Violation> = []
  if (after.generation === before.generation) {
    const isSame = after.family === before.family && accessToken === accessTokenOf(before)
    if (!isSame || after.token !== before.token) {
      broken.push({ rule: "R4 never overwrite newer", observed: "tokens were replaced without a new generation" })
    }
    broken.push(...checkClaim(history, before, after, at))
  } else if (after.generation === before.generation + 1) {
    broken.push(...checkNewTokens(history, before, after))
  } else {
    const observed = `generation ${before.generation} was followed by ${after.generation}`
    broken.push({ rule: "R4 never overwrite newer", observed })
  }
  if (before.why !== undefined && after.why === undefined && after.generation === before.generation) {
    broken.push({ rule: "R5 unknown is not failed", observed: "a grant that was given up was refreshed again" })
  }
  if (after.why !== undefined && before.why === undefined) {
    broken.push(...checkGivingUp(history, before, after.why, isAlive))
  }
  return broken
}

// The holder of a lease that has not sent yet may still send after the record changes: its claim was valid.
const leftBehind = ({ claims, isUnsent }: History, before: Held | undefined): History["claims"] => {
  if (before?.lease === undefined || before.token === undefined || !isUnsent) return claims
  const { owner } = before.lease
  return [...claims.filter((claim) => claim.owner !== owner), { owner, token: before.token }]
}

/** Drops the facts about outdated tokens. */
export const take = <S extends State>(
  history: History<S>,
  { isLate, isUnconfirmed, owner, state: record }: Of<"Stored", S>
): History<S> => {
  const before = held(history)
  const after = heldOf(record, history.isApp)
  const accessToken = accessTokenOf(after)
  const isRenewed = after !== undefined && accessToken !== accessTokenOf(before)
  const isCurrent = (holder: Holder) => holder.accessToken === accessToken
  // A process whose own write failed cannot know that another's consent or removal came after it.
  const isOther = after === undefined || history.consented.some((token) => token === accessToken)
  return {
    ...history,
    record,
    isUnsent: after?.lease !== undefined && (isClaim(before, after) || history.isUnsent),
    claims: isRenewed || after === undefined ? leftBehind(history, before) : history.claims,
    expiresAt: isRenewed ? (after.access?.expiresAt ?? 0) : history.expiresAt,
    // A server without rotation refreshes a record under the same token.
    requests: history.requests
      .filter(({ outcome, token }) => outcome === "Open" || (token === after?.token && !isRenewed))
      .map((request) => (isRenewed && request.token === after.token ? { ...request, isOutdated: true } : request)),
    deliveries: history.deliveries.filter(
      (delivery) => !isRenewed && delivery.accessToken !== accessToken && delivery.token === after?.token
    ),
    consented: history.consented.filter((token) => token !== accessToken || isUnconfirmed === true),
    exchanged: history.exchanged.filter((holder) => !isCurrent(holder) && (!isOther || holder.owner === owner)),
    // No process can know that an abandoned removal was carried out.
    left: isLate === true ? history.left.filter((left) => left.owner !== owner) : history.left,
    accepted: history.accepted.filter(isCurrent),
    rejections: isRenewed
      ? history.rejections.filter((holder) => holder.accessToken === accessTokenOf(before) || isCurrent(holder))
      : history.rejections
  }
}
