import { describe, expect, it } from "@effect/vitest"
import { inspect } from "node:util"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as ClientApplication from "../../src/oauth/ClientApplication.ts"
import { reveal } from "../utils/Reveal.ts"

const options: ClientApplication.Options = {
  clientId: "client-1",
  clientSecret: "s3cret",
  redirectUris: ["https://app.example/callback"]
}

const failureOf = (changes: Partial<ClientApplication.Options>) =>
  Result.isFailure(ClientApplication.make({ ...options, ...changes }))
    ? Result.getOrThrow(Result.flip(ClientApplication.make({ ...options, ...changes })))
    : undefined

describe("ClientApplication.isRedirectUri", () => {
  it.each([
    "https://app.example/callback",
    "https://app.example",
    "https://app.example/callback?tenant=1",
    "https://app.example:8443/callback",
    "http://localhost:3000/callback",
    "http://127.0.0.1:3000/callback",
    "http://127.8.9.10/callback",
    "http://[::1]:3000/callback",
    "com.example.app:/callback"
  ])("takes %s", (uri) => {
    expect(ClientApplication.isRedirectUri(uri)).toBe(true)
  })

  it.each([
    "",
    "/callback",
    "app.example/callback",
    "https://",
    "http://app.example/callback",
    "http://127.0.0.1.example/callback",
    "http://localhost.example/callback",
    "https://app.example/callback#top",
    "https://app.example/callback#"
  ])("does not take %j", (uri) => {
    expect(ClientApplication.isRedirectUri(uri)).toBe(false)
  })

  it.prop("never throws", [Schema.String], ([text]) => {
    expect(typeof ClientApplication.isRedirectUri(text)).toBe("boolean")
  })
})

describe("ClientApplication.make", () => {
  it("takes what is usable as it is, and authenticates by Basic unless told otherwise", () => {
    expect(reveal(Result.getOrThrow(ClientApplication.make(options)))).toEqual({
      clientId: "client-1",
      clientSecret: { secret: "s3cret" },
      redirectUris: ["https://app.example/callback"],
      authentication: "Basic"
    })
    expect(Result.getOrThrow(ClientApplication.make({ ...options, authentication: "Body" })).authentication).toBe(
      "Body"
    )
  })

  it("takes a secret that is redacted already", () => {
    const made = Result.getOrThrow(ClientApplication.make({ ...options, clientSecret: Redacted.make("s3cret") }))
    expect(Redacted.value(made.clientSecret)).toBe("s3cret")
  })

  it.each([
    ["clientId", { clientId: "" }],
    ["clientId", { clientId: "clïent" }],
    ["clientId", { clientId: "client\n1" }],
    ["clientSecret", { clientSecret: "" }],
    ["clientSecret", { clientSecret: Redacted.make("") }],
    ["redirectUris", { redirectUris: [] }],
    ["redirectUris", { redirectUris: ["https://app.example/callback", "/h1dden"] }],
    // A program without types may say anything.
    ["authentication", { authentication: "h1dden" as "Basic" }]
  ])("says that %s is not usable, and what to give instead", (setting, changes) => {
    const failure = failureOf(changes)
    expect(failure).toMatchObject({ _tag: "InvalidConfig", setting })
    expect(failure?.message).toContain("give ")
    expect(failure?.message).not.toContain("h1dden")
  })

  it.prop(
    "never throws, and shows no secret",
    [Schema.Struct({ clientId: Schema.String, redirectUris: Schema.Array(Schema.String) })],
    ([changes]) => {
      const made = ClientApplication.make({ ...options, ...changes })
      expect(inspect(made, { depth: 9 })).not.toContain("s3cret")
      expect(JSON.stringify(made)).not.toContain("s3cret")
    }
  )
})

describe("ClientApplication layers", () => {
  const get = Effect.flatMap(ClientApplication.ClientApplication, (application) => application.get)

  it.effect("reads anew whenever it is asked", () => {
    let reads = 0
    const layer = ClientApplication.layerEffect(Effect.sync(() => ({ ...options, clientSecret: `s3cret-${++reads}` })))
    return Effect.gen(function* () {
      expect(Redacted.value((yield* get).clientSecret)).toBe("s3cret-1")
      expect(Redacted.value((yield* get).clientSecret)).toBe("s3cret-2")
    }).pipe(Effect.provide(layer))
  })

  it.effect("says so when what it reads is not usable", () =>
    Effect.gen(function* () {
      expect(yield* Effect.flip(get)).toMatchObject({ reason: { _tag: "InvalidConfig", setting: "clientId" } })
    }).pipe(Effect.provide(ClientApplication.layer({ ...options, clientId: "" })))
  )

  const environment = (env: Record<string, string>) =>
    Layer.provide(
      ClientApplication.layerConfig,
      Layer.succeed(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))
    )

  const complete = {
    ZAPIER_CLIENT_ID: "client-1",
    ZAPIER_CLIENT_SECRET: "s3cret",
    ZAPIER_REDIRECT_URIS: "https://app.example/callback, http://localhost:3000/callback,"
  }

  it.effect("takes its parts from the configuration", () =>
    Effect.gen(function* () {
      expect(reveal(yield* get)).toEqual({
        clientId: "client-1",
        clientSecret: { secret: "s3cret" },
        redirectUris: ["https://app.example/callback", "http://localhost:3000/callback"],
        authentication: "Basic"
      })
    }).pipe(Effect.provide(environment(complete)))
  )

  it.effect("reads a configuration that has changed", () => {
    const env = { ...complete }
    return Effect.gen(function* () {
      yield* get
      env.ZAPIER_CLIENT_SECRET = "regenerated"
      expect(Redacted.value((yield* get).clientSecret)).toBe("regenerated")
    }).pipe(Effect.provide(environment(env)))
  })

  it.effect.each(Object.keys(complete))("says which names to set when %s is missing", (name) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(get)
      expect(error.message).toBe(
        "ZAPIER_CLIENT_ID, ZAPIER_CLIENT_SECRET, ZAPIER_REDIRECT_URIS: set all three, the redirect URIs separated by commas"
      )
    }).pipe(Effect.provide(environment(Object.fromEntries(Object.entries(complete).filter(([key]) => key !== name)))))
  )

  it.effect("does not take an empty list of redirect URIs", () =>
    Effect.gen(function* () {
      expect(yield* Effect.flip(get)).toMatchObject({ reason: { _tag: "InvalidConfig", setting: "redirectUris" } })
    }).pipe(Effect.provide(environment({ ...complete, ZAPIER_REDIRECT_URIS: " , " })))
  )
})
