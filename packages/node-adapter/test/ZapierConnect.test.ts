import { createHash } from "node:crypto"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { describe, expect, it } from "@effect/vitest"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as ZapierConnect from "../src/ZapierConnect.ts"
import * as ZapierNode from "../src/ZapierNode.ts"
import * as World from "./utils/ConnectWorld.ts"

const statusOf = (world: Effect.Success<ReturnType<typeof World.make>>, subject: string) =>
  Effect.provide(
    ZapierAuth.use((auth) => auth.status(subject)),
    world.zapier
  )

describe("ZapierConnect", () => {
  it.effect("connects who is signed in, and goes to where they wanted to go", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const ada = new World.Browser("ada")
      const begun = yield* world.begin(ada, "?return=/settings%3Ftab=zapier")
      expect(begun.status).toBe(303)
      expect(begun.location).toMatch(/^https:\/\/api\.zapier\.com\/v2\/authorize\?/)
      const done = yield* world.send(ada, yield* world.fake.approve(begun.location))
      expect([done.status, done.location]).toEqual([303, "/settings?tab=zapier"])
      expect(yield* statusOf(world, "ada")).toMatchObject({ _tag: "Active", scopes: ["zap"] })
      // Nothing is left of the attempt in the browser.
      expect([...ada.cookies.keys()]).toEqual(["session"])
    })
  )

  it.effect("lets two tabs connect, each of which goes to its own place", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const ada = new World.Browser("ada")
      const first = yield* world.begin(ada, "?return=/first")
      const second = yield* world.begin(ada, "?return=/second")
      expect((yield* world.send(ada, yield* world.fake.approve(second.location))).location).toBe("/second")
      expect((yield* world.send(ada, yield* world.fake.approve(first.location))).location).toBe("/first")
    })
  )

  it.effect("says whether one is connected, as JSON without a token, and disconnects", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const ada = new World.Browser("ada")
      const before = yield* world.send(ada, "/zapier/status")
      expect(JSON.parse(before.text)).toEqual({
        _tag: "Absent",
        subject: "ada",
        connected: false,
        needsReconnect: false
      })
      const { location } = yield* world.begin(ada)
      yield* world.send(ada, yield* world.fake.approve(location))
      const after = yield* world.send(ada, "/zapier/status")
      expect(JSON.parse(after.text)).toMatchObject({ _tag: "Active", connected: true, scopes: ["zap"] })
      const [issued] = yield* world.fake.issued
      expect(after.text).not.toContain(issued?.accessToken)
      const own = { method: "POST", headers: { origin: "https://acme.example" } }
      const gone = yield* world.send(ada, "/zapier/disconnect?return=/bye", own)
      expect([gone.status, gone.location]).toEqual([303, "/bye"])
      expect(JSON.parse((yield* world.send(ada, "/zapier/status")).text)).toMatchObject({ connected: false })
    })
  )

  it.effect("is disconnected by a form of the app's page, whatever the page's referrer policy hides", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      for (const origin of ["https://acme.example", "null"]) {
        const headers = { origin, "sec-fetch-site": "same-origin" }
        const sent = yield* world.send(new World.Browser("ada"), "/zapier/disconnect", { method: "POST", headers })
        expect([origin, sent.status]).toEqual([origin, 303])
      }
    })
  )

  it.effect("tells programs in JSON, browsers in pages", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const nobody = new World.Browser()
      for (const [method, path] of [
        ["GET", "/zapier/connect"],
        ["POST", "/zapier/disconnect"],
        ["GET", "/zapier/status"]
      ] as const) {
        const page = yield* world.send(nobody, path, { method })
        // Only programs ask for the status.
        const type = path === "/zapier/status" ? "application/json" : "text/html; charset=utf-8"
        expect([page.status, page.headers.get("content-type")]).toEqual([401, type])
        const data = yield* world.send(nobody, path, { method, headers: { accept: "application/json" } })
        expect([data.status, JSON.parse(data.text)]).toEqual([
          401,
          { error: "SignedOut", message: "You are not signed in to the app. Sign in first, then connect Zapier." }
        ])
      }
      const ada = new World.Browser("ada")
      const own = { origin: "https://acme.example", accept: "application/json" }
      const gone = yield* world.send(ada, "/zapier/disconnect", { method: "POST", headers: own })
      expect(JSON.parse(gone.text)).toMatchObject({ wasConnected: false, revocation: expect.any(String) })
    })
  )

  it.effect("tells who said no, and who came too late, and leaves an earlier grant as it was", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const ada = new World.Browser("ada")
      const denied = yield* world.send(ada, yield* world.fake.deny((yield* world.begin(ada, "?return=/a")).location))
      expect(denied.status).toBe(403)
      expect(denied.text).toContain("You did not allow access, so nothing has changed.")
      // To try again is one click, and goes to the same place.
      expect(denied.text).toContain('href="/zapier/connect?return=%2Fa"')
      expect(denied.text).toContain('href="/a"')
      yield* world.send(ada, yield* world.fake.approve((yield* world.begin(ada)).location))
      const { location } = yield* world.begin(ada)
      const callback = yield* world.fake.approve(location)
      yield* TestClock.adjust("16 minutes")
      const late = yield* world.send(ada, callback)
      expect(late.status).toBe(400)
      expect(late.text).toContain("Zapier is still connected")
      expect(late.text).toContain("connecting must be finished within a few minutes")
      expect(yield* statusOf(world, "ada")).toMatchObject({ _tag: "Active", generation: 1 })
    })
  )

  it.effect.each([
    ["RateLimited", { _tag: "RateLimited", retryAfter: 7 }, 503, "7", "Zapier is not responding"],
    ["Unavailable", { _tag: "Unavailable", retryAfter: 9 }, 502, null, "Zapier is not connected"],
    ["ResponseLost", { _tag: "ResponseLost" }, 502, null, "Zapier is not connected"],
    ["MalformedJson", { _tag: "MalformedJson" }, 502, null, "Zapier is not connected"]
  ] as const)("tells the user what %s comes to, and nothing else", ([, fault, status, retryAfter, title]) =>
    Effect.gen(function* () {
      const world = yield* World.make({}, { settings: { retryFor: 0 } })
      const ada = new World.Browser("ada")
      const callback = yield* world.fake.approve((yield* world.begin(ada)).location)
      yield* world.fake.setFaults([{ fault, match: { endpoint: "token" } }])
      const answer = yield* world.send(ada, callback)
      expect(answer.status).toBe(status)
      expect(answer.headers.get("retry-after")).toBe(retryAfter)
      expect(answer.text).toContain(`<h1>${title}</h1>`)
      expect(answer.text).not.toContain("authorization URL")
    })
  )

  it.effect("answers in the app's own words where it has any, and guards these, too", () =>
    Effect.gen(function* () {
      const world = yield* World.make({
        respond: (outcome) =>
          Effect.succeed(
            outcome._tag === "Connected"
              ? HttpServerResponse.text(`Welcome, ${outcome.status.subject}`)
              : ZapierConnect.respond(outcome)
          )
      })
      const ada = new World.Browser("ada")
      const done = yield* world.send(ada, yield* world.fake.approve((yield* world.begin(ada)).location))
      expect([done.status, done.text]).toEqual([200, "Welcome, ada"])
      expect(done.headers.get("referrer-policy")).toBe("no-referrer")
      expect((yield* world.send(new World.Browser(), "/zapier/connect")).status).toBe(401)
    })
  )

  it.effect("is where the redirect URI says, or where it is told to be behind a proxy", () =>
    Effect.gen(function* () {
      const redirectUri = "https://acme.example/app/integrations/callback"
      const world = yield* World.make({ redirectUri })
      const ada = new World.Browser("ada")
      const begun = yield* world.send(ada, "/app/integrations/connect")
      expect((yield* world.send(ada, yield* world.fake.approve(begun.location))).status).toBe(303)
      const proxied = yield* World.make({ redirectUri, path: "/internal" })
      const { location } = yield* proxied.send(ada, "/internal/connect")
      const callback = new URL(yield* proxied.fake.approve(location))
      expect(callback.pathname).toBe("/app/integrations/callback")
      expect((yield* proxied.send(ada, `/internal/callback${callback.search}`)).status).toBe(303)
    })
  )

  it.live("is a part of an app on Effect's router, over HTTP", () =>
    Effect.gen(function* () {
      const routes = Layer.mergeAll(
        HttpRouter.add("GET", "/", HttpServerResponse.text("the app")),
        ZapierConnect.layer({ redirectUri: "http://127.0.0.1:3000/zapier/callback", scopes: ["zap"] })
      ).pipe(
        Layer.provide([
          Layer.succeed(ZapierConnect.SignedIn, { subject: () => Effect.succeedSome("ada") }),
          ZapierNode.layerMemory({ application: World.application("http://127.0.0.1:3000/zapier/callback") })
        ])
      )
      yield* Effect.gen(function* () {
        expect(yield* (yield* HttpClient.get("/")).text).toBe("the app")
        const status = yield* (yield* HttpClient.get("/zapier/status")).json
        expect(status).toMatchObject({ subject: "ada", connected: false })
        // A visit only: programs that look at a link have no effect.
        const looked = yield* HttpClient.head("/zapier/connect")
        expect([looked.status, looked.headers["allow"], looked.headers["set-cookie"]]).toEqual([405, "GET", undefined])
      }).pipe(
        Effect.provide(
          HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
            Layer.provideMerge(NodeHttpServer.layerTest)
          )
        )
      )
    })
  )

  it("is a function from Request to Response, for apps that are not", async () => {
    const app = World.application("https://acme.example/zapier/callback")
    const fake = FakeZapier.make({ apps: [app] })
    const httpClient = Layer.provide(FakeZapier.layerHttpClient, Layer.succeed(FakeZapier.FakeZapier, fake))
    const { dispose, handler } = ZapierConnect.toWebHandler({
      redirectUri: "https://acme.example/zapier/callback",
      scopes: ["zap"],
      subject: async (request) => request.headers.get("x-user") ?? undefined,
      zapier: ZapierNode.layerMemory({ application: app, httpClient })
    })
    const headers = { "x-user": "ada" }
    const looked = await handler(new Request("https://acme.example/zapier/connect", { headers, method: "HEAD" }))
    expect([looked.status, looked.headers.getSetCookie()]).toEqual([405, []])
    const begun = await handler(new Request("https://acme.example/zapier/connect", { headers }))
    const callback = await Effect.runPromise(fake.approve(begun.headers.get("location") ?? ""))
    const cookie = begun.headers.getSetCookie()[0]?.split(";")[0] ?? ""
    const done = await handler(new Request(callback, { headers: { ...headers, cookie } }))
    expect([done.status, done.headers.get("location")]).toEqual([303, "/"])
    expect((await handler(new Request("https://acme.example/zapier/status"))).status).toBe(401)
    expect((await handler(new Request("https://acme.example/other"))).status).toBe(404)
    await dispose()
  })

  it.effect("shows pages whose style is the one that their policy allows", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { headers, text } = yield* world.send(new World.Browser(), "/zapier/connect")
      const style = /<style>([^]*)<\/style>/.exec(text)?.[1] ?? ""
      const digest = createHash("sha256").update(style).digest("base64")
      expect(headers.get("content-security-policy")).toContain(`style-src 'sha256-${digest}'`)
    })
  )
})
