import { describe, expect, it } from "@effect/vitest"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Schema from "effect/Schema"
import * as ReturnUrl from "../src/internal/connect/returnUrl.ts"
import * as World from "./utils/ConnectWorld.ts"

const elsewhere = { headers: { "sec-fetch-site": "cross-site" } }

const connected = (world: Effect.Success<ReturnType<typeof World.make>>, subject: string) =>
  Effect.provide(
    Effect.map(
      ZapierAuth.use((auth) => auth.status(subject)),
      ({ _tag }) => _tag === "Active"
    ),
    world.zapier
  )

describe("an attacker who", () => {
  it.effect("has a victim's browser open the callback of the attacker's own consent connects nobody to it", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const eve = new World.Browser("eve")
      const callback = yield* world.fake.approve((yield* world.begin(eve)).location, { user: "eve@example.com" })
      const victim = new World.Browser("ada")
      const { status, text } = yield* world.send(victim, callback, elsewhere)
      expect(status).toBe(400)
      expect(text).toContain("This page was already used, or you started in another browser.")
      expect(yield* world.exchanges).toBe(0)
      expect([yield* connected(world, "ada"), yield* connected(world, "eve")]).toEqual([false, false])
    })
  )

  it.effect("does so while the victim has an attempt of their own under way connects nobody either", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const eve = new World.Browser("eve")
      const stolen = new URL(yield* world.fake.approve((yield* world.begin(eve)).location))
      const victim = new World.Browser("ada")
      const own = new URL((yield* world.begin(victim)).location)
      expect((yield* world.send(victim, stolen.href)).status).toBe(400)
      // The attacker's code under the victim's state: it is exchanged, and Zapier gave it for the same app. The state is
      // what only the victim's browser and the consent page have seen.
      const guessed = new URL(stolen)
      guessed.searchParams.set("state", "guessed")
      expect((yield* world.send(victim, guessed.href)).status).toBe(400)
      expect(yield* world.exchanges).toBe(0)
      // The victim's own attempt is as it was.
      expect((yield* world.send(victim, yield* world.fake.approve(own.href))).status).toBe(303)
    })
  )

  it.effect("shares a browser with the victim cannot complete what the victim began, nor the other way round", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const browser = new World.Browser("ada")
      const callback = yield* world.fake.approve((yield* world.begin(browser)).location)
      browser.cookies.set("session", "eve")
      expect((yield* world.send(browser, callback)).status).toBe(400)
      expect(yield* world.exchanges).toBe(0)
      expect(yield* connected(world, "eve")).toBe(false)
    })
  )

  it.effect("finds a callback in a history cannot use it once more", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const ada = new World.Browser("ada")
      const callback = yield* world.fake.approve((yield* world.begin(ada)).location)
      const withCookie = new World.Browser("ada")
      for (const [name, value] of ada.cookies) withCookie.cookies.set(name, value)
      expect((yield* world.send(ada, callback)).status).toBe(303)
      const again = yield* world.send(ada, callback)
      expect([again.status, again.location]).toEqual([200, ""])
      expect(again.text).toContain("Your earlier connection still works.")
      // Not even with the cookie that the browser has thrown away.
      expect((yield* world.send(withCookie, callback)).text).toContain("Your earlier connection still works.")
      // Another user of the app is told nothing of it.
      const eve = yield* world.send(new World.Browser("eve"), callback)
      expect([eve.status, eve.text.includes("still connected")]).toEqual([400, false])
      expect(yield* world.exchanges).toBe(1)
    })
  )

  it.effect("has the same user's session in another browser cannot bring the callback of the first", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const first = new World.Browser("ada")
      const callback = yield* world.fake.approve((yield* world.begin(first)).location)
      const second = new World.Browser("ada")
      // With an attempt of its own, and with the names of the cookies, but not what is in them.
      yield* world.begin(second)
      for (const name of first.cookies.keys()) if (!second.cookies.has(name)) second.cookies.set(name, "a.b.c")
      expect((yield* world.send(second, callback)).status).toBe(400)
      expect([yield* world.exchanges, yield* connected(world, "ada")]).toEqual([0, false])
      expect((yield* world.send(first, callback)).status).toBe(303)
    })
  )

  it.effect("has a link bring a connected victim learns nothing, and the victim is told of their own grant only", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const victim = new World.Browser("ada")
      yield* world.send(victim, yield* world.fake.approve((yield* world.begin(victim)).location))
      const eve = new World.Browser("eve")
      const callback = yield* world.fake.approve((yield* world.begin(eve)).location, { user: "eve@example.com" })
      const { location, status, text } = yield* world.send(victim, callback, elsewhere)
      expect([status, location]).toEqual([200, ""])
      expect(text).toContain("Zapier is still connected")
      expect(text).toContain("Your earlier connection still works.")
      expect([yield* world.exchanges, yield* connected(world, "eve")]).toEqual([1, false])
      // Who is not connected is told so, whoever else is.
      const other = yield* world.send(new World.Browser("bob"), callback, elsewhere)
      expect([other.status, other.text.includes("Zapier is not connected")]).toEqual([400, true])
    })
  )

  it.effect("waits until the victim has signed out gets nothing, and the victim can still go on", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const ada = new World.Browser("ada")
      const callback = yield* world.fake.approve((yield* world.begin(ada)).location)
      ada.cookies.delete("session")
      expect((yield* world.send(ada, callback)).status).toBe(401)
      expect(yield* world.exchanges).toBe(0)
      ada.cookies.set("session", "ada")
      expect((yield* world.send(ada, callback)).status).toBe(303)
    })
  )

  it.effect.each<readonly [string, Record<string, string>]>([
    ["of another site", elsewhere.headers],
    ["of another site, which says where it is", { ...elsewhere.headers, referer: "https://evil.example/acme.example" }],
    ["of a host beside it", { "sec-fetch-site": "same-site", referer: "https://blog.acme.example/" }],
    ["of a host beside it, which does not say", { "sec-fetch-site": "same-site" }],
    ["in a mail, which is no page,", { "sec-fetch-site": "none" }]
  ])("has a link %s send the victim to connect gets a question asked first", ([, sent]) =>
    Effect.gen(function* () {
      const world = yield* World.make({ origins: ["https://www.acme.example"] })
      const ada = new World.Browser("ada")
      const { headers, location, status, text } = yield* world.send(ada, "/zapier/connect?return=/a%3Fb", {
        headers: sent
      })
      expect([status, location, headers.getSetCookie()]).toEqual([200, "", []])
      expect(text).toContain("You came here from another website.")
      expect(text).toContain('<a href="/zapier/connect?return=%2Fa%3Fb">')
      expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'")
    })
  )

  it.effect("is no page of the app's own, which may send its users to connect from another host", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ origins: ["https://www.acme.example"] })
      const headers = { "sec-fetch-site": "same-site", referer: "https://www.acme.example/settings" }
      expect((yield* world.send(new World.Browser("ada"), "/zapier/connect", { headers })).status).toBe(303)
    })
  )

  it.effect.each([
    ["another site's form", { origin: "https://evil.example" }],
    ["a form in a sandbox", { origin: "null" }],
    ["a form in a sandbox, of which it is known", { origin: "null", "sec-fetch-site": "cross-site" }],
    ["a site that looks alike", { origin: "https://acme.example.evil.example" }],
    ["the same host without TLS", { origin: "http://acme.example" }],
    ["another site's form, of which it is known", { origin: "https://evil.example", "sec-fetch-site": "same-origin" }],
    ["another site", { "sec-fetch-site": "cross-site" }],
    ["a host beside it", { "sec-fetch-site": "same-site" }],
    ["what says nothing of itself", {}]
  ] as const)("posts to disconnect from %s changes nothing", ([, headers]) =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const ada = new World.Browser("ada")
      yield* world.send(ada, yield* world.fake.approve((yield* world.begin(ada)).location))
      expect((yield* world.send(ada, "/zapier/disconnect", { method: "POST", headers })).status).toBe(403)
      expect(yield* connected(world, "ada")).toBe(true)
    })
  )

  it.effect("reads what a page of the callback sends to others finds no code and no state", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const ada = new World.Browser("ada")
      const begun = yield* world.begin(ada)
      const callback = yield* world.fake.approve(begun.location)
      const denied = yield* world.fake.deny((yield* world.begin(ada)).location)
      const secrets = [callback, denied].flatMap((url) =>
        ["code", "state"].flatMap((name) => new URL(url).searchParams.get(name) ?? [])
      )
      const answers = [
        begun,
        yield* world.send(new World.Browser("ada"), callback),
        yield* world.send(new World.Browser(), callback),
        yield* world.send(ada, callback),
        yield* world.send(ada, callback),
        yield* world.send(ada, denied),
        yield* world.send(ada, `${callback}&code=another`)
      ]
      for (const { headers, location, text } of answers) {
        expect(headers.get("referrer-policy")).toBe("no-referrer")
        expect(headers.get("cache-control")).toBe("no-store")
        // Nothing is loaded from anywhere, and nothing is run.
        if (text !== "")
          expect(headers.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'sha256-/)
        for (const secret of secrets) {
          expect(text).not.toContain(secret)
          if (!location.includes("/v2/authorize")) expect(location).not.toContain(secret)
        }
      }
      expect(
        ada.setCookies
          .join()
          .split(",")
          .some((cookie) => secrets.some((secret) => cookie.includes(secret)))
      ).toBe(false)
    })
  )
})

describe("the cookie of an attempt", () => {
  it.effect("is the host's alone, and for a quarter of an hour", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const ada = new World.Browser("ada")
      yield* world.begin(ada)
      expect(ada.setCookies).toHaveLength(1)
      expect(ada.setCookies[0]).toMatch(/^__Host-zapier-connect-[0-4]=[\da-z]+\.[\w-]{43}\.Cg; /)
      const attributes = (ada.setCookies[0] ?? "").split("; ").slice(1).sort()
      expect(attributes).toEqual(["HttpOnly", "Max-Age=900", "Path=/", "SameSite=Lax", "Secure"])
    })
  )

  it.effect("is without what browsers demand TLS for on this machine, and nowhere else", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ redirectUri: "http://127.0.0.1:3000/zapier/callback" })
      const ada = new World.Browser("ada")
      const { location } = yield* world.begin(ada)
      const attributes = (ada.setCookies[0] ?? "").split("; ").slice(1).sort()
      expect(ada.setCookies[0]).toMatch(/^zapier-connect-/)
      // It is for the routes only.
      expect(attributes).toEqual(["HttpOnly", "Max-Age=900", "Path=/zapier", "SameSite=Lax"])
      expect((yield* world.send(ada, yield* world.fake.approve(location))).status).toBe(303)
    })
  )

  it.effect("that somebody has changed leads nowhere else", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const ada = new World.Browser("ada")
      const callback = yield* world.fake.approve((yield* world.begin(ada)).location)
      for (const [name, value] of ada.cookies) {
        const note = Base64Url.encode("https://evil.example/\n")
        if (name !== "session") ada.cookies.set(name, value.replace(/[^.]+$/, note))
      }
      expect((yield* world.send(ada, callback)).location).toBe("/")
    })
  )
})

const own = "https://acme.example"

const others = ["https://www.acme.example"]

describe("a return address", () => {
  it.each([
    ["/", "/"],
    ["/settings?tab=zapier#top", "/settings?tab=zapier#top"],
    ["/a/../b", "/b"],
    ["/%2F%2Fevil.example", "/%2F%2Fevil.example"],
    ["https://acme.example/settings", "https://acme.example/settings"],
    ["https://www.acme.example/", "https://www.acme.example/"]
  ])("%s is allowed", (text, spelled) => expect(ReturnUrl.parse(text, own, others)).toBe(spelled))

  it.each([
    "",
    "settings",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/..//evil.example",
    "/.//evil.example",
    "/a/../..//evil.example",
    "/\tevil.example",
    "/\n/evil.example",
    " //evil.example",
    "https://evil.example/",
    "https:evil.example",
    "https:/evil.example",
    "https:\\\\evil.example",
    "https://acme.example@evil.example/",
    "https://acme.example:444/",
    "https://user@acme.example/",
    "https://user:pass@www.acme.example/",
    "https://acme.example.evil.example/",
    "https://acme.example%2eevil.example/",
    "http://acme.example/",
    "HTTPS://EVIL.example/",
    "javascript:alert(1)",
    "JavaScript://acme.example/%0aalert(1)",
    "data:text/html,hello",
    "blob:https://acme.example/1",
    "/é",
    "/\u0000"
  ])("%j is not", (text) => expect(ReturnUrl.parse(text, own, others)).toBeUndefined())

  const pieces = [
    // What is left of these is two slashes.
    "/.//",
    "/..//",
    "/",
    "\\",
    ".",
    "..",
    "@",
    ":",
    "%2f",
    "%5c",
    "?",
    "#",
    "https:",
    "http:",
    "javascript:",
    "evil.example"
  ]

  const Hostile = Schema.Array(
    Schema.Union([Schema.Literals([...pieces, "acme.example", "www.acme.example", "\t", "\n", " "]), Schema.String])
  )

  it.prop("never leads to another origin, whatever it is made of", [Hostile], ([parts]) => {
    const parsed = ReturnUrl.parse(parts.join(""), own, others)
    if (parsed === undefined) return
    // As a browser takes a Location.
    const target = new URL(parsed, `${own}/zapier/callback`)
    expect([own, ...others]).toContain(target.origin)
    expect([target.username, target.password]).toEqual(["", ""])
    // It says the same when it comes back out of the cookie.
    expect(ReturnUrl.parse(parsed, own, others)).toBe(parsed)
  })

  it.effect("that is not allowed begins nothing", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const ada = new World.Browser("ada")
      const { headers, status } = yield* world.begin(ada, "?return=https://evil.example/")
      expect([status, headers.getSetCookie()]).toEqual([400, []])
    })
  )
})
