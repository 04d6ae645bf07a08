/** How outcomes are answered: by the app, or in its stead; and what the app may say wrongly. */
import { describe, expect, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as ZapierConnect from "../src/ZapierConnect.ts"
import * as ZapierNode from "../src/ZapierNode.ts"
import * as World from "./utils/ConnectWorld.ts"
import { logged } from "./utils/logged.ts"

const redirectUri = "https://acme.example/zapier/callback"

const application = World.application(redirectUri)

const accept = { accept: "application/json" }

const own = { method: "POST", headers: { origin: "https://acme.example" } }

/** All that a user may see of the routes, by the outcomes that they come to. */
const tour = Effect.fnUntraced(function* (options: Partial<ZapierConnect.Options>, headers: Record<string, string>) {
  const world = yield* World.make({ scopes: ["zap", "zap:write"], returnTo: "/home", ...options })
  const ada = new World.Browser("ada")
  const send = (browser: World.Browser, url: string, init: World.Init = {}) =>
    world.send(browser, url, { ...init, headers: { ...init.headers, ...headers } })
  const begin = (to: string) => Effect.map(world.begin(ada, `?return=/${to}`), ({ location }) => location)
  return {
    SignedOut: yield* send(new World.Browser(), "/zapier/connect?return=/out"),
    Unconfirmed: yield* send(ada, "/zapier/connect?return=/asked", { headers: { "sec-fetch-site": "cross-site" } }),
    ReturnAddress: yield* send(ada, "/zapier/connect?return=https://evil.example/"),
    OtherSite: yield* send(ada, "/zapier/disconnect?return=/posted", { method: "POST" }),
    Failed: yield* send(ada, yield* world.fake.deny(yield* begin("denied"))),
    ScopesMissing: yield* send(ada, yield* world.fake.approve(yield* begin("less"), { scopes: ["zap"] })),
    Connected: yield* send(ada, yield* world.fake.approve(yield* begin("done"))),
    StillConnected: yield* send(ada, yield* world.fake.deny(yield* begin("still"))),
    Status: yield* send(ada, "/zapier/status"),
    Disconnected: yield* send(ada, "/zapier/disconnect?return=/bye", own)
  }
})

describe("a page", () => {
  it.effect("leads back to where the user wanted to go, whatever came of it", () =>
    Effect.gen(function* () {
      const { Connected, Disconnected, Status, ...pages } = yield* tour({}, {})
      const back = Object.values(pages).map(({ text }) => /<a href="([^"]*)">Back to the app<\/a>/.exec(text)?.[1])
      expect(back).toEqual(["/out", "/asked", "/home", "/posted", "/denied", "/less", "/still"])
      expect([Connected.location, Disconnected.location, Status.headers.get("content-type")]).toEqual([
        "/done",
        "/bye",
        "application/json"
      ])
    })
  )

  it.effect("for who is signed out leads to where users sign in, if the app says where", () =>
    Effect.gen(function* () {
      const { SignedOut } = yield* tour({ signIn: "/sign-in?then=zapier" }, {})
      expect(SignedOut.text).toContain('<a href="/sign-in?then=zapier">Sign in</a>')
      const data = yield* tour({ signIn: "/sign-in" }, accept)
      expect(JSON.parse(data.SignedOut.text)).toMatchObject({ error: "SignedOut", signIn: "/sign-in" })
    })
  )

  it.effect("for who has signed out meanwhile leads to what they came for, and never holds the code", () =>
    Effect.gen(function* () {
      const outcomes: Array<ZapierConnect.Outcome> = []
      const world = yield* World.make({
        respond: (outcome) =>
          Effect.as(
            Effect.sync(() => outcomes.push(outcome)),
            undefined
          )
      })
      const ada = new World.Browser("ada")
      const callback = yield* world.fake.approve((yield* world.begin(ada, "?return=/a")).location)
      ada.cookies.delete("session")
      const { text } = yield* world.send(ada, callback)
      expect(text).toContain('<a href="/a">')
      expect(outcomes).toMatchObject([
        { _tag: "SignedOut", returnTo: "/a", connect: "/zapier/connect?return=%2Fa", signIn: undefined }
      ])
      expect(text).not.toContain(new URL(callback).searchParams.get("code"))
    })
  )
})

describe("`respond`", () => {
  it.effect.each<readonly [string, Record<string, string>]>([
    ["page", {}],
    ["json", accept]
  ])("is asked for every answer, with the format: %s", ([format, headers]) =>
    Effect.gen(function* () {
      const answers = yield* tour(
        {
          respond: (outcome, asked) =>
            Effect.succeed(
              HttpServerResponse.text(`${asked.format} ${outcome._tag} ${outcome.returnTo}`, { status: 299 })
            )
        },
        headers
      )
      expect(Object.values(answers).map(({ status, text }) => [status, text])).toEqual(
        [
          `${format} SignedOut /out`,
          `${format} Unconfirmed /asked`,
          `${format} Refused /home`,
          `${format} Refused /posted`,
          `${format} Failed /denied`,
          `${format} ScopesMissing /less`,
          `${format} Connected /done`,
          `${format} StillConnected /still`,
          "json Status /home",
          `${format} Disconnected /bye`
        ].map((text) => [299, text])
      )
      for (const { headers } of Object.values(answers)) expect(headers.get("cache-control")).toBe("no-store")
    })
  )

  it.effect("leaves to the library what it gives nothing for, and may ask the library itself", () =>
    Effect.gen(function* () {
      for (const headers of [{}, accept]) {
        const plain = yield* tour({}, headers)
        const left = yield* tour({ respond: () => Effect.undefined }, headers)
        const given = yield* tour(
          { respond: (outcome, asked) => Effect.succeed(ZapierConnect.respond(outcome, asked)) },
          headers
        )
        const shown = ({ text, status }: World.Answer) => [status, text.replace(/"(expiresAt|since)":\d+/g, "")]
        expect(Object.values(left).map(shown)).toEqual(Object.values(plain).map(shown))
        expect(Object.values(given).map(shown)).toEqual(Object.values(plain).map(shown))
      }
    })
  )

  it.effect.each<readonly [string, unknown, log: string]>([
    ["gives a promise", async () => HttpServerResponse.text("s3cret"), "it returned a value of type object"],
    [
      "gives a text",
      () => Effect.succeed("s3cret"),
      "it returned a value of type string instead of an HttpServerResponse"
    ],
    ["fails", () => Effect.fail({ _tag: "Full", message: "s3cret" }), "it failed with Full"],
    ["dies", () => Effect.die(new RangeError("s3cret")), "it failed with RangeError"],
    [
      "throws",
      () => {
        throw new RangeError("s3cret")
      },
      "it failed with RangeError"
    ]
  ])("that %s is told to the owner, and the user is answered", ([, respond, words]) =>
    Effect.gen(function* () {
      const log = yield* logged(
        Effect.gen(function* () {
          const world = yield* World.make({ respond: respond as never })
          const { status, text } = yield* world.send(new World.Browser(), "/zapier/connect")
          expect([status, text.includes("You are not signed in")]).toEqual([401, true])
        })
      )
      expect(log).toContain(words)
      expect(log).not.toContain("s3cret")
    })
  )
})

describe("`subject`", () => {
  const connecting = Effect.fnUntraced(function* (given: () => unknown, url = "https://acme.example/zapier/connect") {
    const routes = ZapierConnect.layer({ redirectUri, scopes: ["zap"] }).pipe(
      Layer.provide([
        Layer.succeed(ZapierConnect.SignedIn, { subject: given as never }),
        ZapierNode.layerMemory({ application })
      ])
    )
    const handle = yield* HttpRouter.toHttpEffect(routes)
    return yield* Effect.provideService(
      Effect.scoped(handle),
      HttpServerRequest.HttpServerRequest,
      HttpServerRequest.fromWeb(new Request(url))
    )
  })

  const inWeb = async (given: unknown) => {
    const { dispose, handler } = ZapierConnect.toWebHandler({
      redirectUri,
      scopes: ["zap"],
      subject: (async () => given) as never,
      zapier: ZapierNode.layerMemory({ application })
    })
    const { status } = await handler(new Request("https://acme.example/zapier/connect"))
    await dispose()
    return status
  }

  it.effect.each([undefined, null, ""])("that is %j is nobody", (given) =>
    Effect.gen(function* () {
      expect((yield* connecting(() => Effect.succeedSome(given))).status).toBe(401)
      expect((yield* connecting(() => Effect.succeed(given))).status).toBe(401)
      expect(yield* Effect.promise(() => inWeb(given))).toBe(401)
    })
  )

  it.effect.each<readonly [unknown, string]>([
    [5, "it returned a value of type number instead of the user's id as text"],
    [["ada"], "it returned a list instead of the user's id as text"],
    [{ name: "s3cret" }, "it returned a value of type object instead of the user's id as text"],
    [true, "it returned a value of type boolean instead of the user's id as text"]
  ])("that is %j cannot be told from somebody: 503, and the owner is told", ([given, words]) =>
    Effect.gen(function* () {
      const log = yield* logged(
        Effect.gen(function* () {
          const { headers, status } = yield* connecting(() => Effect.succeedSome(given))
          expect([status, headers["retry-after"]]).toEqual([503, "60"])
        })
      )
      expect(log).toContain(words)
      expect(log).not.toContain("s3cret")
      const spy = vi.spyOn(console, "log").mockImplementation(() => undefined)
      expect(yield* Effect.promise(() => inWeb(given))).toBe(503)
      expect(JSON.stringify(spy.mock.calls)).toContain(words)
      spy.mockRestore()
    })
  )

  it.effect("that is no Effect, or throws, is a 503 as well", () =>
    Effect.gen(function* () {
      expect((yield* connecting(() => "ada")).status).toBe(503)
      // Also where it is asked only to tell the user what is so.
      expect((yield* connecting(() => "ada", `${redirectUri}?code=c0de&state=5tate`)).status).toBe(503)
      expect(
        (yield* connecting(() => {
          throw new Error("s3cret")
        })).status
      ).toBe(503)
    })
  )
})

describe("the owner of the app", () => {
  it.effect("is told of what only the owner can mend, and not of what users do", () =>
    Effect.gen(function* () {
      const log = yield* logged(
        Effect.gen(function* () {
          const routes = ZapierConnect.layer({ redirectUri, scopes: ["zap"], pkce: "yes" as never }).pipe(
            Layer.provide([
              Layer.succeed(ZapierConnect.SignedIn, { subject: () => Effect.succeedSome("ada") }),
              ZapierNode.layerMemory({ application })
            ])
          )
          const handle = yield* HttpRouter.toHttpEffect(routes)
          const send = (url: string) =>
            Effect.provideService(
              Effect.scoped(handle),
              HttpServerRequest.HttpServerRequest,
              HttpServerRequest.fromWeb(new Request(new URL(url, redirectUri)))
            )
          expect((yield* send("/zapier/connect")).status).toBe(500)
          expect((yield* send("/zapier/callback?state=guessed&code=c0de")).status).toBe(400)
        })
      )
      expect(log).toContain("pkce: give true or false")
      expect(log).not.toContain("callback")
    })
  )
})
