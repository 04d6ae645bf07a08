/** What the routes are given: types do not keep a program in JavaScript from giving anything. */
import { describe, expect, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import * as ZapierConnect from "../src/ZapierConnect.ts"
import * as ZapierNode from "../src/ZapierNode.ts"
import * as World from "./utils/ConnectWorld.ts"

const redirectUri = "https://acme.example/zapier/callback"

const zapier = ZapierNode.layerMemory({ application: World.application(redirectUri) })

const signedIn = Layer.succeed(ZapierConnect.SignedIn, { subject: () => Effect.succeedNone })

const wrong: ReadonlyArray<readonly [given: Record<string, unknown>, setting: string]> = [
  [{ redirectUri: "https://acme.example/zapier/return" }, "redirectUri"],
  [{ redirectUri: "/zapier/callback" }, "redirectUri"],
  [{ redirectUri: "http://acme.example/zapier/callback" }, "redirectUri"],
  [{ redirectUri: "https://acme.example/zapier/callback\n" }, "redirectUri"],
  [{ redirectUri: "com.example.app://zapier/callback" }, "redirectUri"],
  [{ redirectUri: "https://user:password@acme.example/zapier/callback" }, "redirectUri"],
  [{ redirectUri: undefined }, "redirectUri"],
  [{ redirectUri: null }, "redirectUri"],
  [{ redirectUri: new URL(redirectUri) }, "redirectUri"],
  [{ scopes: [] }, "scopes"],
  [{ scopes: ["zap zap:write"] }, "scopes"],
  [{ scopes: ["zap,zap:write"] }, "scopes"],
  [{ scopes: "zap" }, "scopes"],
  [{ scopes: [5] }, "scopes"],
  [{ scopes: undefined }, "scopes"],
  [{ scopes: null }, "scopes"],
  [{ origins: ["https://www.acme.example/"] }, "origins"],
  [{ origins: ["www.acme.example"] }, "origins"],
  [{ origins: "https://www.acme.example" }, "origins"],
  [{ origins: [undefined] }, "origins"],
  [{ origins: [new URL("https://www.acme.example")] }, "origins"],
  [{ origins: null }, "origins"],
  [{ returnTo: "//evil.example" }, "returnTo"],
  [{ returnTo: "settings" }, "returnTo"],
  [{ returnTo: "https://acme.example/settings" }, "returnTo"],
  [{ returnTo: 5 }, "returnTo"],
  [{ returnTo: null }, "returnTo"],
  [{ signIn: "https://evil.example/" }, "signIn"],
  [{ signIn: "sign-in" }, "signIn"],
  [{ signIn: 5 }, "signIn"],
  [{ path: "zapier" }, "path"],
  [{ path: "/zapier/" }, "path"],
  [{ path: "/zapier?a" }, "path"],
  [{ path: "/zap ier" }, "path"],
  [{ path: "/*" }, "path"],
  [{ path: "/a;b" }, "path"],
  [{ path: "/a%2Fb" }, "path"],
  [{ path: "//a" }, "path"],
  [{ path: "" }, "path"],
  [{ path: 5 }, "path"],
  // It would be where the routes are.
  [{ redirectUri: "https://acme.example/a%2Fb/callback" }, "path"],
  [{ redirectUri: "https://acme.example/a%20b/callback" }, "path"],
  [{ redirectUri: "https://acme.example/a*/callback" }, "path"],
  [{ redirectUri: "https://acme.example/a;b/callback" }, "path"],
  [{ redirectUri: "https://acme.example//evil.example/callback", path: "/zapier" }, "redirectUri"],
  [{ path: null }, "path"],
  [{ respond: 5 }, "respond"],
  [{ respond: null }, "respond"]
]

describe("the routes", () => {
  it.effect("may be at another path here than for browsers, if the redirect URI's path cannot be routed", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ redirectUri: "https://acme.example/a%2Fb/callback", path: "/zapier" })
      const { location, status } = yield* world.send(new World.Browser("ada"), "/zapier/connect")
      expect([status, new URL(location).searchParams.get("redirect_uri")]).toEqual([303, world.redirectUri])
    })
  )

  it.effect.each(wrong)("refuse to begin with %j", ([given, setting]) =>
    Effect.gen(function* () {
      const routes = ZapierConnect.layer({ redirectUri, scopes: ["zap"], ...given }).pipe(
        Layer.provide([signedIn, zapier])
      )
      const error = yield* Effect.flip(Effect.asVoid(Effect.scoped(HttpRouter.toHttpEffect(routes))))
      expect(error.reason).toMatchObject({ _tag: "InvalidConfig", setting })
    })
  )

  it.effect("refuse to begin with nothing", () =>
    Effect.gen(function* () {
      for (const given of [undefined, null, "zap"]) {
        const routes = ZapierConnect.layer(given as never).pipe(Layer.provide([signedIn, zapier]))
        const error = yield* Effect.flip(Effect.asVoid(Effect.scoped(HttpRouter.toHttpEffect(routes))))
        expect(error.reason).toMatchObject({ _tag: "InvalidConfig", setting: "options" })
      }
    })
  )

  it.effect("are at the root, where the redirect URI is there", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ redirectUri: "http://127.0.0.1:3000/callback" })
      const ada = new World.Browser("ada")
      const { headers, location } = yield* world.send(ada, "/connect")
      expect(headers.getSetCookie()[0]).toContain("; Path=/;")
      expect((yield* world.send(ada, yield* world.fake.approve(location))).status).toBe(303)
    })
  )
})

describe("a handler of `Request`s", () => {
  const right = { redirectUri, scopes: ["zap"], subject: () => "ada", zapier }

  const answer = async (options: unknown) => {
    const log = vi.spyOn(console, "log").mockImplementation(() => undefined)
    try {
      const { dispose, handler } = ZapierConnect.toWebHandler(options as never)
      const { status } = await handler(new Request("https://acme.example/zapier/status"))
      await dispose()
      return [status, JSON.stringify(log.mock.calls)] as const
    } finally {
      log.mockRestore()
    }
  }

  it.each([
    ...wrong,
    [{ subject: undefined }, "subject"] as const,
    [{ subject: "ada" }, "subject"] as const,
    [{ zapier: undefined }, "zapier"] as const,
    [{ zapier: "memory" }, "zapier"] as const
  ])("answers with 500 and logs the setting for %j", async (given, setting) => {
    const [status, log] = await answer({ ...right, ...given })
    expect(status).toBe(500)
    expect(log).toContain(`${setting}: `)
  })

  it.each([undefined, null, "zap"])("answers with 500 and logs that %j is no options", async (given) => {
    const [status, log] = await answer(given)
    expect([status, log.includes("options: pass an object")]).toEqual([500, true])
  })

  it("answers with what there is when it is right", async () => {
    expect((await answer(right))[0]).toBe(200)
  })
})
