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

/** Whether another site's page has sent the browser here. Older browsers do not say. */
export const isFromElsewhere = ({ headers }: HttpServerRequest): boolean => headers["sec-fetch-site"] === "cross-site"
