/** The rules of who is let in, as those see them who ask. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { FakeResponse } from "../../../../src/fake/FakeHttp.ts"
import * as FakeHttp from "../../../../src/fake/FakeHttp.ts"
import * as Control from "../../../../src/fake/internal/control/handle.ts"
import * as ControlPage from "../../../utils/ControlPage.ts"

const { host, secrets } = ControlPage

const statusOf = Effect.map(({ status }: FakeResponse) => status)

describe("where a request comes from", () => {
  const bearer = { authorization: `Bearer ${secrets.token}` }

  const asked = (headers: { readonly [name: string]: string | undefined }, address?: string, isServerLocal = true) => {
    const { context } = ControlPage.make()
    const request = FakeHttp.request("GET", "/_control/api/state", { headers: { ...bearer, ...headers }, address })
    return statusOf(Control.handle(request, { ...context, isServerLocal }))
  }

  it.effect.each(["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "::FFFF:127.0.0.1"])(
    "responds to %s",
    Effect.fnUntraced(function* (address) {
      assert.strictEqual(yield* asked({ host }, address, false), 200)
    })
  )

  it.effect.each(["192.168.1.2", "10.0.0.1", "fe80::1", "::ffff:10.0.0.1", "::ffff:a00:1", "127.0.0.1.evil.example"])(
    "refuses %s, although it has the token",
    Effect.fnUntraced(function* (address) {
      assert.strictEqual(yield* asked({ host }, address, true), 403)
    })
  )

  it.effect("responds to a request of unknown origin only if the server is on loopback", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* asked({ host }, undefined, true), 200)
      assert.strictEqual(yield* asked({ host }, undefined, false), 403)
    })
  )

  it.effect.each(["localhost", "LOCALHOST:80", "127.0.0.1:9270", "[::1]:9270"])(
    "responds to the name %s",
    Effect.fnUntraced(function* (host) {
      assert.strictEqual(yield* asked({ host }, "127.0.0.1"), 200)
    })
  )

  it.effect("is linked from another page of this machine, which may do nothing else", () =>
    Effect.gen(function* () {
      const page = ControlPage.make()
      const cookie = `fake-zapier-9270=${secrets.session}`
      const from = { host, cookie, "sec-fetch-site": "same-site", "sec-fetch-dest": "document" }
      assert.strictEqual((yield* page.get("/_control/", from)).status, 200)
      assert.strictEqual((yield* page.get("/_control/", { ...from, "sec-fetch-dest": "iframe" })).status, 403)
      assert.strictEqual((yield* page.get("/_control/", { ...from, "sec-fetch-site": "cross-site" })).status, 403)
      assert.strictEqual((yield* page.submit("advance", { input: '{"by":60000}' }, from)).status, 403)
      assert.strictEqual((yield* page.zapier.state).clockOffset, 0)
    })
  )

  it.effect.each([
    undefined,
    "",
    "evil.example",
    "evil.example:9270",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "127.0.0.1@evil.example",
    "localhost:evil",
    "[::1",
    "0.0.0.0:9270",
    "192.168.1.2:9270"
  ])(
    "refuses the name %s: it may be one that a foreign page has made lead here",
    Effect.fnUntraced(function* (host) {
      assert.strictEqual(yield* asked({ host }, "127.0.0.1"), 403)
    })
  )

  it.effect.each([
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: "http://127.0.0.1:3000" },
    { origin: "http://localhost:9270" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" }
  ])(
    "refuses %o",
    Effect.fnUntraced(function* (headers) {
      assert.strictEqual(yield* asked({ host, ...headers }, "127.0.0.1"), 403)
      const page = ControlPage.make()
      const cookie = `fake-zapier-9270=${secrets.session}`
      const { clientId } = ControlPage.app
      const sent = { input: JSON.stringify({ clientId }) }
      const foreign = { host, cookie, ...headers }
      assert.strictEqual((yield* page.get("/_control/", foreign)).status, 403)
      assert.strictEqual((yield* page.submit("regenerate-secret", sent, foreign)).status, 403)
      const state = yield* page.zapier.state
      assert.include(JSON.stringify([...state.apps]), ControlPage.app.clientSecret)
    })
  )

  it.effect("responds to its own page", () =>
    Effect.gen(function* () {
      const own = { host, origin: `http://${host}`, "sec-fetch-site": "same-origin" }
      assert.strictEqual(yield* asked(own, "127.0.0.1"), 200)
    })
  )
})

describe("the token of the API", () => {
  it.effect.each([
    undefined,
    "",
    "Bearer",
    "Bearer ",
    `Bearer ${secrets.token}x`,
    `Bearer ${secrets.token.slice(1)}`,
    `Basic ${secrets.token}`,
    `Bearer ${secrets.session}`,
    secrets.token
  ])(
    "is wanted, and not: %s",
    Effect.fnUntraced(function* (authorization) {
      const page = ControlPage.make()
      for (const answer of [
        yield* page.read("state", { host, authorization }),
        yield* page.act("reset", {}, { host, authorization }),
        yield* page.read("unknown", { host, authorization })
      ]) {
        assert.strictEqual(answer.status, 401)
        assert.strictEqual(answer.headers["www-authenticate"], "Bearer")
        assert.match(JSON.parse(answer.body).error, /Authorization: Bearer/)
      }
    })
  )

  it.effect("is not the cookie of the page", () =>
    Effect.gen(function* () {
      const page = ControlPage.make()
      const cookie = `fake-zapier-9270=${secrets.session}`
      assert.strictEqual((yield* page.read("state", { host, cookie })).status, 401)
    })
  )
})

describe("signing in to the page", () => {
  it.effect("takes the token once, for a cookie that scripts and other sites do not get", () =>
    Effect.gen(function* () {
      const page = ControlPage.make()
      const { headers, status } = yield* page.get(`/_control/?token=${secrets.token}`, { host })
      assert.strictEqual(status, 303)
      assert.strictEqual(headers["location"], "/_control/")
      const expected = `fake-zapier-9270=${secrets.session}; Path=/_control/; HttpOnly; SameSite=Strict`
      assert.strictEqual(headers["set-cookie"], expected)
    })
  )

  it.effect.each([
    undefined,
    "",
    "fake-zapier-9270=",
    `fake-zapier-9270=${secrets.session}x`,
    `fake-zapier-9271=${secrets.session}`,
    `other=1; fake-zapier-9270=${secrets.token}`
  ])(
    "without it, with the cookie %s, shows a page with instructions",
    Effect.fnUntraced(function* (cookie) {
      const page = ControlPage.make()
      for (const answer of [
        yield* page.get("/_control/", { host, cookie }),
        yield* page.get("/_control/?token=wrong", { host, cookie }),
        yield* page.get("/_control/requests", { host, cookie }),
        yield* page.submit("reset", { input: "{}" }, { host, cookie })
      ]) {
        assert.strictEqual(answer.status, 403)
        assert.isUndefined(answer.headers["set-cookie"])
        assert.include(answer.body, "Open the whole address that was printed at the start")
        assert.notInclude(answer.body, "Acme")
      }
    })
  )

  it.effect("finds its cookie among others", () =>
    Effect.gen(function* () {
      const page = ControlPage.make()
      const cookie = `a=b=c; fake-zapier-9271=x; fake-zapier-9270=${secrets.session}; d`
      assert.strictEqual((yield* page.get("/_control/", { host, cookie })).status, 200)
    })
  )

  it.effect.each([{}, { form: "" }, { form: "wrong" }])(
    "accepts a form only with its own page's token: not with %o",
    Effect.fnUntraced(function* (fields) {
      const page = ControlPage.make()
      const headers = { host, cookie: `fake-zapier-9270=${secrets.session}` }
      const request = FakeHttp.form("POST", "/_control/do/advance", { input: '{"by":1000}', ...fields }, headers)
      assert.strictEqual((yield* page.send(request)).status, 403)
      assert.strictEqual((yield* page.zapier.state).clockOffset, 0)
    })
  )
})
