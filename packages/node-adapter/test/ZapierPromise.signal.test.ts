/** What ends by a signal. */
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import * as Effect from "effect/Effect"
import * as ZapierNode from "../src/ZapierNode.ts"
import * as ZapierPromise from "../src/ZapierPromise.ts"
import { valueOf } from "./utils/valueOf.ts"

const app = {
  clientId: "acme",
  clientSecret: "s3cret",
  redirectUris: ["https://acme.example/zapier/callback"]
}

/** An API whose responses begin and never end. */
const stalling = async () => {
  const closed = Promise.withResolvers<void>()
  const server = createServer((_, response) => {
    response.on("close", () => closed.resolve())
    response.writeHead(200, { "content-type": "text/plain" }).write("begun")
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    closed: closed.promise,
    [Symbol.asyncDispose]: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, "close")
    }
  }
}

const enough = new Error("enough")

describe("a signal", () => {
  it("ends a body that stalls after its headers have come", async () => {
    await using server = await stalling()
    await using zapier = ZapierPromise.make({
      application: app,
      urls: ZapierUrls.at(server.origin),
      stores: "memory"
    })
    const stop = new AbortController()
    const response = valueOf(await zapier.fetch("/v1/apps", { signal: stop.signal }))
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/plain"])
    expect(response.url).toContain(`${server.origin}/v1/apps`)
    const body = response.text()
    stop.abort(enough)
    await expect(body).rejects.toBe(enough)
    await server.closed
  })

  it("ends it where the whole body is read first", async () => {
    await using server = await stalling()
    await using zapier = ZapierPromise.fromLayer(
      ZapierNode.layerMemory({
        application: app,
        urls: ZapierUrls.at(server.origin),
        httpClient: NodeHttpClient.layerUndici
      })
    )
    const stop = new AbortController()
    const call = zapier.fetch("/v1/apps", { signal: stop.signal })
    stop.abort(enough)
    await expect(call).rejects.toBe(enough)
  })

  const calls: {
    readonly [name: string]: (zapier: ZapierPromise.ZapierPromise, signal: AbortSignal) => Promise<unknown>
  } = {
    authorizationUrl: (zapier, signal) => zapier.authorizationUrl({ subject: "ada", scopes: ["zap"], signal }),
    handleCallback: (zapier, signal) => zapier.handleCallback("?code=a&state=b", { subject: "ada", signal }),
    accessToken: (zapier, signal) => zapier.accessToken("ada", { signal }),
    appToken: (zapier, signal) => zapier.appToken(["zap"], { signal }),
    fetch: (zapier, signal) => zapier.fetch("/v1/apps", { signal }),
    status: (zapier, signal) => zapier.status("ada", { signal }),
    disconnect: (zapier, signal) => zapier.disconnect("ada", { signal })
  }

  it.each(Object.keys(calls))("ends %s, before it begins and while it waits", async (name) => {
    await using server = await stalling()
    const application = ClientApplication.layerEffect(Effect.never)
    const zapier = ZapierPromise.make({ application, urls: ZapierUrls.at(server.origin), stores: "memory" })
    const call = calls[name]
    if (call === undefined) throw new Error("there is such a call")
    const stop = new AbortController()
    const waiting = call(zapier, stop.signal)
    stop.abort(enough)
    await expect(waiting).rejects.toBe(enough)
    await expect(call(zapier, stop.signal)).rejects.toBe(enough)
    await zapier.close()
    await expect(call(zapier, stop.signal)).rejects.toBe(enough)
  })
})
