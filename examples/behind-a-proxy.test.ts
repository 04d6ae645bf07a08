import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { expect, it } from "@effect/vitest"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import * as Effect from "effect/Effect"
import * as Proxy from "../packages/node-adapter/test/utils/Proxy.ts"
import { apps, throughProxy } from "./behind-a-proxy.ts"

const application = { clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] }

it("behind-a-proxy.ts sends each request through the proxy, with a name", async () => {
  const agents: Array<string | undefined> = []
  const server = createServer((request, response) => {
    agents.push(request.headers["user-agent"])
    response.setHeader("content-type", "application/json").end('{"objects":[]}')
  }).listen(0, "127.0.0.1")
  await new Promise((resolve) => server.once("listening", resolve))
  const { port } = server.address() as AddressInfo
  const proxy = await Proxy.start()
  const layer = ZapierNode.layerMemory({
    application,
    urls: ZapierUrls.at(`http://127.0.0.1:${port}`),
    httpClient: throughProxy(`http://127.0.0.1:${proxy.port}`)
  })
  expect(await Effect.runPromise(Effect.provide(apps, layer))).toEqual({ objects: [] })
  expect(proxy.asked).toEqual([`GET http://127.0.0.1:${port}/v1/apps?client_id=abc`])
  expect(agents).toEqual(["acme/1.0"])
  await proxy.close()
  server.close()
})
