/** Rules about what users see. */
import type { Result, History } from "../../ScenarioHistory.ts"
import { first, isSettled, overlaps, troubleOf, why, type Rule } from "./rule.ts"

// True if Zapier meanwhile responded to a request with the user's token, or with a token of no user.
const isAsked = ({ exchanges }: History, result: Result) =>
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

// True if the user saw data a short while ago, and has been connected since.
const wasShown = (history: History, result: Result) =>
  history.results.some(
    (other) =>
      other !== result &&
      other.subject === result.subject &&
      other.shown === "Data" &&
      other.action === "Call" &&
      result.beganAt - other.endedAt <= history.expected.showsOldFor &&
      isAsked(history, other)
  )

// True if the user was disconnected so recently that other processes may not know.
const hasJustLeft = ({ expected, results }: History, { beganAt, subject }: Result) =>
  results.some(
    (other) =>
      other.action === "Disconnect" && other.subject === subject && beganAt - other.endedAt <= expected.disconnectWithin
  )

// How long an app may take to find out why a token was rejected, in milliseconds.
const findsOutWithin = 60_000

// True if the user's access was ended so recently that the app need not know, or a second new token was ended at once.
const hasJustEnded = ({ endings }: History, { before, beganAt, endedAt, subject }: Result) => {
  const lately = endings.filter(
    (ending) => ending.subject === subject && ending.at <= endedAt && beganAt - ending.at <= findsOutWithin
  )
  return before === "Revoked" ? lately.length > 0 : lately.length > 1
}

const checkCall = (history: History, result: Result): string | undefined => {
  const { before, shown, subject } = result
  if (result.action !== "Call" || shown === undefined || shown === "Broken" || !isSettled(history, result))
    return undefined
  const isTroubled = troubleOf(history, result) !== undefined
  if (shown === "TryLater") {
    if (isTroubled || (before === "None" && hasJustLeft(history, result)) || hasJustEnded(history, result))
      return undefined
    return before === "Good"
      ? `${subject} is connected and nothing failed, but was asked to try later: ${why(result.exit)}`
      : `${subject} has to connect and nothing failed, but was asked to try later: ${why(result.exit)}`
  }
  if (shown === "Connect") {
    return before === "Good"
      ? `${subject} was told to connect, although the app has tokens that Zapier accepts: ${why(result.exit)}`
      : undefined
  }
  if (isAsked(history, result)) return undefined
  if (before !== "None" && (isTroubled || wasShown(history, result))) return undefined
  return before === "Good"
    ? `${subject} saw data, although the app requested none from Zapier`
    : `${subject} has to connect, but saw data that Zapier did not return`
}

/**
 * Each call shows the true state of the connection.
 *
 * | the user | sees |
 * |---|---|
 * | is connected | data that Zapier returned now or recently (`showsOldFor`); for a while after a failure
 * (`recoversWithin`), perhaps to try later |
 * | has to connect, or to connect again | that, or, during failures, to try later |
 *
 * @since 0.1.0
 */
export const showsTrueState: Rule = {
  name: "Calls show the true state",
  check: (history) => first(history.results, (result) => checkCall(history, result))
}

/**
 * No user sees a defect, or anything else that the app classifies as broken.
 *
 * @since 0.1.0
 */
export const neverBreaks: Rule = {
  name: "No user sees a defect",
  check: ({ results }) =>
    first(results, ({ action, exit, shown, subject }) =>
      shown === "Broken" ? `${subject ?? "a user"} saw a defect (${action}): ${why(exit)}` : undefined
    )
}

/**
 * Users can connect and disconnect while nothing fails.
 *
 * @since 0.1.0
 */
export const letsUsersConnect: Rule = {
  name: "Users can connect and disconnect",
  check: (history) =>
    first(history.results, (result) => {
      const { action, mustWork, shown, subject } = result
      if (!mustWork || action === "Call" || shown === undefined || shown === "Data") return undefined
      if (troubleOf(history, result) !== undefined) return undefined
      const what = action === "Disconnect" ? "disconnect" : "connect"
      return `${subject} could not ${what}, although nothing failed: ${why(result.exit)}`
    })
}

/**
 * No call waits for ever.
 *
 * @since 0.1.0
 */
export const alwaysResponds: Rule = {
  name: "Every caller gets a result",
  check: ({ exchanges, results }) =>
    first(results, ({ action, actionId, end, subject }) => {
      if (end !== "Waiting") return undefined
      const waits = `${subject ?? "a user"} waits for ever (${action})`
      return exchanges.some((exchange) => exchange.actionId === actionId && exchange.end === "Open")
        ? waits
        : `${waits}; if it is for something outside of virtual time, say for how long with \`turn\``
    })
}
