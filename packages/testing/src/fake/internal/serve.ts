/** Serves the fake over HTTP, on any platform. */
import * as Effect from "effect/Effect"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpServer from "effect/http/HttpServer"
import type { HttpServerError } from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import * as FakeHttp from "../FakeHttp.ts"
import type { Handled } from "../FakeOutcome.ts"
import * as Faults from "./faults.ts"
import * as Front from "./pages/front.ts"
import * as ServedAt from "./servedAt.ts"
import * as Web from "./web.ts"

const whole = ({ body, headers, status }: FakeHttp.FakeResponse): HttpServerResponse.HttpServerResponse =>
  body === ""
    ? HttpServerResponse.empty({ status, headers })
    : HttpServerResponse.text(body, { status, headers, contentType: headers["content-type"] })

// Platforms close the connection if a body fails: without any of it yet, before the response begins. An interruption is
// not reported as an error.
const breaksOff = Stream.fromEffect(Effect.interrupt)

const truncated = (response: FakeHttp.FakeResponse, bytes: number): HttpServerResponse.HttpServerResponse => {
  const { headers, part } = Web.cut(response, bytes)
  // The written bytes have to be on their way before the connection closes.
  const body = Stream.concat(Stream.succeed(part), Stream.drain(Stream.fromEffect(Effect.yieldNow)))
  return HttpServerResponse.stream(Stream.concat(body, breaksOff), { status: response.status, headers })
}

// Only the socket can be reset, and not every platform has one.
const resetSocket = ({ source }: HttpServerRequest.HttpServerRequest) =>
  Effect.sync(() => {
    const socket = Predicate.hasProperty(source, "socket") ? source.socket : undefined
    if (Predicate.hasProperty(socket, "resetAndDestroy") && Predicate.isFunction(socket.resetAndDestroy)) {
      socket.resetAndDestroy()
    }
  })

const broken = HttpServerResponse.stream(breaksOff)

// Waiting for a body that was not announced takes longer than the response.
const hasBody = ({ headers, method }: HttpServerRequest.HttpServerRequest): boolean =>
  method !== "GET" || headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined

/** Handles a request, and says how to deliver the response. */
export type Handle = (request: FakeHttp.FakeRequest) => Effect.Effect<Pick<Handled, "response" | "delivery">>

const serve = Effect.fnUntraced(function* (
  handle: Handle,
  front: Front.Options,
  closing: Effect.Effect<void>
): Effect.fn.Return<
  HttpServerResponse.HttpServerResponse,
  HttpServerError,
  HttpServer.HttpServer | HttpServerRequest.HttpServerRequest
> {
  const request = yield* HttpServerRequest.HttpServerRequest
  const body = hasBody(request) ? yield* request.arrayBuffer : new ArrayBuffer()
  const { address } = yield* HttpServer.HttpServer
  const asked = FakeHttp.request(request.method, request.url, {
    headers: request.headers,
    body: new Uint8Array(body),
    address: Option.getOrUndefined(request.remoteAddress),
    base: ServedAt.baseOf(request, address)
  })
  const handled = Front.isFront(asked)
    ? { response: Front.page(asked, front), delivery: Faults.atOnce }
    : yield* handle(asked)
  const delivered = Web.deliver(handled, {
    responded: (response) => Effect.succeed(whole(response)),
    truncated: (response, bytes) => Effect.succeed(truncated(response, bytes)),
    broken: (how) => Effect.as(how === "Reset" ? resetSocket(request) : Effect.void, broken)
  })
  // A server handles requests uninterruptibly, but a client may give up waiting.
  return Web.isAtOnce(handled)
    ? yield* delivered
    : yield* Effect.interruptible(Effect.raceFirst(delivered, Effect.as(closing, broken)))
})

/**
 * Serves until the scope closes: clients that still wait then lose the connection.
 */
export const listen = Effect.fnUntraced(function* (handle: Handle, front: Front.Options) {
  const closing = yield* Latch.make()
  // Zapier's spans are not part of the app's traces.
  yield* HttpServer.serveEffect(serve(handle, front, closing.await)).pipe(
    Effect.provideService(HttpMiddleware.TracerDisabledWhen, () => true)
  )
  // It runs before the server waits for its connections to end.
  yield* Effect.addFinalizer(() => closing.open)
})
