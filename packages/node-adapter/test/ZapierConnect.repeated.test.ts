/** Requests that are no first visit: speculative ones, `HEAD`, reloads, the back button, a second tab. */
import { describe, expect, it } from "@effect/vitest"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as World from "./utils/ConnectWorld.ts"

type World = Effect.Success<ReturnType<typeof World.make>>

const stateOf = (world: World, subject: string) =>
  Effect.provide(
    Effect.map(
      ZapierAuth.use((auth) => auth.status(subject)),
      ({ _tag }) => _tag
    ),
    world.zapier
  )

const connect = Effect.fnUntraced(function* (world: World, browser: World.Browser, query = "") {
  const callback = yield* world.fake.approve((yield* world.begin(browser, query)).location)
  yield* world.send(browser, callback)
  return callback
})

// Digests are made outside of Effect, so time has to pass for as long as something is under way, and not much faster than
// they come.
const whileTimePasses = Effect.fnUntraced(function* <A, E>(effects: ReadonlyArray<Effect.Effect<A, E>>) {
  const fiber = yield* Effect.forkChild(Effect.all(effects, { concurrency: "unbounded" }))
  while (fiber.pollUnsafe() === undefined) {
    yield* TestClock.adjust("50 millis")
    yield* TestClock.withLive(Effect.sleep("1 millis"))
  }
  return yield* Fiber.join(fiber)
})

describe.each<readonly [string, World.Init, status: number]>([
  ["HEAD", { method: "HEAD" }, 405],
  ["OPTIONS", { method: "OPTIONS" }, 404],
  ["POST", { method: "POST", headers: { origin: "https://acme.example" } }, 404],
  ["DELETE", { method: "DELETE" }, 404],
  ["Sec-Purpose: prefetch", { headers: { "sec-purpose": "prefetch" } }, 503],
  ["Sec-Purpose: prefetch;prerender", { headers: { "sec-purpose": "prefetch;prerender" } }, 503],
  ["Purpose: prefetch", { headers: { purpose: "prefetch" } }, 503],
  ["X-Purpose: preview", { headers: { "x-purpose": "preview" } }, 503],
  ["X-Moz: prefetch", { headers: { "x-moz": "prefetch" } }, 503]
])("a request by %s", (_, init, status) => {
  const from = (site: string): World.Init => ({ ...init, headers: { ...init.headers, "sec-fetch-site": site } })

  it.effect("to the callback spends no code, and the visit works", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const ada = new World.Browser("ada")
      const callback = yield* world.fake.approve((yield* world.begin(ada, "?return=/a")).location)
      const before = [...ada.cookies]
      const declined = yield* world.send(ada, callback, from("cross-site"))
      expect([declined.status, declined.headers.getSetCookie()]).toEqual([status, []])
      expect([yield* world.exchanges, [...ada.cookies]]).toEqual([0, before])
      const visited = yield* world.send(ada, callback)
      expect([visited.status, visited.location, yield* stateOf(world, "ada")]).toEqual([303, "/a", "Active"])
    })
  )

  it.effect("to connect begins nothing, and the visit works", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const ada = new World.Browser("ada")
      const declined = yield* world.send(ada, "/zapier/connect", from("same-origin"))
      expect([declined.status, declined.location, declined.headers.getSetCookie()]).toEqual([status, "", []])
      if (status !== 404) expect(declined.headers.get("cache-control")).toBe("no-store")
      expect((yield* world.begin(ada)).status).toBe(303)
    })
  )
})

describe("a callback that comes again", () => {
  it.effect("by a reload says that the user is still connected, and leads back", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ returnTo: "/home" })
      const ada = new World.Browser("ada")
      const callback = yield* connect(world, ada)
      const again = yield* world.send(ada, callback)
      expect([again.status, again.text.includes("Zapier is still connected")]).toEqual([200, true])
      expect(again.text).toContain('<a href="/home">')
      expect(again.text).not.toContain("Zapier is not connected")
      expect([yield* world.exchanges, yield* stateOf(world, "ada")]).toEqual([1, "Active"])
      const data = yield* world.send(ada, callback, { headers: { accept: "application/json" } })
      expect([data.status, JSON.parse(data.text)]).toEqual([
        200,
        expect.objectContaining({ connected: true, needsReconnect: false, error: "StateMismatch", isRetryable: false })
      ])
    })
  )

  it.effect("after the back button and another consent, with another code, changes nothing", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const ada = new World.Browser("ada")
      const { location } = yield* world.begin(ada)
      yield* world.send(ada, yield* world.fake.approve(location))
      const again = yield* world.send(ada, yield* world.fake.approve(location))
      expect([again.status, again.text.includes("Zapier is still connected")]).toEqual([200, true])
      expect(yield* world.exchanges).toBe(1)
    })
  )

  it.effect("in a second tab that still has the cookie changes nothing", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const ada = new World.Browser("ada")
      const callback = yield* world.fake.approve((yield* world.begin(ada, "?return=/a")).location)
      const tab = new World.Browser("ada")
      for (const [name, value] of ada.cookies) tab.cookies.set(name, value)
      yield* world.send(ada, callback)
      const second = yield* world.send(tab, callback)
      expect([second.status, second.text.includes("Zapier is still connected")]).toEqual([200, true])
      expect(second.text).toContain('<a href="/a">')
      expect(yield* world.exchanges).toBe(1)
    })
  )

  it.effect("while the first is under way waits for what that brings", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const ada = new World.Browser("ada")
      const callback = yield* world.fake.approve((yield* world.begin(ada, "?return=/a")).location)
      yield* world.fake.setFaults([{ fault: { _tag: "ResponseSlow", millis: 1_000 }, match: { endpoint: "token" } }])
      const answers = yield* whileTimePasses([world.send(ada, callback), world.send(ada, callback)])
      expect(
        answers
          .map(({ location, status }) => [status, location])
          .toSorted(([one], [other]) => Number(one) - Number(other))
      ).toEqual([
        [200, ""],
        [303, "/a"]
      ])
      expect(answers.map(({ text }) => text).join()).toContain("Zapier is still connected")
      expect(yield* world.exchanges).toBe(1)
    })
  )

  it.effect("while the first is under way does not wait for ever", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const ada = new World.Browser("ada")
      const callback = yield* world.fake.approve((yield* world.begin(ada)).location)
      yield* world.fake.setFaults([{ fault: { _tag: "ResponseSilent" }, match: { endpoint: "token" } }])
      const answers = yield* whileTimePasses([world.send(ada, callback), world.send(ada, callback)])
      // The exchange is given up, which closing waits for.
      yield* TestClock.adjust("10 minutes")
      expect(answers.map(({ status }) => status)).toContain(400)
      expect(yield* world.exchanges).toBe(1)
    })
  )

  it.effect("tells who has disconnected since, or is somebody else, that they are not connected", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const ada = new World.Browser("ada")
      const callback = yield* connect(world, ada)
      for (const other of [new World.Browser("eve"), new World.Browser()]) {
        const told = yield* world.send(other, callback)
        expect([told.status, told.text.includes("still connected")]).toEqual([400, false])
      }
      yield* world.send(ada, "/zapier/disconnect", { method: "POST", headers: { origin: "https://acme.example" } })
      const told = yield* world.send(ada, callback)
      expect([told.status, told.text.includes("Zapier is not connected")]).toEqual([400, true])
    })
  )

  it.effect("tells whose grant has ended to connect again", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const ada = new World.Browser("ada")
      const callback = yield* connect(world, ada)
      yield* world.fake.revoke({ user: "ada@example.com" })
      yield* Effect.flip(
        Effect.provide(
          ZapierAuth.use((auth) =>
            Effect.flatMap(auth.accessToken("ada"), (access) => auth.accessTokenRejected("ada", access))
          ),
          world.zapier
        )
      )
      expect(yield* stateOf(world, "ada")).toBe("ReconnectRequired")
      expect((yield* world.send(ada, callback)).text).toContain("Zapier is not connected")
    })
  )
})

describe("a callback in vain, while the user is connected,", () => {
  it.effect("says that a denial changed nothing", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const ada = new World.Browser("ada")
      yield* connect(world, ada)
      const denied = yield* world.send(ada, yield* world.fake.deny((yield* world.begin(ada, "?return=/a")).location))
      expect([denied.status, denied.text.includes("Zapier is still connected")]).toEqual([200, true])
      expect(denied.text).toContain("Your earlier connection still works.")
      expect(denied.text).toContain('<a href="/a">')
      expect(yield* stateOf(world, "ada")).toBe("Active")
    })
  )

  it.effect("says what went wrong, by the status that tells when to try again", () =>
    Effect.gen(function* () {
      const world = yield* World.make({}, { settings: { retryFor: 0 } })
      const ada = new World.Browser("ada")
      yield* connect(world, ada)
      const callback = yield* world.fake.approve((yield* world.begin(ada)).location)
      yield* world.fake.setFaults([{ fault: { _tag: "RateLimited", retryAfter: 7 }, match: { endpoint: "token" } }])
      const limited = yield* world.send(ada, callback)
      expect([limited.status, limited.headers.get("retry-after")]).toEqual([503, "7"])
      expect(limited.text).toContain("Zapier is still connected")
      expect(limited.text).toContain("Your earlier connection still works.")
      expect(limited.text).toContain('<a href="/zapier/connect">')
    })
  )

  it.effect("leaves the attempt to the right user", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const browser = new World.Browser("ada")
      const callback = yield* world.fake.approve((yield* world.begin(browser, "?return=/a")).location)
      browser.cookies.set("session", "eve")
      expect((yield* world.send(browser, callback)).status).toBe(400)
      browser.cookies.set("session", "ada")
      expect((yield* world.send(browser, callback)).location).toBe("/a")
    })
  )
})
