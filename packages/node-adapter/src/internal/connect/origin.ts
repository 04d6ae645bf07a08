/**
 * Which page has sent a request. Browsers say so by themselves, and no page can make them say something else: `Origin`, and
 * `Sec-Fetch-Site` (W3C Fetch Metadata).
 */
import type { HttpServerRequest } from "effect/http/HttpServerRequest"

/**
 * Whether a request that changes something comes from the app's own pages. What does not say so does not.
 *
 * The origin is `null` when a form of a page whose referrer policy is `no-referrer` is sent (Fetch standard, section "Append a
 * request `Origin` header"), and when a sandboxed page sends something: `Sec-Fetch-Site` tells them apart.
 */
export const isOwnPost = ({ headers }: HttpServerRequest, origins: ReadonlyArray<string>): boolean => {
  const origin = headers["origin"] ?? "null"
  return origin === "null" ? headers["sec-fetch-site"] === "same-origin" : origins.includes(origin)
}

/**
 * Whether none of the app's own pages has sent the browser here: a page of another site did, or of another host beside it, or
 * something that is no page (`none`): a mail, a chat, a bookmark. Older browsers do not say.
 */
export const isFromElsewhere = ({ headers }: HttpServerRequest, origins: ReadonlyArray<string>): boolean => {
  const site = headers["sec-fetch-site"]
  if (site === undefined || site === "same-origin") return false
  const referer = headers["referer"] ?? ""
  return !URL.canParse(referer) || !origins.includes(new URL(referer).origin)
}
