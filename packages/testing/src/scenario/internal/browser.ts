/** A browser without scripts: it keeps cookies, follows redirects, and says which site initiated a request. */
import * as Cookies from "effect/http/Cookies"

/** The initiator of a navigation: the app itself, or another site, such as Zapier's consent page. */
export type Initiator = "same-origin" | "cross-site"

/** A request that a browser sends. */
export interface Sent {
  readonly method: string
  readonly url: string
  readonly headers?: { readonly [name: string]: string } | undefined
  readonly body?: string | undefined
}

type Jar = ReadonlyArray<Cookies.Cookie>

// RFC 6265bis, section 4.1.3: a prefix in the name is binding; and section 5.6: `None` requires a secure cookie.
const isAllowed = ({ name, options = {} }: Cookies.Cookie) => {
  const isSecure = options.secure === true
  if (name.startsWith("__Host-")) return isSecure && options.path === "/" && options.domain === undefined
  if (name.startsWith("__Secure-") || options.sameSite === "none") return isSecure
  return true
}

// RFC 6265bis, section 5.6.7: without `SameSite` a cookie is treated as `Lax`.
const isSentTo = (method: string, initiator: Initiator) => (cookie: Cookies.Cookie) => {
  if (initiator === "same-origin") return true
  const sameSite = cookie.options?.sameSite ?? "lax"
  return sameSite === "none" || (sameSite === "lax" && method === "GET")
}

/** A browser of a user. */
export interface Browser {
  /** True once the user has signed in with it. */
  isSignedIn: boolean
  /** Makes the request with its cookies. */
  readonly request: (sent: Sent, initiator: Initiator, signal?: AbortSignal) => Request
  /** Keeps the cookies of a response. */
  readonly keep: (url: string, headers: Headers) => void
}

/**
 * A browser without cookies.
 *
 * @param now in milliseconds since the epoch
 */
export const make = (now: () => number): Browser => {
  let jar: Jar = []
  return {
    isSignedIn: false,
    request: ({ body, headers, method, url }, initiator, signal) => {
      const sent = new Headers({
        accept: "text/html,application/json;q=0.9,*/*;q=0.8",
        "sec-fetch-dest": "document",
        "sec-fetch-mode": "navigate",
        "sec-fetch-site": initiator,
        "sec-fetch-user": "?1",
        ...(method === "GET" ? {} : { origin: new URL(url).origin }),
        ...headers
      })
      const cookie = Cookies.toRequestCookieHeader(jar.filter(isSentTo(method, initiator)), url, now())
      if (cookie !== undefined) sent.set("cookie", cookie)
      return new Request(url, {
        method,
        headers: sent,
        redirect: "manual",
        ...(body && { body }),
        ...(signal && { signal })
      })
    },
    keep: (url, headers) => {
      // One by one: two cookies of the same name may have different paths.
      for (const line of headers.getSetCookie()) {
        const cookies = Cookies.fromSetCookie(line)
        if (Object.values(cookies.cookies).every(isAllowed)) jar = Cookies.mergeIntoArray(jar, url, cookies, now())
      }
    }
  }
}

const keepsMethod: ReadonlySet<number> = new Set([307, 308])

/**
 * The request that follows from a redirect.
 *
 * Source: Fetch standard, HTTP-redirect fetch.
 */
export const redirected = (sent: Sent, { headers, status }: Response): Sent | undefined => {
  const location = headers.get("location")
  if (location === null || status < 300 || status > 399 || !URL.canParse(location, sent.url)) return undefined
  const { href: url } = new URL(location, sent.url)
  return keepsMethod.has(status) ? { ...sent, url } : { method: "GET", url }
}
