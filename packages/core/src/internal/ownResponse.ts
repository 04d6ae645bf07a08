/** A response that reads as the one below it, and does not lead to the request that was sent. */
import * as Effect from "effect/Effect"
import type { HttpClientError } from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import { pipeArguments } from "effect/Pipeable"
import * as Stream from "effect/Stream"

// By this name Effect's own wrappers of responses are asked for the `Response` of the platform.
const webSource = "~effect/http/HttpClientResponse/WebSource"

/** How a failure to read the body is told, by what `make` was given. */
export type ToOwn<A> = (
  error: HttpClientError,
  by: A,
  response: HttpClientResponse.HttpClientResponse
) => HttpClientError

class OwnResponse<A> extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly request: HttpClientRequest
  // Private to the language: nobody finds them who looks through the properties.
  readonly #below: HttpClientResponse.HttpClientResponse
  readonly #by: A
  readonly #toOwn: ToOwn<A>

  constructor(below: HttpClientResponse.HttpClientResponse, request: HttpClientRequest, by: A, toOwn: ToOwn<A>) {
    super()
    this.request = request
    this.#below = below
    this.#by = by
    this.#toOwn = toOwn
  }

  // Each call has a response: what all have alike is not set for each.
  get [HttpClientResponse.TypeId](): typeof HttpClientResponse.TypeId {
    return HttpClientResponse.TypeId
  }

  get [HttpIncomingMessage.TypeId](): typeof HttpIncomingMessage.TypeId {
    return HttpIncomingMessage.TypeId
  }

  #read<B>(effect: Effect.Effect<B, HttpClientError>): Effect.Effect<B, HttpClientError> {
    return Effect.mapError(effect, (error) => this.#toOwn(error, this.#by, this))
  }

  get url() {
    return this.#below.url
  }

  get status() {
    return this.#below.status
  }

  get headers() {
    return this.#below.headers
  }

  get cookies() {
    return this.#below.cookies
  }

  get remoteAddress() {
    return this.#below.remoteAddress
  }

  get json() {
    return this.#read(this.#below.json)
  }

  get text() {
    return this.#read(this.#below.text)
  }

  get urlParamsBody() {
    return this.#read(this.#below.urlParamsBody)
  }

  get arrayBuffer() {
    return this.#read(this.#below.arrayBuffer)
  }

  get formData() {
    return this.#read(this.#below.formData)
  }

  get upgrade() {
    return this.#read(this.#below.upgrade)
  }

  get stream(): Stream.Stream<Uint8Array, HttpClientError> {
    return Stream.mapError(this.#below.stream, (error) => this.#toOwn(error, this.#by, this))
  }

  [webSource]() {
    return Option.getOrUndefined(HttpClientResponse.toWeb(this.#below))
  }

  toJSON(): unknown {
    const { request, status } = this
    return HttpIncomingMessage.inspect(this, { _id: "HttpClientResponse", request: request.toJSON(), status })
  }

  pipe() {
    // oxlint-disable-next-line prefer-rest-params -- as all of Effect's do
    return pipeArguments(this, arguments)
  }
}

/**
 * The response with another request.
 *
 * @param toOwn what is to be failed with where reading the body fails
 */
export const make = <A>(
  below: HttpClientResponse.HttpClientResponse,
  request: HttpClientRequest,
  by: A,
  toOwn: ToOwn<A>
): HttpClientResponse.HttpClientResponse => new OwnResponse(below, request, by, toOwn)
