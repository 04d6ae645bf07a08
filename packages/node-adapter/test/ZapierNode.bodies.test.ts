/** Bodies without end, over real connections: how much of them is read, and whether their connection is let go. */
import { once } from "node:events"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type { HttpClient } from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as ZapierNode from "../src/ZapierNode.ts"

const megabyte = Buffer.alloc(1024 * 1024, " ")

/** 100 MB, as fast as they are read. */
const long = (response: ServerResponse, wrote: (bytes: number) => void) => {
  let left = 100
  const go = () => {
    while (left-- > 0 && !response.destroyed) {
      wrote(megabyte.length)
      if (!response.write(megabyte)) return void response.once("drain", go)
    }
    response.end()
  }
  go()
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void

const listen = (answer: Answer) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const server = createServer(answer)
      await once(server.listen(0, "127.0.0.1"), "listening")
      const { port } = server.address() as AddressInfo
      return { server, origin: `http://127.0.0.1:${port}` }
    }),
    ({ server }) =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )

const clients: ReadonlyArray<readonly [string, Layer.Layer<HttpClient>]> = [
  ["fetch", FetchHttpClient.layer],
  ["undici", NodeHttpClient.layerUndici],
  ["undici with one connection", NodeHttpClient.layerUndiciOptions({ connections: 1 })]
]

const application = { clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] }

const layer = (httpClient: Layer.Layer<HttpClient>, origin: { readonly token: string; readonly api: string }) => {
  const urls = { ...ZapierUrls.at(origin.token), api: origin.api }
  return ZapierNode.layerMemory({ application, httpClient, urls, settings: { retryFor: 0 } })
}

const token = JSON.stringify({ access_token: "acc3ss", token_type: "Bearer" })

describe("a body without end", () => {
  it.live.each(clients)("of a token response is read no further than it may be: %s", ([, httpClient]) =>
    Effect.gen(function* () {
      let written = 0
      const { origin } = yield* listen((_, response) => long(response, (bytes) => (written += bytes)))
      const asked = ZapierAuth.use((auth) => auth.appToken(["external"]))
      const { reason } = yield* Effect.flip(asked).pipe(
        Effect.provide(layer(httpClient, { token: origin, api: origin }))
      )
      assert.deepInclude(reason, { _tag: "MalformedResponse", problem: "it is longer than 64 kB" })
      // What sockets and streams hold between the two sides.
      assert.isBelow(written, 30 * megabyte.length)
    }).pipe(Effect.scoped)
  )

  // A moment of real time, which the clock of the test follows.
  const turn = Effect.andThen(
    Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve))),
    TestClock.adjust("10 millis")
  )

  it.effect.each(clients)("of a 401 does not keep its call, or its connection: %s", ([, httpClient]) =>
    Effect.gen(function* () {
      let calls = 0
      const closed = Promise.withResolvers<void>()
      const tokens = yield* listen((_, response) => void response.end(token))
      const api = yield* listen((_, response) => {
        if (calls++ > 0) return void response.end("{}")
        response.on("close", closed.resolve)
        response.writeHead(401).write(" ")
      })
      const call = ZapierHttpClient.use((zapier) =>
        zapier.call("DELETE /v2/promotions/{enrollment_id}", { path: { enrollment_id: "1" } })
      )
      const zapier = yield* Layer.build(layer(httpClient, { token: tokens.origin, api: api.origin }))
      const fiber = yield* Effect.forkChild(Effect.provideContext(call, zapier), { startImmediately: true })
      while (fiber.pollUnsafe() === undefined) yield* turn
      assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
      yield* TestClock.adjust("1 second")
      yield* Effect.promise(() => closed.promise)
    }).pipe(Effect.scoped)
  )
})
