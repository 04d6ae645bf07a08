/**
 * `connect.js`: the script that an app's page opens the popup with. It is a module without imports, for current browsers.
 *
 * The popup counts as closed when its window says so and the user is back at this page: where the popup was cut off from
 * its opener, the window says so while it is still open.
 */
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { messageType } from "./popup.ts"

const source = `/**
 * Connects Zapier in a popup. Call it when the user clicks.
 *
 * Resolves with { outcome, error, status } when the popup has ended:
 * - outcome: "Connected", "Failed" (error says why), "SignedOut", ..., or "Closed" if the popup ended without a word
 * - status: what GET status says now, or undefined if it cannot be asked from here
 *
 * Where the browser allows no popup, this page goes to connect itself, and the promise stays pending.
 */
export const connectZapier = ({ returnTo } = {}) => {
  const url = new URL("connect", import.meta.url)
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
      resolve({ ...result, status: await statusOf() })
    }
    const hear = (data) => {
      if (data?.type !== "${messageType}" || data.id !== id) return
      channel.postMessage({ type: "zapier.popup.heard", id })
      end({ outcome: data.outcome, error: data.error })
    }
    const onMessage = ({ data, origin }) => {
      if (origin === url.origin) hear(data)
    }
    // A popup that closes itself may be seen to be closed before its message is read.
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

/** It is the same for everybody, and any page may load it: it can do no more than a link to `connect`. */
export const response = HttpServerResponse.text(source, {
  contentType: "text/javascript; charset=utf-8",
  headers: {
    "Access-Control-Allow-Origin": "*",
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff"
  }
})
