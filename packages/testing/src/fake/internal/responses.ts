/**
 * Converts the fake's responses to Effect's. A web response has a promise for its body, which would not settle in
 * virtual time; here the body is there already.
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
    // Text, JSON and forms are read from it.
    arrayBuffer: { value: Effect.sync(() => bytes.slice().buffer) },
    ...(body === "" ? {} : { stream: { value: Stream.succeed(bytes) } }),
    // The body may hold secrets.
    toJSON: { value: () => ({ _id: "HttpClientResponse", status }) }
  })
}

/** The error that a platform reports for a connection. */
export const transportError = (request: HttpClientRequest, code: string) =>
  new HttpClientError.HttpClientError({
    reason: new HttpClientError.TransportError({ request, cause: { code } })
  })
