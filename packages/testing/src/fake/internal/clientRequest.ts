/** Converts an `HttpClient` request for the fake. */
import * as Effect from "effect/Effect"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as FakeHttp from "../FakeHttp.ts"
import * as Web from "./web.ts"

// Bodies that are already bytes take the short way.
export const toFake = (
  request: HttpClientRequest.HttpClientRequest,
  url: URL
): Effect.Effect<FakeHttp.FakeRequest, HttpClientError.HttpClientError> => {
  const { body } = request
  if (body._tag === "Empty" || body._tag === "Uint8Array") {
    const bytes = body._tag === "Empty" ? new Uint8Array() : body.body
    return Effect.succeed(FakeHttp.request(request.method, url.href, { headers: request.headers, body: bytes }))
  }
  return Effect.flatMap(HttpClientRequest.toWeb(request), Web.fromRequest).pipe(
    Effect.mapError(
      (cause) => new HttpClientError.HttpClientError({ reason: new HttpClientError.EncodeError({ request, cause }) })
    )
  )
}
