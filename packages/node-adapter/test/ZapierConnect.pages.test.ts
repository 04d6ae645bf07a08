/** What users are shown: in a popup, in the app's words, in their language. */
import { describe, expect, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { StoreFailed, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as ConnectTexts from "../src/ConnectTexts.ts"
import * as ZapierConnect from "../src/ZapierConnect.ts"
import * as World from "./utils/ConnectWorld.ts"
import { logged } from "./utils/logged.ts"

const dataOf = (text: string) =>
  Object.fromEntries(
    Array.from(text.matchAll(/ data-([a-z]+)="([^"]*)"/g), ([, name = "", value = ""]) => [name, value])
  )

const titleOf = (text: string) => /<h1[^>]*>(.*)<\/h1>/.exec(text)?.[1]

describe("a popup", () => {
  it.effect("ends with a page that tells the outcome's name, and holds nothing secret", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ origins: ["https://www.acme.example"] })
      const ada = new World.Browser("ada")
      const begun = yield* world.begin(ada, "?return=/settings&mode=popup&id=1-2")
      expect(begun.status).toBe(303)
      const callback = yield* world.fake.approve(begun.location)
      const { headers, status, text } = yield* world.send(ada, callback)
      expect([status, titleOf(text)]).toEqual([200, "Zapier is connected"])
      expect(dataOf(text)).toEqual({
        outcome: "Connected",
        error: "",
        id: "1-2",
        origins: "https://acme.example https://www.acme.example"
      })
      expect(text).toContain('<a href="/settings">')
      expect(headers.get("content-security-policy")).toMatch(/; script-src 'sha256-[\w+/=]{44}'; /)
      const [issued] = yield* world.fake.issued
      const { searchParams } = new URL(callback)
      for (const secret of [
        searchParams.get("code"),
        searchParams.get("state"),
        issued?.accessToken,
        issued?.refreshToken
      ]) {
        expect(secret).toEqual(expect.any(String))
        expect(text).not.toContain(secret)
      }
      expect([...ada.cookies.keys()]).toEqual(["session"])
    })
  )

  it.effect("ends so, too, when it is denied, and offers to go on in a popup", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const ada = new World.Browser("ada")
      const begun = yield* world.begin(ada, "?mode=popup")
      const { status, text } = yield* world.send(ada, yield* world.fake.deny(begun.location))
      expect(status).toBe(403)
      expect(dataOf(text)).toMatchObject({ outcome: "Failed", error: "ConsentDenied", id: "" })
      expect(text).toContain('<a href="/zapier/connect?mode=popup">')
      // Whoever has a connection from before is told of that.
      yield* world.send(ada, yield* world.fake.approve((yield* world.begin(ada)).location))
      const again = yield* world.begin(ada, "?mode=popup")
      const still = yield* world.send(ada, yield* world.fake.deny(again.location))
      expect(dataOf(still.text)).toMatchObject({ outcome: "StillConnected", error: "ConsentDenied" })
    })
  )

  it.effect("ends so, too, when nobody is signed in, before or after", () =>
    Effect.gen(function* () {
      const world = yield* World.make({ signIn: "/sign-in" })
      const before = yield* world.begin(new World.Browser(), "?mode=popup&id=a")
      expect([before.status, dataOf(before.text)]).toMatchObject([401, { outcome: "SignedOut", id: "a" }])
      expect(before.text).toContain('<p class="button"><a href="/sign-in">Sign in</a></p>')
      const ada = new World.Browser("ada")
      const callback = yield* world.fake.approve((yield* world.begin(ada, "?mode=popup&id=b")).location)
      ada.cookies.delete("session")
      const after = yield* world.send(ada, callback)
      expect([after.status, dataOf(after.text)]).toMatchObject([401, { outcome: "SignedOut", id: "b" }])
    })
  )

  it.effect("is still one, of the same name, when the address to return to is as long as can be", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      for (const length of [400, 460, 490, 500, 501, 2_000]) {
        const ada = new World.Browser("ada")
        const query = new URLSearchParams({ return: `/${"a".repeat(length - 1)}`, mode: "popup", id: "a".repeat(60) })
        const begun = yield* world.begin(ada, `?${query}`)
        const { text } = yield* world.send(ada, yield* world.fake.approve(begun.location))
        expect([length, dataOf(text)]).toMatchObject([length, { outcome: "Connected", id: "a".repeat(60) }])
      }
    })
  )

  it.effect("asks first whom another site has sent, and is not at its end then", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const ada = new World.Browser("ada")
      const headers = { "sec-fetch-site": "cross-site" }
      const { text } = yield* world.send(ada, "/zapier/connect?mode=popup&id=a", { headers })
      expect(text).toContain('<a href="/zapier/connect?mode=popup&#38;id=a">Connect Zapier</a>')
      expect(text).not.toContain("<script")
    })
  )

  it.effect("may be answered by the app, which is told of it, and may leave it to the library", () =>
    Effect.gen(function* () {
      const told: Array<ZapierConnect.Popup | undefined> = []
      const world = yield* World.make({
        respond: (outcome) => {
          told.push(outcome.popup)
          return Effect.succeed(outcome.popup === undefined ? HttpServerResponse.text("mine") : undefined)
        }
      })
      const ada = new World.Browser("ada")
      const begun = yield* world.begin(ada, "?mode=popup&id=a")
      expect(dataOf((yield* world.send(ada, yield* world.fake.approve(begun.location))).text)).toMatchObject({
        id: "a"
      })
      const plain = yield* world.begin(ada)
      expect((yield* world.send(ada, yield* world.fake.approve(plain.location))).text).toBe("mine")
      expect(told).toEqual([{ id: "a", origins: ["https://acme.example"] }, undefined])
    })
  )

  it.effect("is opened by a script that anybody may have", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { headers, status, text } = yield* world.send(new World.Browser(), "/zapier/connect.js")
      expect([status, headers.get("content-type")]).toEqual([200, "text/javascript; charset=utf-8"])
      expect(headers.get("access-control-allow-origin")).toBe("*")
      expect(text).toContain("export const connectZapier = ")
    })
  )
})

describe("the app's own texts", () => {
  const german: ConnectTexts.PartialTexts = {
    app: "Acme & <b>Söhne</b>",
    back: "Zurück zu {app}",
    pages: { signedOut: { title: "<script>alert(1)</script>", text: "Melden Sie sich bitte bei {app} an." } }
  }

  const signedOut = (texts: ConnectTexts.Given, headers: Record<string, string> = {}) =>
    Effect.gen(function* () {
      const world = yield* World.make({ texts })
      return yield* world.send(new World.Browser(), "/zapier/connect", { headers })
    })

  it.effect("are shown as texts, in the language of the reader", () =>
    Effect.gen(function* () {
      const texts = ConnectTexts.byLanguage({ en: { app: "Acme" }, de: german })
      const { headers, text } = yield* signedOut(texts, { "accept-language": "fr, de-AT;q=0.9, en;q=0.8" })
      expect(text).toContain('<html lang="de">')
      expect(text).toContain("<h1>&#60;script&#62;alert(1)&#60;/script&#62;</h1>")
      expect(text).toContain("bei Acme &#38; &#60;b&#62;Söhne&#60;/b&#62; an.")
      expect(text).toContain('<a href="/">Zurück zu Acme &#38;')
      expect(headers.get("content-security-policy")).not.toContain("script-src")
      const english = yield* signedOut(texts, { "accept-language": "en-GB, de;q=0.5" })
      expect(english.text).toContain('<html lang="en">')
      expect(english.text).toContain("You are not signed in to Acme.")
    })
  )

  it.effect("are English where the app's function throws, and the owner of the app is told so", () =>
    Effect.gen(function* () {
      const log = yield* logged(
        Effect.gen(function* () {
          const { status, text } = yield* signedOut(() => {
            throw new TypeError("a secret of the app's")
          })
          expect([status, titleOf(text)]).toEqual([401, "Please sign in first"])
          expect(text).not.toContain("secret of the app")
        })
      )
      expect(log).toContain("it failed with TypeError")
      expect(log).not.toContain("secret of the app")
    })
  )

  it.effect("are told to programs, too", () =>
    Effect.gen(function* () {
      const { text } = yield* signedOut(german, { accept: "application/json" })
      expect(JSON.parse(text)).toMatchObject({ message: "Melden Sie sich bitte bei Acme & <b>Söhne</b> an." })
    })
  )
})

describe("a page", () => {
  it.effect("shows nothing that came with the address", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const ada = new World.Browser("ada")
      const denied = new URL(yield* world.fake.deny((yield* world.begin(ada, "?mode=popup")).location))
      denied.searchParams.set("error_description", "<img src=x>call 0900-evil")
      denied.searchParams.set("error_uri", "https://evil.example/")
      const { text } = yield* world.send(ada, denied.href)
      expect(titleOf(text)).toBe("Zapier is not connected")
      expect(text).not.toContain("evil")
    })
  )

  it("does not offer to connect to whom could not be disconnected", async () => {
    const { dispose, handler } = ZapierConnect.toWebHandler({
      redirectUri: "https://acme.example/zapier/callback",
      scopes: ["zap"],
      subject: () => "ada",
      zapier: Layer.effectDiscard(
        Effect.fail(
          ZapierAuthError.make(new StoreFailed({ store: "database", operation: "start", problem: "it is away" }))
        )
      ) as never
    })
    // That the database is away is logged.
    const log = vi.spyOn(console, "log").mockImplementation(() => undefined)
    const response = await handler(new Request("https://acme.example/zapier/disconnect", { method: "POST" }))
    log.mockRestore()
    const text = await response.text()
    expect([response.status, titleOf(text)]).toEqual([503, "Zapier is not disconnected"])
    expect(text).not.toContain("/zapier/connect")
    expect(text).toContain('<a href="/">Back to the app</a>')
    await dispose()
  })
})
