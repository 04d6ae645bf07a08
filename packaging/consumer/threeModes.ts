/** The three modes against the fake, on any platform with `fetch` and Web Crypto. */
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import * as MemoryStores from "@zapier-workflow-auth/core/store/MemoryStores"
import * as TokenEndpoint from "@zapier-workflow-auth/core/oauth/TokenEndpoint"
import * as ZapierAuth from "@zapier-workflow-auth/core/ZapierAuth"
import * as ZapierHttpClient from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as FakeZapierPromise from "@zapier-workflow-auth/testing/FakeZapierPromise"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"

const app = { name: "Acme", clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] }

/** The statuses of calls: for the user, again after the token was ended, as the app, and with the client id. */
export const threeModes = (): Promise<ReadonlyArray<number>> => {
  const fake = FakeZapierPromise.make({ apps: [app] })
  const httpClient = Layer.provide(FetchHttpClient.layer, Layer.succeed(FetchHttpClient.Fetch, fake.fetch))
  const zapier = ZapierHttpClient.layer().pipe(
    Layer.provideMerge(ZapierAuth.layer()),
    Layer.provide([TokenEndpoint.layer, MemoryStores.layer]),
    Layer.provide([ClientApplication.layer(app), httpClient]),
    Layer.provide([Digest.layerWebCrypto, SecureRandom.layerWebCrypto])
  )
  const program = Effect.gen(function* () {
    const auth = yield* ZapierAuth.ZapierAuth
    const { call } = yield* ZapierHttpClient.ZapierHttpClient
    const { url } = yield* auth.authorizationUrl({ subject: "ada", scopes: ["zap"] })
    const callback = yield* Effect.promise(() => fake.approve(Redacted.value(url)))
    yield* auth.handleCallback(callback, { subject: "ada" })
    const first = yield* call("GET /v2/zaps", { credential: Credential.user("ada") })
    // Ten hours pass at Zapier: the API rejects the token, and it is refreshed.
    yield* Effect.promise(() => fake.advance("10 hours"))
    const renewed = yield* call("GET /v2/zaps", { credential: Credential.user("ada") })
    // This enrollment does not exist.
    const asApp = yield* call("DELETE /v2/promotions/{enrollment_id}", { path: { enrollment_id: "42" } })
    const withId = yield* call("GET /v1/apps")
    return [first, renewed, asApp, withId].map(({ status }) => status)
  })
  return Effect.runPromise(Effect.provide(program, zapier))
}
