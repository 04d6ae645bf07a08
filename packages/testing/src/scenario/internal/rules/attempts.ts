/** Rules about attempts to connect, and what they ask for. */
import * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
import type { Authorization, Exchange, Seen } from "../../ScenarioSeen.ts"
import { connecting, endpointOf, first, overlaps, parameterOf, type Rule } from "./rule.ts"

/**
 * A code is sent once, whatever became of it.
 *
 * Source: RFC 6749, section 4.1.2: whoever sends it again may lose the tokens that it was exchanged for.
 *
 * @since 0.1.0
 */
export const sendsCodesOnce: Rule = {
  name: "A code is sent once",
  check: ({ exchanges }) => {
    const sent = new Set<string>()
    return first(exchanges, ({ code, line }) => {
      if (code === undefined || !sent.has(code)) {
        if (code !== undefined) sent.add(code)
        return undefined
      }
      return `a code was sent again: ${line}`
    })
  }
}

// What could be guessed within a day.
const shortestState = 16

const checkState = (seen: Seen, authorization: Authorization, index: number): string | undefined => {
  const { at, subject } = authorization
  const state = parameterOf(authorization, "state")
  const challenge = parameterOf(authorization, "code_challenge")
  if (state === undefined) return challenge === undefined ? `${subject} is sent to Zapier without a state` : undefined
  if (state.length < shortestState)
    return `${subject} is sent to Zapier with a state that is short enough to be guessed`
  for (const earlier of seen.authorizations.slice(0, index)) {
    const isSame = parameterOf(earlier, "state") === state
    if (isSame && earlier.subject !== subject)
      return `${subject} is sent to Zapier with the state of ${earlier.subject}`
    if (isSame && (earlier.usedAt ?? Infinity) <= at) return `${subject} is sent to Zapier with a state that was used`
    if (!isSame && challenge !== undefined && parameterOf(earlier, "code_challenge") === challenge) {
      return `${subject} is sent to Zapier with the code_challenge of an earlier attempt`
    }
  }
  return undefined
}

/**
 * Who begins to connect is sent to Zapier with a `state` of their own, or at least with PKCE: not a short one, not that of
 * another user, and none that was used already. A `code_challenge` is for one attempt, too.
 *
 * Source: RFC 6749, section 10.12; RFC 9700, section 2.1.
 *
 * @since 0.1.0
 */
export const drawsStates: Rule = {
  name: "Each attempt has a state of its own",
  check: (seen) => first(seen.authorizations, (authorization, index) => checkState(seen, authorization, index))
}

/**
 * A login ends in the browser that began it: a callback that somebody opens in another one connects nobody. An app that is
 * content with the user who is signed in says `expects: { otherBrowsers: true }`.
 *
 * Source: RFC 6749, section 10.12; RFC 9700, section 4.7: `state`, or the verifier of PKCE, is bound to the user agent.
 *
 * @since 0.1.0
 */
export const bindsBrowsers: Rule = {
  name: "A login ends in the browser that began it",
  check: ({ exchanges, expected, results }) =>
    first(results, (result) => {
      const { action, deed, isElsewhere, step, subject } = result
      if (isElsewhere !== true || !connecting.has(action) || expected.otherBrowsers) return undefined
      const rivals = results.filter(
        (other) => other !== result && other.subject === subject && connecting.has(other.action)
      )
      const isDuring = (at: number) =>
        overlaps(result, at, at) && !rivals.some((rival) => rival.step === step || overlaps(rival, at, at))
      return exchanges.some(
        ({ code, isGranted, owner, sentAt, ...exchange }) =>
          code !== undefined &&
          isGranted &&
          // Some exchange a code in a fiber of their own.
          (exchange.deed === deed || (owner === subject && isDuring(sentAt)))
      )
        ? `${subject}'s login was completed in a browser that had not begun it`
        : undefined
    })
}

// The scopes that an app has asked for last, when it sent a request.
const askedBefore = ({ authorizations }: Seen, { owner, sentAt }: Exchange) => {
  const last = authorizations.findLast(({ at, subject }) => subject === owner && at <= sentAt)
  return last && Scopes.parse(parameterOf(last, "scope") ?? "")
}

// Zapier has refused a part of what a user is shown, because the app has not asked for enough.
const checkRefused = (seen: Seen, exchange: Exchange): string | undefined => {
  const endpoint = endpointOf(exchange)
  const { deed, isStruck, status, subject } = exchange
  if (status !== 403 || isStruck || deed === undefined || endpoint === undefined) return undefined
  const asked = askedBefore(seen, exchange)
  if (asked === undefined || Endpoint.isAllowed(endpoint, asked)) return undefined
  return seen.results.some((result) => result.deed === deed && result.shown === "Data")
    ? `${endpoint} needs a scope that the app has not asked for, and ${subject} is shown the rest as if it were all`
    : undefined
}

/**
 * An app asks for the scopes that it says it needs, and sends nothing that needs others. Where it says nothing, it shows
 * nobody data of which Zapier has refused a part for want of a scope.
 *
 * @since 0.1.0
 */
export const asksForEnough: Rule = {
  name: "The scopes suffice",
  check: (seen) => {
    const { authorizations, exchanges, expected } = seen
    const { scopes } = expected
    if (scopes === undefined) return first(exchanges, (exchange) => checkRefused(seen, exchange))
    const missing = first(authorizations, (authorization) => {
      const asked = Scopes.parse(parameterOf(authorization, "scope") ?? "")
      const scope = scopes.find((scope) => !Scopes.allows(asked, scope))
      return scope && `the app needs the scope ${scope}, and asks for ${asked.join(" ") || "none"}`
    })
    if (missing !== undefined) return missing
    return first(exchanges, (exchange) => {
      const endpoint = endpointOf(exchange)
      if (endpoint === undefined || exchange.accessToken === undefined || Endpoint.isAllowed(endpoint, scopes)) {
        return undefined
      }
      return `${endpoint} needs a scope that is not among those that the app says it needs`
    })
  }
}
