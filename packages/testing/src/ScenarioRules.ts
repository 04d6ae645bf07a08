/**
 * Rules for any app, whatever it is made of: checks over what is seen of it from outside. Where they say what a rule of
 * `Invariants` says of the library's inside, they have its name.
 *
 * @example
 * ```ts
 * import type * as ScenarioRules from "@zapier-workflow-auth/testing/ScenarioRules"
 *
 * // One of your own: nobody sees a defect.
 * export const neverDies: ScenarioRules.Rule = {
 *   name: "Nobody sees a defect",
 *   check: ({ results }) => {
 *     const died = results.find(({ exit }) => exit?._tag === "Failure" && exit.cause.reasons.some(({ _tag }) => _tag === "Die"))
 *     return died && `${died.action} died`
 *   }
 * }
 * ```
 *
 * @since 0.1.0
 */
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import type { Exchange, Result, Seen } from "./ScenarioSeen.ts"

/**
 * What an app must keep to. `check` is asked after every step, and in the end, and says what is wrong, if anything is.
 *
 * @since 0.1.0
 */
export interface Rule {
  readonly name: string
  readonly check: (seen: Seen) => string | undefined
}

const first = <A>(all: ReadonlyArray<A>, tell: (one: A, index: number) => string | undefined): string | undefined => {
  for (const [index, one] of all.entries()) {
    const told = tell(one, index)
    if (told !== undefined) return told
  }
  return undefined
}

/**
 * Nobody is told to connect again who need not: Zapier's last tokens for the user had arrived, and the user had not ended
 * the app's access.
 *
 * @since 0.1.0
 */
export const keepsConnections: Rule = {
  name: "Nobody is told to reconnect who need not",
  check: ({ results }) =>
    first(results, ({ action, after, asksToReconnect, before, subject }) =>
      asksToReconnect && action === "Call" && before === "Good" && after === "Good"
        ? `${subject} was told to reconnect, although the app had been given tokens that Zapier would have taken`
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

// Whether the user had been disconnected before that step, and had not come back.
const isDisconnected = (results: ReadonlyArray<Result>, { owner, step }: Exchange) => {
  const last = results.findLast(
    (result) =>
      result.subject === owner && result.step < step && (result.action === "Disconnect" || result.action === "Consent")
  )
  return last?.action === "Disconnect" && last.exit?._tag === "Success"
}

/**
 * Once a user is disconnected, nothing is sent with that user's tokens any more, until the user has come back.
 *
 * @since 0.1.0
 */
export const disconnectHolds: Rule = {
  name: "Disconnect holds",
  check: ({ exchanges, results }) =>
    first(exchanges, (exchange) => {
      const hasReturned = results.some(
        ({ action, step, subject }) => action === "Consent" && subject === exchange.owner && step === exchange.step
      )
      return exchange.owner !== undefined && !hasReturned && isDisconnected(results, exchange)
        ? `${exchange.owner} had been disconnected, and this was sent: ${exchange.line}`
        : undefined
    })
}

const isOpenAt = (exchange: Exchange, at: number) => exchange.endedAt === undefined || exchange.endedAt > at

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
  if (life === undefined || sentAt >= Tokens.dueAt(life, Infinity)) return undefined
  const isRejected = before.some((other) => other.accessToken === accessToken && other.status === 401)
  return isRejected ? undefined : `${whose} was sent although the access token had more than a tenth of its life left`
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

/**
 * Nobody waits for ever.
 *
 * @since 0.1.0
 */
export const answersEverybody: Rule = {
  name: "Everybody is answered",
  check: ({ results }) =>
    first(results, ({ action, end, subject }) =>
      end === "Waiting" ? `${subject ?? "somebody"} waits for ever (${action})` : undefined
    )
}

const isFailure = ({ end, exit }: Result) => end === "Done" && exit?._tag === "Failure"

/**
 * While nothing goes wrong, users connect, and whoever is connected is served.
 *
 * @since 0.1.0
 */
export const servesUsers: Rule = {
  name: "Users are served while nothing goes wrong",
  check: ({ isTroubled, results }) =>
    isTroubled
      ? undefined
      : first(results, (result) => {
          const { action, after, before, subject } = result
          if (!isFailure(result)) return undefined
          if (action === "Consent") return `${subject} could not connect, although nothing had gone wrong`
          const isServed = action === "Call" && before === "Good" && after === "Good"
          return isServed ? `a call of ${subject} failed, although nothing had gone wrong` : undefined
        })
}

/**
 * All of them.
 *
 * @since 0.1.0
 */
export const all: ReadonlyArray<Rule> = [
  keepsUsersApart,
  disconnectHolds,
  refreshesOnce,
  keepsConnections,
  answersEverybody,
  servesUsers
]
