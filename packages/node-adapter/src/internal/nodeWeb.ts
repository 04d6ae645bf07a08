/** Requests and responses of `node:http` as those of the web. */
import type { IncomingMessage, ServerResponse } from "node:http"

// Another is for none of the routes, and some are no methods of a `Request`.
const methods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST"])

const originOf = (host: string | undefined) => {
  const origin = `http://${host ?? "localhost"}`
  // What is no host is no reason to fail: the routes know the app's own origin.
  return URL.canParse(origin) ? new URL(origin).origin : "http://localhost"
}

// A target may be a whole URL (RFC 9112 section 3.2.2), of which only the path and the query are looked at.
const targetOf = (url: string) => (/^https?:\/\//i.test(url) && URL.canParse(url) ? new URL(url) : undefined)

const headersOf = ({ rawHeaders }: IncomingMessage): Headers => {
  const headers = new Headers()
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const [name = "", value = ""] = rawHeaders.slice(index, index + 2)
    // Those of HTTP/2 that begin with a colon are the method and the target.
    if (!name.startsWith(":")) headers.append(name, value)
  }
  return headers
}

/**
 * The request without its body, which the framework has read or will: none of the routes reads one. `undefined` if it can be for no
 * route. It is aborted when the connection ends before there is a response.
 *
 * @param url the target as it came, with the path that the routes are mounted at
 */
export const toRequest = (incoming: IncomingMessage, response: ServerResponse, url: string): Request | undefined => {
  const { method = "GET" } = incoming
  const { pathname, search } = targetOf(url) ?? { pathname: url, search: "" }
  if (!methods.has(method) || !pathname.startsWith("/")) return undefined
  const gone = new AbortController()
  response.once("close", () => {
    if (!response.writableFinished) gone.abort()
  })
  return new Request(`${originOf(incoming.headers.host)}${pathname}${search}`, {
    method,
    headers: headersOf(incoming),
    signal: gone.signal
  })
}

/** Sends a response. Cookies that others have set stay. */
export const send = async (from: Response, to: ServerResponse): Promise<void> => {
  const body = new Uint8Array(await from.arrayBuffer())
  // Who asked may be gone.
  if (to.headersSent || to.destroyed) return
  to.statusCode = from.status
  for (const [name, value] of from.headers) {
    if (name === "set-cookie") to.appendHeader(name, value)
    else to.setHeader(name, value)
  }
  to.end(body)
}
