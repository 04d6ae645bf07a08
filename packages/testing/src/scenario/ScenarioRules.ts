/**
 * Rules for any app, whatever it is made of: checks over what is seen of it from outside. Where they say what a rule of
 * `Invariants` says of the library's inside, they have its name.
 *
 * @example
 * ```ts
 * import type * as ScenarioRules from "@zapier-workflow-auth/testing/scenario/ScenarioRules"
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
import * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
import * as Cause from "effect/Cause"
import * as Hex from "effect/encoding/Hex"
import * as Formatter from "effect/Formatter"
import { errorLine } from "./internal/timeline.ts"
import {
  type Authorization,
  type Exchange,
  type Life,
  markOf,
  type Result,
  type Seen,
  subjects
} from "./ScenarioSeen.ts"

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

// -----------------------------------------------------------------------------
// What users are shown
// -----------------------------------------------------------------------------

const why = (exit: Result["exit"]) => {
  if (exit === undefined) return "nothing"
  return exit._tag === "Success" ? Formatter.format(exit.value) : errorLine(exit.cause)
}

const overlaps = (result: Result, from: number, until: number) => from <= result.endedAt && result.beganAt <= until

// Trouble, and the time that an app has to recover from it.
const troubleOf = ({ expected, troubles }: Seen, result: Result) =>
  troubles.find(({ from, until }) => overlaps(result, from, until + expected.recoversWithin))

const changes: ReadonlySet<Result["action"]> = new Set(["Consent", "Deny", "ComeBack", "Disconnect"])

// While a connection changes, a user may be shown either.
const isSettled = ({ results }: Seen, result: Result) =>
  result.before === result.after &&
  !results.some(
    (other) =>
      other !== result &&
      other.subject === result.subject &&
      changes.has(other.action) &&
      // A step is over before the next begins, perhaps at the same millisecond.
      other.step === result.step &&
      overlaps(other, result.beganAt, result.endedAt)
  )

// Whether Zapier has answered a request with the user's token, or with nobody's, meanwhile.
const isAsked = ({ exchanges }: Seen, result: Result) =>
  exchanges.some(
    ({ accessToken, endedAt = Infinity, isForZapier, owner, refreshToken, sentAt, status = 0, url }) =>
      isForZapier &&
      status >= 200 &&
      status < 300 &&
      refreshToken === undefined &&
      (owner === result.subject ||
        (owner === undefined && (accessToken !== undefined || url.includes("client_id=")))) &&
      overlaps(result, sentAt, endedAt)
  )

// Whether the user was shown data a short while ago, and was connected ever since.
const wasShown = (seen: Seen, result: Result) =>
  seen.results.some(
    (other) =>
      other !== result &&
      other.subject === result.subject &&
      other.shown === "Data" &&
      other.action === "Call" &&
      result.beganAt - other.endedAt <= seen.expected.showsOldFor &&
      isAsked(seen, other)
  )

// Whether the user was disconnected so lately that other processes may not know.
const hasJustLeft = ({ expected, results }: Seen, { beganAt, subject }: Result) =>
  results.some(
    (other) =>
      other.action === "Disconnect" && other.subject === subject && beganAt - other.endedAt <= expected.disconnectWithin
  )

// How long an app may take to find out what has become of a token that it was told is none any more, in milliseconds.
const findsOutWithin = 60_000

// Whether the user's access was ended so lately that the app need not know, or a second new token was ended at once.
const hasJustEnded = ({ endings }: Seen, { before, beganAt, endedAt, subject }: Result) => {
  const lately = endings.filter(
    (ending) => ending.subject === subject && ending.at <= endedAt && beganAt - ending.at <= findsOutWithin
  )
  return before === "Revoked" ? lately.length > 0 : lately.length > 1
}

const checkCall = (seen: Seen, result: Result): string | undefined => {
  const { before, shown, subject } = result
  if (result.action !== "Call" || shown === undefined || shown === "Broken" || !isSettled(seen, result))
    return undefined
  const isTroubled = troubleOf(seen, result) !== undefined
  if (shown === "TryLater") {
    if (isTroubled || (before === "None" && hasJustLeft(seen, result)) || hasJustEnded(seen, result)) return undefined
    return before === "Good"
      ? `${subject} is connected, nothing goes wrong, and still ${subject} is asked to try later: ${why(result.exit)}`
      : `${subject} has to connect, nothing goes wrong, and still ${subject} is asked to try later: ${why(result.exit)}`
  }
  if (shown === "Connect") {
    return before === "Good"
      ? `${subject} is told to connect, although the app was given tokens that Zapier takes: ${why(result.exit)}`
      : undefined
  }
  if (isAsked(seen, result)) return undefined
  if (before !== "None" && (isTroubled || wasShown(seen, result))) return undefined
  return before === "Good"
    ? `${subject} is shown data, and nothing was asked of Zapier for it`
    : `${subject} has to connect, and is shown data all the same: Zapier gave none`
}

/**
 * Each call shows what is so.
 *
 * | the user | is shown |
 * |---|---|
 * | is connected | data that Zapier gave now, or lately (`showsOldFor`); after trouble, for a while (`recoversWithin`), perhaps to try later |
 * | has to connect, or to connect again | that, or in times of trouble to try later |
 *
 * @since 0.1.0
 */
export const tellsWhatIsSo: Rule = {
  name: "Everybody is told what is so",
  check: (seen) => first(seen.results, (result) => checkCall(seen, result))
}

/**
 * Nobody sees what no user should see: a defect, or what the app itself calls broken.
 *
 * @since 0.1.0
 */
export const neverBreaks: Rule = {
  name: "Nobody sees a defect",
  check: ({ results }) =>
    first(results, ({ action, exit, shown, subject }) =>
      shown === "Broken" ? `${subject ?? "somebody"} sees what no user should see (${action}): ${why(exit)}` : undefined
    )
}

/**
 * While nothing goes wrong, users connect and disconnect.
 *
 * @since 0.1.0
 */
export const letsUsersConnect: Rule = {
  name: "Users connect and disconnect while nothing goes wrong",
  check: (seen) =>
    first(seen.results, (result) => {
      const { action, mustWork, shown, subject } = result
      if (!mustWork || action === "Call" || shown === undefined || shown === "Data") return undefined
      if (troubleOf(seen, result) !== undefined) return undefined
      const what = action === "Disconnect" ? "disconnect" : "connect"
      return `${subject} could not ${what}, although nothing had gone wrong: ${why(result.exit)}`
    })
}

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

// -----------------------------------------------------------------------------
// What the app sends
// -----------------------------------------------------------------------------

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

const connecting: ReadonlySet<Result["action"]> = new Set(["Consent", "ComeBack"])

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

const endpointOf = ({ request }: Exchange) => request && Endpoint.match(request.method, request.path)

const bodyOf = ({ request }: Exchange) => Hex.encode(request?.body ?? new Uint8Array())

/**
 * What makes something at Zapier is carried out once for one deed of a user.
 *
 * @since 0.1.0
 */
export const doesOnce: Rule = {
  name: "What makes something is done once",
  check: ({ exchanges, expected }) => {
    const done = new Set<string>()
    return first(exchanges, (exchange) => {
      const endpoint = endpointOf(exchange)
      const { deed, isDone, line } = exchange
      if (deed === undefined || !isDone || endpoint === undefined || !expected.once.includes(endpoint)) return undefined
      const what = `${deed} ${endpoint} ${exchange.url} ${bodyOf(exchange)}`
      if (done.has(what)) return `for one deed of a user this was carried out twice: ${line}`
      done.add(what)
      return undefined
    })
  }
}

/**
 * Who is asked to stay away for a while, does: nothing is sent again by the app itself before `Retry-After` is over.
 *
 * Source: RFC 9110, section 10.2.3.
 *
 * @since 0.1.0
 */
export const keepsRetryAfter: Rule = {
  name: "Retry-After is kept",
  check: ({ exchanges }) =>
    first(exchanges, (exchange, index) => {
      const refused = exchanges
        .slice(0, index)
        .findLast(
          ({ deed, owner, request, retryAfter = 0 }) =>
            deed !== undefined &&
            deed === exchange.deed &&
            owner === exchange.owner &&
            retryAfter > 0 &&
            request?.path === exchange.request?.path &&
            request?.method === exchange.request?.method
        )
      if (refused?.endedAt === undefined || refused.end !== "Answered") return undefined
      const early = refused.endedAt + (refused.retryAfter ?? 0) - exchange.sentAt
      return early > 0 ? `this was sent ${early} ms before Retry-After was over: ${exchange.line}` : undefined
    })
}

const parameterOf = ({ url }: Authorization, name: string) =>
  URL.canParse(url) ? (new URL(url).searchParams.get(name) ?? undefined) : undefined

// So often may something fail within so many milliseconds, for one deed of a user.
const mostFailures = 10
const minute = 60_000

const failsInVain = ({ end, status = 0 }: Exchange) => end === "Lost" || status >= 400

/**
 * What fails is not sent again and again: ten times within a minute at most, for one deed of a user.
 *
 * @since 0.1.0
 */
export const backsOff: Rule = {
  name: "What fails is not sent again and again",
  check: ({ exchanges }) => {
    const failed = new Map<string, Array<number>>()
    return first(exchanges, (exchange) => {
      const { deed, line, request, sentAt } = exchange
      if (deed === undefined || request === undefined || !failsInVain(exchange)) return undefined
      const key = `${deed} ${request.method} ${request.path}`
      const times = (failed.get(key) ?? []).filter((at) => sentAt - at < minute)
      failed.set(key, [...times, sentAt])
      return times.length < mostFailures ? undefined : `this failed more than 10 times within a minute: ${line}`
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

// -----------------------------------------------------------------------------
// What nobody may see
// -----------------------------------------------------------------------------

const secretIn = ({ secrets }: Seen, text: string, isMeant: (what: string) => boolean = () => false) => {
  for (const [secret, what] of secrets) if (text.includes(secret) && !isMeant(what)) return what
  return undefined
}

const decoder = new TextDecoder()

const sentTo = ({ request, url }: Exchange) =>
  [url, ...Object.values(request?.headers ?? {}), decoder.decode(request?.body)].join("\n")

const jsonOf = (value: unknown): string => {
  try {
    return JSON.stringify(value) ?? ""
  } catch {
    return ""
  }
}

const shownTo = ({ exit }: Result): string => {
  if (exit === undefined) return ""
  if (exit._tag === "Success") return jsonOf(exit.value)
  const error = Cause.squash(exit.cause)
  // The message of an error is no part of its JSON.
  return `${error instanceof Error ? error.message : ""} ${jsonOf(error)}`
}

/**
 * No token, code, state or secret is in what the app logs, in what its users are shown, in URLs but where it belongs, in what
 * it sends to others than Zapier, or, if it shows them (`stored`), in its stores.
 *
 * @since 0.1.0
 */
export const keepsSecrets: Rule = {
  name: "Secrets stay secret",
  check: (seen) => {
    const logged = first(seen.logs, (log) => {
      const what = secretIn(seen, log)
      return what && `${what} is in what the app logs`
    })
    if (logged !== undefined) return logged
    const shown = first(seen.authorizations, ({ url }) => {
      const what = secretIn(seen, url, (what) => what.startsWith("a state"))
      return what && `${what} is in the URL that a browser is sent to`
    })
    if (shown !== undefined) return shown
    const sent = first(seen.exchanges, (exchange) => {
      const carried = exchange.isForZapier ? secretIn(seen, exchange.url) : undefined
      if (carried !== undefined) return `${carried} is in the URL of a request to Zapier`
      const host = URL.canParse(exchange.url) ? new URL(exchange.url).hostname : exchange.url
      if (exchange.isForZapier || seen.expected.hosts.includes(host)) return undefined
      const what = secretIn(seen, sentTo(exchange))
      return what && `${what} was sent to ${host}`
    })
    if (sent !== undefined) return sent
    const stored = secretIn(seen, seen.stored ?? "")
    if (stored !== undefined) return `${stored} is in the app's stores, in clear`
    return first(seen.results, (result) => {
      const what =
        result.action === "LogIn" || result.action === "Consent" ? undefined : secretIn(seen, shownTo(result))
      return what && `${what} is in what ${result.subject ?? "somebody"} is shown (${result.action})`
    })
  }
}

// Whether the user has connected another account so lately that what was true before may be shown.
const hasJustSwitched = ({ expected, results }: Seen, { beganAt, subject }: Result) =>
  results.some(
    (other) =>
      other.subject === subject && connecting.has(other.action) && beganAt - other.endedAt <= expected.showsOldFor
  )

/**
 * Nobody is shown what belongs to another: to another user, or to an account that the user has left for another. Each
 * account of the fake has Zaps of its own, with its name in their titles.
 *
 * @since 0.1.0
 */
export const keepsDataApart: Rule = {
  name: "Nobody is shown what belongs to another",
  check: (seen) =>
    first(seen.results, (result) => {
      const { account, action, subject } = result
      if (subject === undefined) return undefined
      const text = shownTo(result)
      const other = subjects.find(
        (other) => other !== subject && (text.includes(markOf(other)) || text.includes(markOf(other, "other")))
      )
      if (other !== undefined) return `${subject} is shown what belongs to ${other} (${action})`
      if (account === undefined || !isSettled(seen, result) || hasJustSwitched(seen, result)) return undefined
      return text.includes(markOf(subject, account === "own" ? "other" : "own"))
        ? `${subject} is shown what belongs to an account that was connected before (${action})`
        : undefined
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
  sendsCodesOnce,
  drawsStates,
  doesOnce,
  wastesNothing,
  keepsSecrets,
  keepsDataApart,
  tellsWhatIsSo,
  letsUsersConnect,
  neverBreaks,
  keepsRetryAfter,
  backsOff,
  asksForEnough,
  answersEverybody
]
