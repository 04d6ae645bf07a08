import { createServer } from "node:http"
import { fileURLToPath } from "node:url"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { expect, it } from "@effect/vitest"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Workerd from "../../packages/node-adapter/test/utils/Workerd.ts"

const origin = "https://acme.example"

const app = { name: "Acme", clientId: "acme", clientSecret: "s3cret", redirectUris: [`${origin}/zapier/callback`] }

const fake = FakeZapier.make({ apps: [app] })

const served = FakeZapier.layerServer.pipe(
  Layer.provide(Layer.succeed(FakeZapier.FakeZapier, fake)),
  Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 }))
)

const bundle = () => Workerd.bundle(fileURLToPath(new URL("cloudflare/worker.ts", import.meta.url)))

const started = (zapier: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const worker = Workerd.start({
        modules: true,
        script: await bundle(),
        compatibilityDate: "2026-01-01",
        durableObjects: { USERS: { className: "User", useSQLite: true } },
        bindings: {
          ZAPIER_CLIENT_ID: app.clientId,
          ZAPIER_CLIENT_SECRET: app.clientSecret,
          ZAPIER_ENCRYPTION_KEY: btoa("0123456789abcdef0123456789abcdef"),
          ZAPIER_REDIRECT_URI: `${origin}/zapier/callback`,
          ZAPIER_FAKE: zapier
        }
      })
      await worker.ready
      return worker
    }),
    (worker) => Effect.promise(() => worker.dispose())
  )

/** A user's browser at the app, which follows no redirects. */
const browserOf = (worker: Workerd.Runtime, user: string) => {
  const cookies = new Map([["user", user]])
  return async (path: string, init: { readonly method?: string } = {}) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ")
    const headers = { cookie, "sec-fetch-site": "same-origin", origin }
    const response = await worker.dispatchFetch(`${origin}${path}`, { ...init, headers, redirect: "manual" })
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      cookies.set(name, value)
    }
    return response
  }
}

Workerd.describeWithWorkerd("the example of a Cloudflare worker", () => {
  it.live("connects users, calls for each with a grant of their own, renews it, and disconnects", () =>
    Effect.gen(function* () {
      const { address } = yield* HttpServer.HttpServer
      const worker = yield* started(HttpServer.formatAddress(address))
      const ada = browserOf(worker, "ada")
      const grace = browserOf(worker, "grace")
      const ask = (browser: typeof ada, path: string, init?: { readonly method: string }) =>
        Effect.promise(() => browser(path, init))

      expect((yield* ask(ada, "/")).status).toBe(303)
      const consent = yield* ask(ada, "/zapier/connect")
      expect(consent.status).toBe(303)
      const callback = yield* fake.approve(consent.headers.get("location") ?? "")
      const back = yield* ask(ada, new URL(callback).pathname + new URL(callback).search)
      expect([back.status, back.headers.get("location")]).toEqual([303, "/"])
      expect((yield* ask(ada, "/")).status).toBe(200)
      expect((yield* ask(grace, "/")).status).toBe(303)

      const [issued] = yield* fake.issued
      yield* fake.endAccessToken(issued?.accessToken ?? "")
      expect((yield* ask(ada, "/")).status).toBe(200)
      expect((yield* fake.issued).map(({ origin: { _tag } }) => _tag)).toEqual(["Code", "RefreshToken"])

      expect((yield* ask(ada, "/zapier/disconnect", { method: "POST" })).status).toBe(303)
      expect((yield* ask(ada, "/")).status).toBe(303)
    }).pipe(Effect.provide(served))
  )

  it("is bundled without Node, and is small", async () => {
    const size = (await bundle()).length
    expect(size).toBeLessThan(1_700_000)
  })
})
