/** The routes with which White Label users connect apps, against the fake's Connect UI. */
import { describe, expect, it } from "@effect/vitest"
import * as FakeZapierPromise from "@zapier-workflow-auth/testing/FakeZapierPromise"
import * as Effect from "effect/Effect"
import * as ConnectionCallback from "../src/internal/connect/connectionCallback.ts"
import type * as ZapierConnect from "../src/ZapierConnect.ts"
import * as ZapierPromise from "../src/ZapierPromise.ts"
import * as World from "./utils/ConnectWorld.ts"
import * as Partner from "./utils/Partner.ts"

const whiteLabel = { tenant: () => Effect.succeed("acme") }

const own = { headers: { "sec-fetch-site": "same-origin" } }

const open = Effect.fnUntraced(function* (options: Partial<ZapierConnect.Options> = {}) {
  const world = yield* World.make({ whiteLabel, ...options })
  const begin = (browser: World.Browser, query = "?app=SlackCLIAPI&return=/settings", init: RequestInit = own) =>
    world.send(browser, `/zapier/connections/connect${query}`, init)
  /** Decides in the Connect UI, and returns the callback. */
  const decide = (location: string, decision: "allow" | "deny" = "allow") =>
    Effect.map(world.fake.connect(location, { decision }), (end) => {
      if (end._tag !== "Redirect") throw new Error("The page has no way back.")
      return end.url
    })
  const tokens = Effect.map(
    world.fake.requests,
    (all) => all.filter(({ request }) => request.path.startsWith("/oauth/token")).length
  )
  return { ...world, begin, decide, tokens }
})

describe("a White Label user who connects an app", () => {
  it.effect("is redirected with a new connect token each time, and comes back to the app", () =>
    Effect.gen(function* () {
      const outcomes: Array<ZapierConnect.Outcome> = []
      const world = yield* open({ respond: (outcome) => Effect.sync(() => void outcomes.push(outcome)) })
      const ada = new World.Browser("ada")
      const first = yield* world.begin(ada)
      const second = yield* world.begin(ada)
      expect([first.status, second.status]).toEqual([303, 303])
      const [one, two] = [new URL(first.location), new URL(second.location)]
      expect(one.href).toMatch(/^https:\/\/connect\.zapier\.com\/to\/SlackCLIAPI\?/)
      expect(one.searchParams.get("redirect_uri")).toBe("https://acme.example/zapier/connections/callback")
      for (const name of ["token", "state"]) {
        expect(one.searchParams.get(name)).not.toBe(two.searchParams.get(name))
      }
      expect(first.headers.get("cache-control")).toContain("no-store")
      expect(first.headers.get("referrer-policy")).toBe("no-referrer")
      const done = yield* world.send(ada, yield* world.decide(first.location))
      expect([done.status, done.location]).toEqual([303, "/settings"])
      expect(outcomes).toMatchObject([
        { _tag: "AppConnected", connection: { id: expect.stringMatching(/^\d+$/), service: "SlackCLIAPI" } }
      ])
      // The second attempt is still good.
      expect((yield* world.send(ada, yield* world.decide(second.location))).status).toBe(303)
      expect(ada.cookies.size).toBe(1)
    })
  )

  it.effect("gives programs the connection as JSON", () =>
    Effect.gen(function* () {
      const world = yield* open()
      const ada = new World.Browser("ada")
      const callback = yield* world.decide((yield* world.begin(ada)).location)
      const { text } = yield* world.send(ada, callback, { headers: { accept: "application/json" } })
      expect(JSON.parse(text)).toEqual({ connection: { id: expect.any(String), service: "SlackCLIAPI" } })
    })
  )

  it.effect("renews a connection", () =>
    Effect.gen(function* () {
      const outcomes: Array<unknown> = []
      const world = yield* open({ respond: (outcome) => Effect.sync(() => void outcomes.push(outcome)) })
      const ada = new World.Browser("ada")
      yield* world.send(ada, yield* world.decide((yield* world.begin(ada)).location))
      const [{ connection }] = outcomes as [{ readonly connection: ZapierConnect.AppConnection }]
      const again = yield* world.begin(ada, `?app=SlackCLIAPI&reconnect_id=${connection.id}`)
      expect(new URL(again.location).searchParams.get("reconnect_id")).toBe(connection.id)
      yield* world.send(ada, yield* world.decide(again.location))
      expect(outcomes[1]).toMatchObject({ _tag: "AppConnected", connection })
    })
  )

  it.effect("reads in plain words that nothing was connected, and may try again with the same app", () =>
    Effect.gen(function* () {
      const world = yield* open()
      const ada = new World.Browser("ada")
      const denied = yield* world.send(ada, yield* world.decide((yield* world.begin(ada)).location, "deny"))
      expect(denied.status).toBe(403)
      expect(denied.text).toContain("You did not allow access, or it was refused.")
      expect(denied.text).toContain("connections/connect?return=%2Fsettings&#38;app=SlackCLIAPI")
      expect(ada.cookies.size).toBe(1)
    })
  )

  it.effect("reads that it took too long", () =>
    Effect.gen(function* () {
      const world = yield* open()
      const ada = new World.Browser("ada")
      const { location } = yield* world.begin(ada)
      const state = new URL(location).searchParams.get("state")
      const query = new URLSearchParams({
        error: "invalid_request",
        error_description: "Token expired",
        state: `${state}`
      })
      const late = yield* world.send(ada, `/zapier/connections/callback?${query}`)
      expect([late.status, late.text.includes("That took too long")]).toEqual([400, true])
    })
  )

  it.effect("has to be signed in, and its tenant to be known", () =>
    Effect.gen(function* () {
      const world = yield* open({ whiteLabel: { tenant: () => Effect.fail("the database is away") } })
      expect((yield* world.begin(new World.Browser())).status).toBe(401)
      const refused = yield* world.begin(new World.Browser("ada"))
      expect([refused.status, refused.text.includes("Something went wrong on our side.")]).toEqual([503, true])
      const odd = yield* open({ whiteLabel: { tenant: () => Effect.succeed("") } })
      expect((yield* odd.begin(new World.Browser("ada"))).status).toBe(503)
      expect(yield* odd.tokens).toBe(0)
    })
  )

  it.effect("keeps to the user's page if the app to connect is missing or given twice", () =>
    Effect.gen(function* () {
      const world = yield* open()
      for (const query of ["", "?app=", "?app=A&app=B", "?app=A&reconnect_id=1&reconnect_id=2", "?app=.."]) {
        const answer = yield* world.begin(new World.Browser("ada"), query)
        expect([query, answer.status, answer.location]).toEqual([query, 500, ""])
      }
      expect(yield* world.tokens).toBe(0)
    })
  )

  it.effect("has none of these routes in an app without White Label", () =>
    Effect.gen(function* () {
      const world = yield* open({ whiteLabel: undefined })
      expect((yield* world.begin(new World.Browser("ada"))).status).toBe(404)
    })
  )
})

describe("an attacker of a White Label user who", () => {
  it.effect("sends the victim a callback of the attacker's own is refused", () =>
    Effect.gen(function* () {
      const outcomes: Array<string> = []
      const world = yield* open({ respond: ({ _tag }) => Effect.sync(() => void outcomes.push(_tag)) })
      const callback = yield* world.decide((yield* world.begin(new World.Browser("eve"))).location)
      const victim = new World.Browser("ada")
      yield* world.begin(victim)
      const refused = yield* world.send(victim, callback, { headers: { "sec-fetch-site": "cross-site" } })
      expect([refused.status, refused.text.includes("This page was already used")]).toEqual([400, true])
      expect(outcomes).toEqual(["Failed"])
      expect(victim.cookies.size).toBe(2)
    })
  )

  it.effect("shares the victim's browser cannot finish what the victim began, nor can another tenant", () =>
    Effect.gen(function* () {
      let tenant = "acme"
      const world = yield* open({ whiteLabel: { tenant: () => Effect.sync(() => tenant) } })
      const browser = new World.Browser("ada")
      const callback = yield* world.decide((yield* world.begin(browser)).location)
      browser.cookies.set("session", "eve")
      expect((yield* world.send(browser, callback)).status).toBe(400)
      browser.cookies.set("session", "ada")
      tenant = "other"
      expect((yield* world.send(browser, callback)).status).toBe(400)
      tenant = "acme"
      expect((yield* world.send(browser, callback)).status).toBe(303)
    })
  )

  it.effect("repeats a callback, or its parameters, is refused", () =>
    Effect.gen(function* () {
      const world = yield* open()
      const ada = new World.Browser("ada")
      const callback = new URL(yield* world.decide((yield* world.begin(ada)).location))
      for (const name of ["state", "authentication_id", "service"]) {
        const doubled = `${callback.href}&${name}=${callback.searchParams.get(name)}`
        expect([name, (yield* world.send(ada, doubled)).status]).toEqual([name, 400])
      }
      expect((yield* world.send(ada, `${callback.href}&error=server_error`)).status).toBe(400)
      expect((yield* world.send(ada, callback.href)).status).toBe(303)
      expect((yield* world.send(ada, callback.href)).status).toBe(400)
    })
  )

  it.effect("uses a state of the consent page here is refused", () =>
    Effect.gen(function* () {
      const world = yield* open()
      const ada = new World.Browser("ada")
      const { location } = yield* world.send(ada, "/zapier/connect", own)
      const state = new URL(location).searchParams.get("state")
      const forged = `/zapier/connections/callback?authentication_id=1&service=A&state=${state}`
      expect((yield* world.send(ada, forged)).status).toBe(400)
    })
  )

  it.effect("asks for a return to another site, or begins from there, gets no token made", () =>
    Effect.gen(function* () {
      const world = yield* open()
      const ada = new World.Browser("ada")
      for (const to of ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]) {
        const refused = yield* world.begin(ada, `?app=SlackCLIAPI&return=${encodeURIComponent(to)}`)
        expect([to, refused.status]).toEqual([to, 400])
      }
      const asked = yield* world.begin(ada, "?app=SlackCLIAPI", { headers: { "sec-fetch-site": "cross-site" } })
      expect([asked.status, asked.text.includes("Connect an app?")]).toEqual([200, true])
      expect(asked.text).toContain('href="/zapier/connections/connect?app=SlackCLIAPI"')
      expect(yield* world.tokens).toBe(0)
    })
  )

  it.effect("has the browser prefetch, or asks for the head only, gets no token made and uses up nothing", () =>
    Effect.gen(function* () {
      const world = yield* open()
      const ada = new World.Browser("ada")
      const early = { headers: { ...own.headers, "sec-purpose": "prefetch" } }
      expect((yield* world.begin(ada, undefined, early)).status).toBe(503)
      expect((yield* world.begin(ada, undefined, { ...own, method: "HEAD" })).status).toBe(405)
      expect(yield* world.tokens).toBe(0)
      const callback = yield* world.decide((yield* world.begin(ada)).location)
      expect((yield* world.send(ada, callback, { method: "HEAD" })).status).toBe(405)
      expect((yield* world.send(ada, callback, { headers: { purpose: "prefetch" } })).status).toBe(503)
      expect((yield* world.send(ada, callback)).status).toBe(303)
    })
  )
})

describe("the redirect from the Connect UI", () => {
  const tagOf = (query: string) => {
    const parsed = ConnectionCallback.parse(new URLSearchParams(query))
    if (parsed._tag === "Failure") return parsed.failure._tag
    return parsed.success.result._tag === "Failure"
      ? parsed.success.result.failure._tag
      : parsed.success.result.success.id
  }

  it.each([
    ["authentication_id=7&service=A&state=s", "7"],
    ["authentication_id=7&state=s", "7"],
    ["error=server_error&error_description=OAuth Failed: x&state=s", "ConsentDenied"],
    ["error=access_denied&state=s", "ConsentDenied"],
    ["error=access_denied&error_description=User not found&state=s", "AuthorizationRefused"],
    ["error=invalid_request&error_description=Token expired&state=s", "ConsentExpired"],
    ["error=invalid_request&error_description=Invalid token&state=s", "ConsentExpired"],
    ["error=invalid_request&error_description=Invalid app&state=s", "AuthorizationRefused"],
    ["error=<script>&state=s", "AuthorizationRefused"],
    ["authentication_id=7&service=A", "InvalidCallback"],
    ["authentication_id=&state=s", "InvalidCallback"],
    ["authentication_id=7&error=server_error&state=s", "InvalidCallback"],
    ["error=server_error&error_description=a&error_description=b&state=s", "InvalidCallback"],
    ["authentication_id=7&state=%F0%9F%98%80", "InvalidCallback"],
    ["authentication_id=%00&state=s", "InvalidCallback"],
    ["state=s", "InvalidCallback"]
  ])("%j is %j", (query, tag) => expect(tagOf(query)).toBe(tag))

  it("has no endless values", () =>
    expect(tagOf(`authentication_id=${"7".repeat(5_000)}&state=s`)).toBe("InvalidCallback"))
})

describe("ZapierPromise", () => {
  it("has the same routes", async () => {
    const redirectUri = "https://acme.example/zapier/callback"
    const application = { ...World.application(redirectUri), redirectUris: [redirectUri] }
    const registered = [redirectUri, "https://acme.example/zapier/connections/callback"]
    const fake = FakeZapierPromise.make({
      apps: [{ ...application, redirectUris: registered, whiteLabel: Partner.registration }]
    })
    const seen: Array<string> = []
    await using zapier = ZapierPromise.make({
      application,
      stores: "memory",
      fetch: fake.fetch,
      whiteLabel: Partner.options,
      connect: {
        scopes: ["zap"],
        subject: () => "ada",
        whiteLabel: { tenant: async (request, subject) => `tenant of ${subject}, ${request.headers.get("x-tenant")}` },
        respond: (outcome) => {
          seen.push("error" in outcome ? outcome.error.message : outcome._tag)
          return undefined
        }
      }
    })
    const get = (url: string, cookie = "") =>
      zapier.handler(
        new Request(url, {
          headers: { "sec-fetch-site": "same-origin", "x-tenant": "acme", cookie },
          redirect: "manual"
        })
      )
    const begun = await get("https://acme.example/zapier/connections/connect?app=SlackCLIAPI&return=/settings")
    expect([begun?.status, seen]).toEqual([303, []])
    const state = new URL(begun?.headers.get("location") ?? "").searchParams.get("state")
    const cookie = begun?.headers.getSetCookie()[0]?.split(";")[0]
    const callback = `https://acme.example/zapier/connections/callback?authentication_id=7&service=A&state=${state}`
    expect((await get(callback, cookie))?.headers.get("location")).toBe("/settings")
    expect(seen).toEqual(["AppConnected"])
    expect(await zapier.handler(new Request("https://acme.example/zapier/connections"))).toBeUndefined()
  })

  it("says what is wrong with the options", async () => {
    const application = { ...World.application("https://acme.example/zapier/callback") }
    const make = (whiteLabel: unknown) =>
      ZapierPromise.make({
        application,
        stores: "memory",
        connect: { scopes: ["zap"], subject: () => "ada", whiteLabel: whiteLabel as never }
      })
    for (const given of [7, {}, { tenant: "acme" }, { tenant: () => "acme", theme: 7 }]) {
      await using zapier = make(given)
      const refused = await zapier.status("ada")
      expect(refused).toMatchObject({ ok: false, error: { _tag: "InvalidConfig" } })
    }
  })
})
