/**
 * Which page has sent a request. Browsers say so by themselves, and no page can make them say something else: `Origin`, and
 * `Sec-Fetch-Site` (W3C Fetch Metadata).
 */
import type { HttpServerRequest } from "effect/http/HttpServerRequest"

/** Whether a request that changes something comes from the app's own pages. What does not say so does not. */
export const isOwnPost = ({ headers }: HttpServerRequest, origins: ReadonlyArray<string>): boolean => {
  const origin = headers["origin"]
  return origin === undefined ? headers["sec-fetch-site"] === "same-origin" : origins.includes(origin)
}

/**
 * Whether a page that is none of the app's has sent the browser here: one of another site, or of another host beside it.
 * Older browsers do not say.
 */
export const isFromElsewhere = ({ headers }: HttpServerRequest, origins: ReadonlyArray<string>): boolean => {
  const site = headers["sec-fetch-site"]
  if (site !== "cross-site" && site !== "same-site") return false
  const referer = headers["referer"] ?? ""
  return !URL.canParse(referer) || !origins.includes(new URL(referer).origin)
}
