/**
 * Turns an app for Node's HTTP server, such as an Express app, into a handler for `ScenarioPromise`.
 *
 * The handler is a function from `Request` to `Response`. Requests reach the app without a socket.
 *
 * @example
 * ```ts
 * import type { IncomingMessage, ServerResponse } from "node:http"
 * import * as ScenarioNode from "@zapier-workflow-auth/testing/ScenarioNode"
 *
 * // An Express app is such a function, too.
 * const fetch = ScenarioNode.toFetch((request: IncomingMessage, response: ServerResponse) => {
 *   response.end(`You asked for ${request.url}`)
 * })
 *
 * const response = await fetch(new Request("https://acme.example/zaps"))
 * await response.text() // => "You asked for /zaps"
 * ```
 *
 * @since 0.1.0
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import inject from "light-my-request"
import type { Fetch } from "./ScenarioPromise.ts"

const withoutBody: ReadonlySet<number> = new Set([204, 205, 304])

const toResponse = ({ headers, rawPayload, statusCode }: inject.Response): Response => {
  const received = new Headers()
  for (const [name, value] of Object.entries(headers)) {
    for (const one of [value ?? []].flat()) received.append(name, String(one))
  }
  const body = withoutBody.has(statusCode) ? null : new Uint8Array(rawPayload)
  return new Response(body, { status: statusCode, headers: received })
}

/**
 * Makes the function. When the request is aborted, the app's request and response are closed.
 *
 * @since 0.1.0
 */
export const toFetch =
  (listener: (request: IncomingMessage, response: ServerResponse) => unknown): Fetch =>
  async (request) => {
    const { host, pathname, search } = new URL(request.url)
    const payload = Buffer.from(await request.arrayBuffer())
    const response = await inject(listener, {
      method: request.method as "GET",
      url: `${pathname}${search}`,
      headers: { ...Object.fromEntries(request.headers), host, "x-forwarded-proto": "https" },
      ...(payload.length === 0 ? {} : { payload }),
      signal: request.signal
    })
    return toResponse(response)
  }
