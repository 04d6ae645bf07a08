import { randomBytes } from "node:crypto"
import { expect, it } from "@effect/vitest"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import { describeWithPostgres } from "../packages/node-adapter/test/utils/PostgresSuite.ts"
import { routes, stores } from "./web-app.ts"

const redirectUri = "http://localhost:3000/zapier/callback"

const app = { name: "Acme", clientId: "abc", clientSecret: "s3cret", redirectUris: [redirectUri] }

/** A process of the app: it shares only the database with others. */
const processOf = (fake: FakeZapier.FakeZapier["Service"], env: Record<string, string>) => {
  const httpClient = Layer.provide(FakeZapier.layerHttpClient, Layer.succeed(FakeZapier.FakeZapier, fake))
  const zapier = ZapierNode.layerWithoutStores({ application: app, httpClient }).pipe(Layer.provide(stores))
  const layer = routes(redirectUri).pipe(
    Layer.provide(zapier),
    Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env }))),
    Layer.provide(FetchHttpClient.layer)
  )
  return Effect.acquireRelease(
    Effect.sync(() => HttpRouter.toWebHandler(layer, { disableLogger: true })),
    ({ dispose }) => Effect.promise(dispose)
  )
}

describeWithPostgres("web-app.ts", (server) => {
  it.live("shows the Zaps of whoever is signed in, whichever process the browser comes back to", () =>
    Effect.gen(function* () {
      const env = { DATABASE_URL: server().url, ZAPIER_ENCRYPTION_KEYS: randomBytes(32).toString("base64") }
      const fake = FakeZapier.make({ apps: [app] })
      const processes = [yield* processOf(fake, env), yield* processOf(fake, env)]
      const cookies = new Map<string, string>()
      let turn = 0
      const visit = (url: string, init: { readonly method?: string; readonly headers?: Record<string, string> } = {}) =>
        Effect.promise(async () => {
          const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ")
          const request = new Request(new URL(url, redirectUri), { ...init, headers: { ...init.headers, cookie } })
          const response = await processes[turn++ % 2]?.handler(request)
          if (response === undefined) throw new Error("there is no process")
          for (const set of response.headers.getSetCookie()) {
            const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(set) ?? []
            cookies.set(name, value)
          }
          return {
            status: response.status,
            location: response.headers.get("location") ?? "",
            text: await response.text()
          }
        })

      expect((yield* visit("/")).text).toContain("Sign in as Ada")
      expect((yield* visit("/sign-in/ada")).location).toBe("/")
      expect((yield* visit("/")).text).toContain('<a href="/zapier/connect">Connect Zapier</a>')
      const { location } = yield* visit("/zapier/connect")
      expect((yield* visit(yield* fake.approve(location))).location).toBe("/")
      for (const _ of processes) expect((yield* visit("/")).text).toMatch(/<ul><li>.+<\/li><\/ul>/)
      const own = { method: "POST", headers: { origin: "http://localhost:3000" } }
      expect((yield* visit("/zapier/disconnect", own)).status).toBe(303)
      expect((yield* visit("/sign-in/eve")).location).toBe("/")
      expect((yield* visit("/")).text).toContain("Connect Zapier")
    })
  )
})
