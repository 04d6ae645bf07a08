/** Tests an app that uses Effect, in virtual time: ten hours pass at once. */
import { assert, it } from "@effect/vitest"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"

const app = { name: "Acme", clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] }

const fake = FakeZapier.layer({ apps: [app] })
const httpClient = Layer.provide(FakeZapier.layerHttpClient, fake)
const layer = Layer.merge(ZapierNode.layerMemory({ application: app, httpClient }), fake)

it.effect("a user stays connected when Zapier is away for a while", () =>
  Effect.gen(function* () {
    const auth = yield* ZapierAuth
    const client = yield* ZapierHttpClient
    const zapier = yield* FakeZapier.FakeZapier
    const call = client.call("GET /v2/zaps", { credential: Credential.user("ada") })

    const { url } = yield* auth.authorizationUrl({ subject: "ada", scopes: ["zap"] })
    yield* auth.handleCallback(yield* zapier.approve(Redacted.value(url)), { subject: "ada" })
    yield* TestClock.adjust("10 hours")

    yield* zapier.addFault({ fault: { _tag: "Unavailable" }, match: { grantType: "refresh_token" } })
    const { reason } = yield* Effect.flip(call)
    assert.strictEqual(reason._tag, "ServiceUnavailable")
    yield* TestClock.adjust("1 minute")
    assert.strictEqual((yield* call).status, 200)
  }).pipe(Effect.provide(layer))
)
