/** How a client starts, starts again, and ends. */
import { describe, expect, it, vi } from "@effect/vitest"
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as AttemptStore from "@zapier-workflow-auth/core/store/AttemptStore"
import * as MemoryStores from "@zapier-workflow-auth/core/store/MemoryStores"
import { ApplicationUnavailable, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as FakeZapierPromise from "@zapier-workflow-auth/testing/FakeZapierPromise"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as ZapierNode from "../src/ZapierNode.ts"
import * as ZapierPromise from "../src/ZapierPromise.ts"
import { valueOf } from "./utils/valueOf.ts"

const app = {
  name: "Acme",
  clientId: "acme",
  clientSecret: "s3cret",
  redirectUris: ["https://acme.example/zapier/callback"]
}

const tagOf = <A>(result: ZapierPromise.Result<A>) => (result.ok ? "ok" : result.error._tag)

const connect = async (
  fake: FakeZapierPromise.FakeZapierPromise,
  zapier: ZapierPromise.ZapierPromise,
  subject: string
) => {
  const { url } = valueOf(await zapier.authorizationUrl({ subject, scopes: ["zap"] }))
  return zapier.handleCallback(await fake.approve(url), { subject })
}

/** A fake whose next responses to requests of a path can be held back. */
const holding = () => {
  const fake = FakeZapierPromise.make({ apps: [app] })
  const holds = new Map<string, { readonly received: () => void; readonly released: Promise<void> }>()
  const hold = (path: string) => {
    const received = Promise.withResolvers<void>()
    const released = Promise.withResolvers<void>()
    holds.set(path, { received: received.resolve, released: released.promise })
    return { received: received.promise, release: () => released.resolve() }
  }
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const response = await fake.fetch(input, init)
    const path = new URL(input instanceof Request ? input.url : input).pathname
    const held = holds.get(path)
    holds.delete(path)
    held?.received()
    await held?.released
    return response
  }
  return { fake, hold, fetch }
}

/** An application that cannot be read for as long as it says. */
const unreadable = () => {
  const state = { isAway: true, reads: 0 }
  const layer = ClientApplication.layerEffect(
    Effect.suspend(() => {
      state.reads++
      if (!state.isAway) return Effect.succeed(app)
      return Effect.delay(
        Effect.fail(ZapierAuthError.make(new ApplicationUnavailable({ waited: Duration.seconds(1) }))),
        1
      )
    })
  )
  return { state, layer }
}

describe("ZapierPromise, starting", () => {
  it("starts again at the next use after a start that failed, which all are told who waited", async () => {
    const fake = FakeZapierPromise.make({ apps: [app] })
    const { layer, state } = unreadable()
    await using zapier = ZapierPromise.make({ application: layer, fetch: fake.fetch, stores: "memory" })
    const heard: Array<string> = []
    zapier.subscribe((event) => void ("to" in event && heard.push(event.to)))
    const first: ReadonlyArray<ZapierPromise.Result<unknown>> = await Promise.all([
      zapier.status("ada"),
      zapier.accessToken("eve"),
      zapier.fetch("/v1/apps")
    ])
    expect(first.map(tagOf)).toEqual(Array(3).fill("ApplicationUnavailable"))
    expect(first[0]).toMatchObject({ error: { isRetryable: true } })
    expect(state.reads).toBe(1)
    expect(tagOf(await zapier.status("ada"))).toBe("ApplicationUnavailable")
    expect(state.reads).toBe(2)
    state.isAway = false
    expect(valueOf(await zapier.status("ada"))).toEqual({ _tag: "Absent", subject: "ada" })
    expect(tagOf(await connect(fake, zapier, "ada"))).toBe("ok")
    await expect.poll(() => heard).toContain("Active")
  })

  it("goes on starting for the others when one of them no longer waits", async () => {
    const fake = FakeZapierPromise.make({ apps: [app] })
    const read = Promise.withResolvers<typeof app>()
    let reads = 0
    const application = ClientApplication.layerEffect(
      Effect.suspend(() => {
        reads++
        return Effect.promise(() => read.promise)
      })
    )
    await using zapier = ZapierPromise.make({ application, fetch: fake.fetch, stores: "memory" })
    const stop = new AbortController()
    const impatient = zapier.status("ada", { signal: stop.signal })
    const patient = zapier.status("ada")
    stop.abort(new Error("enough"))
    await expect(impatient).rejects.toThrow("enough")
    read.resolve(app)
    expect(tagOf(await patient)).toBe("ok")
    expect(reads).toBe(1)
  })

  it("reads the environment and `globalThis.fetch` when a client is made", async () => {
    const fakes = ["one", "two"].map((clientId) => FakeZapierPromise.make({ apps: [{ ...app, clientId }] }))
    const own = globalThis.fetch
    try {
      const clients = fakes.map((fake, n) => {
        // Where programs without Effect have it.
        vi.stubEnv("ZAPIER_CLIENT_ID", ["one", "two"][n])
        vi.stubEnv("ZAPIER_CLIENT_SECRET", app.clientSecret)
        vi.stubEnv("ZAPIER_REDIRECT_URIS", app.redirectUris.join(","))
        globalThis.fetch = fake.fetch
        return ZapierPromise.make({ stores: "memory" })
      })
      globalThis.fetch = own
      for (const [n, zapier] of clients.entries()) {
        expect(valueOf(await zapier.fetch("/v1/apps")).status).toBe(200)
        const { url } = valueOf(await zapier.authorizationUrl({ subject: "ada", scopes: ["zap"] }))
        expect(new URL(url).searchParams.get("client_id")).toBe(["one", "two"][n])
        await zapier.close()
      }
    } finally {
      globalThis.fetch = own
      vi.unstubAllEnvs()
    }
  })
})

describe("ZapierPromise, closing", () => {
  it("lets a call end whose response has not come yet", async () => {
    const { fake, fetch, hold } = holding()
    const zapier = ZapierPromise.make({ application: app, fetch, stores: "memory" })
    await connect(fake, zapier, "ada")
    const held = hold("/v2/zaps")
    const underWay = zapier.fetch("/v2/zaps", { subject: "ada" })
    await held.received
    const closing = Promise.all([zapier.close(), zapier.close()])
    expect(tagOf(await zapier.fetch("/v1/apps"))).toBe("Closed")
    held.release()
    expect(valueOf(await underWay).status).toBe(200)
    await closing
  })

  it("lets a code be exchanged, and says so", async () => {
    const { fake, fetch, hold } = holding()
    const zapier = ZapierPromise.make({ application: app, fetch, stores: "memory" })
    const { url } = valueOf(await zapier.authorizationUrl({ subject: "ada", scopes: ["zap"] }))
    const held = hold("/oauth/token/")
    const underWay = zapier.handleCallback(await fake.approve(url), { subject: "ada" })
    await held.received
    const closing = zapier.close()
    held.release()
    expect(valueOf(await underWay)._tag).toBe("Active")
    await closing
  })

  it("keeps the stores open for as long as they are used", async () => {
    const fake = FakeZapierPromise.make({ apps: [app] })
    const order: Array<string> = []
    const attempts = Layer.effect(
      AttemptStore.AttemptStore,
      Effect.gen(function* () {
        const store = yield* AttemptStore.AttemptStore
        yield* Effect.addFinalizer(() => Effect.sync(() => order.push("stores are closed")))
        const noted = Effect.sync(() => order.push("attempt is written"))
        return { ...store, compareAndSet: (...given) => Effect.ensuring(store.compareAndSet(...given), noted) }
      })
    )
    const stores = attempts.pipe(Layer.provideMerge(MemoryStores.layer))
    const read = Promise.withResolvers<typeof app>()
    let reads = 0
    const application = ClientApplication.layerEffect(
      Effect.suspend(() => (reads++ === 0 ? Effect.succeed(app) : Effect.promise(() => read.promise)))
    )
    const httpClient = Layer.provide(FetchHttpClient.layer, Layer.succeed(FetchHttpClient.Fetch, fake.fetch))
    const zapier = ZapierPromise.fromLayer(
      Layer.provide(ZapierNode.layerWithoutStores({ application, httpClient }), stores)
    )
    valueOf(await zapier.status("ada"))
    const underWay = zapier.authorizationUrl({ subject: "ada", scopes: ["zap"] })
    await expect.poll(() => reads).toBe(2)
    const closing = zapier.close()
    read.resolve(app)
    expect(tagOf(await underWay)).toBe("ok")
    await closing
    expect(order).toEqual(["attempt is written", "stores are closed"])
  })

  it("answers every method with `Closed` afterwards, and rejects none", async () => {
    const { fetch } = holding()
    const zapier = ZapierPromise.make({ application: app, fetch, stores: "memory" })
    valueOf(await zapier.status("ada"))
    await zapier.close()
    const results: ReadonlyArray<ZapierPromise.Result<unknown>> = await Promise.all([
      zapier.authorizationUrl({ subject: "ada", scopes: ["zap"] }),
      zapier.handleCallback("https://acme.example/zapier/callback?code=a&state=b", { subject: "ada" }),
      zapier.accessToken("ada"),
      zapier.appToken(["zap"]),
      zapier.fetch("/v1/apps"),
      zapier.status("ada"),
      zapier.disconnect("ada")
    ])
    expect(results.map(tagOf)).toEqual(Array(7).fill("Closed"))
    zapier.subscribe(() => undefined)()
    await zapier.close()
    await zapier[Symbol.asyncDispose]()
  })
})

describe("ZapierPromise and a layer that several clients have", () => {
  it("is one client for all, until the last is closed", async () => {
    const { fake, fetch, hold } = holding()
    const first = ZapierPromise.make({ application: app, fetch, stores: "memory" })
    const second = ZapierPromise.fromLayer(first.layer)
    const heard: Array<string> = []
    second.subscribe((told) => void ("event" in told && heard.push(told.event)))
    await connect(fake, first, "ada")
    expect(valueOf(await second.status("ada"))._tag).toBe("Active")
    expect(valueOf(await second.fetch("/v2/zaps", { subject: "ada" })).status).toBe(200)
    await expect.poll(() => heard).toContain("CodeReceived")
    const held = hold("/v2/zaps")
    const underWay = first.fetch("/v2/zaps", { subject: "ada" })
    await held.received
    const closing = first.close()
    held.release()
    expect(valueOf(await underWay).status).toBe(200)
    await closing
    expect(tagOf(await first.status("ada"))).toBe("Closed")
    first.subscribe(() => expect.unreachable("it is closed"))
    valueOf(await second.disconnect("ada"))
    expect(tagOf(await second.accessToken("ada"))).toBe("ReconnectRequired")
    await second.close()
    // It was closed, and what is built anew knows nobody.
    const third = ZapierPromise.fromLayer(first.layer)
    expect(valueOf(await third.status("ada"))._tag).toBe("Absent")
    await third.close()
  })

  it("is closed for one of them within its own `requestTimeout`", async () => {
    const { fetch, hold } = holding()
    const settings = { requestTimeout: "50 millis" } as const
    const first = ZapierPromise.make({ application: app, fetch, stores: "memory", settings })
    const second = ZapierPromise.fromLayer(first.layer)
    valueOf(await second.status("ada"))
    const held = hold("/v1/apps")
    const underWay = first.fetch("/v1/apps")
    await held.received
    const begun = performance.now()
    await first.close()
    // A bound that does not depend on this machine's speed: the default would be 20 seconds.
    expect(performance.now() - begun).toBeLessThan(15_000)
    expect(tagOf(await underWay)).toBe("Closed")
    held.release()
    expect(tagOf(await second.status("ada"))).toBe("ok")
    await second.close()
  })

  it("is not shared by what is only a part of two layers", async () => {
    const { fake, fetch } = holding()
    const [first, second] = [1, 2].map(() => ZapierPromise.make({ application: app, fetch, stores: "memory" }))
    if (first === undefined || second === undefined) throw new Error("there are two")
    await connect(fake, first, "ada")
    expect(valueOf(await second.status("ada"))._tag).toBe("Absent")
    await Promise.all([first.close(), second.close()])
  })
})
