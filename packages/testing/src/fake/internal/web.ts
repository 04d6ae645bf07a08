/** Delivers the fake's responses, and converts requests and responses from and to those of the Fetch standard. */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FakeHttp from "../FakeHttp.ts"
import type { Handled } from "../FakeOutcome.ts"

export const fromRequest = (request: Request): Effect.Effect<FakeHttp.FakeRequest> =>
  Effect.map(
    Effect.promise(() => request.arrayBuffer()),
    (body) =>
      FakeHttp.request(request.method, request.url, {
        headers: Object.fromEntries(request.headers),
        body: new Uint8Array(body)
      })
  )

export const toResponse = ({ body, headers, status }: FakeHttp.FakeResponse): Response =>
  // Without a body it has no type, and the Fetch standard forbids a body with 204.
  new Response(body === "" ? null : body, { status, headers: { ...headers } })

/** The first bytes of a body, with the headers of the whole. */
export const cut = ({ body, headers }: FakeHttp.FakeResponse, bytes: number) => {
  const all = new TextEncoder().encode(body)
  return { part: all.slice(0, bytes), headers: { ...headers, "content-length": String(all.length) } }
}

/** A response whose body breaks off. */
export const toTruncated = (response: FakeHttp.FakeResponse, bytes: number): Response => {
  const { headers, part } = cut(response, bytes)
  let isSent = part.length === 0
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller) => {
      if (isSent) return controller.error(new TypeError("terminated"))
      isSent = true
      controller.enqueue(part)
    }
  })
  return new Response(body, { status: response.status, headers })
}

/** The error codes of a connection that was closed or reset. */
export const codes = { Closed: "UND_ERR_SOCKET", Reset: "ECONNRESET" } as const

export interface Ways<A, E> {
  readonly responded: (response: FakeHttp.FakeResponse) => Effect.Effect<A, E>
  readonly truncated: (response: FakeHttp.FakeResponse, bytes: number) => Effect.Effect<A, E>
  readonly broken: (how: keyof typeof codes) => Effect.Effect<A, E>
}

export const isAtOnce = ({ delivery }: Pick<Handled, "delivery">): boolean =>
  delivery._tag === "Responded" ? delivery.delay === 0 : delivery._tag !== "Silent"

export const deliver = <A, E>(
  { delivery, response }: Pick<Handled, "delivery" | "response">,
  ways: Ways<A, E>
): Effect.Effect<A, E> => {
  switch (delivery._tag) {
    case "Responded": {
      const responded = ways.responded(response)
      return delivery.delay === 0 ? responded : Effect.delay(responded, delivery.delay)
    }
    case "Truncated":
      return ways.truncated(response, delivery.bytes)
    case "Closed":
    case "Reset":
      return ways.broken(delivery._tag)
    case "Silent":
      return Effect.never
  }
}

/** The error of `fetch` for a missing response. */
const networkError = (code: string): TypeError =>
  new TypeError("fetch failed", { cause: Object.assign(new Error("The connection broke."), { code }) })

const ways: Ways<Response, TypeError> = {
  responded: (response) => Effect.sync(() => toResponse(response)),
  truncated: (response, bytes) => Effect.sync(() => toTruncated(response, bytes)),
  broken: (how) => Effect.fail(networkError(codes[how]))
}

/**
 * The fake as a function like `fetch`.
 * @param context the services to run with, including the clock
 */
export const fetch =
  (
    handle: (request: FakeHttp.FakeRequest) => Effect.Effect<Handled>,
    context: Context.Context<never>
  ): typeof globalThis.fetch =>
  async (input, init) => {
    const request = new Request(input, init)
    const { signal } = request
    signal.throwIfAborted()
    const response = fromRequest(request).pipe(
      Effect.flatMap(handle),
      Effect.flatMap((handled) => deliver(handled, ways))
    )
    const exit = await Effect.runPromiseExitWith(context)(response, { signal })
    if (Exit.isSuccess(exit)) return exit.value
    signal.throwIfAborted()
    throw Cause.squash(exit.cause)
  }
