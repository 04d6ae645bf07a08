/** The library's White Label mode against the fake, which checks what it signs. */
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as TokenEndpoint from "@zapier-workflow-auth/core/oauth/TokenEndpoint"
import * as MemoryStores from "@zapier-workflow-auth/core/store/MemoryStores"
import * as PartnerSigner from "@zapier-workflow-auth/core/whitelabel/PartnerSigner"
import * as WhiteLabel from "@zapier-workflow-auth/core/WhiteLabel"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import * as ZapierAuth from "@zapier-workflow-auth/core/ZapierAuth"
import * as ZapierHttpClient from "@zapier-workflow-auth/core/ZapierHttpClient"
import { describe, expect, it } from "@effect/vitest"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Jose from "jose"
import * as FakeZapier from "../src/FakeZapier.ts"
import * as Partner from "./utils/partner.ts"

const algorithms = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"] as const

const layerOf = (algorithm: (typeof algorithms)[number]) =>
  Layer.unwrap(
    Effect.map(
      Effect.promise(async () => {
        const key = await Partner.key("2026-07", algorithm)
        return { jwk: key.jwk, privateKey: await Jose.exportJWK(key.privateKey) }
      }),
      ({ jwk, privateKey }) => {
        const whiteLabel = { issuer: Partner.issuer, jwks: { keys: [jwk] } }
        return ZapierHttpClient.layer().pipe(
          Layer.provideMerge(ZapierAuth.layer()),
          Layer.provide(WhiteLabel.layer({ issuer: Partner.issuer })),
          Layer.provide(PartnerSigner.layer({ key: privateKey, keyId: "2026-07", algorithm })),
          Layer.provide([TokenEndpoint.layer, MemoryStores.layer]),
          Layer.provide([
            ClientApplication.layer(Partner.app),
            FakeZapier.layerHttpClient,
            Digest.layerWebCrypto,
            SecureRandom.layerWebCrypto
          ]),
          Layer.provideMerge(
            FakeZapier.layer({ apps: [{ ...Partner.app, whiteLabel }], settings: { rateLimits: false } })
          )
        )
      }
    )
  )

const credential = Credential.whiteLabel("user-1", "tenant-1")

const call = ZapierHttpClient.ZapierHttpClient.use((zapier) => zapier.call("GET /v2/zaps", { credential }))

const grants = (entries: ReadonlyArray<{ readonly origin: { readonly _tag: string } }>) =>
  entries.map(({ origin }) => origin._tag)

describe.each(algorithms)("the library, by %s", (algorithm) => {
  it.effect("calls for a White Label user, with one exchange", () =>
    Effect.gen(function* () {
      const zapier = yield* FakeZapier.FakeZapier
      expect((yield* call).status).toBe(200)
      expect((yield* call).status).toBe(200)
      expect(grants(yield* zapier.issued)).toStrictEqual(["Jwt"])
    }).pipe(Effect.provide(layerOf(algorithm)))
  )
})

describe("the library", () => {
  const layer = layerOf("ES256")

  it.effect("exchanges again for a token that has ended", () =>
    Effect.gen(function* () {
      const zapier = yield* FakeZapier.FakeZapier
      yield* call
      yield* zapier.revoke({ clientId: Partner.app.clientId })
      expect((yield* call).status).toBe(200)
      expect(grants(yield* zapier.issued)).toStrictEqual(["Jwt", "Jwt"])
    }).pipe(Effect.provide(layer))
  )

  it.effect("sends a user to the Connect page, and sees the connection", () =>
    Effect.gen(function* () {
      const zapier = yield* FakeZapier.FakeZapier
      const user = { subject: "user-1", tenant: "tenant-1" }
      const redirectUri = Partner.app.redirectUris[0]
      const { url } = yield* WhiteLabel.connectUrl({ ...user, app: "SlackCLIAPI", redirectUri })
      const end = yield* zapier.connect(Redacted.value(url))
      const id = end._tag === "Redirect" ? new URL(end.url).searchParams.get("authentication_id") : undefined
      const list = ZapierHttpClient.ZapierHttpClient.use((client) =>
        client.call("GET /v2/authentications", {
          credential,
          urlParams: { app: "00000000-0000-4000-8000-000000000001" }
        })
      )
      expect(yield* Effect.flatMap(list, ({ json }) => json)).toMatchObject({ data: [{ id, is_expired: false }] })
      yield* zapier.expireAuthentication(id ?? "")
      const again = yield* WhiteLabel.connectUrl({ ...user, app: "SlackCLIAPI", reconnectId: id ?? "" })
      expect(yield* zapier.connect(Redacted.value(again.url))).toStrictEqual({
        _tag: "Message",
        message: { type: "authenticationSuccess", authId: Number(id) }
      })
      expect(yield* Effect.flatMap(list, ({ json }) => json)).toMatchObject({ data: [{ id, is_expired: false }] })
    }).pipe(Effect.provide(layer))
  )
})
