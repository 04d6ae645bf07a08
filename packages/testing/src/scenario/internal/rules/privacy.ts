/** Rules about secrets, and about data of other users. */
import * as Cause from "effect/Cause"
import { markOf, subjects, type Exchange, type Result, type History } from "../../ScenarioHistory.ts"
import { connecting, first, isSettled, type Rule } from "./rule.ts"

const secretIn = ({ secrets }: History, text: string, isMeant: (what: string) => boolean = () => false) => {
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
  // An error's message is not part of its JSON.
  return `${error instanceof Error ? error.message : ""} ${jsonOf(error)}`
}

// These pass through browsers: in redirects, and in the cookie that binds an attempt to a browser.
const isPassing = (what: string) => what.startsWith("a state") || what.startsWith("a code")

/**
 * No token, code, state or secret leaks.
 *
 * The rule searches the app's logs, the results for users, URLs where they do not belong, requests to hosts other than
 * Zapier, and, with `stored`, the app's stores.
 * Cookies and other headers for browsers may contain codes and states, but no token or secret.
 *
 * @since 0.1.0
 */
export const keepsSecrets: Rule = {
  name: "Secrets stay secret",
  check: (history) => {
    const logged = first(history.logs, (log) => {
      const what = secretIn(history, log)
      return what && `${what} is in the app's logs`
    })
    if (logged !== undefined) return logged
    const shown = first(history.authorizations, ({ url }) => {
      const what = secretIn(history, url, (what) => what.startsWith("a state"))
      return what && `${what} is in a URL that a browser was sent to`
    })
    if (shown !== undefined) return shown
    const sent = first(history.exchanges, (exchange) => {
      const carried = exchange.isForZapier ? secretIn(history, exchange.url) : undefined
      if (carried !== undefined) return `${carried} is in the URL of a request to Zapier`
      const host = URL.canParse(exchange.url) ? new URL(exchange.url).hostname : exchange.url
      if (exchange.isForZapier || history.expected.hosts.includes(host)) return undefined
      const what = secretIn(history, sentTo(exchange))
      return what && `${what} was sent to ${host}`
    })
    if (sent !== undefined) return sent
    const kept = first(history.browsings ?? [], ({ headers, method, path }) =>
      first(headers, ([name, value]) => {
        const what = secretIn(history, value, isPassing)
        return what && `${what} is in a header of a response to a browser: ${name} (${method} ${path})`
      })
    )
    if (kept !== undefined) return kept
    const stored = secretIn(history, history.stored ?? "")
    if (stored !== undefined) return `${stored} is in the app's stores in plain text`
    return first(history.results, (result) => {
      const what =
        result.action === "LogIn" || result.action === "Consent" ? undefined : secretIn(history, shownTo(result))
      return what && `${what} is in what ${result.subject ?? "a user"} saw (${result.action})`
    })
  }
}

// True if the user connected another account so recently that outdated data may be shown.
const hasJustSwitched = ({ expected, results }: History, { beganAt, subject }: Result) =>
  results.some(
    (other) =>
      other.subject === subject && connecting.has(other.action) && beganAt - other.endedAt <= expected.showsOldFor
  )

/**
 * Users see no data of another user, nor of an account that they replaced by another. Each account of the fake has its
 * own Zaps, with the account's name in their titles.
 *
 * @since 0.1.0
 */
export const keepsDataApart: Rule = {
  name: "Users see only their own data",
  check: (history) =>
    first(history.results, (result) => {
      const { account, action, subject } = result
      if (subject === undefined) return undefined
      const text = shownTo(result)
      const other = subjects.find(
        (other) => other !== subject && (text.includes(markOf(other)) || text.includes(markOf(other, "other")))
      )
      if (other !== undefined) return `${subject} saw data of ${other} (${action})`
      if (account === undefined || !isSettled(history, result) || hasJustSwitched(history, result)) return undefined
      return text.includes(markOf(subject, account === "own" ? "other" : "own"))
        ? `${subject} saw data of an account that was connected before (${action})`
        : undefined
    })
}
