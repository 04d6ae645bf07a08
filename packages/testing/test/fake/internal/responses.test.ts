import { assert, describe, it } from "@effect/vitest"
import { inspect } from "node:util"
import * as Effect from "effect/Effect"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Stream from "effect/Stream"
import * as FakeHttp from "../../../src/fake/FakeHttp.ts"
import * as Responses from "../../../src/fake/internal/responses.ts"
import * as Web from "../../../src/fake/internal/web.ts"

const request = HttpClientRequest.get("https://zapier.com/v1/profiles/me", { urlParams: { a: "b" } })

const form = { ...FakeHttp.html(200, "a=1&b=%20"), headers: { "content-type": "application/x-www-form-urlencoded" } }

const responses: ReadonlyArray<FakeHttp.FakeResponse> = [
  FakeHttp.json(200, { token: "tok-é" }, { "cache-control": "no-store" }),
  FakeHttp.json(401, { errors: [] }, { "www-authenticate": "Bearer" }),
  { ...FakeHttp.json(200, {}), body: '{"token": ' },
  FakeHttp.html(400, "<p>no</p>"),
  FakeHttp.redirect(302, "https://acme.example/callback?code=c"),
  { status: 204, headers: {}, body: "" },
  form
]

// What a reader gets, or why it does not.
const read = <A>(
  effect: Effect.Effect<A, HttpClientError.HttpClientError>,
  shown: (value: A) => unknown = (value) => value
) => Effect.match(effect, { onSuccess: shown, onFailure: ({ reason }) => reason._tag })

// A body of the web's can be read once.
const readings = (make: () => HttpClientResponse.HttpClientResponse) => {
  const { cookies, headers, remoteAddress, status, url } = make()
  return Effect.all({
    head: Effect.succeed({ cookies, headers: { ...headers }, remoteAddress, status, url }),
    text: read(make().text),
    json: read(make().json),
    arrayBuffer: read(make().arrayBuffer, (buffer) => [...new Uint8Array(buffer)]),
    stream: read(Stream.runCollect(make().stream), (chunks) => chunks.flatMap((chunk) => [...chunk])),
    urlParams: read(make().urlParamsBody, String),
    formData: read(make().formData, (data) => [...data]),
    upgrade: read(make().upgrade)
  })
}

describe("a response of the fake", () => {
  for (const response of responses) {
    it.effect(`reads as the web's does: ${response.status} ${response.body}`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(
          yield* readings(() => Responses.make(request, response)),
          yield* readings(() => HttpClientResponse.fromWeb(request, Web.toResponse(response)))
        )
      })
    )
  }

  it("does not show its body", () => {
    const shown = inspect(Responses.make(request, FakeHttp.json(200, { access_token: "tok-1" })), { depth: 9 })
    assert.notInclude(shown, "tok-1")
    assert.include(shown, "200")
  })
})
