import { describe, expect, it } from "@effect/vitest"
import { inspect } from "node:util"
import * as Config from "effect/Config"
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
    " https://app.example/callback",
    "https://app.example/callback\n",
    "https://app.example/call back",
    "https://app.example/\tcallback",
    "https://app.example/callback#",
    "https://user:password@app.example/callback",
    "ftp://app.example/callback",
    "wss://app.example/callback",
    "file:///callback",
    "javascript:alert(1)//callback",
    "data:text/html,/callback",
    "blob:https://app.example/callback"
  ])("does not take %j", (uri) => {
    expect(ClientApplication.isRedirectUri(uri)).toBe(false)
  })

  it.prop("never throws", [Schema.String], ([text]) => {
    expect(typeof ClientApplication.isRedirectUri(text)).toBe("boolean")
  })
})

describe("ClientApplication.make", () => {
  it("accepts usable values unchanged, and authenticates by Basic by default", () => {
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
  ])("reports that %s is not usable, and names a usable value", (setting, changes) => {
    const failure = failureOf(changes)
    expect(failure).toMatchObject({ _tag: "InvalidConfig", setting })
    expect(failure?.message).toContain("give ")
    expect(failure?.message).not.toContain("h1dden")
  })

  it.each<readonly [{ readonly [name: string]: unknown }, string]>([
    [
      { clientSecret: "s3cret\n" },
      "clientSecret: it ends with a line break; give the client secret from the Developer"
    ],
    [{ clientSecret: "s3cret\r\n" }, "clientSecret: it ends with a line break"],
    [{ clientSecret: " abc" }, "clientSecret: it begins with a space"],
    [{ clientSecret: "\tabc" }, "clientSecret: it begins with a space"],
    [{ clientSecret: Redacted.make("abc ") }, "clientSecret: it ends with a space"],
    [
      { clientSecret: "s3cr\u00e9t" },
      "clientSecret: it contains a character that RFC 6749 (appendix A.2) does not allow, at"
    ],
    [{ clientSecret: "s3c\nret" }, "clientSecret: it contains a line break, at position 4"],
    [{ clientSecret: "" }, "clientSecret: it is empty"],
    [{ clientSecret: Redacted.make("") }, "clientSecret: it is empty"],
    [{ clientSecret: undefined }, "clientSecret: it is missing"],
    [{ clientSecret: 42 }, "clientSecret: it is not text"],
    [{ clientSecret: "<your secret>" }, "clientSecret: it looks like a placeholder"],
    [{ clientSecret: "${ZAPIER_CLIENT_SECRET}" }, "clientSecret: it looks like a placeholder"],
    [{ clientSecret: String(undefined) }, "clientSecret: it looks like a placeholder"],
    [{ clientSecret: "<redacted>" }, "clientSecret: it looks like a placeholder"],
    [{ clientSecret: "$ZAPIER_CLIENT_SECRET" }, "clientSecret: it looks like a placeholder"],
    [{ clientSecret: "process.env.ZAPIER_CLIENT_SECRET" }, "clientSecret: it looks like a placeholder"],
    [{ clientSecret: '"s3cret"' }, "clientSecret: it is in quotes; remove them"],
    [{ clientId: "'abc'" }, "clientId: it is in quotes; remove them"],
    [{ redirectUris: ['"https://a.example/cb"'] }, "redirectUris: it is in quotes; remove them"],
    [
      { redirectUris: ["https://a.example/cb;https://b.example/cb"] },
      "redirectUris: it contains more than one URI; give each one separately"
    ],
    [{ clientSecret: "changeme" }, "clientSecret: it looks like a placeholder"],
    [
      { clientId: "abc\u0007d" },
      "clientId: it contains a character that RFC 6749 (appendix A.1) does not allow, at position 4"
    ],
    [{ clientId: "your-client-id" }, "clientId: it looks like a placeholder"],
    [{ clientId: null }, "clientId: it is missing"],
    [{ redirectUris: "https://app.example/callback" }, "redirectUris: it is not a list; give at least one"],
    [{ redirectUris: undefined }, "redirectUris: it is missing"],
    [{ redirectUris: [] }, "redirectUris: it is an empty list"],
    [{ redirectUris: ["https://app.example/call back"] }, "redirectUris: it contains a space, at position 25; give"],
    [{ redirectUris: ["https://a.example", "/callback"] }, "redirectUris: number 2 of 2: it is not absolute"],
    [{ redirectUris: ["https://a.example/#"] }, "redirectUris: it has a fragment"],
    [{ redirectUris: ["http://a.example/"] }, "redirectUris: it must be https; http is allowed"],
    [{ redirectUris: [null] }, "redirectUris: it is missing"],
    [{ authentication: "s3cret" }, 'authentication: it is not an authentication method; give "Basic" or "Body"']
  ])("%j: %s", (changes, message) => {
    const told = failureOf(changes)?.message
    expect(told?.slice(0, message.length)).toBe(message)
    expect(told).not.toMatch(/s3c|your|\$\{/)
  })

  it("accepts unusual but valid values", () => {
    for (const clientSecret of ["a b", "~!@#$%^&*()", "your-own", "null-0", "xx"]) {
      expect(failureOf({ clientSecret })).toBeUndefined()
    }
  })

  it("names the parts as their reader does", () => {
    const names = { clientSecret: "--client-secret-file" }
    expect(failureOf({ clientSecret: "", names })?.setting).toBe("--client-secret-file")
    expect(failureOf({ clientId: "", names })?.setting).toBe("clientId")
  })

  it.each([null, undefined, 42, "abc"])("rejects %j as an application", (given) => {
    const made = ClientApplication.make(given as unknown as ClientApplication.Options)
    expect(Result.isFailure(made) && made.failure.message).toMatch(/^application: give an object with clientId/)
  })

  it.prop(
    "decides as the schema does, and tells where the first wrong character is",
    [Schema.String, Schema.String],
    ([clientId, clientSecret]) => {
      const made = ClientApplication.make({ ...options, clientId, clientSecret })
      const fields = { ...options, clientId, clientSecret: Redacted.make(clientSecret), authentication: "Basic" }
      expect(Result.isSuccess(made)).toBe(Schema.is(ClientApplication.Application)(fields))
      const position = Result.isFailure(made) ? /at position (\d+)/.exec(made.failure.message)?.[1] : undefined
      if (position !== undefined && Result.isFailure(made)) {
        const text = made.failure.setting === "clientId" ? clientId : clientSecret
        expect(text.slice(0, Number(position) - 1)).toMatch(/^[\x20-\x7E]*$/)
        expect(text[Number(position) - 1]).not.toMatch(/[\x20-\x7E]/)
      }
    }
  )

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

describe("ClientApplication.Application", () => {
  const valid = { ...options, clientSecret: Redacted.make("s3cret"), authentication: "Basic" as const }

  it.each([
    [{ clientId: "clïent" }, "printable ASCII (RFC 6749 appendix A)"],
    [{ clientId: "<id>" }, "it looks like a placeholder"],
    [{ redirectUris: ["/callback"] }, "it is not absolute"],
    [{ clientSecret: Redacted.make("<secret>") }, "a valid value"]
  ])("says what is wrong with %j", (changes, problem) => {
    const decoded = Schema.decodeUnknownResult(Schema.toType(ClientApplication.Application))({ ...valid, ...changes })
    expect(Result.isFailure(decoded) && String(decoded.failure)).toContain(problem)
  })

  it("is not encoded as JSON, which would show the secret", () => {
    const encoded = Schema.encodeUnknownResult(Schema.toCodecJson(ClientApplication.Application))(valid)
    expect(Result.isFailure(encoded)).toBe(true)
    expect(inspect(encoded, { depth: 9 })).not.toContain("s3cret")
  })
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

  it.effect("reports that a value it reads is not usable", () =>
    Effect.gen(function* () {
      expect(yield* Effect.flip(get)).toMatchObject({ reason: { _tag: "InvalidConfig", setting: "clientId" } })
    }).pipe(Effect.provide(ClientApplication.layer({ ...options, clientId: "" })))
  )

  const environment = (env: Record<string, string>) =>
    Layer.provide(
      ClientApplication.layerConfig(),
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

  const without = (...names: ReadonlyArray<string>) =>
    environment(Object.fromEntries(Object.entries(complete).filter(([name]) => !names.includes(name))))

  it.effect.each<readonly [ReadonlyArray<keyof typeof complete>, string]>([
    [
      ["ZAPIER_CLIENT_ID"],
      "ZAPIER_CLIENT_ID: it is not set, but ZAPIER_CLIENT_SECRET and ZAPIER_REDIRECT_URIS are; give the client id from the Developer Platform (Embed, Settings, Credentials)"
    ],
    [
      ["ZAPIER_CLIENT_SECRET"],
      "ZAPIER_CLIENT_SECRET: it is not set, but ZAPIER_CLIENT_ID and ZAPIER_REDIRECT_URIS are; give the client secret"
    ],
    [
      ["ZAPIER_REDIRECT_URIS"],
      "ZAPIER_REDIRECT_URIS: it is not set, but ZAPIER_CLIENT_ID and ZAPIER_CLIENT_SECRET are"
    ],
    [
      ["ZAPIER_CLIENT_ID", "ZAPIER_REDIRECT_URIS"],
      "ZAPIER_CLIENT_ID, ZAPIER_REDIRECT_URIS: they are not set, but ZAPIER_CLIENT_SECRET is; set them too"
    ],
    [
      ["ZAPIER_CLIENT_ID", "ZAPIER_CLIENT_SECRET", "ZAPIER_REDIRECT_URIS"],
      "ZAPIER_CLIENT_ID, ZAPIER_CLIENT_SECRET, ZAPIER_REDIRECT_URIS: set all three; separate redirect URIs by commas"
    ]
  ])("without %j names the missing and the present variables", ([missing, message]) =>
    Effect.gen(function* () {
      expect((yield* Effect.flip(get)).message.slice(0, message.length)).toBe(message)
    }).pipe(Effect.provide(without(...missing)))
  )

  it.effect("names the variable with the wrong value", () =>
    Effect.gen(function* () {
      expect((yield* Effect.flip(get)).message).toMatch(/^ZAPIER_CLIENT_SECRET: it ends with a line break; give/)
    }).pipe(Effect.provide(environment({ ...complete, ZAPIER_CLIENT_SECRET: "s3cret\n" })))
  )

  it.effect("names the variable that cannot be read, and does not take it for one that is missing", () => {
    const broken = ConfigProvider.make(() => Effect.fail(new ConfigProvider.SourceError({ message: "s3cret" })))
    return Effect.gen(function* () {
      expect((yield* Effect.flip(get)).message).toMatch(/^ZAPIER_CLIENT_ID: it cannot be read; give/)
    }).pipe(
      Effect.provide(
        Layer.provide(ClientApplication.layerConfig(), Layer.succeed(ConfigProvider.ConfigProvider, broken))
      )
    )
  })

  const from = (options: ClientApplication.ConfigOptions, env: Record<string, string>) =>
    Effect.provide(get, [
      Layer.provide(ClientApplication.layerConfig(options), ConfigProvider.layer(ConfigProvider.fromEnv({ env })))
    ])

  it.effect("takes each part as a value or a Config, and the rest from the environment", () =>
    Effect.gen(function* () {
      const { ZAPIER_REDIRECT_URIS } = complete
      const parts = {
        clientId: Config.String("ACME_ID"),
        clientSecret: Config.String("ACME_SECRET"),
        authentication: Config.schema(ClientApplication.Authentication, "ACME_AUTHENTICATION")
      }
      const env = { ACME_ID: "acme", ACME_SECRET: "s3cret", ACME_AUTHENTICATION: "Body", ZAPIER_REDIRECT_URIS }
      expect(reveal(yield* from(parts, env))).toMatchObject({
        clientId: "acme",
        clientSecret: { secret: "s3cret" },
        authentication: "Body",
        redirectUris: ["https://app.example/callback", "http://localhost:3000/callback"]
      })
      const values = {
        clientId: "acme",
        clientSecret: Redacted.make("s3cret"),
        redirectUris: ["http://localhost/callback"]
      }
      expect(reveal(yield* from(values, {}))).toMatchObject({ clientId: "acme", clientSecret: { secret: "s3cret" } })
    })
  )

  it.effect("names the variables that a Config looked for", () =>
    Effect.gen(function* () {
      const { ZAPIER_CLIENT_ID, ZAPIER_REDIRECT_URIS } = complete
      const clientSecret = Config.Redacted("ACME_SECRET")
      const missing = yield* Effect.flip(from({ clientSecret }, { ZAPIER_CLIENT_ID, ZAPIER_REDIRECT_URIS }))
      expect(missing.message).toMatch(/^ACME_SECRET: it is not set, but ZAPIER_CLIENT_ID and ZAPIER_REDIRECT_URIS are;/)
      const authentication = Config.schema(ClientApplication.Authentication, "ACME_AUTHENTICATION")
      const wrong = yield* Effect.flip(from({ authentication }, { ...complete, ACME_AUTHENTICATION: "s3cret" }))
      expect(wrong.message).toBe('ACME_AUTHENTICATION: it cannot be read; give "Basic" or "Body"')
      const unset = yield* Effect.flip(from({ clientId: Config.nested(Config.String("id"), "acme") }, {}))
      expect(unset.message).toMatch(/^acme\.id, ZAPIER_CLIENT_SECRET, ZAPIER_REDIRECT_URIS: set all three/)
    })
  )

  it.effect("reads a Config that has changed", () => {
    const env = { ...complete, ACME_SECRET: "s3cret" }
    return Effect.gen(function* () {
      yield* get
      env.ACME_SECRET = "regenerated"
      expect(Redacted.value((yield* get).clientSecret)).toBe("regenerated")
    }).pipe(
      Effect.provide(
        Layer.provide(
          ClientApplication.layerConfig({ clientSecret: Config.Redacted("ACME_SECRET") }),
          ConfigProvider.layer(ConfigProvider.fromEnv({ env }))
        )
      )
    )
  })

  it.effect("does not take an empty list of redirect URIs", () =>
    Effect.gen(function* () {
      expect(yield* Effect.flip(get)).toMatchObject({
        reason: { _tag: "InvalidConfig", setting: "ZAPIER_REDIRECT_URIS" }
      })
    }).pipe(Effect.provide(environment({ ...complete, ZAPIER_REDIRECT_URIS: " , " })))
  )
})
