/** How the routes start, start again, and end; and what they keep of what they are given. */
import { describe, expect, expectTypeOf, it, vi } from "@effect/vitest"
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import type { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import { ApplicationUnavailable, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as FakeZapierPromise from "@zapier-workflow-auth/testing/FakeZapierPromise"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as ZapierConnect from "../src/ZapierConnect.ts"
import * as ZapierPromise from "../src/ZapierPromise.ts"
import * as World from "./utils/ConnectWorld.ts"

const redirectUri = "https://acme.example/zapier/callback"

const app = World.application(redirectUri)

const options = {
  redirectUri,
  scopes: ["zap"],
  subject: (request: Request) => request.headers.get("x-user") ?? undefined
}

const json = { headers: { accept: "application/json", "x-user": "ada" } }

const status = (zapier: { readonly handler: (request: Request) => Promise<Response> }) =>
  zapier.handler(new Request("https://acme.example/zapier/status", json))

/** What is logged meanwhile. */
const logged = async (run: () => Promise<void>): Promise<string> => {
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined)
  try {
    await run()
    return JSON.stringify(log.mock.calls)
  } finally {
    log.mockRestore()
  }
}

describe("ZapierConnect.toWebHandler", () => {
  it("answers 503 for as long as it cannot start, and starts again with the next request", async () => {
    const fake = FakeZapierPromise.make({ apps: [app] })
    let isAway = true
    const application = ClientApplication.layerEffect(
      Effect.suspend(() =>
        isAway
          ? Effect.fail(ZapierAuthError.make(new ApplicationUnavailable({ waited: Duration.seconds(1) })))
          : Effect.succeed(app)
      )
    )
    const { layer } = ZapierPromise.make({ application, fetch: fake.fetch, stores: "memory" })
    const zapier = ZapierConnect.toWebHandler({ ...options, zapier: layer })
    const log = await logged(async () => {
      const refused = await status(zapier)
      expect([refused.status, refused.headers.get("retry-after"), await refused.json()]).toEqual([
        503,
        "60",
        expect.objectContaining({ error: "ApplicationUnavailable", isRetryable: true })
      ])
      const page = await zapier.handler(new Request("https://acme.example/zapier/callback?code=c0de&state=5tate"))
      expect([page.status, page.headers.get("retry-after"), page.headers.get("cache-control")]).toEqual([
        503,
        "60",
        "no-store"
      ])
      const text = await page.text()
      expect(text).toContain('<a href="/zapier/connect">Try again</a>')
      expect(text).not.toContain("c0de")
    })
    expect(log).toContain("credentials could not be read")
    isAway = false
    expect(await (await status(zapier)).json()).toMatchObject({ _tag: "Absent" })
    await zapier.dispose()
    const closed = await logged(async () => expect((await status(zapier)).status).toBe(503))
    expect(closed).toContain("This client was closed")
  })

  it("answers 500 when it is set up wrongly, and logs what is wrong", async () => {
    const zapier = ZapierConnect.toWebHandler({
      ...options,
      redirectUri: "https://acme.example/elsewhere",
      zapier: ZapierPromise.make({ application: app, stores: "memory" }).layer
    })
    const log = await logged(async () => {
      const refused = await status(zapier)
      expect([refused.status, refused.headers.get("retry-after")]).toEqual([500, null])
    })
    expect(log).toContain("redirectUri: give one of the application's redirect URIs")
    await zapier.dispose()
  })

  it("answers 500 for a layer that throws, of which nothing is shown", async () => {
    const zapier = ZapierConnect.toWebHandler({
      ...options,
      zapier: Layer.effectDiscard(Effect.die("s3cret")) as never
    })
    const log = await logged(async () => {
      const refused = await status(zapier)
      expect([refused.status, (await refused.text()).includes("s3cret")]).toEqual([500, false])
    })
    expect(log).toContain("layer: it threw a value of type string when it was built")
    expect(log).not.toContain("s3cret")
    await zapier.dispose()
  })

  it("has the users of a `ZapierPromise` whose layer it is given", async () => {
    const fake = FakeZapierPromise.make({ apps: [app] })
    await using promised = ZapierPromise.make({ application: app, fetch: fake.fetch, stores: "memory" })
    const zapier = ZapierConnect.toWebHandler({ ...options, zapier: promised.layer })
    const begun = await promised.authorizationUrl({ subject: "ada", scopes: ["zap"] })
    if (!begun.ok) throw new Error(begun.error.message)
    await promised.handleCallback(await fake.approve(begun.value.url), { subject: "ada" })
    expect(await (await status(zapier)).json()).toMatchObject({ connected: true })
    const disconnected = await zapier.handler(
      new Request("https://acme.example/zapier/disconnect", {
        method: "POST",
        headers: { ...json.headers, origin: "https://acme.example" }
      })
    )
    expect(disconnected.status).toBe(200)
    expect(await promised.accessToken("ada")).toMatchObject({ ok: false, error: { _tag: "ReconnectRequired" } })
    await zapier.dispose()
    expect((await promised.status("ada")).ok).toBe(true)
  })

  it("lets requests end that are under way when it is disposed", async () => {
    const fake = FakeZapierPromise.make({ apps: [app] })
    const asked = Promise.withResolvers<void>()
    const signedIn = Promise.withResolvers<string>()
    const zapier = ZapierConnect.toWebHandler({
      ...options,
      subject: () => {
        asked.resolve()
        return signedIn.promise
      },
      zapier: ZapierPromise.make({ application: app, fetch: fake.fetch, stores: "memory" }).layer
    })
    const underWay = status(zapier)
    await asked.promise
    const disposing = zapier.dispose()
    signedIn.resolve("ada")
    // Nothing is begun any more, and the request is answered.
    expect(await (await underWay).json()).toMatchObject({ error: "Closed" })
    await disposing
  })

  it("answers 503 when the app cannot identify the signed-in user, and shows nothing of why", async () => {
    const fake = FakeZapierPromise.make({ apps: [app] })
    const zapier = ZapierConnect.toWebHandler({
      ...options,
      subject: async () => {
        throw new RangeError("s3cret")
      },
      zapier: ZapierPromise.make({ application: app, fetch: fake.fetch, stores: "memory" }).layer
    })
    const log = await logged(async () => {
      const refused = await status(zapier)
      expect([refused.status, refused.headers.get("retry-after"), await refused.json()]).toEqual([
        503,
        "60",
        expect.objectContaining({ error: "AppCodeFailed", isRetryable: true })
      ])
    })
    expect(log).toContain(
      "The app's own code for subject could not identify the signed-in user: it failed with RangeError."
    )
    expect(log).not.toMatch(/store/i)
    expect(log).not.toContain("s3cret")
    await zapier.dispose()
  })
})

class Words extends Context.Service<Words, { readonly failed: string }>()("test/Words") {}

const failing = Layer.succeed(ZapierConnect.SignedIn, {
  subject: () => Effect.fail({ _tag: "SessionsAway" })
})

describe("ZapierConnect.layer", () => {
  const respond = () => Effect.map(Words, ({ failed }) => HttpServerResponse.text(failed, { status: 418 }))

  it.effect("gives `respond` what it needs, and is told that the app could not identify the signed-in user", () =>
    Effect.gen(function* () {
      const zapier = ZapierPromise.make({ application: app, stores: "memory" }).layer
      const outcomes: Array<ZapierConnect.Outcome> = []
      const routes = ZapierConnect.layer({
        redirectUri,
        scopes: ["zap"],
        respond: (outcome) => {
          outcomes.push(outcome)
          return respond()
        }
      }).pipe(Layer.provide([failing, zapier, Layer.succeed(Words, { failed: "in other words" })]))
      const handle = yield* HttpRouter.toHttpEffect(routes)
      const visit = (path: string) =>
        Effect.provideService(
          Effect.scoped(handle),
          HttpServerRequest.HttpServerRequest,
          HttpServerRequest.fromWeb(new Request(new URL(path, redirectUri)))
        )
      expect((yield* visit("/zapier/connect")).status).toBe(418)
      expect(outcomes).toMatchObject([
        { _tag: "Failed", error: { reason: { _tag: "AppCodeFailed", problem: "it failed with SessionsAway" } } }
      ])
    })
  )

  it("keeps the requirements of `respond`", () => {
    const layer = ZapierConnect.layer({ redirectUri, scopes: ["zap"], respond })
    expectTypeOf(layer).toEqualTypeOf<
      Layer.Layer<never, ZapierAuthError, HttpRouter.HttpRouter | ZapierAuth | ZapierConnect.SignedIn | Words>
    >()
    const plain = ZapierConnect.layer({ redirectUri, scopes: ["zap"] })
    expectTypeOf(plain).toEqualTypeOf<
      Layer.Layer<never, ZapierAuthError, HttpRouter.HttpRouter | ZapierAuth | ZapierConnect.SignedIn>
    >()
    const ofRequest = ZapierConnect.layer({
      redirectUri,
      scopes: ["zap"],
      respond: () => Effect.map(HttpServerRequest.HttpServerRequest, ({ url }) => HttpServerResponse.text(url))
    })
    expectTypeOf(ofRequest).toEqualTypeOf(plain)
  })
})
