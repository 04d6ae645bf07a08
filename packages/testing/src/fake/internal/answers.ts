/**
 * The fake's responses as Effect's. Those of the web need a promise for their body, which nothing waits for in virtual
 * time: here it is there already.
 */
import * as Effect from "effect/Effect"
import * as HttpClientError from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Stream from "effect/Stream"
import type { FakeResponse } from "../FakeHttp.ts"
import * as Web from "./web.ts"

export const make = (request: HttpClientRequest, response: FakeResponse): HttpClientResponse.HttpClientResponse => {
  const { body, status } = response
  const bytes = new TextEncoder().encode(body)
  return Object.defineProperties(HttpClientResponse.fromWeb(request, Web.toResponse(response)), {
    // Text, JSON and forms are read out of it.
    arrayBuffer: { value: Effect.sync(() => bytes.slice().buffer) },
    ...(body === "" ? {} : { stream: { value: Stream.succeed(bytes) } }),
    // The body may hold secrets.
    toJSON: { value: () => ({ _id: "HttpClientResponse", status }) }
  })
}

/** What a platform says of a connection. */
export const transportError = (request: HttpClientRequest, code: string) =>
  new HttpClientError.HttpClientError({
    reason: new HttpClientError.TransportError({ request, cause: { code } })
  })
