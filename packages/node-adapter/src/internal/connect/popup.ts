/**
 * Connects in a popup. The app's page opens `connect?mode=popup`; in any outcome, the popup ends with a page that reports to
 * the app's page and closes. It reports only the outcome's name, which is of no use to others.
 *
 * It reports in two ways, because neither always works. A message to the opener also reaches pages of the app's other
 * origins; browsers deliver it only if the opener's origin is one that the app listed. A broadcast reaches pages of the same
 * origin even if `Cross-Origin-Opener-Policy`, of the app's page or of Zapier's, has cut the popup off from its opener (HTML
 * Living Standard, sections 7.1.3 and 9.5).
 */
import type { Status } from "@zapier-workflow-auth/core/ZapierAuth"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import type { Script } from "../page.ts"
import type { Outcome, Popup } from "./outcome.ts"

/** The message's type, the same as in Zapier's own pages, and the name of the broadcast channel. */
export const messageType = "zapier.popup.close"

/**
 * The result of a popup.
 *
 * @since 0.1.0
 */
export interface PopupResult {
  /** The name of the outcome; `Closed` if the popup ended without one, for example because the user closed it. */
  readonly outcome: Exclude<Outcome["_tag"], "Disconnected" | "Status" | "Unconfirmed"> | "Closed"
  /** The reason, for `Failed` and `StillConnected`. */
  readonly error: ZapierAuthError["reason"]["_tag"] | undefined
  /** The server's status afterwards; `undefined` if the user is signed out, an app was connected, or the origins differ. */
  readonly status: (Status & { readonly connected: boolean; readonly needsReconnect: boolean }) | undefined
}

/**
 * The module `connect.js` of the routes, for pages that import it.
 *
 * @since 0.1.0
 */
export interface PopupScript {
  /**
   * Connects in a popup. Call it on the user's click, because browsers block other popups. If the popup is blocked, the page
   * itself goes to Zapier, and the promise stays pending. It never rejects.
   *
   * `returnTo` is the return address for a popup that stays open, or if there is none: a path of the app. With White Label,
   * `app` is the app to connect, such as `SlackCLIAPI`, and `reconnectId` the id of a connection to renew.
   */
  readonly connectZapier: (options?: {
    readonly app?: string | undefined
    readonly reconnectId?: string | undefined
    readonly returnTo?: string | undefined
  }) => Promise<PopupResult>
}

const id = /^[\w-]{1,64}$/

/** The id in the query of `connect`, possibly empty; `undefined` if no popup is requested. */
export const asked = (query: URLSearchParams): string | undefined => {
  const name = query.get("id") ?? ""
  if (query.get("mode") !== "popup") return undefined
  return id.test(name) ? name : ""
}

/** The minimal query that requests a popup with that id. */
export const queryOf = (name: string): string => `mode=popup${name === "" ? "" : `&id=${name}`}`

// The script reads its message from data attributes, so that it never changes and its digest can be allowed. If the
// broadcast was received, the app's page is open, and the popup may close.
const source = `(() => {
  const { outcome, error, id, origins } = document.querySelector("main").dataset
  const message = { type: "${messageType}", outcome, ...(error && { error }), ...(id && { id }) }
  const channel = new BroadcastChannel("${messageType}")
  channel.onmessage = ({ data }) => {
    if (data?.type === "zapier.popup.received" && data.id === id) window.close()
  }
  channel.postMessage(message)
  if (window.opener === null || window.opener.closed) return
  for (const origin of origins.split(" ")) window.opener.postMessage(message, origin)
  window.close()
})()`

/** The SHA-256 of the script. A test checks it. */
const digest = "sha256-bMF+po3DyoO9zIOMzAmVr3Mb6v3slkM9KY0P6zeeuCQ="

/** The script of a popup's last page. */
export const script = (outcome: Outcome, { id, origins }: Popup): Script => ({
  source,
  digest,
  data: {
    "data-outcome": outcome._tag,
    "data-error": "error" in outcome ? outcome.error.reason._tag : "",
    "data-id": id,
    "data-origins": origins.join(" ")
  }
})
