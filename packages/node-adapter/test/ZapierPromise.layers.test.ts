/** Layers that a client is made over may fail with anything: calls are told a typed reason, and the next one starts again. */
import { describe, expect, expectTypeOf, it } from "@effect/vitest"
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as KeyRing from "@zapier-workflow-auth/core/store/KeyRing"
import type { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import type { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { inspect } from "node:util"
import * as ZapierConnect from "../src/ZapierConnect.ts"
import * as ZapierNode from "../src/ZapierNode.ts"
import * as ZapierPromise from "../src/ZapierPromise.ts"

const app = { clientId: "acme", clientSecret: "s3cret", redirectUris: ["https://acme.example/zapier/callback"] }

class VaultAway {
  readonly _tag = "VaultAway"
  readonly token = "s3cret"
}

/** An application whose layer fails first, and then does not. */
const failingFirst = <E>(error: E) => {
  const state = { starts: 0 }
  const application = Layer.unwrap(
    Effect.suspend(() => (state.starts++ === 0 ? Effect.fail(error) : Effect.succeed(ClientApplication.layer(app))))
  )
  return { state, layer: ZapierNode.layerMemory({ application }) }
}

// The value must not show: it may be the secret.
const unreadable = (config: Config.Config<unknown>) =>
  Layer.unwrap(Effect.as(config, ClientApplication.layer(app))).pipe(
    Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ ACME: { PORT: "s3cret" } })))
  )

describe("ZapierPromise, over layers that fail", () => {
  it.each([
    [new VaultAway(), "VaultAway"],
    [new TypeError("s3cret"), "TypeError"],
    ["s3cret", "a value of type string"],
    [undefined, "a value of type undefined"],
    [null, "a value of type object"]
  ])("is told StartFailed of %o, and starts again at the next use", async (error, failure) => {
    const zapier = ZapierPromise.fromLayer(failingFirst(error).layer)
    const told = await zapier.status("ada")
    expect(told).toMatchObject({
      ok: false,
      error: { _tag: "StartFailed", failure, isRetryable: true, needsReconnect: false, blames: "Caller" }
    })
    expect(inspect(told, { depth: 9, showHidden: true })).not.toContain("s3cret")
    expect(await zapier.status("ada")).toMatchObject({ ok: true })
    await zapier.close()
  })

  it("is told of a layer that throws, and rejects nothing", async () => {
    const application = Layer.effectDiscard(Effect.die(new RangeError("s3cret"))) as never
    const zapier = ZapierPromise.make({ application, stores: "memory" })
    const told = await zapier.status("ada")
    expect(told).toMatchObject({
      ok: false,
      error: { _tag: "InvalidConfig", message: "layer: it threw RangeError when it was built" }
    })
    expect(inspect(told, { depth: 9, showHidden: true })).not.toContain("s3cret")
    await zapier.close()
  })

  it("names the setting of a configuration that cannot be read, and not what was found", async () => {
    for (const [config, setting] of [
      [Config.String("ACME_ID"), "ACME_ID"],
      [Config.nested(Config.Int("PORT"), "ACME"), "ACME.PORT"]
    ] as const) {
      const zapier = ZapierPromise.make({ application: unreadable(config), stores: "memory" })
      const told = await zapier.accessToken("ada")
      expect(told).toMatchObject({ ok: false, error: { _tag: "InvalidConfig", setting, isRetryable: false } })
      expect(inspect(told, { depth: 9, showHidden: true })).not.toContain("s3cret")
      await zapier.close()
    }
  })

  it("compiles over keys that fail in their own way", () => {
    const keys = Layer.effect(KeyRing.KeyRing, Effect.fail(new VaultAway()))
    expect(ZapierPromise.fromLayer(ZapierNode.layer({ application: app, stores: { keys } }))).toHaveProperty("status")
  })

  it("shares its layer with the routes, whichever of the two they are given", async () => {
    const { layer, state } = failingFirst(new VaultAway())
    const zapier = ZapierPromise.fromLayer(layer)
    const options = { redirectUri: "https://acme.example/zapier/callback", scopes: ["zap"], subject: () => "ada" }
    const first = ZapierConnect.toWebHandler({ ...options, zapier: layer })
    const second = ZapierConnect.toWebHandler({ ...options, zapier: zapier.layer })
    const visit = new Request("https://acme.example/zapier/connect", { headers: { "sec-fetch-site": "same-origin" } })
    const unavailable = await first.handler(visit)
    expect(unavailable.status).toBe(503)
    expect(unavailable.headers.get("retry-after")).not.toBeNull()
    expect((await second.handler(visit)).status).toBe(303)
    expect((await first.handler(visit)).status).toBe(303)
    expect(await zapier.status("ada")).toMatchObject({ ok: true })
    expect(state.starts).toBe(2)
    await Promise.all([zapier.close(), first.dispose(), second.dispose()])
  })

  it("does not compile over layers that need something", () => {
    class Vault extends Context.Service<Vault, {}>()("test/Vault") {}
    const needing = ZapierNode.layerMemory({
      application: Layer.unwrap(Effect.as(Vault, ClientApplication.layer(app)))
    })
    // @ts-expect-error: it needs a `Vault`. @effect-diagnostics-next-line missingLayerContext:off
    const make = () => ZapierPromise.fromLayer(needing)
    expect(make).toBeTypeOf("function")
    expectTypeOf<ZapierPromise.ZapierPromise["layer"]>().toEqualTypeOf<
      Layer.Layer<ZapierAuth | ZapierHttpClient, ZapierAuthError>
    >()
  })
})
