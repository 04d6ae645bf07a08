/** Rules about what users are shown. */
import type { Result, Seen } from "../../ScenarioSeen.ts"
import { first, isSettled, overlaps, troubleOf, why, type Rule } from "./rule.ts"

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
 * Nobody waits for ever.
 *
 * @since 0.1.0
 */
export const answersEverybody: Rule = {
  name: "Everybody is answered",
  check: ({ exchanges, results }) =>
    first(results, ({ action, deed, end, subject }) => {
      if (end !== "Waiting") return undefined
      const waits = `${subject ?? "somebody"} waits for ever (${action})`
      return exchanges.some((exchange) => exchange.deed === deed && exchange.end === "Open")
        ? waits
        : `${waits}; if it is for something outside of virtual time, say for how long with \`turn\``
    })
}
