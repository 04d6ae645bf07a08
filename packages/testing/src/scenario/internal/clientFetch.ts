/** Makes a `fetch` from an Effect `HttpClient`: its requests take virtual time, and can fail like the network. */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import type { Process } from "./globals.ts"

const toClient = async (request: Request) => {
  const bytes = new Uint8Array(await request.arrayBuffer())
  const sent = HttpClientRequest.make(request.method as "GET")(request.url, {
    headers: Object.fromEntries(request.headers)
  })
  if (bytes.length === 0) return sent
  return HttpClientRequest.bodyUint8Array(sent, bytes, request.headers.get("content-type") ?? "")
}

const codeOf = (cause: unknown) =>
  typeof cause === "object" && cause !== null && "code" in cause ? { code: cause.code } : {}

// The error of `fetch` for a missing response.
const failureOf = (cause: Cause.Cause<unknown>) => {
  const error = Cause.squash(cause)
  if (!HttpClientError.isHttpClientError(error)) return error
  const why = error.reason._tag === "TransportError" ? codeOf(error.reason.cause) : {}
  return new TypeError("fetch failed", { cause: Object.assign(new Error("The connection broke."), why) })
}

/**
 * @param roomOf the room of the calling code
 */
export const make =
  (
    client: HttpClient.HttpClient,
    roomOf: () => { readonly process: Process; readonly context: Context.Context<never> }
  ): typeof globalThis.fetch =>
  async (input, init) => {
    const { context, process } = roomOf()
    const request = new Request(input, init)
    const { signal } = request
    signal.throwIfAborted()
    const sent = await toClient(request)
    const response = Effect.map(client.execute(sent), (response) =>
      Option.getOrElse(HttpClientResponse.toWeb(response), () => new Response(null, { status: response.status }))
    )
    return new Promise((resolve, reject) => {
      const fiber = process.fork(context, response)
      if (fiber === undefined) return
      const hangUp = () => fiber.interruptUnsafe()
      signal.addEventListener("abort", hangUp, { once: true })
      fiber.addObserver((exit: Exit.Exit<Response, unknown>) => {
        signal.removeEventListener("abort", hangUp)
        if (exit._tag === "Success") return resolve(exit.value)
        if (signal.aborted) return reject(signal.reason as Error)
        // Code of an ended process never resumes.
        if (!process.isEnded()) reject(failureOf(exit.cause))
      })
    })
  }
