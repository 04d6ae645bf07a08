/**
 * Determines which page sent a request. Browsers set `Origin` and `Sec-Fetch-Site` (W3C Fetch Metadata) themselves, and no
 * page can forge them.
 */
import type { HttpServerRequest } from "effect/http/HttpServerRequest"

/**
 * True if a request that changes something comes from the app's own pages. False if the request does not show it.
 *
 * The origin is `null` for a form on a page with the referrer policy `no-referrer` (Fetch standard, section "Append a request
 * `Origin` header"), and for a sandboxed page: `Sec-Fetch-Site` distinguishes them.
 */
export const isOwnPost = ({ headers }: HttpServerRequest, origins: ReadonlyArray<string>): boolean => {
  const origin = headers["origin"] ?? "null"
  return origin === "null" ? headers["sec-fetch-site"] === "same-origin" : origins.includes(origin)
}

/**
 * True if the browser was not sent by one of the app's own pages, but by another site, a sibling host, or no page (`none`): a
 * mail, a chat, a bookmark. False for older browsers, which do not tell.
 */
export const isFromElsewhere = ({ headers }: HttpServerRequest, origins: ReadonlyArray<string>): boolean => {
  const site = headers["sec-fetch-site"]
  if (site === undefined || site === "same-origin") return false
  const referer = headers["referer"] ?? ""
  return !URL.canParse(referer) || !origins.includes(new URL(referer).origin)
}
