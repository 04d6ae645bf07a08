/** Prints the library's results with only its production install. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import { PostgresClient, RedisClient, ZapierPromise } from "@zapier-workflow-auth/node-adapter"
import * as Bundled from "@zapier-workflow-auth/node-adapter/bundled/ZapierPromise"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"

const server = createServer((request, response) => void request.pipe(response))
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))

const zapier = ZapierPromise.make({
  application: { clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] },
  urls: ZapierUrls.at(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
  stores: { directory: "data" }
})
const status = await zapier.status("ada")
const called = await zapier.fetch("/v1/apps", {
  method: "POST",
  json: "there and back",
  credential: Credential.clientId
})
const body = called.ok ? await called.value.text() : called.error.message
await zapier.close()
server.close()

// It contains the driver.
const bundled = Bundled.make({
  application: { clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] },
  stores: { postgres: "postgres://app@127.0.0.1:1/app" },
  encryption: btoa("0123456789abcdef0123456789abcdef")
})
const started = await bundled.status("ada")
await bundled.close()

const url = Redacted.make("postgres://app@127.0.0.1:1/app")
const postgres = await Effect.runPromise(Effect.flip(Effect.scoped(Layer.build(PostgresClient.layer({ url })))))

const redisUrl = Redacted.make("redis://127.0.0.1:1")
const redis = await Effect.runPromise(Effect.flip(Effect.scoped(Layer.build(RedisClient.layer({ url: redisUrl })))))

const found = {
  state: status.ok ? status.value._tag : status.error.message,
  body,
  postgres: postgres.message,
  redis: redis.message,
  bundled: started.ok ? started.value._tag : started.error._tag
}
process.stdout.write(JSON.stringify(found))
