import { describe, expect, it } from "@effect/vitest"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Playground from "../../../src/cli/playground/serve.ts"

const serving = Effect.gen(function* () {
  const playground = yield* Playground.listen(0)
  const fake = FakeZapier.make({ apps: [Playground.app(playground)] })
  yield* Playground.serve(playground, { fake, fakeOrigin: "http://127.0.0.1:1" })
  const send = (request: HttpClientRequest.HttpClientRequest) =>
    Effect.provide(HttpClient.execute(request), NodeHttpClient.layerNodeHttp)
  return { fake, send, ...playground }
})

const actions = ["call", "calls", "secret", "hours", "lose", "grace", "strict", "end", "revoke", "regenerate", "clear"]

describe("the playground", () => {
  it.live("has its buttons pressed by its own page alone", () =>
    Effect.gen(function* () {
      const { fake, origin, send } = yield* serving
      const before = yield* fake.state
      for (const name of actions) {
        const post = HttpClientRequest.post(`${origin}/actions/${name}`)
        for (const from of ["https://evil.example", "null", origin.replace("127.0.0.1", "localhost")]) {
          expect((yield* send(HttpClientRequest.setHeader(post, "origin", from))).status).toBe(403)
        }
        expect((yield* send(post)).status).toBe(403)
      }
      expect(yield* fake.state).toBe(before)
      const own = HttpClientRequest.setHeader(HttpClientRequest.post(`${origin}/actions/lose`), "origin", origin)
      expect((yield* send(own)).status).toBe(204)
      expect(yield* fake.state).not.toBe(before)
      const unknown = HttpClientRequest.setHeader(
        HttpClientRequest.post(`${origin}/actions/toString`),
        "origin",
        origin
      )
      expect((yield* send(unknown)).status).toBe(404)
    })
  )

  it.live("is known by one name, so that no page of another origin reads it", () =>
    Effect.gen(function* () {
      const { origin, send } = yield* serving
      for (const path of ["/", "/live", "/events", "/zapier/connect", "/zapier/status"]) {
        const get = HttpClientRequest.get(`${origin}${path}`)
        expect((yield* send(HttpClientRequest.setHeader(get, "host", "evil.example"))).status).toBe(403)
      }
      const { headers, status } = yield* send(HttpClientRequest.get(origin))
      expect(status).toBe(200)
      expect(headers["content-security-policy"]).toMatch(/^default-src 'none'; .*frame-ancestors 'none'$/)
    })
  )
})
