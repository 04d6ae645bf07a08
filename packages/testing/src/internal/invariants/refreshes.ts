/** What a refresh breaks when it is sent, when it is answered, and when its process ends. */
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import * as TokenOutcome from "@zapier-workflow-auth/core/oauth/TokenOutcome"
import * as Redacted from "effect/Redacted"
import type { Delivery, Ledger, Observation, Observed, Options, Presentation, Violation } from "../../Invariants.ts"
import { accessTokenOf, accessTokenOfState, refreshTokenOf } from "./held.ts"

const check = (
  ledger: Ledger,
  { at, owner, refreshToken, until }: Extract<Observation, { _tag: "RefreshSent" }>,
  { expiryMargin }: Options
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
  const due = Tokens.dueAt({ obtainedAt: grant.tokens.obtainedAt, expiresAt: ledger.expiresAt }, expiryMargin)
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

export const sent = (
  ledger: Ledger,
  observation: Extract<Observation, { _tag: "RefreshSent" }>,
  options: Options
): Observed => {
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
    violations: check(ledger, observation, options)
  }
}

export const answered = (
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

/** What is known once a process has ended: what it waited for has no answer, and what it held is lost. */
export const ended = (ledger: Ledger, owner: string): Ledger => {
  const current = refreshTokenOf(ledger.grant)
  return {
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
  }
}
