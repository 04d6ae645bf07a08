/** Over real connections, whatever the transport keeps of a request: nobody who looks finds its credential. */
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type { HttpClient } from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { leaks } from "../../core/test/utils/Leaks.ts"
import * as ZapierNode from "../src/ZapierNode.ts"
import * as ZapierPromise from "../src/ZapierPromise.ts"
import * as Spans from "../../core/test/utils/Spans.ts"

const application = {
  clientId: "client-1",
  clientSecret: "cl1ent-s3cret",
  redirectUris: ["https://acme.example/callback"]
}

const secrets = new Map([
  ["access token", "acc3ss-t0ken"],
  ["client secret", application.clientSecret],
  ["Basic", Buffer.from(`client-1:${application.clientSecret}`).toString("base64")]
])

const hides = (value: unknown) => expect(leaks(value, secrets)).toEqual([])

const server = createServer((request, response) => {
  request.resume()
  switch (request.url) {
    case "/oauth/token/":
      return void response
        .writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify({ access_token: "acc3ss-t0ken", expires_in: 36_000, token_type: "Bearer", scope: "a" }))
    case "/broken":
      response.writeHead(200, { "content-length": "100" }).write("{")
      return void setImmediate(() => response.destroy())
    case "/reset":
      return void response.destroy()
    case "/unavailable":
      return void response.writeHead(503).end("unavailable")
    default:
      return void response.writeHead(200).end("<html>")
  }
})

let urls: ReturnType<typeof ZapierUrls.at>

beforeAll(async () => {
  await once(server.listen(0, "127.0.0.1"), "listening")
  urls = ZapierUrls.at(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})

afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const transports: ReadonlyArray<readonly [string, Layer.Layer<HttpClient> | undefined]> = [
  ["the default", undefined],
  ["fetch", FetchHttpClient.layer],
  ["undici", NodeHttpClient.layerUndici],
  ["node:http", NodeHttpClient.layerNodeHttp]
]

const paths = ["/page", "/unavailable", "/broken", "/reset"]

const app = Credential.app(["a"])

describe.each(transports)("Over %s", (_, httpClient) => {
  it.effect("responses, errors of bodies and of connections, and spans hold no credential", () => {
    const { spans, tracer } = Spans.recording()
    return Effect.gen(function* () {
      const client = (yield* ZapierHttpClient).as(app)
      for (const path of paths) {
        const json = Effect.flatMap(client.get(path), (response) => {
          hides(response)
          return Effect.ensuring(
            response.json,
            Effect.sync(() => hides(response))
          )
        })
        const exit = yield* Effect.exit(Effect.withSpan(json, "the app's own"))
        expect(exit._tag).toBe("Failure")
        hides(exit)
        hides(yield* Effect.exit(Effect.flatMap(client.get(path), ({ stream }) => Stream.runDrain(stream))))
      }
      expect(spans.filter(({ kind }) => kind === "client").length).toBeGreaterThan(2 * paths.length)
      for (const { attributes, events, name, status } of spans) hides([name, attributes, events, status])
    }).pipe(
      Effect.provide(Layer.unwrap(Effect.sync(() => ZapierNode.layerMemory({ application, httpClient, urls })))),
      Effect.provideService(Tracer.Tracer, tracer)
    )
  })

  it("the Promise facade's responses and their errors hold no credential", async () => {
    await using zapier = ZapierPromise.fromLayer(ZapierNode.layerMemory({ application, httpClient, urls }))
    for (const path of paths) {
      const result = await zapier.fetch(path, { credential: app })
      hides(result)
      if (!result.ok) {
        expect([path, result.error._tag]).toEqual(["/reset", "CallFailed"])
        continue
      }
      const { value: response } = result
      expect(response.url).toBe(`${urls.api}${path}`)
      const error: unknown = await response.json().then(
        () => undefined,
        (error: unknown) => error
      )
      expect(error).toBeInstanceOf(Error)
      hides(error)
      hides(response)
    }
  })
})
