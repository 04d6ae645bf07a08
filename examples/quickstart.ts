import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"

const app = { name: "Acme", clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] }
const fake = FakeZapier.layer({ apps: [app] })

const program = Effect.gen(function* () {
  const auth = yield* ZapierAuth
  const zapier = yield* ZapierHttpClient

  // For a user: send the browser to the URL, and handle the callback that it returns to. Then call the API.
  const { url } = yield* auth.authorizationUrl({ subject: "ada", scopes: ["zap"] })
  const callback = yield* (yield* FakeZapier.FakeZapier).approve(Redacted.value(url)) // the fake's user presses "allow"
  yield* auth.handleCallback(callback, { subject: "ada" })
  const zaps = yield* zapier.call("GET /v2/zaps", { credential: Credential.user("ada") })

  // As the app: the library requests the app's token when it is needed.
  const removed = yield* zapier.call("DELETE /v2/promotions/{enrollment_id}", { path: { enrollment_id: "42" } })

  // With the client id.
  const apps = yield* zapier.call("GET /v1/apps")

  yield* Console.log({ zaps: zaps.status, removed: removed.status, apps: apps.status })
})

// For the real Zapier, use ZapierNode.layer(). It reads the app from ZAPIER_CLIENT_ID, ZAPIER_CLIENT_SECRET, ... and
// stores the grants in a database on this machine.
const zapier = ZapierNode.layerMemory({ application: app, httpClient: Layer.provide(FakeZapier.layerHttpClient, fake) })

await Effect.runPromise(Effect.provide(program, Layer.merge(zapier, fake)))
