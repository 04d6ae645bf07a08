/**
 * Connecting in a popup. The app's page opens `connect?mode=popup`; whatever comes of it, the popup ends with a page that
 * tells the app's page, and closes. It tells the outcome's name, and nothing that is worth anything to anybody else.
 *
 * It tells it in two ways, because neither always works. A message to the opener reaches pages of the app's other origins,
 * too; browsers deliver it only if the opener is of an origin that the app named. A broadcast reaches pages of the same
 * origin even where `Cross-Origin-Opener-Policy`, of the app's page or of Zapier's, has cut the popup off from its opener
 * (HTML Living Standard, sections 7.1.3 and 9.5).
 */
import type { Status } from "@zapier-workflow-auth/core/ZapierAuth"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import type { Script } from "../page.ts"
import type { Outcome, Popup } from "./outcome.ts"

/** The type of the message, as Zapier's own pages have it, and the name of the channel of the broadcast. */
export const messageType = "zapier.popup.close"

/**
 * What came of a popup.
 *
 * @since 0.1.0
 */
export interface PopupResult {
  /** The name of the outcome; `Closed` if the popup ended without one, because the user closed it, for example. */
  readonly outcome: Exclude<Outcome["_tag"], "Disconnected" | "Status" | "Unconfirmed"> | "Closed"
  /** Why, with `Failed` and `StillConnected`. */
  readonly error: ZapierAuthError["reason"]["_tag"] | undefined
  /** What the server says by then; `undefined` if nobody is signed in, or on a page of another origin than the routes. */
  readonly status: (Status & { readonly connected: boolean; readonly needsReconnect: boolean }) | undefined
}

/**
 * The module `connect.js` of the routes, for an app's page that imports it.
 *
 * @since 0.1.0
 */
export interface PopupScript {
  /**
   * Connects in a popup. Call it when the user clicks: browsers allow no popup otherwise. Where one is not allowed, the page
   * itself goes to Zapier, and the promise stays pending. It does not fail.
   *
   * `returnTo` is where the user goes from a popup that stays open, or without one: a path of the app.
   */
  readonly connectZapier: (options?: { readonly returnTo?: string | undefined }) => Promise<PopupResult>
}

const id = /^[\w-]{1,64}$/

/** The name of a popup in the query of `connect`, where one is asked for; empty if it has none. */
export const asked = (query: URLSearchParams): string | undefined => {
  const name = query.get("id") ?? ""
  if (query.get("mode") !== "popup") return undefined
  return id.test(name) ? name : ""
}

/** The least of a query that still asks for one of that name. */
export const queryOf = (name: string): string => `mode=popup${name === "" ? "" : `&id=${name}`}`

// The page reads what it has to say from data, so that the script is always the same, and a digest allows it and no other.
// Where somebody heard the broadcast, there is a page to come back to, and the popup may close.
const source = `(() => {
  const { outcome, error, id, origins } = document.querySelector("main").dataset
  const message = { type: "${messageType}", outcome, ...(error && { error }), ...(id && { id }) }
  const channel = new BroadcastChannel("${messageType}")
  channel.onmessage = ({ data }) => {
    if (data?.type === "zapier.popup.heard" && data.id === id) window.close()
  }
  channel.postMessage(message)
  if (window.opener === null || window.opener.closed) return
  for (const origin of origins.split(" ")) window.opener.postMessage(message, origin)
  window.close()
})()`

/** The SHA-256 of the script. A test says what it is. */
const digest = "sha256-Rt9sUSZunYu6JoD8uOJKAPJBg1AQwfcnNkkX4D+XqzE="

/** The script of the page that a popup ends with. */
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
