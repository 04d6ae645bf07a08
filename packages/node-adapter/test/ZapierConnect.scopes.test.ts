/** How the consent is asked for: scopes for each request, PKCE, scopes that were granted before; and what was not granted. */
import { describe, expect, it } from "@effect/vitest"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ZapierConnect from "../src/ZapierConnect.ts"
import * as ZapierNode from "../src/ZapierNode.ts"
import * as World from "./utils/ConnectWorld.ts"
import { logged } from "./utils/logged.ts"

type World = Effect.Success<ReturnType<typeof World.make>>

const asked = (location: string) => new URL(location).searchParams.get("scope")

const grantedTo = (world: World, subject: string) =>
  Effect.provide(
    Effect.map(
      ZapierAuth.use((auth) => auth.status(subject)),
      (status) => (status._tag === "Absent" ? [] : status.scopes)
    ),
    world.zapier
  )

// The app has a list for each purpose that it knows, and takes nothing else from a query.
const choose = (url: string) =>
  new URLSearchParams(url.split("?")[1]).get("for") === "publishing" ? ["zap", "zap:write"] : ["zap"]

describe("scopes", () => {
  it.effect("are chosen by the app for each request, and again when the user tries again", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ scopes: ({ url }) => Effect.succeed(choose(url)) })
      const ada = new World.Browser("ada")
      expect(asked((yield* world.begin(ada)).location)).toBe("zap")
      expect(asked((yield* world.begin(ada, "?for=anything&scope=zap:all")).location)).toBe("zap")
      const begun = yield* world.begin(ada, "?return=/a&for=publishing")
      expect(asked(begun.location)).toBe("zap zap:write")
      const again = /href="(\/zapier\/connect[^"]*)"/.exec(
        (yield* world.send(ada, yield* world.fake.deny(begun.location))).text
      )?.[1]
      expect(again).toBe("/zapier/connect?return=%2Fa&#38;for=publishing")
      const own = { headers: { "sec-fetch-site": "same-origin" } }
      const second = yield* world.send(ada, (again ?? "").replace("&#38;", "&"), own)
      const done = yield* world.send(ada, yield* world.fake.approve(second.location))
      expect([done.location, yield* grantedTo(world, "ada")]).toEqual(["/a", ["zap", "zap:write"]])
    })
  )

  it.effect("are asked for after a question as they are without it", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ scopes: ({ url }) => Effect.succeed(choose(url)) })
      const { text } = yield* world.send(new World.Browser("ada"), "/zapier/connect?for=publishing", {
        headers: { "sec-fetch-site": "none" }
      })
      expect(text).toContain('<a href="/zapier/connect?for=publishing">')
    })
  )

  it.effect("may depend on the user", () =>
    Effect.gen(function* () {
      const world = yield* World.make({
        scopes: (_, subject) => Effect.succeed(subject === "ada" ? ["zap:all"] : ["zap"])
      })
      expect(asked((yield* world.begin(new World.Browser("ada"))).location)).toBe("zap:all")
      expect(asked((yield* world.begin(new World.Browser("eve"))).location)).toBe("zap")
    })
  )

  it.effect.each<readonly [string, ZapierConnect.Options["scopes"], status: number, log: string]>([
    ["that fails", () => Effect.fail({ _tag: "SettingsAway", said: "s3cret" }), 503, "it failed with SettingsAway"],
    [
      "that throws",
      () => {
        throw new RangeError("s3cret")
      },
      503,
      "it failed with RangeError"
    ],
    ["that gives a list and no effect", (() => ["zap"]) as never, 503, "it returned a list instead of an Effect"],
    ["that gives a text", () => Effect.succeed("zap" as never), 500, "scopes: give a list"],
    ["that gives nothing", () => Effect.succeed([]), 500, "scopes: give a list"],
    ["that gives two as one", () => Effect.succeed(["zap zap:write"]), 500, "scopes: give a list"]
  ])("chosen by a function %s begin nothing, and the owner is told", ([, scopes, status, words]) =>
    Effect.gen(function* () {
      const log = yield* logged(
        Effect.gen(function* () {
          const world = yield* World.make({ scopes })
          const begun = yield* world.begin(new World.Browser("ada"))
          expect([begun.status, begun.headers.getSetCookie()]).toEqual([status, []])
          expect(begun.text).not.toContain("s3cret")
        })
      )
      expect(log).toContain(words)
      expect(log).not.toContain("s3cret")
    })
  )

  it("may be chosen by a function of a `Request`", async () => {
    const app = World.application("https://acme.example/zapier/callback")
    const fake = FakeZapier.make({ apps: [app] })
    const httpClient = Layer.provide(FakeZapier.layerHttpClient, Layer.succeed(FakeZapier.FakeZapier, fake))
    const { dispose, handler } = ZapierConnect.toWebHandler({
      redirectUri: "https://acme.example/zapier/callback",
      scopes: async (request, subject) => (subject === "ada" ? choose(request.url) : ["profile"]),
      subject: () => "ada",
      zapier: ZapierNode.layerMemory({ application: app, httpClient })
    })
    const begun = await handler(new Request("https://acme.example/zapier/connect?for=publishing"))
    expect(asked(begun.headers.get("location") ?? "")).toBe("zap zap:write")
    await dispose()
  })
})

describe("scopes that were asked for and not granted", () => {
  it.effect("are named to the app, instead of sending the user around once more", () =>
    Effect.gen(function* () {
      const outcomes: Array<ZapierConnect.Outcome> = []
      const world = yield* World.make({
        scopes: ["zap", "zap:write", "profile"],
        respond: (outcome) =>
          Effect.as(
            Effect.sync(() => outcomes.push(outcome)),
            undefined
          )
      })
      const ada = new World.Browser("ada")
      const { location } = yield* world.begin(ada, "?return=/a")
      const done = yield* world.send(ada, yield* world.fake.approve(location, { scopes: ["zap"] }))
      expect([done.status, done.location]).toEqual([200, ""])
      // The user need not know what scopes are.
      expect(done.text).toContain("Zapier is connected, with limits")
      expect(done.text).not.toContain("zap:write")
      expect(done.text).toContain('<a href="/a">')
      expect(done.text).not.toContain("/zapier/connect")
      expect(outcomes).toMatchObject([
        { _tag: "ScopesMissing", missing: ["zap:write", "profile"], status: { _tag: "Active", scopes: ["zap"] } }
      ])
      // The attempt is over.
      expect([...ada.cookies.keys()]).toEqual(["session"])
    })
  )

  it.effect("are data for a program", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ scopes: ["zap", "zap:write"] })
      const ada = new World.Browser("ada")
      const callback = yield* world.fake.approve((yield* world.begin(ada)).location, { scopes: ["zap:write"] })
      const done = yield* world.send(ada, callback, { headers: { accept: "application/json" } })
      expect([done.status, JSON.parse(done.text)]).toEqual([
        200,
        expect.objectContaining({ connected: true, scopes: ["zap:write"], missingScopes: ["zap"] })
      ])
    })
  )
})

describe("a consent", () => {
  it.effect("is bound to its attempt by PKCE where the app wants it", () =>
    Effect.gen(function* () {
      const plain = yield* World.make()
      expect(new URL((yield* plain.begin(new World.Browser("ada"))).location).searchParams.has("code_challenge")).toBe(
        false
      )
      const world = yield* World.make({ pkce: true })
      const { location } = yield* world.begin(new World.Browser("ada"))
      const { searchParams } = new URL(location)
      expect(searchParams.get("code_challenge")).toMatch(/^[\w-]{43}$/)
      expect(searchParams.get("code_challenge_method")).toBe("S256")
    })
  )

  it.effect("asks for what was granted before where the app wants it, and for no more elsewhere", () =>
    Effect.gen(function* () {
      const choosing = {
        scopes: ({ url }: { readonly url: string }) => Effect.succeed([url.split("for=")[1] ?? "zap"])
      }
      for (const [incremental, scope] of [
        [true, "zap:write zap"],
        [false, "zap:write"]
      ] as const) {
        const world = yield* World.make({ ...choosing, incremental })
        const ada = new World.Browser("ada")
        yield* world.send(ada, yield* world.fake.approve((yield* world.begin(ada)).location))
        expect(asked((yield* world.begin(ada, "?for=zap:write")).location)).toBe(scope)
      }
    })
  )

  it.effect("is asked for on the page, with the form and the campaign that the app says", () =>
    Effect.gen(function* () {
      const world = yield* World.make({
        page: "Legacy",
        signUp: { email: "ada@example.com" },
        campaign: { utmSource: "acme" }
      })
      const { pathname, searchParams } = new URL((yield* world.begin(new World.Browser("ada"))).location)
      const plain = yield* World.make()
      expect(pathname).not.toBe(new URL((yield* plain.begin(new World.Browser("ada"))).location).pathname)
      expect([...searchParams.values()]).toEqual(expect.arrayContaining(["ada@example.com", "acme"]))
    })
  )
})
