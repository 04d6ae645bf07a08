/** Rules about users' tokens. */
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import type { Exchange, Life, History } from "../../ScenarioHistory.ts"
import { connecting, first, type Rule } from "./rule.ts"

/**
 * No connection is lost without a fault: an app waits for the response to each refresh.
 *
 * @since 0.1.0
 */
export const wastesNothing: Rule = {
  name: "No connection is lost without a fault",
  check: ({ results }) =>
    first(results, ({ after, before, subject }) =>
      before === "Wasted" || after === "Wasted"
        ? `Zapier refreshed ${subject}'s tokens, but the app stopped waiting for them although nothing failed`
        : undefined
    )
}

/**
 * Requests for a user carry that user's tokens.
 *
 * @since 0.1.0
 */
export const keepsUsersApart: Rule = {
  name: "Requests carry the user's own token",
  check: ({ exchanges }) =>
    first(exchanges, ({ line, owner, subject }) =>
      owner !== undefined && subject !== undefined && owner !== subject
        ? `a request for ${subject} was sent with a token of ${owner}: ${line}`
        : undefined
    )
}

/**
 * After a user disconnected, nothing is sent with that user's tokens until the user returns. Other processes may take a
 * while to learn of it (`disconnectWithin`).
 *
 * @since 0.1.0
 */
export const disconnectHolds: Rule = {
  name: "A disconnect is final",
  check: ({ exchanges, expected, results }) =>
    first(exchanges, ({ line, owner, sentAt }) => {
      if (owner === undefined) return undefined
      const mine = results.filter(({ subject }) => subject === owner)
      const left = mine.findLast(
        ({ action, endedAt, exit }) => action === "Disconnect" && exit?._tag === "Success" && endedAt <= sentAt
      )
      if (left === undefined || sentAt - left.endedAt <= expected.disconnectWithin) return undefined
      const hasReturned = mine.some(
        ({ action, endedAt, step }) => connecting.has(action) && step >= left.step && endedAt >= left.beganAt
      )
      return hasReturned ? undefined : `this was sent after ${owner} was disconnected: ${line}`
    })
}

const isOpenAt = (exchange: Exchange, at: number) => exchange.endedAt === undefined || exchange.endedAt > at

// Most apps refresh in the last tenth, or in the last five minutes.
const fiveMinutes = 300_000

const earliest = ({ expected }: History, life: Life) =>
  expected.expiryMargin === undefined
    ? Math.min(Tokens.dueAt(life, Infinity), life.expiresAt - fiveMinutes)
    : life.expiresAt - expected.expiryMargin

const checkRefresh = (history: History, exchange: Exchange, index: number): string | undefined => {
  const { owner, refreshToken, sentAt } = exchange
  if (refreshToken === undefined) return undefined
  const whose = owner === undefined ? "a refresh token" : `${owner}'s refresh token`
  const before = history.exchanges.slice(0, index)
  const earlier = before.filter((other) => other.refreshToken === refreshToken)
  if (earlier.some((other) => isOpenAt(other, sentAt)))
    return `${whose} was sent while another request with it was open`
  // A server without rotation accepts the same token again.
  const isRotated = earlier.some(({ isGranted, issued }) => isGranted && issued?.refreshToken !== undefined)
  if (isRotated) return `${whose} was sent although the app had received a newer one`
  const made = before.findLast(
    ({ isGranted, issued, refreshToken: sent }) =>
      isGranted && (issued?.refreshToken === refreshToken || sent === refreshToken)
  )
  const accessToken = made?.issued?.accessToken
  const life = accessToken === undefined ? undefined : history.lives.get(accessToken)
  if (life === undefined || sentAt >= earliest(history, life)) return undefined
  const isRejected = before.some((other) => other.accessToken === accessToken && other.status === 401)
  return isRejected ? undefined : `${whose} was sent although the access token was valid for long enough`
}

/**
 * A user's tokens are refreshed once for each expiry: not twice at the same time, not with an outdated refresh token,
 * and not while most of the access token's lifetime is left, unless Zapier has rejected it.
 *
 * @since 0.1.0
 */
export const refreshesOnce: Rule = {
  name: "One refresh for each expiry",
  check: (history) => first(history.exchanges, (exchange, index) => checkRefresh(history, exchange, index))
}
