/** The facade over its own transport, which is undici: responses are those of the web. */
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import { once } from "node:events"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import * as ZapierPromise from "../src/ZapierPromise.ts"
import { freePort } from "./utils/freePort.ts"

let server: Server
let zapier: ZapierPromise.ZapierPromise
const rest = Promise.withResolvers<void>()

beforeAll(async () => {
  server = createServer((request, response) => {
    switch (request.url) {
      case "/none":
        return void response.writeHead(204).end()
      case "/moved":
        return void response.writeHead(302, { location: "/none" }).end()
      default:
        response.writeHead(200, { "content-type": "text/plain", "x-kind": "slow" })
        response.write("first ")
        void rest.promise.then(() => response.end("last"))
    }
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  zapier = ZapierPromise.make({
    application: { clientId: "client-1", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] },
    urls: ZapierUrls.at(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    stores: "memory"
  })
})

afterAll(async () => {
  await zapier.close()
  server.close()
})

const get = async (path: string) => {
  const result = await zapier.fetch(path, { credential: Credential.none })
  if (!result.ok) throw new Error(result.error.message)
  return result.value
}

describe("ZapierPromise, over its own transport", () => {
  it("has a response before its body is whole", async () => {
    const response = await get("/slow")
    expect(response).toBeInstanceOf(Response)
    expect([response.status, response.headers.get("x-kind")]).toEqual([200, "slow"])
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    expect((await reader?.read())?.value).toBe("first ")
    rest.resolve()
    expect((await reader?.read())?.value).toBe("last")
    expect((await reader?.read())?.done).toBe(true)
  })

  it("tells a call that never left by its code, with what to look at", async () => {
    const urls = ZapierUrls.at(`http://127.0.0.1:${await freePort()}`)
    const application = { clientId: "a", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] }
    const unreachable = ZapierPromise.make({ application, urls, stores: "memory" })
    expect(await unreachable.fetch("/v1/apps")).toMatchObject({
      ok: false,
      error: {
        _tag: "CallFailed",
        code: "ECONNREFUSED",
        message: expect.stringMatching(
          /^The call never reached Zapier \(ECONNREFUSED\)\. Check .*proxy.*; nothing was sent\.$/
        )
      }
    })
    await unreachable.close()
  })

  it("takes a status that has no body", async () => {
    const response = await get("/none")
    expect([response.status, response.body]).toEqual([204, null])
  })

  it("follows no redirect", async () => {
    const response = await get("/moved")
    expect([response.status, response.headers.get("location")]).toEqual([302, "/none"])
  })
})
