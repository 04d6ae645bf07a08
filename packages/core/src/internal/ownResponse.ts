/** A response that delegates to another, but hides the request that was sent. */
import * as Effect from "effect/Effect"
import type { HttpClientError } from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import { pipeArguments } from "effect/Pipeable"
import * as Stream from "effect/Stream"

// Effect's wrappers of responses use this name to get the platform's `Response`.
const webSource = "~effect/http/HttpClientResponse/WebSource"

/** Converts a failure to read the body, with the value that `make` was given. */
export type ToOwn<A> = (
  error: HttpClientError,
  by: A,
  response: HttpClientResponse.HttpClientResponse
) => HttpClientError

class OwnResponse<A> extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly request: HttpClientRequest
  // Private members stay invisible when properties are inspected.
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

  // Getters instead of properties, because each call makes a response.
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
 * Replaces the request of a response.
 *
 * @param toOwn converts errors of reading the body
 */
export const make = <A>(
  below: HttpClientResponse.HttpClientResponse,
  request: HttpClientRequest,
  by: A,
  toOwn: ToOwn<A>
): HttpClientResponse.HttpClientResponse => new OwnResponse(below, request, by, toOwn)
