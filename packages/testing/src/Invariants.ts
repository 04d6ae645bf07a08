/**
 * The safety rules for users' grants and the app's own token, as checks over observable behavior: the requests to the
 * token endpoint and their responses, the tokens that callers get, the tokens that the API rejects, and the records in
 * the store. They do not depend on how a client works inside, so they judge a model, a simulation and a mutant alike.
 *
 * A `History` holds the observations of one key. `observe` adds one and reports the rules that it breaks. Tokens are a
 * fake's, in plain text; no violation contains one.
 *
 * @since 0.1.0
 */
import type * as AppCredential from "@zapier-workflow-auth/core/machine/AppCredential"
import * as ConsentAttempt from "@zapier-workflow-auth/core/machine/ConsentAttempt"
import * as Lease from "@zapier-workflow-auth/core/machine/Lease"
import type * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import * as Redacted from "effect/Redacted"
import { held } from "./internal/invariants/held.ts"
import type {
  History,
  Observation,
  Observed,
  Of,
  Options,
  State,
  Holder,
  Violation
} from "./internal/invariants/history.ts"
import * as Requests from "./internal/invariants/requests.ts"
import * as Held from "./internal/invariants/held.ts"
import * as Writes from "./internal/invariants/writes.ts"

export {
  type Delivery,
  type History,
  type Observation,
  type Observed,
  type Options,
  type Request,
  type Rule,
  rules,
  type State
} from "./internal/invariants/history.ts"

const nothing = {
  isUnsent: false,
  expiresAt: 0,
  requests: [],
  deliveries: [],
  rejections: [],
  accepted: [],
  claims: [],
  left: [],
  isAstray: false,
  consented: [],
  exchanged: [],
  codes: []
}

/**
 * The empty history of a user's grant.
 *
 * @since 0.1.0
 */
export const empty: History<UserGrant.State> = { ...nothing, isApp: false, record: { _tag: "Absent" } }

/**
 * The empty history of the app's own token.
 *
 * @since 0.1.0
 */
export const emptyOfApp: History<AppCredential.State> = { ...nothing, isApp: true, record: { _tag: "Absent" } }

/**
 * Stands for the refresh token in the app's own token requests, which have none.
 *
 * @since 0.1.0
 */
export const app = Held.app

const none: ReadonlyArray<Violation> = []

const checkCode = ({ codes }: History, { at, code, owner }: Of<"CodeSent">): ReadonlyArray<Violation> => {
  const rule = "R9 a code is exchanged once"
  if (codes.some((entry) => entry.code === code && entry.wasSent)) return [{ rule, observed: "a code was sent twice" }]
  const known = codes.find((entry) => entry.code === code && entry.owner === owner)
  return known !== undefined && at - known.arrivedAt < ConsentAttempt.codeLifetime
    ? none
    : [{ rule, observed: "a code was sent more than two minutes after it came" }]
}

const checkAccess = (history: History, { access, owner }: Of<"AccessGiven">): ReadonlyArray<Violation> => {
  const rule = "R10 no dead token"
  const accessToken = Redacted.value(access.accessToken)
  const isKnown = history.rejections.some(
    (holder) => holder.owner === owner && holder.accessToken === accessToken && !holder.isBelieved
  )
  if (isKnown) {
    return [{ rule, observed: "an access token was handed out by the process that had been told of its rejection" }]
  }
  const wasLeft = history.left.some((left) => left.owner === owner && left.family === access.family)
  return wasLeft && held(history)?.family !== access.family
    ? [{ rule, observed: "an access token was handed out by the process that had been asked to remove it" }]
    : none
}

const withHolder = <A extends Holder>(all: ReadonlyArray<A>, one: A): ReadonlyArray<A> => [
  ...all.filter((holder) => holder.owner !== one.owner || holder.accessToken !== one.accessToken),
  one
]

/**
 * Adds an observation to a history and checks it.
 *
 * @example
 * ```ts
 * import * as Invariants from "@zapier-workflow-auth/testing/Invariants"
 *
 * const { violations } = Invariants.observe(
 *   Invariants.empty,
 *   { _tag: "CodeSent", code: "one that never arrived", at: 0 },
 *   { expiryMargin: 300_000, rejectionInterval: 30_000 }
 * )
 * violations[0]?.rule // => "R9 a code is exchanged once"
 * ```
 *
 * @since 0.1.0
 */
export const observe = <S extends State>(
  history: History<S>,
  observation: Observation<S>,
  options: Options
): Observed<S> => {
  const known = (more: Partial<History<S>>, violations = none): Observed<S> => ({
    history: { ...history, ...more },
    violations
  })
  switch (observation._tag) {
    case "Stored":
      return {
        history: Writes.take(history, observation),
        violations: Writes.check(history, observation)
      }
    case "Sent":
      return Requests.sent(history, observation, options)
    case "Responded":
      return Requests.responded(history, observation)
    case "CodeArrived": {
      const { at, code, owner } = observation
      const others = history.codes.filter((entry) => entry.code !== code || entry.owner !== owner || entry.wasSent)
      return known({ codes: [...others, { code, owner, arrivedAt: at, wasSent: false }] })
    }
    case "CodeSent": {
      const { code, owner } = observation
      // Owner and time no longer matter.
      const others = history.codes.filter((entry) => entry.code !== code || (entry.owner !== owner && !entry.wasSent))
      const codes = [...others, { code, owner: undefined, arrivedAt: 0, wasSent: true }]
      return known({ codes }, checkCode(history, observation))
    }
    case "CodeResponded": {
      const { outcome, owner } = observation
      if (outcome._tag !== "Granted") return known({})
      const accessToken = Redacted.value(outcome.tokens.accessToken)
      return known({
        consented: [...history.consented, accessToken],
        exchanged: owner === undefined ? history.exchanged : [...history.exchanged, { owner, accessToken }]
      })
    }
    case "AccessGiven":
      return known({}, checkAccess(history, observation))
    case "AccessRejected":
      return known({ rejections: withHolder(history.rejections, Requests.rejection(history, observation, options)) })
    case "AccessAccepted": {
      const { accessToken, owner } = observation
      return known({ accepted: withHolder(history.accepted, { owner, accessToken }) })
    }
    case "DisconnectAsked": {
      const family = held(history)?.family
      return family === undefined ? known({}) : known({ left: [...history.left, { owner: observation.owner, family }] })
    }
    case "ClocksDisagree":
      return known({ isAstray: true })
    case "ProcessPaused": {
      const requests = history.requests.map((request) =>
        request.owner === observation.owner ? { ...request, isExcused: true } : request
      )
      return known({ requests })
    }
    case "ProcessQuiet": {
      const { at, owner } = observation
      const lease = held(history)?.lease
      const isHeld = lease !== undefined && lease.owner === owner && Lease.isLive(lease, at)
      const observed = "a process that has nothing under way holds a live lease"
      return known({}, isHeld ? [{ rule: "Leases are released", observed }] : none)
    }
    case "ProcessEnded":
      return { history: Requests.ended(history, observation.owner), violations: none }
    case "Settled": {
      const violations: Array<Violation> = []
      if (Held.unstored(history).length > 0) {
        violations.push({ rule: "R3 success always wins", observed: "new tokens were thrown away" })
      }
      if (observation.waiting > 0) {
        violations.push({
          rule: "Every caller gets a result",
          observed: `${observation.waiting} callers wait for ever`
        })
      }
      return known({}, violations)
    }
  }
}
