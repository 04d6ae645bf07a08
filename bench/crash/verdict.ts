/**
 * Checks that everything stored, and everything lost, is as it must be. It does not depend on time: the store gives the
 * order in which a grant was written, the server the descent of tokens.
 */
import type { Grant } from "@zapier-workflow-auth/core/store/GrantStore"
import * as Redacted from "effect/Redacted"
import type { Kill, Log, Attempt } from "./log.ts"
import { refreshTokenOf } from "./points.ts"
import { leaseDuration } from "./settings.ts"

/** A grant as it was written, in the store's order. */
export interface Written {
  readonly subject: string
  readonly grant: Grant
}

export interface Verdict {
  readonly refreshes: number
  /** Grants that only their users can restore. */
  readonly grantsLost: number
  /** Responses whose only holder was killed before they were stored. */
  readonly responsesThatDied: number
  /** Responses that a living process no longer waited for: it aborted the request. */
  readonly responsesCutOff: number
  readonly violations: ReadonlyArray<string>
}

const accessTokenOf = ({ tokens }: Grant) => Redacted.value(tokens.accessToken)

// R3 and R4 as far as the store alone shows: tokens only move along the server's chain, one generation at a time.
const checkStep = (log: Log, issuedFor: ReadonlyMap<string, string>, before: Grant | undefined, after: Grant) => {
  const token = refreshTokenOf(after)
  if (before === undefined || before.family !== after.family) {
    if (!log.consents.has(token)) return "tokens have an unknown origin"
    return after.generation === (before?.generation ?? 0) + 1
      ? undefined
      : "a consent did not raise the generation by one"
  }
  if (after.generation === before.generation) {
    const isSame = token === refreshTokenOf(before) && accessTokenOf(after) === accessTokenOf(before)
    return isSame ? undefined : "R4: tokens were replaced without a new generation"
  }
  if (after.generation !== before.generation + 1) {
    return `R4: generation ${before.generation} was followed by ${after.generation}`
  }
  return issuedFor.get(token) === refreshTokenOf(before)
    ? undefined
    : "R4: the stored tokens were not issued for those that they replaced"
}

/** The history of one consent's tokens. */
interface Line {
  readonly subject: string
  /** Its first refresh token. */
  readonly root: string
  last: Grant
}

const trace = (log: Log, issuedFor: ReadonlyMap<string, string>, history: ReadonlyArray<Written>) => {
  const violations: Array<string> = []
  const lines = new Map<string, Line>()
  const latest = new Map<string, Grant>()
  const stored = new Set<string>()
  for (const { grant, subject } of history) {
    const before = latest.get(subject)
    const problem = checkStep(log, issuedFor, before, grant)
    if (problem !== undefined) violations.push(`${problem} (${subject}, generation ${grant.generation})`)
    latest.set(subject, grant)
    stored.add(refreshTokenOf(grant))
    const line = lines.get(grant.family)
    if (line === undefined) lines.set(grant.family, { subject, root: refreshTokenOf(grant), last: grant })
    else {
      if (before?.family !== grant.family) violations.push(`R4: an older consent came back (${subject})`)
      line.last = grant
    }
  }
  return { violations, lines: [...lines.values()], stored }
}

// R1: no process claims a refresh token while another's lease is live, and none sends one without a claim.
const checkClaims = (log: Log, history: ReadonlyArray<Written>) => {
  const violations: Array<string> = []
  const latest = new Map<string, Grant>()
  const claims = new Map<string, number>()
  for (const { grant, subject } of history) {
    const before = latest.get(subject)
    latest.set(subject, grant)
    if (grant._tag !== "Refreshing") continue
    const token = refreshTokenOf(grant)
    claims.set(token, (claims.get(token) ?? 0) + 1)
    if (before?._tag !== "Refreshing" || before.lease.owner === grant.lease.owner) continue
    if (grant.lease.deadline - leaseDuration < before.lease.deadline) {
      violations.push(`R1: a lease was taken over before it had ended (${subject}, generation ${grant.generation})`)
    }
  }
  for (const { token, process } of log.attempts) {
    const left = claims.get(token) ?? 0
    if (left === 0) violations.push(`R1: ${process} sent a refresh token that it had not claimed`)
    claims.set(token, left - 1)
  }
  return violations
}

// How new tokens were lost that are not in the store.
const lossOf = (log: Log, { token, process }: Attempt): "Died" | "CutOff" | undefined => {
  if (log.gotNoResponse(process, token)) return "CutOff"
  return log.wasKilled(process) && !log.hasReturned(process, token) ? "Died" : undefined
}

// The required outcome of a kill at a point.
const checkKill = (log: Log, stored: ReadonlySet<string>, { point, process, refreshToken = "" }: Kill) => {
  switch (point) {
    case "claimed":
      return log.attempts.some((other) => other.process === process && other.token === refreshToken)
        ? "a process that was killed before its request sent a token"
        : undefined
    case "responding":
    case "responded":
      return stored.has(refreshToken) ? "a response was stored after its holder was killed" : undefined
    case "committed":
      return stored.has(refreshToken) ? undefined : "a committed response is not stored"
    case "committing":
    case "random":
      return undefined
  }
}

export const judge = (log: Log, history: ReadonlyArray<Written>): Verdict => {
  const issuedFor = new Map<string, string>()
  for (const { issued, token } of log.attempts) if (issued !== undefined) issuedFor.set(issued, token)
  const rootOf = (token: string): string => {
    let root = token
    for (let from = issuedFor.get(root); from !== undefined; from = issuedFor.get(root)) root = from
    return root
  }
  const { lines, stored, violations } = trace(log, issuedFor, history)

  for (const kill of log.kills) {
    const problem = checkKill(log, stored, kill)
    if (problem !== undefined) violations.push(`${problem} (${kill.process}, ${kill.point})`)
  }
  violations.push(...checkClaims(log, history))

  const losses = new Map<string, "Died" | "CutOff">()
  for (const attempt of log.attempts) {
    const { issued, token, process } = attempt
    if (issued === undefined || stored.has(issued)) continue
    const loss = lossOf(log, attempt)
    if (loss === undefined) violations.push(`R3: ${process} threw new tokens away while it was alive`)
    else losses.set(rootOf(token), loss)
  }

  const lost = lines.filter(({ last }) => last._tag === "ReconnectRequired")
  for (const { last, root, subject } of lines) {
    const isLost = last._tag === "ReconnectRequired"
    const loss = losses.get(root)
    if (isLost && loss === undefined) violations.push(`a grant was lost although no response was (${subject})`)
    if (!isLost && loss !== undefined) violations.push(`a response was lost, but its grant was not (${subject})`)
    if (isLost && last.why !== "ResponseLost") violations.push(`a grant was lost because of ${last.why} (${subject})`)
  }
  const count = (loss: "Died" | "CutOff") => [...losses.values()].filter((other) => other === loss).length
  return {
    refreshes: issuedFor.size,
    grantsLost: lost.length,
    responsesThatDied: count("Died"),
    responsesCutOff: count("CutOff"),
    violations
  }
}
