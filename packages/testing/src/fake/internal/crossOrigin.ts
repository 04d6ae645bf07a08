/** Cross-origin requests: detects them, and allows them if configured. */
import * as FakeHttp from "../FakeHttp.ts"
import { production } from "./links.ts"

/**
 * True if a page of another origin sent the request, by its browser's `Sec-Fetch-Site` or else `Origin`. Clients other
 * than browsers send neither.
 */
export const isForeign = ({ base = production, headers }: FakeHttp.FakeRequest): boolean => {
  const site = headers["sec-fetch-site"]
  if (site !== undefined) return site !== "none" && site !== "same-origin"
  const origin = headers["origin"]
  const host = headers["host"]
  const own = [new URL(base).origin, ...(host === undefined ? [] : [`http://${host}`, `https://${host}`])]
  return origin !== undefined && !own.includes(origin)
}

/** True for a CORS preflight request (Fetch standard, section 3.3.4). */
export const isPreflight = ({ headers, method }: FakeHttp.FakeRequest): boolean =>
  method === "OPTIONS" && headers["origin"] !== undefined && headers["access-control-request-method"] !== undefined

const names = /^[\w!#$%&'*+.^`|~, -]*$/

/** Allows a page of another origin to send the request. */
export const preflight = ({ headers }: FakeHttp.FakeRequest): FakeHttp.FakeResponse => {
  const asked = headers["access-control-request-headers"] ?? ""
  return {
    status: 204,
    headers: {
      "access-control-allow-origin": "*",
      "access-control-allow-methods": "GET, POST, PATCH, DELETE",
      // A wildcard does not cover `Authorization`.
      "access-control-allow-headers": names.test(asked) ? asked : "",
      vary: "Access-Control-Request-Headers"
    },
    body: ""
  }
}

const exposed = "Retry-After, WWW-Authenticate, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset"

/** Lets a page of another origin read a response. */
export const readable = (response: FakeHttp.FakeResponse): FakeHttp.FakeResponse =>
  response === FakeHttp.networkError
    ? response
    : {
        ...response,
        headers: {
          ...response.headers,
          "access-control-allow-origin": "*",
          "access-control-expose-headers": exposed
        }
      }
