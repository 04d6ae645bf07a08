/** The fake's answers as Effect's responses, whose bodies can be read without a promise: `fromWeb` would need one. */
import * as Effect from "effect/Effect"
import * as Cookies from "effect/http/Cookies"
import * as Headers from "effect/http/Headers"
import * as HttpClientError from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as UrlParams from "effect/http/UrlParams"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import { pipeArguments } from "effect/Pipeable"
import type * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { FakeResponse } from "../FakeHttp.ts"

class Answer extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly [HttpIncomingMessage.TypeId]: typeof HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly [HttpClientResponse.TypeId]: typeof HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly request: HttpClientRequest
  readonly response: FakeResponse

  constructor(request: HttpClientRequest, response: FakeResponse) {
    super()
    this.request = request
    this.response = response
  }

  get url() {
    return this.request.url
  }

  get status() {
    return this.response.status
  }

  get headers() {
    return Headers.fromInput(this.response.headers)
  }

  get cookies() {
    return Cookies.empty
  }

  get remoteAddress() {
    return Option.none()
  }

  get text() {
    return Effect.succeed(this.response.body)
  }

  get json() {
    return Effect.sync((): Schema.Json => JSON.parse(this.response.body))
  }

  get urlParamsBody() {
    return Effect.sync(() => UrlParams.fromInput(new URLSearchParams(this.response.body)))
  }

  get arrayBuffer() {
    return Effect.sync(() => new TextEncoder().encode(this.response.body).buffer)
  }

  get stream() {
    return Stream.succeed(new TextEncoder().encode(this.response.body))
  }

  get formData() {
    return this.unavailable
  }

  get upgrade() {
    return this.unavailable
  }

  get unavailable() {
    const reason = new HttpClientError.DecodeError({ request: this.request, response: this })
    return Effect.fail(new HttpClientError.HttpClientError({ reason }))
  }

  toJSON() {
    return { _id: "HttpClientResponse", status: this.status }
  }

  pipe() {
    // oxlint-disable-next-line prefer-rest-params
    return pipeArguments(this, arguments)
  }
}

export const make = (request: HttpClientRequest, response: FakeResponse): HttpClientResponse.HttpClientResponse =>
  new Answer(request, response)

/** What a platform says of a connection. */
export const transportError = (request: HttpClientRequest, code: string) =>
  new HttpClientError.HttpClientError({
    reason: new HttpClientError.TransportError({ request, cause: { code } })
  })
