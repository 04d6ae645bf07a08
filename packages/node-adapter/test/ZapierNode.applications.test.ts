/** Several client applications in one process, over the same stores. */
import { describe, expect, expectTypeOf, it } from "@effect/vitest"
import { AppCredentialStore } from "@zapier-workflow-auth/core/store/AppCredentialStore"
import { AttemptStore } from "@zapier-workflow-auth/core/store/AttemptStore"
import * as EncryptedStores from "@zapier-workflow-auth/core/store/EncryptedStores"
import { type Grant, GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import * as KeyRing from "@zapier-workflow-auth/core/store/KeyRing"
import * as MemoryStores from "@zapier-workflow-auth/core/store/MemoryStores"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import { InvalidConfig, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Aead from "effect/crypto/Aead"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as LayerMap from "effect/LayerMap"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as EncryptionKey from "../src/EncryptionKey.ts"
import * as SqliteClient from "../src/stores/SqliteClient.ts"
import * as SqlStores from "../src/stores/SqlStores.ts"
import * as ZapierNode from "../src/ZapierNode.ts"

const redirectUris = ["https://acme.example/callback"]

const app = (name: string) => ({ name, clientId: `id-of-${name}`, clientSecret: `secret-of-${name}`, redirectUris })

const fake = FakeZapier.layer({ apps: [app("main"), app("labs")] })

const httpClient = Layer.provide(FakeZapier.layerHttpClient, fake)

const keyOf = (byte: number) => Redacted.make(Buffer.alloc(32, byte).toString("base64"))

const encrypted = EncryptedStores.layer.pipe(
  Layer.provide(KeyRing.layer([keyOf(1)])),
  Layer.provide([Aead.layerWebCrypto, Digest.layerWebCrypto]),
  Layer.provide(SecureRandom.layerWebCrypto)
)

class Applications extends LayerMap.Service<Applications>()("test/Applications", {
  lookup: (name: "main" | "labs") => ZapierNode.layerWithoutStores({ application: app(name), httpClient }),
  idleTimeToLive: "1 hour"
}) {}

const as = <A, E, R>(name: "main" | "labs", effect: Effect.Effect<A, E, R>) =>
  Effect.provide(effect, Applications.get(name))

const begin = ZapierAuth.use((auth) => auth.authorizationUrl({ subject: "ada", scopes: ["zap"] }))

const come = (callback: string) => ZapierAuth.use((auth) => auth.handleCallback(callback, { subject: "ada" }))

const approve = Effect.fnUntraced(function* (url: Redacted.Redacted) {
  const { approve } = yield* FakeZapier.FakeZapier
  return yield* approve(Redacted.value(url))
})

const connect = (name: "main" | "labs") =>
  as(
    name,
    Effect.flatMap(begin, ({ url }) => Effect.flatMap(approve(url), come))
  )

const stateOf = (name: "main" | "labs") =>
  as(
    name,
    Effect.map(
      ZapierAuth.use((auth) => auth.status("ada")),
      ({ _tag }) => _tag
    )
  )

const tokenOf = (name: "main" | "labs") =>
  as(
    name,
    Effect.map(
      ZapierAuth.use((auth) => auth.accessToken("ada")),
      ({ accessToken }) => Redacted.value(accessToken)
    )
  )

const appTokenOf = (name: "main" | "labs") =>
  as(
    name,
    Effect.map(
      ZapierAuth.use((auth) => auth.appToken(["zap"])),
      ({ accessToken }) => Redacted.value(accessToken)
    )
  )

const overMemory = Layer.mergeAll(fake, Layer.provideMerge(Applications.layer, MemoryStores.layer))

/** What lies in the database, as it is there. */
class Rows extends Context.Service<
  Rows,
  {
    readonly grants: GrantStore["Service"]
    readonly attempts: AttemptStore["Service"]
    readonly credentials: AppCredentialStore["Service"]
  }
>()("test/Rows") {}

const rows = Layer.effect(
  Rows,
  Effect.all({ grants: GrantStore, attempts: AttemptStore, credentials: AppCredentialStore })
)

// A lookup sees what its caller has before what the map was built with, so that the rows have another name.
const overEncrypted = Layer.mergeAll(
  fake,
  Applications.layer.pipe(Layer.provide(encrypted), Layer.provide(MemoryStores.layer)),
  Layer.provide(rows, MemoryStores.layer)
)

describe("applications over the same stores", () => {
  it.effect("have grants of their own for the same user", () =>
    Effect.gen(function* () {
      yield* connect("main")
      expect([yield* stateOf("main"), yield* stateOf("labs")]).toEqual(["Active", "Absent"])
      yield* connect("labs")
      expect(yield* tokenOf("main")).not.toBe(yield* tokenOf("labs"))
      yield* as(
        "main",
        ZapierAuth.use((auth) => auth.disconnect("ada"))
      )
      expect([yield* stateOf("main"), yield* stateOf("labs")]).toEqual(["Absent", "Active"])
    }).pipe(Effect.provide(overMemory))
  )

  it.effect("know nothing of each other's callbacks, and spend none", () =>
    Effect.gen(function* () {
      const { url } = yield* as("labs", begin)
      const callback = yield* approve(url)
      const error = yield* Effect.flip(as("main", come(callback)))
      expect(error).toMatchObject({ reason: { _tag: "StateMismatch", why: "Unknown" } })
      const fake = yield* FakeZapier.FakeZapier
      expect(yield* fake.requests).toEqual([])
      expect((yield* as("labs", come(callback)))._tag).toBe("Active")
    }).pipe(Effect.provide(overMemory))
  )

  it.effect("have tokens of their own for the app itself", () =>
    Effect.gen(function* () {
      expect(yield* appTokenOf("main")).not.toBe(yield* appTokenOf("labs"))
    }).pipe(Effect.provide(overMemory))
  )

  it.effect("are built once while they are used", () =>
    Effect.gen(function* () {
      yield* connect("main")
      const token = yield* tokenOf("main")
      const grants = yield* GrantStore
      const key = { clientId: "id-of-main", subject: "ada" }
      const { version } = Option.getOrThrow(yield* grants.get(key))
      yield* grants.remove(key, version)
      // Out of the memory of the same client.
      expect(yield* tokenOf("main")).toBe(token)
    }).pipe(Effect.provide(overMemory))
  )

  it.effect("cannot be given each other's encrypted records", () =>
    Effect.gen(function* () {
      yield* connect("labs")
      const labs = yield* appTokenOf("labs")
      const { attempt, url } = yield* as("labs", begin)
      const callback = yield* approve(url)
      const { attempts, credentials, grants } = yield* Rows
      // Whoever can write to the database moves the rows, without a key.
      const grant = Option.getOrThrow(yield* grants.get({ clientId: "id-of-labs", subject: "ada" })).value
      yield* grants.compareAndSet({ clientId: "id-of-main", subject: "ada" }, Option.none(), grant)
      const pending = Option.getOrThrow(yield* attempts.get(`id-of-labs:${attempt}`)).value
      yield* attempts.compareAndSet(`id-of-main:${attempt}`, Option.none(), pending)
      const credential = Option.getOrThrow(yield* credentials.get({ clientId: "id-of-labs", scopes: "zap" })).value
      yield* credentials.compareAndSet({ clientId: "id-of-main", scopes: "zap" }, Option.none(), credential)
      const altered = { reason: { _tag: "DecryptionFailed", problem: "Altered" } }
      expect(yield* Effect.flip(tokenOf("main"))).toMatchObject(altered)
      expect(yield* Effect.flip(as("main", come(callback)))).toMatchObject(altered)
      // A token of the app itself can be had anew.
      expect(yield* appTokenOf("main")).not.toBe(labs)
      expect(yield* stateOf("labs")).toBe("Active")
    }).pipe(Effect.provide(overEncrypted))
  )
})

describe("tenants with databases of their own", () => {
  it.effect("find their own records there, also encrypted by keys of their own", () =>
    Effect.gen(function* () {
      const databases = yield* LayerMap.make(
        (_: "main" | "labs") => SqlStores.layer.pipe(Layer.provide(SqliteClient.layer({ filename: ":memory:" }))),
        { idleTimeToLive: "1 hour" }
      )
      const keys = yield* LayerMap.make(
        (name: "main" | "labs") =>
          EncryptedStores.layer.pipe(
            Layer.provide([databases.get(name), KeyRing.layer([keyOf(name === "main" ? 1 : 2)])]),
            Layer.provide([Aead.layerWebCrypto, Digest.layerWebCrypto]),
            Layer.provide(SecureRandom.layerWebCrypto)
          ),
        { idleTimeToLive: "1 hour" }
      )
      const key = { clientId: "id", subject: "ada" }
      const grant: Grant = {
        _tag: "Active",
        family: "consent",
        generation: 1,
        tokens: { accessToken: Tokens.secret("access"), scopes: ["zap"], obtainedAt: 0, expiresAt: 36_000_000 },
        responseLost: false
      }
      const write = GrantStore.use((grants) => grants.compareAndSet(key, Option.none(), grant))
      const found = Effect.map(
        GrantStore.use((grants) => grants.get(key)),
        Option.isSome
      )
      expect(yield* Effect.provide(write, keys.get("main"))).toBe(true)
      expect(yield* Effect.provide(found, keys.get("main"))).toBe(true)
      expect(yield* Effect.provide(found, keys.get("labs"))).toBe(false)
    }).pipe(Effect.scoped)
  )
})

describe("tenants with settings of their own", () => {
  it.effect("have the keys of their own environment", () =>
    Effect.gen(function* () {
      const rings = yield* LayerMap.make(
        (name: "main" | "labs") =>
          EncryptionKey.layerConfig.pipe(
            Layer.provide(
              ConfigProvider.layer(
                ConfigProvider.fromEnv({
                  env: { ZAPIER_ENCRYPTION_KEYS: Redacted.value(keyOf(name === "main" ? 1 : 2)) }
                })
              )
            )
          ),
        { idleTimeToLive: "1 hour" }
      )
      const ring = KeyRing.KeyRing.use(Effect.succeed)
      const main = yield* Effect.provide(ring, rings.get("main"))
      const labs = yield* Effect.provide(ring, rings.get("labs"))
      const text = yield* main.encrypt(Tokens.secret("access"), { store: "grant store", parts: ["ada"] })
      expect([main.recognize(text), labs.recognize(text)]).toEqual(["Current", "Other"])
    }).pipe(Effect.scoped)
  )
})

describe("tenants with credentials of their own", () => {
  class Tenants extends Context.Service<
    Tenants,
    { readonly secretOf: (clientId: string) => Effect.Effect<string, ZapierAuthError> }
  >()("test/Tenants") {}

  class Zapiers extends LayerMap.Service<Zapiers>()("test/Zapiers", {
    lookup: (name: "main" | "labs") =>
      ZapierNode.layerWithoutStores({
        application: ClientApplication.layerEffect(
          Effect.map(
            Tenants.use(({ secretOf }) => secretOf(name)),
            (clientSecret) => ({ ...app(name), clientSecret })
          )
        ),
        httpClient
      })
  }) {}

  it.effect("come from a service, whose failures are those of one tenant", () =>
    Effect.gen(function* () {
      expectTypeOf(Zapiers.layer).toEqualTypeOf<
        Layer.Layer<Zapiers, never, Tenants | GrantStore | AttemptStore | AppCredentialStore>
      >()
      const status = ZapierAuth.use((auth) => auth.status("ada"))
      expect((yield* Effect.provide(status, Zapiers.get("main")))._tag).toBe("Absent")
      const error = yield* Effect.flip(Effect.provide(status, Zapiers.get("labs")))
      expect(error).toMatchObject({ reason: { _tag: "InvalidConfig" } })
    }).pipe(
      Effect.provide(
        Zapiers.layer.pipe(
          Layer.provide([
            MemoryStores.layer,
            Layer.succeed(Tenants, {
              secretOf: (name) =>
                name === "main"
                  ? Effect.succeed("secret-of-main")
                  : Effect.fail(ZapierAuthError.make(new InvalidConfig({ setting: "tenant", problem: "it has left" })))
            })
          ])
        )
      )
    )
  )
})
