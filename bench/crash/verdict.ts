/**
 * Whether all that was stored, and all that was lost, is as it must be. Nothing here depends on when something happened:
 * the order in which a grant was written is the store's own, and what descends from what is the server's.
 */
import type { Grant } from "@zapier-workflow-auth/core/store/GrantStore"
import * as Redacted from "effect/Redacted"
import type { Kill, Log, Presentation } from "./log.ts"
import { refreshTokenOf } from "./points.ts"
import { leaseDuration } from "./settings.ts"

/** A grant as it was written, in the order of the store. */
export interface Written {
  readonly subject: string
  readonly grant: Grant
}

export interface Verdict {
  readonly refreshes: number
  /** Grants that only their users can restore. */
  readonly grantsLost: number
  /** Answers whose only holder was killed before they were stored. */
  readonly answersThatDied: number
  /** Answers that a process which lived did not wait for any longer: its request was cut off. */
  readonly answersCutOff: number
  readonly violations: ReadonlyArray<string>
}

const accessTokenOf = ({ tokens }: Grant) => Redacted.value(tokens.accessToken)

// R3 and R4 as far as the store alone tells: tokens only move along the server's chain, one generation at a time.
const checkStep = (log: Log, issuedFor: ReadonlyMap<string, string>, before: Grant | undefined, after: Grant) => {
  const token = refreshTokenOf(after)
  if (before === undefined || before.family !== after.family) {
    if (!log.consents.has(token)) return "tokens came from nowhere"
    return after.generation === (before?.generation ?? 0) + 1 ? undefined : "a consent did not count as one generation"
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
    : "R4: the stored tokens do not descend from those that they replaced"
}

/** What became of the tokens of one consent. */
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

// R1: nobody claims a refresh token while another's lease is live, and nobody presents one without a claim.
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
  for (const { presented, process } of log.presentations) {
    const left = claims.get(presented) ?? 0
    if (left === 0) violations.push(`R1: ${process} presented a refresh token that it had not claimed`)
    claims.set(presented, left - 1)
  }
  return violations
}

// What became of new tokens that are not in the store.
const fateOf = (log: Log, { presented, process }: Presentation): "Died" | "CutOff" | undefined => {
  if (log.wentUnanswered(process, presented)) return "CutOff"
  return log.wasKilled(process) && !log.hasReturned(process, presented) ? "Died" : undefined
}

// What a kill at a point must have led to.
const checkKill = (log: Log, stored: ReadonlySet<string>, { point, process, refreshToken = "" }: Kill) => {
  switch (point) {
    case "claimed":
      return log.presentations.some((other) => other.process === process && other.presented === refreshToken)
        ? "a process that was killed before its request has sent it"
        : undefined
    case "answering":
    case "answered":
      return stored.has(refreshToken) ? "an answer was stored whose holder had been killed before" : undefined
    case "committed":
      return stored.has(refreshToken) ? undefined : "an answer is not stored that had been committed"
    case "committing":
    case "random":
      return undefined
  }
}

export const judge = (log: Log, history: ReadonlyArray<Written>): Verdict => {
  const issuedFor = new Map<string, string>()
  for (const { issued, presented } of log.presentations) if (issued !== undefined) issuedFor.set(issued, presented)
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

  const fates = new Map<string, "Died" | "CutOff">()
  for (const presentation of log.presentations) {
    const { issued, presented, process } = presentation
    if (issued === undefined || stored.has(issued)) continue
    const fate = fateOf(log, presentation)
    if (fate === undefined) violations.push(`R3: ${process} has thrown new tokens away, and lived`)
    else fates.set(rootOf(presented), fate)
  }

  const lost = lines.filter(({ last }) => last._tag === "ReconnectRequired")
  for (const { last, root, subject } of lines) {
    const isLost = last._tag === "ReconnectRequired"
    const fate = fates.get(root)
    if (isLost && fate === undefined) violations.push(`a grant was lost although no answer was (${subject})`)
    if (!isLost && fate !== undefined) violations.push(`an answer was lost, and its grant was not (${subject})`)
    if (isLost && last.why !== "ResponseLost") violations.push(`a grant was lost because of ${last.why} (${subject})`)
  }
  const count = (fate: "Died" | "CutOff") => [...fates.values()].filter((other) => other === fate).length
  return {
    refreshes: issuedFor.size,
    grantsLost: lost.length,
    answersThatDied: count("Died"),
    answersCutOff: count("CutOff"),
    violations
  }
}
