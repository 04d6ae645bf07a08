/** Checks a request when it is sent and when its response arrives, and forgets those of an ended process. */
import * as Lease from "@zapier-workflow-auth/core/machine/Lease"
import * as TokenOutcome from "@zapier-workflow-auth/core/oauth/TokenOutcome"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import * as Redacted from "effect/Redacted"
import { accessTokenOf, held } from "./held.ts"
import type { History, Observed, Of, Options, Rejection, Request, State, Holder, Violation } from "./history.ts"

/** A token is trusted while it has just replaced a rejected one and no call of that process has succeeded with it. */
export const rejection = (
  { accepted }: Pick<History, "accepted">,
  { access, at, owner }: Of<"AccessRejected">,
  { rejectionInterval }: Options
): Rejection => {
  const accessToken = Redacted.value(access.accessToken)
  const isProven = accepted.some((holder) => holder.owner === owner && holder.accessToken === accessToken)
  return { owner, accessToken, isBelieved: !isProven && Tokens.isReplacement(access, at, rejectionInterval) }
}

const checkNeed = (
  history: History,
  access: Tokens.Access,
  { at, owner }: Of<"Sent">,
  options: Options
): ReadonlyArray<Violation> => {
  const due = Tokens.dueAt({ obtainedAt: access.obtainedAt, expiresAt: history.expiresAt }, options.expiryMargin)
  // Clocks may disagree, or jump, by up to a lease's margin.
  if (at + Lease.margin > due) return []
  const current = Redacted.value(access.accessToken)
  const about = history.rejections.filter(({ accessToken }) => accessToken === current)
  if (about.length > 0) {
    return about.every(({ isBelieved }) => isBelieved)
      ? [{ rule: "R12 a fresh token is believed", observed: "a fresh token was replaced again after a 401" }]
      : []
  }
  return history.rejections.some((rejection) => rejection.owner === owner)
    ? [{ rule: "R7 401 means look again", observed: "a 401 to an older token led to a token request" }]
    : [{ rule: "R8 refresh when used", observed: "a token was refreshed that had time left" }]
}

const check = (history: History, observation: Of<"Sent">, options: Options): ReadonlyArray<Violation> => {
  const { at, owner, token, until } = observation
  const record = held(history)
  const broken: Array<Violation> = []
  const earlier = history.requests.find(
    (request) =>
      request.token === token &&
      request.outcome === "Open" &&
      !request.isOutdated &&
      !(request.isExcused && at + Lease.margin >= request.deadline) &&
      !history.isAstray
  )
  if (earlier !== undefined) {
    broken.push({
      rule: "R2 patience",
      observed: "a token was sent again while an earlier request could still get a response"
    })
  }
  // Between the claim and the request the record may have been removed or refreshed.
  if (history.isAstray || history.claims.some((claim) => claim.owner === owner && claim.token === token)) return broken
  if (record === undefined || record.token !== token) {
    return [...broken, { rule: "R1 one refresher", observed: "an outdated token was sent" }]
  }
  if (record.why !== undefined) {
    return [...broken, { rule: "R5 unknown is not failed", observed: "a token was sent after its grant was given up" }]
  }
  if (record.lease?.owner !== owner) {
    return [...broken, { rule: "R1 one refresher", observed: "a process without the lease sent a token" }]
  }
  const { deadline } = record.lease
  if (at >= deadline || (until !== undefined && until + Lease.margin > deadline)) {
    broken.push({
      rule: "R2 patience",
      observed: "a request would wait for its response until the margin of its lease"
    })
  }
  const { access } = record
  return access === undefined ? broken : [...broken, ...checkNeed(history, access, observation, options)]
}

export const sent = <S extends State>(history: History<S>, observation: Of<"Sent">, options: Options): Observed<S> => {
  const { at, owner, token } = observation
  const record = held(history)
  const isHolder = record?.lease?.owner === owner
  const request: Request = {
    owner,
    token,
    sentAt: at,
    deadline: isHolder ? record.lease.deadline : Infinity,
    isExcused: false,
    outcome: "Open",
    isUnknown: false,
    isOutdated:
      record?.token === token &&
      !isHolder &&
      // The app's requests do not name a generation.
      ((history.isApp && history.isAstray) ||
        history.claims.some((claim) => claim.owner === owner && claim.token === token))
  }
  return {
    history: {
      ...history,
      isUnsent: history.isUnsent && !isHolder,
      requests: [...history.requests, request],
      claims: history.claims.filter((claim) => claim.owner !== owner)
    },
    violations: check(history, observation, options)
  }
}

export const responded = <S extends State>(
  history: History<S>,
  { at, outcome, owner, token }: Of<"Responded">
): Observed<S> => {
  const index = history.requests.findLastIndex(
    (request) => request.owner === owner && request.token === token && request.outcome === "Open"
  )
  const open = history.requests[index]
  if (open === undefined) return { history, violations: [] }
  // An outcome for an outdated token no longer matters.
  const matters = held(history)?.token === token && !open.isOutdated
  const isUnknown = TokenOutcome.mayHaveActed(outcome)
  const delivered =
    outcome._tag === "Granted" && matters
      ? [{ owner, token, accessToken: Redacted.value(outcome.tokens.accessToken), sentAt: open.sentAt }]
      : []
  return {
    history: {
      ...history,
      requests: matters
        ? history.requests.with(index, { ...open, outcome: outcome._tag, isUnknown })
        : history.requests.toSpliced(index, 1),
      deliveries: [...history.deliveries, ...delivered]
    },
    violations:
      at > open.deadline && !open.isExcused && !history.isAstray
        ? [{ rule: "R2 patience", observed: "a response was accepted after the lease of its request had ended" }]
        : []
  }
}

/** Its open requests get no response, and its memory is lost. */
export const ended = <S extends State>(history: History<S>, ending: string): History<S> => {
  const record = held(history)
  const current = accessTokenOf(record)
  const isOther = ({ owner }: { readonly owner: string }) => owner !== ending
  // A rejected or accepted token stays so for other processes, too.
  const matters = (holder: Holder) => isOther(holder) || holder.accessToken === current
  return {
    ...history,
    requests: history.requests
      .map((request) =>
        request.owner === ending && request.outcome === "Open"
          ? { ...request, outcome: "Ended" as const, isUnknown: true }
          : request
      )
      .filter(({ outcome, token }) => outcome === "Open" || token === record?.token),
    deliveries: history.deliveries.filter(isOther),
    exchanged: history.exchanged.filter(isOther),
    claims: history.claims.filter(isOther),
    left: history.left.filter(isOther),
    rejections: history.rejections.filter(matters),
    accepted: history.accepted.filter(matters)
  }
}
