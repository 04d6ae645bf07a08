/** One object: calls and routes have the same users, and one start, whatever fails. */
import { inspect } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import * as FakeZapierPromise from "@zapier-workflow-auth/testing/FakeZapierPromise"
import * as ZapierPromise from "../src/ZapierPromise.ts"
import * as ConnectWorld from "./utils/ConnectWorld.ts"

const redirectUri = "https://acme.example/zapier/callback"

const app = ConnectWorld.application(redirectUri)

const untyped = (value: unknown) => value as never

const make = (connect: Partial<ZapierPromise.ConnectOptions> = {}, options: Partial<ZapierPromise.Options> = {}) => {
  const fake = FakeZapierPromise.make({ apps: [app] })
  const zapier = ZapierPromise.make({
    application: app,
    fetch: fake.fetch,
    stores: "memory",
    connect: { scopes: ["zap"], subject: async () => "ada", ...connect },
    ...options
  })
  const browser = new ConnectWorld.Browser()
  const visit = async (
    path: string,
    init: ConnectWorld.Init & { readonly signal?: AbortSignal } = {},
    asked?: ZapierPromise.HandlerOptions
  ) => {
    const headers = { "sec-fetch-site": "same-origin", ...init.headers }
    const request = browser.request(new URL(path, redirectUri).href, { ...init, headers })
    const response = await zapier.handler(request, asked)
    return response && browser.keep(response)
  }
  const connected = async () => {
    const begun = await visit("/zapier/connect?return=/settings")
    return visit(await fake.approve(begun?.headers.get("location") ?? ""))
  }
  const disconnect = () => visit("/zapier/disconnect", { method: "POST", headers: { origin: "https://acme.example" } })
  return { fake, zapier, visit, connected, disconnect }
}

const settingOf = <A>(result: ZapierPromise.Result<A>) =>
  result.ok || result.error._tag !== "InvalidConfig" ? undefined : result.error.setting

describe("ZapierPromise, with routes", () => {
  it("has one state: who connects by a route calls, and who disconnects by a route is disconnected at once", async () => {
    const { connected, disconnect, zapier } = make()
    expect((await connected())?.headers.get("location")).toBe("/settings")
    const zaps = await zapier.fetch("/v2/zaps", { subject: "ada" })
    expect(zaps.ok && zaps.value.status).toBe(200)
    expect((await disconnect())?.status).toBe(303)
    expect(await zapier.fetch("/v2/zaps", { subject: "ada" })).toMatchObject({ error: { _tag: "ReconnectRequired" } })
    expect(await zapier.accessToken("ada")).toMatchObject({ error: { _tag: "ReconnectRequired" } })
    await connected()
    expect(await zapier.disconnect("ada")).toMatchObject({ ok: true })
    await zapier.close()
  })

  it("tells the routes at once that a call has disconnected a user", async () => {
    const { connected, visit, zapier } = make()
    await connected()
    await zapier.disconnect("ada")
    expect(await (await visit("/zapier/status"))?.json()).toMatchObject({ connected: false })
    await zapier.close()
  })

  it.each([
    ["GET", "/", undefined],
    ["GET", "/zapier", undefined],
    ["GET", "/zapier/connected", undefined],
    ["GET", "/other/zapier/connect", undefined],
    ["POST", "/zapier/connect", undefined],
    ["GET", "/zapier/disconnect", undefined],
    ["OPTIONS", "/zapier/status", undefined],
    ["GET", "/zapier/%E0%A4%A", undefined],
    ["GET", "/zapier/status", 200],
    ["HEAD", "/zapier/status", 200],
    ["GET", "/zapier/connect.js", 200],
    ["GET", "/zapier/connect", 303],
    ["GET", "/zapier/connect/?return=/a", 303],
    ["GET", "/zapier/callback", 400],
    ["HEAD", "/zapier/callback", 405]
  ])("%s %s is answered with %s", async (method, path, status) => {
    const { visit, zapier } = make()
    expect((await visit(path, { method }))?.status).toBe(status)
    await zapier.close()
  })

  it("asks who is signed in for requests to the routes only, and the one who is told with a request goes first", async () => {
    const asked: Array<string> = []
    const { visit, zapier } = make({
      subject: ({ url }) => {
        asked.push(new URL(url).pathname)
        return "ada"
      }
    })
    await visit("/settings")
    expect(await (await visit("/zapier/status"))?.json()).toMatchObject({ subject: "ada" })
    const eve = await visit("/zapier/status", {}, { subject: async () => "eve" })
    expect(await eve?.json()).toMatchObject({ subject: "eve" })
    for (const nobody of [undefined, null, ""]) {
      expect((await visit("/zapier/status", {}, { subject: () => nobody }))?.status).toBe(401)
    }
    expect(asked).toEqual(["/zapier/status"])
    await zapier.close()
  })

  it("answers with 500 where nobody can be asked who is signed in, and 503 where that fails", async () => {
    const { visit, zapier } = make({ subject: undefined })
    expect((await visit("/zapier/status"))?.status).toBe(500)
    expect((await visit("/zapier/status", {}, { subject: () => "ada" }))?.status).toBe(200)
    const failing = () => Promise.reject(new Error("s3cret"))
    expect((await visit("/zapier/status", {}, { subject: failing }))?.status).toBe(503)
    expect((await visit("/zapier/status", {}, { subject: untyped(() => 5) }))?.status).toBe(503)
    await zapier.close()
  })

  it("lets the app choose scopes for each request", async () => {
    const { visit, zapier } = make({
      scopes: async (request, subject) =>
        new URL(request.url).searchParams.has("more") ? ["zap", "zap:write"] : [subject]
    })
    const scopesOf = async (path: string) =>
      new URL((await visit(path))?.headers.get("location") ?? "").searchParams.get("scope")
    expect([await scopesOf("/zapier/connect?more"), await scopesOf("/zapier/connect")]).toEqual([
      "zap zap:write",
      "ada"
    ])
    await zapier.close()
  })

  it("answers in the app's own words, by promises and plain values", async () => {
    const told: Array<ZapierPromise.ConnectOutcome> = []
    const { fake, visit, zapier } = make({
      respond: async (outcome, { format }) => {
        told.push(outcome)
        if (outcome._tag !== "Failed" || outcome.error._tag !== "ConsentDenied") return undefined
        const headers = new Headers({ location: `/denied?format=${format}` })
        headers.append("set-cookie", "one=1")
        headers.append("set-cookie", "two=2; Path=/")
        return new Response("Not allowed.", { status: 303, headers })
      }
    })
    const begun = await visit("/zapier/connect")
    const denied = await visit(await fake.deny(begun?.headers.get("location") ?? ""))
    expect([denied?.status, denied?.headers.get("location")]).toEqual([303, "/denied?format=page"])
    expect(denied?.headers.getSetCookie()).toEqual(
      expect.arrayContaining(["one=1", "two=2; Path=/", expect.stringContaining("__Host-")])
    )
    expect(denied?.headers.get("cache-control")).toBe("no-store")
    expect(await denied?.text()).toBe("Not allowed.")
    expect(JSON.parse(JSON.stringify(told))).toEqual(told)
    // What it leaves to the library.
    expect((await visit("/zapier/status"))?.status).toBe(200)
    await zapier.close()
  })

  it.each([
    [
      "throws",
      () => {
        throw new Error("s3cret")
      }
    ],
    ["rejects", () => Promise.reject(new Error("s3cret"))],
    ["gives what is no response", () => untyped("s3cret")]
  ])("answers in its own words where the app's function %s", async (_, respond) => {
    const { visit, zapier } = make({ respond })
    expect(await (await visit("/zapier/status"))?.json()).toMatchObject({ connected: false })
    await zapier.close()
  })

  it("takes the first redirect URI that ends with /callback, or the one it is given", async () => {
    const redirectUris = ["acme:/done", "http://localhost:3000/auth/callback", redirectUri]
    const first = make({}, { application: { ...app, redirectUris } })
    expect((await first.visit("http://localhost:3000/auth/status"))?.status).toBe(200)
    expect(await first.visit("/zapier/status")).toBe(undefined)
    const second = make({ redirectUri }, { application: { ...app, redirectUris } })
    expect((await second.visit("/zapier/status"))?.status).toBe(200)
    const moved = make({ path: "/behind/a/proxy" })
    expect((await moved.visit("/behind/a/proxy/status"))?.status).toBe(200)
    await Promise.all([first.zapier.close(), second.zapier.close(), moved.zapier.close()])
  })

  it("starts again at the next request, where the application could not be read", async () => {
    let reads = 0
    const application = async () => {
      if (reads++ === 0) throw new Error("s3cret")
      return app
    }
    const { connected, visit, zapier } = make({ redirectUri }, { application })
    const away = await visit("/zapier/connect")
    expect([away?.status, away?.headers.get("retry-after")]).toEqual([503, "60"])
    expect(await away?.text()).not.toContain("s3cret")
    expect((await connected())?.status).toBe(303)
    expect(await zapier.status("ada")).toMatchObject({ value: { _tag: "Active" } })
    await zapier.close()
  })

  it("lets a code be exchanged that is under way when it is closed, and answers with 503 from then on", async () => {
    const fake = FakeZapierPromise.make({ apps: [app] })
    const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const held: typeof fetch = async (input, init) => {
      asked.resolve()
      await answer.promise
      return fake.fetch(input, init)
    }
    const { visit, zapier } = make({}, { fetch: held })
    const begun = await visit("/zapier/connect?return=/settings")
    const callback = visit(await fake.approve(begun?.headers.get("location") ?? ""))
    await asked.promise
    const closed = zapier.close()
    answer.resolve()
    expect((await callback)?.headers.get("location")).toBe("/settings")
    await closed
    expect((await visit("/zapier/status"))?.status).toBe(503)
    expect(await visit("/settings")).toBe(undefined)
  })

  it("exchanges a code to the end although who came with it is gone", async () => {
    const fake = FakeZapierPromise.make({ apps: [app] })
    const gone = new AbortController()
    const leaving: typeof fetch = async (input, init) => {
      gone.abort()
      return fake.fetch(input, init)
    }
    const { visit, zapier } = make({}, { fetch: leaving })
    const begun = await visit("/zapier/connect")
    await visit(await fake.approve(begun?.headers.get("location") ?? ""), { signal: gone.signal })
    await expect.poll(() => zapier.status("ada")).toMatchObject({ value: { _tag: "Active" } })
    await zapier.close()
  })
})

describe("ZapierPromise, without usable options", () => {
  it.each<readonly [unknown, string]>([
    [undefined, "connect"],
    [null, "connect"],
    [{ subject: () => "ada" }, "connect.scopes"],
    [{ scopes: "zap" }, "connect.scopes"],
    [{ scopes: ["zap"], subject: "ada" }, "connect.subject"],
    [{ scopes: ["zap"], respond: 5 }, "connect.respond"],
    [{ scopes: ["zap"], returnTo: "https://evil.example" }, "connect.returnTo"],
    [{ scopes: ["zap"], texts: { app: 5 } }, "connect.texts.app"],
    [{ scopes: ["zap"], redirectUri: "https://acme.example/zapier" }, "connect.redirectUri"],
    [{ scopes: ["zap"], scope: ["zap"] }, "connect.scope"],
    [{ scopes: ["zap"], fetch }, "connect.fetch"]
  ])("answers every request with 500, for connect %o", async (connect, setting) => {
    const zapier = ZapierPromise.make({ application: app, stores: "memory", connect: untyped(connect) })
    const response = await zapier.handler(new Request("https://acme.example/"))
    expect(response?.status).toBe(500)
    const called = await zapier.status("ada")
    // A client without routes has calls.
    if (connect !== undefined) expect(settingOf(called)).toBe(setting)
    else expect(called.ok).toBe(true)
    await zapier.close()
  })

  it.each([[undefined], [{ method: "GET", url: "/zapier/connect", headers: {} }], ["/zapier/connect"]])(
    "throws what is wrong where it is given no Request: %o",
    async (request) => {
      const { zapier } = make()
      await expect(zapier.handler(untyped(request))).rejects.toThrow(/^request: pass a Request.*ZapierExpress/)
      await zapier.close()
    }
  )

  it("says that no redirect URI is known where a function reads the application", async () => {
    const zapier = ZapierPromise.make({ application: () => app, stores: "memory", connect: { scopes: ["zap"] } })
    expect(settingOf(await zapier.status("ada"))).toBe("connect.redirectUri")
    await zapier.close()
  })
})

describe("ZapierPromise.toResponse", () => {
  it("tells the app's own client of a failure by problem details", async () => {
    const { fake, zapier } = make()
    const never = await zapier.fetch("/v2/zaps", { subject: "ada" })
    if (never.ok) throw new Error("it succeeded")
    const response = ZapierPromise.toResponse(never.error)
    expect([response.status, response.headers.get("content-type")]).toEqual([409, "application/problem+json"])
    expect(await response.json()).toMatchObject({ reason: "ReconnectRequired", needsReconnect: true, status: 409 })
    await fake.setFaults([{ fault: { _tag: "RateLimited", retryAfter: 7 }, match: { endpoint: "token" } }])
    const busy = await zapier.appToken(["promotions:write"])
    if (busy.ok) throw new Error("it succeeded")
    expect(ZapierPromise.toResponse(busy.error).headers.get("retry-after")).toBe("7")
    await zapier.close()
  })

  it("keeps what is for the app's owner from its client", async () => {
    const zapier = ZapierPromise.make({ application: { ...app, clientSecret: "s3cret\n" }, stores: "memory" })
    const wrong = await zapier.appToken(["promotions:write"])
    if (wrong.ok) throw new Error("it succeeded")
    const response = ZapierPromise.toResponse(wrong.error)
    expect(response.status).toBe(500)
    expect(await response.text()).not.toMatch(/clientSecret|s3cret/)
    expect(inspect(wrong)).not.toContain("s3cret")
    await zapier.close()
  })
})
