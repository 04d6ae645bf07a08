/** Requests that another page has sent, and which of them may be read there. */
import * as FakeHttp from "../FakeHttp.ts"
import { production } from "./links.ts"

/**
 * Whether another page has sent a request, as its browser says: in `Sec-Fetch-Site`, or else in `Origin`. What is no browser
 * says neither.
 */
export const isForeign = ({ base = production, headers }: FakeHttp.FakeRequest): boolean => {
  const site = headers["sec-fetch-site"]
  if (site !== undefined) return site !== "none" && site !== "same-origin"
  const origin = headers["origin"]
  const host = headers["host"]
  const own = [new URL(base).origin, ...(host === undefined ? [] : [`http://${host}`, `https://${host}`])]
  return origin !== undefined && !own.includes(origin)
}

/** Whether a browser asks what another page may send (Fetch standard, section 3.3.4). */
export const isPreflight = ({ headers, method }: FakeHttp.FakeRequest): boolean =>
  method === "OPTIONS" && headers["origin"] !== undefined && headers["access-control-request-method"] !== undefined

const names = /^[\w!#$%&'*+.^`|~, -]*$/

/** Allows another page what it means to send. */
export const preflight = ({ headers }: FakeHttp.FakeRequest): FakeHttp.FakeResponse => {
  const asked = headers["access-control-request-headers"] ?? ""
  return {
    status: 204,
    headers: {
      "access-control-allow-origin": "*",
      "access-control-allow-methods": "GET, POST, PATCH, DELETE",
      // A wildcard does not stand for `Authorization`.
      "access-control-allow-headers": names.test(asked) ? asked : "",
      vary: "Access-Control-Request-Headers"
    },
    body: ""
  }
}

const exposed = "Retry-After, WWW-Authenticate, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset"

/** Lets other pages read a response. */
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
