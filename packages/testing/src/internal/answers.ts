/**
 * The fake's answers as Effect's responses, whose bodies are there already. `fromWeb` would need a promise for each, and in
 * virtual time nobody waits for one.
 */
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as HttpClientError from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import { pipeArguments } from "effect/Pipeable"
import type * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { FakeResponse } from "../FakeHttp.ts"
import * as Web from "./web.ts"

class Answer extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly [HttpIncomingMessage.TypeId]: typeof HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly [HttpClientResponse.TypeId]: typeof HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly request: HttpClientRequest
  readonly response: FakeResponse
  readonly status: number
  readonly text: Effect.Effect<string>
  readonly remoteAddress = Option.none()
  private fromWeb: HttpClientResponse.HttpClientResponse | undefined

  constructor(request: HttpClientRequest, response: FakeResponse) {
    super()
    this.request = request
    this.response = response
    this.status = response.status
    this.text = Effect.succeed(response.body)
  }

  get headers() {
    return Headers.fromInput(this.response.headers)
  }

  get json() {
    return Effect.try({
      try: (): Schema.Json => (this.response.body === "" ? null : JSON.parse(this.response.body)),
      catch: (cause) => {
        const reason = new HttpClientError.DecodeError({ request: this.request, response: this, cause })
        return new HttpClientError.HttpClientError({ reason })
      }
    })
  }

  get arrayBuffer() {
    return Effect.sync(() => this.bytes.buffer)
  }

  get stream() {
    return this.response.body === "" ? this.web.stream : Stream.succeed(this.bytes)
  }

  private get bytes() {
    return new TextEncoder().encode(this.response.body)
  }

  // What is seldom asked for is the web's.

  private get web(): HttpClientResponse.HttpClientResponse {
    return (this.fromWeb ??= HttpClientResponse.fromWeb(this.request, Web.toResponse(this.response)))
  }

  get url() {
    return this.web.url
  }

  get cookies() {
    return this.web.cookies
  }

  get urlParamsBody() {
    return this.web.urlParamsBody
  }

  get formData() {
    return this.web.formData
  }

  get upgrade() {
    return this.web.upgrade
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
