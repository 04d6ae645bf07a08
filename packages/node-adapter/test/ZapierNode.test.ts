import { describe, expect, it } from "@effect/vitest"
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as ZapierNode from "../src/ZapierNode.ts"

const app = {
  name: "Acme",
  clientId: "client-1",
  clientSecret: "s3cret",
  redirectUris: ["https://acme.example/callback"]
}

const environment = (env: Record<string, string>) =>
  Layer.succeed(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))

const credentials = {
  ZAPIER_CLIENT_ID: app.clientId,
  ZAPIER_CLIENT_SECRET: app.clientSecret,
  ZAPIER_REDIRECT_URIS: app.redirectUris.join(",")
}

const withFake = (options: ZapierNode.Options, fakeOptions: FakeZapier.Options = {}) => {
  const fake = FakeZapier.layer({ apps: [app], ...fakeOptions })
  return Layer.merge(
    fake,
    ZapierNode.layerMemory({ httpClient: Layer.provide(FakeZapier.layerHttpClient, fake), ...options })
  )
}

const connect = Effect.fnUntraced(function* (subject: string, scopes: ReadonlyArray<string>) {
  const auth = yield* ZapierAuth
  const fake = yield* FakeZapier.FakeZapier
  const { url } = yield* auth.authorizationUrl({ subject, scopes })
  return yield* auth.handleCallback(yield* fake.approve(Redacted.value(url)), { subject })
})

describe("ZapierNode.layerMemory", () => {
  it.effect("takes the application from the environment", () =>
    Effect.gen(function* () {
      const zapier = yield* ZapierHttpClient
      expect((yield* zapier.call("GET /v1/apps")).status).toBe(200)
      const body = HttpBody.jsonUnsafe({ description: "Post Typeform entries to Slack" })
      expect((yield* zapier.call("POST /v2/guess", { body })).status).toBe(200)
    }).pipe(Effect.provide(Layer.provide(withFake({}), environment(credentials))))
  )

  it.effect("fails at once, and says what to set, when there is none", () =>
    Effect.gen(function* () {
      const build = Layer.build(Layer.provide(ZapierNode.layerMemory(), environment({ ZAPIER_CLIENT_ID: "client-1" })))
      const error = yield* Effect.flip(Effect.scoped(build))
      expect(error.reason._tag).toBe("InvalidConfig")
      expect(error.message).toContain("ZAPIER_CLIENT_SECRET")
    })
  )

  it.effect("fails at once when its settings are not usable", () =>
    Effect.gen(function* () {
      const settings = { responseTimeout: "6 minutes" } as const
      const error = yield* Effect.flip(
        Effect.scoped(Layer.build(ZapierNode.layerMemory({ application: app, settings })))
      )
      expect(error.reason._tag).toBe("InvalidConfig")
    })
  )

  it.effect("asks Zapier itself unless told otherwise", () =>
    Effect.gen(function* () {
      const auth = yield* ZapierAuth
      const { url } = yield* auth.authorizationUrl({ subject: "ada", scopes: ["zap"] })
      expect(new URL(Redacted.value(url)).origin).toBe("https://api.zapier.com")
    }).pipe(Effect.provide(ZapierNode.layerMemory({ application: app })))
  )
})

describe("The three modes, in process and in virtual time", () => {
  it.effect("a user's grant lives through weeks of use, one refresh for each ten hours", () =>
    Effect.gen(function* () {
      yield* connect("ada", ["zap"])
      const zapier = yield* ZapierHttpClient
      const fake = yield* FakeZapier.FakeZapier
      // Every hour of fourteen days.
      for (let hour = 0; hour < 14 * 24; hour++) {
        yield* TestClock.adjust("1 hour")
        expect((yield* zapier.call("GET /v2/zaps", { credential: Credential.user("ada") })).status).toBe(200)
      }
      const issued = yield* fake.issued
      const refreshes = issued.filter(({ origin }) => origin._tag === "RefreshToken")
      expect(refreshes).toHaveLength(Math.floor((14 * 24) / 10))
      const answers = (yield* fake.requests).map(({ status }) => status)
      expect(answers.filter((status) => status >= 400)).toEqual([])
    }).pipe(Effect.provide(withFake({ application: app }, { settings: { rateLimits: false } })))
  )

  it.effect("a hundred calls at once on an ended token share one refresh", () =>
    Effect.gen(function* () {
      yield* connect("ada", ["zap"])
      const zapier = yield* ZapierHttpClient
      const fake = yield* FakeZapier.FakeZapier
      yield* TestClock.adjust("11 hours")
      const call = zapier.call("GET /v2/zaps", { credential: Credential.user("ada") })
      const responses = yield* Effect.all(
        Array.from({ length: 100 }, () => call),
        { concurrency: "unbounded" }
      )
      expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]))
      expect((yield* fake.issued).map(({ origin }) => origin._tag)).toEqual(["Code", "RefreshToken"])
    }).pipe(Effect.provide(withFake({ application: app }, { settings: { rateLimits: false } })))
  )

  it.effect("a secret that was regenerated is told as the app's fault, and costs no user the grant", () => {
    let { clientSecret } = app
    const application = ClientApplication.layerEffect(Effect.sync(() => ({ ...app, clientSecret })))
    return Effect.gen(function* () {
      yield* connect("ada", ["zap"])
      const auth = yield* ZapierAuth
      const fake = yield* FakeZapier.FakeZapier
      const regenerated = yield* fake.regenerateSecret(app.clientId)
      yield* TestClock.adjust("11 hours")
      expect((yield* Effect.flip(auth.accessToken("ada"))).reason._tag).toBe("ClientRejected")
      clientSecret = regenerated.clientSecret
      expect((yield* auth.accessToken("ada")).generation).toBe(2)
    }).pipe(Effect.provide(withFake({ application })))
  })

  it.effect("a user who revokes at Zapier must reconnect, and can", () =>
    Effect.gen(function* () {
      yield* connect("ada", ["zap"])
      const zapier = yield* ZapierHttpClient
      const fake = yield* FakeZapier.FakeZapier
      yield* fake.revoke({ clientId: app.clientId })
      const call = zapier.call("GET /v2/zaps", { credential: Credential.user("ada") })
      expect(yield* Effect.flip(call)).toMatchObject({ reason: { _tag: "ReconnectRequired", why: "Revoked" } })
      expect((yield* connect("ada", ["zap"]))._tag).toBe("Active")
      expect((yield* call).status).toBe(200)
    }).pipe(Effect.provide(withFake({ application: app })))
  )

  it.effect.each(["Basic", "Body"] as const)("the client authenticates by %s", (authentication) =>
    Effect.gen(function* () {
      yield* connect("ada", ["zap"])
      const auth = yield* ZapierAuth
      expect((yield* auth.appToken(["promotions:write"])).scopes).toEqual(["promotions:write"])
    }).pipe(Effect.provide(withFake({ application: { ...app, authentication } })))
  )
})
