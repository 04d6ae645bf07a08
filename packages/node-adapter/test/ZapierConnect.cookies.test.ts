/** What unfinished visits leave in a browser, which sends it with each request. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as TestClock from "effect/testing/TestClock"
import * as Cookies from "../src/internal/connect/cookies.ts"
import * as World from "./utils/ConnectWorld.ts"

const sentBy = (browser: World.Browser) => browser.request("https://acme.example/").headers.get("cookie") ?? ""

const long = (length: number) => `/${"a".repeat(length - 1)}`

describe("the cookies of unfinished visits", () => {
  it.effect.each<readonly [string, (visit: number) => string]>([
    ["addresses that are too long", (visit) => `?return=${long(988)}${visit}`],
    ["the longest addresses", (visit) => `?return=${long(499)}${visit}`],
    ["addresses that are longer when they are spelled", (visit) => `?return=/${"%3C".repeat(498)}${visit}`],
    ["queries of the app's that fit", () => `?for=${"a".repeat(500)}`],
    ["queries of the app's that do not fit", () => `?for=${"a".repeat(600)}`],
    ["long queries of the app's", (visit) => `?for=${"a".repeat(2_000)}${visit}`]
  ])("have less than 4 kB together, with %s, and the last works", ([, query]) =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const ada = new World.Browser("ada")
      let last = ""
      for (let visit = 1; visit <= 9; visit++) {
        last = (yield* world.begin(ada, query(visit))).location
        expect(sentBy(ada).length).toBeLessThan(4_096)
        yield* TestClock.adjust("1 second")
      }
      expect((yield* world.send(ada, yield* world.fake.approve(last))).status).toBe(303)
    })
  )

  it.effect("are those of the latest five, of which each still leads to its own place", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const ada = new World.Browser("ada")
      const begun: Array<string> = []
      for (let visit = 0; visit < 9; visit++) {
        begun.push((yield* world.begin(ada, `?return=/${visit}`)).location)
        yield* TestClock.adjust("1 second")
      }
      const ends: Array<number | string> = []
      for (const location of begun) {
        const { location: end, status } = yield* world.send(ada, yield* world.fake.approve(location))
        ends.push(status === 303 ? end : status)
      }
      // The first four gave way to later ones.
      expect(ends).toEqual([400, 400, 400, 400, "/4", "/5", "/6", "/7", "/8"])
      expect([...ada.cookies.keys()]).toEqual(["session"])
    })
  )

  it.effect("have less than 4 kB also when the visits come at the same time", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const ada = new World.Browser("ada")
      const tabs = Array.from({ length: 20 }, () => {
        const tab = new World.Browser("ada")
        return Effect.as(world.begin(tab, `?return=${long(500)}`), tab)
      })
      for (const tab of yield* Effect.all(tabs, { concurrency: "unbounded" })) {
        for (const [name, value] of tab.cookies) ada.cookies.set(name, value)
      }
      expect(sentBy(ada).length).toBeLessThan(4_096)
      expect(ada.cookies.size).toBeGreaterThan(2)
    })
  )

  it.effect("lead to the longest address that is allowed, and from a longer one to the app", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ returnTo: "/home" })
      const ada = new World.Browser("ada")
      const to = Effect.fnUntraced(function* (address: string) {
        const { location } = yield* world.begin(ada, `?return=${encodeURIComponent(address)}`)
        return (yield* world.send(ada, yield* world.fake.approve(location))).location
      })
      expect(yield* to(long(500))).toBe(long(500))
      expect(yield* to(long(501))).toBe("/home")
      expect(yield* to(`/${"<".repeat(499)}`)).toBe("/home")
    })
  )

  it.effect("that are no use take no place from others", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const ada = new World.Browser("ada")
      for (const slot of [0, 1, 2, 3, 4]) ada.cookies.set(`__Host-zapier-connect-${slot}`, "nonsense%")
      const { location } = yield* world.begin(ada, "?return=/a")
      expect((yield* world.send(ada, yield* world.fake.approve(location))).location).toBe("/a")
    })
  )
})

const place = { isSecure: true, publicPath: "/zapier" }

const Begun = Schema.Array(
  Schema.Struct({
    attempt: Schema.String.check(Schema.isPattern(/^[\w-]{43}$/)),
    note: Schema.String.check(Schema.isPattern(/^[!-~]{0,512}$/)),
    at: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 8_640_000_000_000_000 })),
    isForgotten: Schema.Boolean
  })
)

describe("whatever was begun before, the cookies", () => {
  it.prop("are bounded, and the latest is there", [Begun], ([begun]) => {
    const jar: Record<string, string> = {}
    for (const { at, attempt, isForgotten, note } of begun) {
      const sent = isForgotten ? {} : { ...jar }
      const set = Cookies.set(sent, attempt, note, place, { now: at, lifetime: 900_000 })
      for (const cookie of HttpServerResponse.toWeb(set(HttpServerResponse.empty())).headers.getSetCookie()) {
        const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
        jar[name] = value
      }
      expect(Cookies.noteOf(jar, attempt, place)).toBe(note)
      const header = Object.entries(jar).map(([name, value]) => `${name}=${value}`)
      expect(header.join("; ").length).toBeLessThan(3_840)
    }
  })
})
