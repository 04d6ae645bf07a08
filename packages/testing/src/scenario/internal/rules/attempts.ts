/** Rules about logins and their scopes. */
import * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
import type { Authorization, Exchange, History } from "../../ScenarioHistory.ts"
import { connecting, endpointOf, first, overlaps, parameterOf, type Rule } from "./rule.ts"

/**
 * A code is sent only once, whatever the outcome.
 *
 * Source: RFC 6749, section 4.1.2: sending it again may revoke the tokens that it was exchanged for.
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

// Shorter states can be guessed within a day.
const shortestState = 16

const checkState = (history: History, authorization: Authorization, index: number): string | undefined => {
  const { at, subject } = authorization
  const state = parameterOf(authorization, "state")
  const challenge = parameterOf(authorization, "code_challenge")
  if (state === undefined) return challenge === undefined ? `${subject} was sent to Zapier without a state` : undefined
  if (state.length < shortestState) return `${subject} was sent to Zapier with a state short enough to guess`
  for (const earlier of history.authorizations.slice(0, index)) {
    const isSame = parameterOf(earlier, "state") === state
    if (isSame && earlier.subject !== subject)
      return `${subject} was sent to Zapier with the state of ${earlier.subject}`
    if (isSame && (earlier.usedAt ?? Infinity) <= at) return `${subject} was sent to Zapier with a used state`
    if (!isSame && challenge !== undefined && parameterOf(earlier, "code_challenge") === challenge) {
      return `${subject} was sent to Zapier with the code_challenge of an earlier attempt`
    }
  }
  return undefined
}

/**
 * Each login has its own `state`, or at least PKCE: the state is not short, not another user's, and not used before. A
 * `code_challenge` also belongs to one attempt.
 *
 * Source: RFC 6749, section 10.12; RFC 9700, section 2.1.
 *
 * @since 0.1.0
 */
export const drawsStates: Rule = {
  name: "Each attempt has its own state",
  check: (history) => first(history.authorizations, (authorization, index) => checkState(history, authorization, index))
}

/**
 * A login ends in the browser that began it: a callback in another browser connects no user. An app that only checks
 * which user is signed in declares `expects: { otherBrowsers: true }`.
 *
 * Source: RFC 6749, section 10.12; RFC 9700, section 4.7: `state`, or the verifier of PKCE, is bound to the user agent.
 *
 * @since 0.1.0
 */
export const bindsBrowsers: Rule = {
  name: "A login ends in the browser that began it",
  check: ({ exchanges, expected, results }) =>
    first(results, (result) => {
      const { action, actionId, isElsewhere, step, subject } = result
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
          // Some apps exchange a code in a separate fiber.
          (exchange.actionId === actionId || (owner === subject && isDuring(sentAt)))
      )
        ? `${subject}'s login was completed in a browser that did not begin it`
        : undefined
    })
}

// The scopes that the app last asked for before it sent a request.
const askedBefore = ({ authorizations }: History, { owner, sentAt }: Exchange) => {
  const last = authorizations.findLast(({ at, subject }) => subject === owner && at <= sentAt)
  return last && Scopes.parse(parameterOf(last, "scope") ?? "")
}

// Zapier rejected a part of what a user sees, because the app asked for too few scopes.
const checkRefused = (history: History, exchange: Exchange): string | undefined => {
  const endpoint = endpointOf(exchange)
  const { actionId, hasFault, status, subject } = exchange
  if (status !== 403 || hasFault || actionId === undefined || endpoint === undefined) return undefined
  const asked = askedBefore(history, exchange)
  if (asked === undefined || Endpoint.isAllowed(endpoint, asked)) return undefined
  return history.results.some((result) => result.actionId === actionId && result.shown === "Data")
    ? `${endpoint} needs a scope that the app did not ask for, but ${subject} saw the rest as if it were complete`
    : undefined
}

/**
 * An app asks for the scopes that it declares, and sends no request that needs others. Without a declaration, it must
 * not show incomplete data when Zapier rejected a part for lack of a scope.
 *
 * @since 0.1.0
 */
export const asksForEnough: Rule = {
  name: "The app asks for enough scopes",
  check: (history) => {
    const { authorizations, exchanges, expected } = history
    const { scopes } = expected
    if (scopes === undefined) return first(exchanges, (exchange) => checkRefused(history, exchange))
    const missing = first(authorizations, (authorization) => {
      const asked = Scopes.parse(parameterOf(authorization, "scope") ?? "")
      const scope = scopes.find((scope) => !Scopes.allows(asked, scope))
      return scope && `the app needs the scope ${scope}, but asked for ${asked.join(" ") || "none"}`
    })
    if (missing !== undefined) return missing
    return first(exchanges, (exchange) => {
      const endpoint = endpointOf(exchange)
      if (endpoint === undefined || exchange.accessToken === undefined || Endpoint.isAllowed(endpoint, scopes)) {
        return undefined
      }
      return `${endpoint} needs a scope that the app did not declare`
    })
  }
}
