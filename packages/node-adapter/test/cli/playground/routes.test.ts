import { describe, expect, it } from "@effect/vitest"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as PlaygroundWorld from "../../utils/PlaygroundWorld.ts"

const serving = Effect.map(PlaygroundWorld.serving, (world) => ({
  ...world,
  send: (request: HttpClientRequest.HttpClientRequest) =>
    Effect.provide(HttpClient.execute(request), NodeHttpClient.layerNodeHttp)
}))

const actions = [
  "call",
  "calls",
  "clear",
  "disconnect",
  "end",
  "hours",
  "lose",
  "minute",
  "regenerate",
  "revoke",
  "secret"
]

describe("the playground", () => {
  it.live("has its buttons pressed by its own page alone", () =>
    Effect.gen(function* () {
      const { fake, origin, send } = yield* serving
      const before = yield* fake.state
      for (const path of [...actions.map((name) => `actions/${name}`), "stories/hours"]) {
        const post = HttpClientRequest.post(`${origin}/${path}`)
        for (const from of ["https://evil.example", "null", origin.replace("127.0.0.1", "localhost")]) {
          expect((yield* send(HttpClientRequest.setHeader(post, "origin", from))).status).toBe(403)
        }
        expect((yield* send(post)).status).toBe(403)
      }
      expect(yield* fake.state).toBe(before)
      const press = (path: string) =>
        send(HttpClientRequest.setHeader(HttpClientRequest.post(`${origin}/${path}`), "origin", origin))
      expect((yield* press("actions/lose")).status).toBe(204)
      expect(yield* fake.state).not.toBe(before)
      for (const path of ["actions/toString", "stories/toString"]) expect((yield* press(path)).status).toBe(404)
    })
  )

  it.live("says why a button does nothing", () =>
    Effect.gen(function* () {
      const { origin, send } = yield* serving
      const press = (name: string) =>
        send(HttpClientRequest.setHeader(HttpClientRequest.post(`${origin}/actions/${name}`), "origin", origin))
      for (const [name, why] of [
        ["call", "Connect Zapier first."],
        ["disconnect", "There is no connection to delete."],
        ["secret", "The app has the current secret. Regenerate it first."],
        ["revoke", "Zapier has no connection of this app."]
      ] as const) {
        const { status, text } = yield* press(name)
        expect([status, yield* text]).toEqual([409, why])
      }
    })
  )

  it.live("is known by one name, so that no page of another origin reads it", () =>
    Effect.gen(function* () {
      const { origin, send } = yield* serving
      for (const path of ["/", "/play", "/events", "/control", "/zapier/connect", "/zapier/status"]) {
        const get = HttpClientRequest.get(`${origin}${path}`)
        expect((yield* send(HttpClientRequest.setHeader(get, "host", "evil.example"))).status).toBe(403)
      }
      const { headers, status } = yield* send(HttpClientRequest.get(origin))
      expect(status).toBe(200)
      expect(headers["content-security-policy"]).toMatch(/^default-src 'none'; .*frame-ancestors 'none'$/)
    })
  )
})
