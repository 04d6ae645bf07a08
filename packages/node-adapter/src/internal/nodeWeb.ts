/** Converts requests and responses between `node:http` and web standards. */
import type { IncomingMessage, ServerResponse } from "node:http"

// No route has other methods, and `Request` refuses some of them.
const methods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST"])

const originOf = (host: string | undefined) => {
  const origin = `http://${host ?? "localhost"}`
  // An invalid host must not fail the request: the routes know the app's own origin.
  return URL.canParse(origin) ? new URL(origin).origin : "http://localhost"
}

// A target may be an absolute URL (RFC 9112 section 3.2.2). Only its path and query matter.
const targetOf = (url: string) => (/^https?:\/\//i.test(url) && URL.canParse(url) ? new URL(url) : undefined)

const headersOf = ({ rawHeaders }: IncomingMessage): Headers => {
  const headers = new Headers()
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const [name = "", value = ""] = rawHeaders.slice(index, index + 2)
    // HTTP/2 headers that begin with a colon are the method and the target.
    if (!name.startsWith(":")) headers.append(name, value)
  }
  return headers
}

/**
 * Converts a request, without its body, which the framework may read and no route does. `undefined` if no route can match.
 * The request's signal aborts if the connection ends before the response.
 *
 * @param url the original target, including the path at which the routes are mounted
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

/** Sends a response. Cookies set by others are kept. */
export const send = async (from: Response, to: ServerResponse): Promise<void> => {
  const body = new Uint8Array(await from.arrayBuffer())
  // The client may have disconnected.
  if (to.headersSent || to.destroyed) return
  to.statusCode = from.status
  for (const [name, value] of from.headers) {
    if (name === "set-cookie") to.appendHeader(name, value)
    else to.setHeader(name, value)
  }
  to.end(body)
}
