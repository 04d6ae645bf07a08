/** What the app's own functions need and fail with is kept by the layers. */
import { describe, expect, expectTypeOf, it } from "@effect/vitest"
import type { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as ZapierConnect from "../src/ZapierConnect.ts"
import * as ZapierNode from "../src/ZapierNode.ts"

class SessionsAway {
  readonly _tag = "SessionsAway"
}

class Sessions extends Context.Service<
  Sessions,
  { readonly userOf: (cookie: string) => Effect.Effect<Option.Option<string>, SessionsAway> }
>()("test/Sessions") {}

class Plans extends Context.Service<Plans, { readonly scopes: ReadonlyArray<string> }>()("test/Plans") {}

class Brand extends Context.Service<Brand, { readonly name: string }>()("test/Brand") {}

const signedIn = ZapierConnect.layerSignedIn(({ cookies }) =>
  Sessions.use(({ userOf }) => userOf(cookies["session"] ?? ""))
)

const redirectUri = "https://acme.example/zapier/callback"

const routes = ZapierConnect.layer({
  redirectUri,
  scopes: () =>
    Effect.gen(function* () {
      // Both are there: what the app has, and what each request has.
      const { url } = yield* HttpServerRequest.HttpServerRequest
      const { scopes } = yield* Plans
      return url.includes("more") ? [...scopes, "zap:write"] : scopes
    }),
  respond: (outcome) =>
    outcome._tag === "Status"
      ? Effect.map(Brand, ({ name }) => HttpServerResponse.text(name))
      : // What the app has no answer for is undefined. @effect-diagnostics-next-line effectSucceedWithVoid:off
        Effect.succeed(undefined)
})

const zapier = ZapierNode.layerMemory({
  application: { clientId: "acme", clientSecret: "s3cret", redirectUris: [redirectUri] }
})

describe("ZapierConnect and the app's own functions", () => {
  it("keeps what they need", () => {
    expectTypeOf(signedIn).toEqualTypeOf<Layer.Layer<ZapierConnect.SignedIn, never, Sessions>>()
    expectTypeOf(routes).toEqualTypeOf<
      Layer.Layer<never, ZapierAuthError, HttpRouter.HttpRouter | ZapierAuth | ZapierConnect.SignedIn | Plans | Brand>
    >()
  })

  it.effect("gives it to them, and answers 503 when they fail", () =>
    Effect.gen(function* () {
      const sessions = Layer.succeed(Sessions, {
        userOf: (cookie) => (cookie === "broken" ? Effect.fail(new SessionsAway()) : Effect.succeedSome(cookie))
      })
      const app = Layer.provide(routes, [
        Layer.provide(signedIn, sessions),
        zapier,
        Layer.succeed(Plans, { scopes: ["zap"] }),
        Layer.succeed(Brand, { name: "Acme" })
      ])
      const { dispose, handler } = HttpRouter.toWebHandler(app, { disableLogger: true })
      yield* Effect.addFinalizer(() => Effect.promise(dispose))
      const get = (path: string, session: string) =>
        Effect.promise(() =>
          handler(new Request(new URL(path, redirectUri), { headers: { cookie: `session=${session}` } }))
        )
      const status = yield* get("/zapier/status", "ada")
      expect([status.status, yield* Effect.promise(() => status.text())]).toEqual([200, "Acme"])
      const scopesOf = (response: Response) => new URL(response.headers.get("location") ?? "").searchParams.get("scope")
      expect(scopesOf(yield* get("/zapier/connect", "ada"))).toBe("zap")
      expect(scopesOf(yield* get("/zapier/connect?more", "ada"))).toBe("zap zap:write")
      expect((yield* get("/zapier/status", "broken")).status).toBe(503)
    }).pipe(Effect.scoped)
  )
})
