/**
 * Describes the page that a browser reached in an app with routes.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import { markOf, type Shown, type Subject } from "./ScenarioHistory.ts"

/**
 * A page of the app, or a redirect that was not followed. It contains no query of its URL and no cookies.
 *
 * @since 0.1.0
 */
export class Page extends Data.Class<{
  /** The user's action: begin to connect, come back, look at the page, disconnect, or one of `actions`. */
  readonly action: "LogIn" | "ComeBack" | "Call" | "Disconnect" | "Act"
  readonly method: string
  readonly path: string
  readonly status: number
  /** The content type, without parameters. */
  readonly type: string
  readonly text: string
  /** True if the browser was redirected to the route that connects, or to Zapier. */
  readonly leadsToConnect: boolean
  /** True if the text contains the path of the route that connects. */
  readonly linksToConnect: boolean
}> {
  /** Describes the page in one line. */
  override toString(): string {
    const { method, path, status, text, type } = this
    const words = text.replaceAll(/\s+/g, " ").trim()
    const begin = words.length > most ? `${words.slice(0, most)}…` : words
    return `${method} ${path} -> ${[status, type, begin].join(" ").trim()}`
  }
}

// Enough characters to recognize a page.
const most = 120

const later: ReadonlySet<number> = new Set([429, 502, 503, 504])

const refusing: ReadonlySet<number> = new Set([401, 403, 409])

const hasDataOf = (text: string, subject: Subject) =>
  text.includes(markOf(subject)) || text.includes(markOf(subject, "other"))

/**
 * Classifies a page, unless the app does so itself.
 *
 * | page | shows |
 * |---|---|
 * | a redirect to the route that connects, or to Zapier | `Connect` |
 * | 401, 403 or 409 with a link to it, or with the word `connect` | `Connect` |
 * | 2xx with a link to it, and with none of the user's Zaps | `Connect` |
 * | any other 2xx or 3xx | `Data` |
 * | 429, 502, 503, 504, and any other 4xx | `TryLater` |
 * | 500 that is a page with a link: an error that the app handles | `TryLater` |
 * | any other 5xx | `Broken` |
 *
 * @param subject the user of the page
 *
 * @example
 * ```ts
 * import * as ScenarioPage from "@zapier-workflow-auth/testing/scenario/ScenarioPage"
 *
 * const page = new ScenarioPage.Page({
 *   action: "Call",
 *   method: "GET",
 *   path: "/zaps",
 *   status: 409,
 *   type: "application/json",
 *   text: '{"error":"connect_zapier"}',
 *   leadsToConnect: false,
 *   linksToConnect: false
 * })
 *
 * ScenarioPage.byDefault(page, "ada") // => "Connect"
 * ```
 *
 * @since 0.1.0
 */
export const byDefault = (
  { leadsToConnect, linksToConnect, status, text, type }: Page,
  subject: Subject | undefined
): Shown => {
  if (leadsToConnect) return "Connect"
  if (later.has(status)) return "TryLater"
  // A framework's page for a defect has no links.
  if (status >= 500) return status === 500 && type === "text/html" && text.includes("<a ") ? "TryLater" : "Broken"
  if (refusing.has(status) && (linksToConnect || /connect/i.test(text))) return "Connect"
  if (status >= 400) return "TryLater"
  return linksToConnect && (subject === undefined || !hasDataOf(text, subject)) ? "Connect" : "Data"
}
