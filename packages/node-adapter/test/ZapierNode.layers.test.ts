/** Layers among the options keep what they fail with and what they need. */
import { describe, expect, expectTypeOf, it } from "@effect/vitest"
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import type { AppCredentialStore } from "@zapier-workflow-auth/core/store/AppCredentialStore"
import type { AttemptStore } from "@zapier-workflow-auth/core/store/AttemptStore"
import type { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import * as KeyRing from "@zapier-workflow-auth/core/store/KeyRing"
import type { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import type { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as EmbeddedStores from "../src/stores/EmbeddedStores.ts"
import * as ZapierNode from "../src/ZapierNode.ts"

const app = { clientId: "acme", clientSecret: "s3cret", redirectUris: ["https://acme.example/zapier/callback"] }

type Services = ZapierAuth | ZapierHttpClient

type Stores = GrantStore | AttemptStore | AppCredentialStore

class Vault extends Context.Service<Vault, { readonly secret: Effect.Effect<string> }>()("test/Vault") {}

class Proxy extends Context.Service<Proxy, { readonly url: string }>()("test/Proxy") {}

class ProxyAway {
  readonly _tag = "ProxyAway"
}

// Fails with `ConfigError`, and needs a service.
const application = Layer.unwrap(
  Effect.gen(function* () {
    const clientId = yield* Config.String("ACME_ZAPIER_ID")
    const vault = yield* Vault
    return ClientApplication.layerEffect(
      Effect.map(vault.secret, (clientSecret) => ({ ...app, clientId, clientSecret }))
    )
  })
)

const httpClient = Layer.effect(
  HttpClient.HttpClient,
  Effect.flatMap(Proxy, ({ url }) =>
    url === "" ? Effect.fail(new ProxyAway()) : Effect.die("a test that sends nothing needs no client")
  )
)

const keys = Layer.effect(
  KeyRing.KeyRing,
  Effect.flatMap(Vault, () => Effect.fail("the vault has no key" as const))
)

describe("ZapierNode and layers among its options", () => {
  it("keeps what they fail with and what they need", () => {
    expectTypeOf(ZapierNode.layerWithoutStores({ application, httpClient })).toEqualTypeOf<
      Layer.Layer<Services, ZapierAuthError | Config.ConfigError | ProxyAway, Stores | Vault | Proxy>
    >()
    expectTypeOf(ZapierNode.layerMemory({ application })).toEqualTypeOf<
      Layer.Layer<Services, ZapierAuthError | Config.ConfigError, Vault>
    >()
    expectTypeOf(ZapierNode.layer({ httpClient, stores: { keys } })).toEqualTypeOf<
      Layer.Layer<Services, ZapierAuthError | ProxyAway | "the vault has no key", Proxy | Vault>
    >()
    expectTypeOf(EmbeddedStores.layer({ keys })).toEqualTypeOf<
      Layer.Layer<Stores, ZapierAuthError | "the vault has no key", Vault>
    >()
    expectTypeOf(ClientApplication.layerEffect(Effect.as(Vault, app))).toEqualTypeOf<
      Layer.Layer<ClientApplication.ClientApplication, never, Vault>
    >()
  })

  it("adds nothing for options that have none, and still takes options that are kept in a variable", () => {
    type Plain = Layer.Layer<Services, ZapierAuthError>
    const options: ZapierNode.EmbeddedOptions = { application: app }
    expectTypeOf(ZapierNode.layer()).toEqualTypeOf<Plain>()
    expectTypeOf(ZapierNode.layer(options)).toEqualTypeOf<Plain>()
    expectTypeOf(ZapierNode.layerMemory({ application: app, checkScopes: false })).toEqualTypeOf<Plain>()
    expectTypeOf(ZapierNode.layerWithoutStores()).toEqualTypeOf<Layer.Layer<Services, ZapierAuthError, Stores>>()
    // @ts-expect-error unknown option @effect-diagnostics-next-line anyUnknownInErrorContext:off
    ZapierNode.layerMemory({ aplication: app })
    // @ts-expect-error a client application is no HTTP client @effect-diagnostics-next-line anyUnknownInErrorContext:off
    ZapierNode.layerMemory({ httpClient: application })
  })

  it.effect("fails as they do, and gives them what they need", () =>
    Effect.gen(function* () {
      const vault = Layer.succeed(Vault, { secret: Effect.succeed("s3cret") })
      const build = (env: Record<string, string>, url: string) =>
        Effect.result(
          Effect.scoped(
            Layer.build(
              ZapierNode.layerMemory({ application, httpClient }).pipe(
                Layer.provide([vault, Layer.succeed(Proxy, { url })]),
                Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env })))
              )
            )
          )
        )
      expect(yield* build({}, "")).toMatchObject({ _tag: "Failure" })
      expect(yield* build({ ACME_ZAPIER_ID: "acme" }, "")).toMatchObject({ failure: { _tag: "ProxyAway" } })
    })
  )
})
