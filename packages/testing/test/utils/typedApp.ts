/** An app with the typed client, over a fake in memory. */
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as TokenEndpoint from "@zapier-workflow-auth/core/oauth/TokenEndpoint"
import * as MemoryStores from "@zapier-workflow-auth/core/store/MemoryStores"
import * as ZapierApiClient from "@zapier-workflow-auth/core/zapier/ZapierApiClient"
import * as ZapierAuth from "@zapier-workflow-auth/core/ZapierAuth"
import * as ZapierHttpClient from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as FakeZapier from "../../src/FakeZapier.ts"

const application = { clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] }

const fake = FakeZapier.layer({ apps: [{ name: "Acme", ...application }], settings: { onlyPartnersDeleteZaps: false } })

export const layer = ZapierApiClient.layer().pipe(
  Layer.provideMerge(ZapierHttpClient.layer()),
  Layer.provideMerge(ZapierAuth.layer()),
  Layer.provide([TokenEndpoint.layer, MemoryStores.layer]),
  Layer.provide([
    ClientApplication.layer(application),
    FakeZapier.layerHttpClient,
    Digest.layerWebCrypto,
    SecureRandom.layerWebCrypto
  ]),
  Layer.provideMerge(fake)
)

const scopes = [
  "profile",
  "zap",
  "zap:write",
  "zap:update",
  "zap:delete",
  "zap:runs",
  "action:run",
  "connection:read",
  "connection:write",
  "promotions:read",
  "promotions:write"
]

/** Lets a user consent to all that the API takes. */
export const connect = Effect.fnUntraced(function* (subject: string) {
  const auth = yield* ZapierAuth.ZapierAuth
  const zapier = yield* FakeZapier.FakeZapier
  const { url } = yield* auth.authorizationUrl({ subject, scopes })
  yield* auth.handleCallback(yield* zapier.approve(Redacted.value(url)), { subject })
})
