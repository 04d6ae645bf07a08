/**
 * `connect.js`: the script with which an app's page opens the popup. A module without imports, for current browsers.
 *
 * The popup counts as closed only when its window reports it and the user is back on this page: a popup that was cut off
 * from its opener reports it while still open.
 */
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { messageType } from "./popup.ts"

const source = `/**
 * Connects Zapier in a popup, or with White Label an app. Call it when the user clicks.
 *
 * Resolves with { outcome, error, status } when the popup has ended:
 * - outcome: "Connected" or "AppConnected", "Failed" (error says why), "SignedOut", ..., or "Closed" if the popup ended without a result
 * - status: the response of GET status, or undefined if it cannot be fetched from here
 *
 * If the browser blocks the popup, this page itself goes to connect, and the promise stays pending.
 */
export const connectZapier = ({ app, reconnectId, returnTo } = {}) => {
  const url = new URL(app === undefined ? "connect" : "connections/connect", import.meta.url)
  if (app !== undefined) url.searchParams.set("app", app)
  if (reconnectId !== undefined) url.searchParams.set("reconnect_id", reconnectId)
  if (returnTo !== undefined) url.searchParams.set("return", returnTo)
  const id = crypto.getRandomValues(new Uint32Array(4)).join("-")
  const inPopup = new URL(url)
  inPopup.searchParams.set("mode", "popup")
  inPopup.searchParams.set("id", id)
  const [width, height] = [600, 760]
  const left = Math.round(window.screenX + (window.outerWidth - width) / 2)
  const top = Math.round(window.screenY + (window.outerHeight - height) / 2)
  const popup = window.open(inPopup, "zapier-connect", \`popup,width=\${width},height=\${height},left=\${left},top=\${top}\`)
  return new Promise((resolve) => {
    if (popup === null) return window.location.assign(url)
    popup.focus()
    const channel = new BroadcastChannel("${messageType}")
    const end = async (result) => {
      stop()
      resolve({ ...result, status: app === undefined ? await statusOf() : undefined })
    }
    const hear = (data) => {
      if (data?.type !== "${messageType}" || data.id !== id) return
      channel.postMessage({ type: "zapier.popup.received", id })
      end({ outcome: data.outcome, error: data.error })
    }
    const onMessage = ({ data, origin }) => {
      if (origin === url.origin) hear(data)
    }
    // A popup that closes itself may look closed before its message arrives.
    let ticks = 0
    const watch = setInterval(() => {
      ticks = popup.closed && document.hasFocus() ? ticks + 1 : 0
      if (ticks > 3) end({ outcome: "Closed" })
    }, 250)
    const stop = () => {
      clearInterval(watch)
      window.removeEventListener("message", onMessage)
      channel.close()
    }
    window.addEventListener("message", onMessage)
    channel.onmessage = ({ data }) => hear(data)
  })
}

const statusOf = async () => {
  const url = new URL("status", import.meta.url)
  if (url.origin !== window.location.origin) return undefined
  try {
    const response = await fetch(url, { headers: { accept: "application/json" }, cache: "no-store" })
    return response.ok ? await response.json() : undefined
  } catch {
    return undefined
  }
}
`

/** The script is the same for everyone, and any page may load it: it can do no more than a link to `connect`. */
export const response = HttpServerResponse.text(source, {
  contentType: "text/javascript; charset=utf-8",
  headers: {
    "Access-Control-Allow-Origin": "*",
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff"
  }
})
