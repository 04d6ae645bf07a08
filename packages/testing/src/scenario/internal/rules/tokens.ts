/** Rules about users' tokens. */
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import type { Exchange, Life, Seen } from "../../ScenarioSeen.ts"
import { connecting, first, type Rule } from "./rule.ts"

/**
 * No connection is lost but by what goes wrong: an app waits for the answer to a refresh that it has sent.
 *
 * @since 0.1.0
 */
export const wastesNothing: Rule = {
  name: "Nothing is lost without trouble",
  check: ({ results }) =>
    first(results, ({ after, before, subject }) =>
      before === "Wasted" || after === "Wasted"
        ? `Zapier has renewed ${subject}'s tokens, and the app had given up waiting for them although nothing went wrong`
        : undefined
    )
}

/**
 * What is done for a user is done with that user's tokens.
 *
 * @since 0.1.0
 */
export const keepsUsersApart: Rule = {
  name: "Nobody is served with the token of another",
  check: ({ exchanges }) =>
    first(exchanges, ({ line, owner, subject }) =>
      owner !== undefined && subject !== undefined && owner !== subject
        ? `a request for ${subject} was sent with what belongs to ${owner}: ${line}`
        : undefined
    )
}

/**
 * Once a user is disconnected, nothing is sent with that user's tokens any more, until the user has come back. An app of
 * several processes may take a while (`disconnectWithin`).
 *
 * @since 0.1.0
 */
export const disconnectHolds: Rule = {
  name: "Disconnect holds",
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
      return hasReturned ? undefined : `${owner} had been disconnected, and this was sent: ${line}`
    })
}

const isOpenAt = (exchange: Exchange, at: number) => exchange.endedAt === undefined || exchange.endedAt > at

// Most renew in the last tenth, or in the last five minutes.
const fiveMinutes = 300_000

const earliest = ({ expected }: Seen, life: Life) =>
  expected.renewsAhead === undefined
    ? Math.min(Tokens.dueAt(life, Infinity), life.expiresAt - fiveMinutes)
    : life.expiresAt - expected.renewsAhead

const checkRefresh = (seen: Seen, exchange: Exchange, index: number): string | undefined => {
  const { owner, refreshToken, sentAt } = exchange
  if (refreshToken === undefined) return undefined
  const whose = owner === undefined ? "a refresh token" : `${owner}'s refresh token`
  const before = seen.exchanges.slice(0, index)
  const earlier = before.filter((other) => other.refreshToken === refreshToken)
  if (earlier.some((other) => isOpenAt(other, sentAt))) return `${whose} was sent while another request with it waited`
  // A server that does not rotate takes the same one again.
  const isRotated = earlier.some(({ isGranted, issued }) => isGranted && issued?.refreshToken !== undefined)
  if (isRotated) return `${whose} was sent although the app had been given a newer one`
  const made = before.findLast(
    ({ isGranted, issued, refreshToken: presented }) =>
      isGranted && (issued?.refreshToken === refreshToken || presented === refreshToken)
  )
  const accessToken = made?.issued?.accessToken
  const life = accessToken === undefined ? undefined : seen.lives.get(accessToken)
  if (life === undefined || sentAt >= earliest(seen, life)) return undefined
  const isRejected = before.some((other) => other.accessToken === accessToken && other.status === 401)
  return isRejected ? undefined : `${whose} was sent although the access token was good for long enough`
}

/**
 * A user's tokens are renewed once for each expiry: not by two at a time, not with a refresh token that was renewed
 * already, and not while most of the access token's life is left, unless Zapier has rejected it.
 *
 * @since 0.1.0
 */
export const refreshesOnce: Rule = {
  name: "One refresh for each expiry",
  check: (seen) => first(seen.exchanges, (exchange, index) => checkRefresh(seen, exchange, index))
}
