/** What the page and the API do for those who are let in. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { FakeResponse } from "../../../../src/fake/FakeHttp.ts"
import * as FakeHttp from "../../../../src/fake/FakeHttp.ts"
import * as Control from "../../../../src/fake/internal/control/handle.ts"
import * as Lookup from "../../../../src/fake/internal/lookup.ts"
import * as ControlPage from "../../../utils/ControlPage.ts"
import * as Markup from "../../../utils/Markup.ts"

const { host, secrets } = ControlPage

const hour = 3_600_000

describe("the page", () => {
  it.effect("is at its path, with the policy that runs its own script only", () =>
    Effect.gen(function* () {
      const page = ControlPage.make()
      const { headers, status } = yield* page.get("/_control/")
      assert.strictEqual(status, 200)
      const policy = headers["content-security-policy"] ?? ""
      assert.match(policy, /^default-src 'none'; style-src 'sha256-[\w+/=]+'; script-src 'sha256-[\w+/=]+'; /)
      assert.notInclude(policy, "unsafe")
      assert.deepInclude(headers, { "x-frame-options": "DENY", "cache-control": "no-store" })
      assert.strictEqual((yield* page.get("/_control")).headers["location"], "/_control/")
      assert.strictEqual((yield* page.get("/_control/other")).status, 404)
      assert.strictEqual((yield* page.get("/_control/do/reset")).headers["location"], "/_control/")
      const other = yield* page.submit("unknown", {})
      assert.strictEqual(other.status, 404)
      const { context } = page
      const headersOf = { host, cookie: `fake-zapier-9270=${secrets.session}` }
      const put = yield* Control.handle(FakeHttp.request("PUT", "/_control/", { headers: headersOf }), context)
      assert.deepStrictEqual([put.status, put.headers["allow"]], [405, "GET"])
    })
  )

  it.effect("performs the actions of its buttons, and confirms them", () =>
    Effect.gen(function* () {
      const page = ControlPage.make()
      const { access_token } = yield* ControlPage.connect(page.zapier)
      const { body } = yield* page.get("/_control/")
      const actionsAndInputs = Array.from(
        body.matchAll(/action="\/_control\/do\/([\w-]+)"|name="input"\s+value="([^"]*)"/g),
        ([, action, input]) => action ?? Markup.text(input ?? "")
      )
      const inputAfter = (action: string) => actionsAndInputs[actionsAndInputs.indexOf(action) + 1] ?? ""
      const done = yield* page.submit("end-access-token", { input: inputAfter("end-access-token") })
      assert.strictEqual(done.headers["location"], "/_control/?done=end-access-token#grants")
      assert.include((yield* page.get("/_control/?done=end-access-token")).body, "The access token no longer works.")
      assert.deepStrictEqual(page.told, ["The access token no longer works."])
      assert.strictEqual(Lookup.accessToken(yield* page.zapier.state, access_token), undefined)
      yield* page.submit("revoke", { input: inputAfter("revoke") })
      assert.include((yield* page.get("/_control/")).body, "No user has connected an app yet.")
      yield* page.submit("regenerate-secret", { input: inputAfter("regenerate-secret") })
      assert.notInclude((yield* page.get("/_control/")).body, ControlPage.app.clientSecret)
      yield* page.submit("advance", { input: inputAfter("advance") })
      assert.strictEqual((yield* page.zapier.state).clockOffset, 60_000)
    })
  )

  it.effect("keeps a snapshot to go back to, and begins anew", () =>
    Effect.gen(function* () {
      const page = ControlPage.make()
      assert.notInclude((yield* page.get("/_control/")).body, "Restore the snapshot")
      yield* page.submit("snapshot", { input: "{}" })
      yield* page.submit("register-app", {
        name: "Other",
        redirectUris: " https://a.example/1\r\nhttps://a.example/2 "
      })
      yield* page.submit("register-user", { email: "grace@example.com", firstName: "Grace", lastName: "" })
      const more = (yield* page.get("/_control/")).body
      for (const text of ["Restore the snapshot", "https://a.example/2", "grace@example.com"])
        assert.include(more, text)
      yield* page.submit("restore", { input: "{}" })
      assert.notInclude((yield* page.get("/_control/")).body, "https://a.example/2")
      yield* page.submit("advance", { input: '{"by":"1 hour"}' })
      yield* page.submit("reset", { input: "{}" })
      assert.strictEqual((yield* page.zapier.state).clockOffset, 0)
    })
  )

  it.effect("takes faults as they are chosen, and drops them", () =>
    Effect.gen(function* () {
      const page = ControlPage.make()
      const fault = JSON.stringify({ _tag: "ResponseSlow", millis: 5_000 })
      const any = { endpoint: "", grantType: "", user: "", nth: "1", times: "1" }
      const token = { ...any, endpoint: "token", grantType: "refresh_token", user: "ada@example.com", nth: "2" }
      yield* page.submit("add-fault", { fault, ...any })
      yield* page.submit("add-fault", { fault, ...token, always: "yes" })
      const match = { endpoint: "token", grantType: "refresh_token", user: "ada@example.com" } as const
      assert.deepEqual((yield* page.zapier.state).faults, [
        { fault: { _tag: "ResponseSlow", millis: 5_000 }, match: {}, nth: 1, times: 1 },
        { fault: { _tag: "ResponseSlow", millis: 5_000 }, match, nth: 2, times: "Always" }
      ])
      const { body } = yield* page.get("/_control/")
      assert.include(Markup.text(body), "The response is 5 s late")
      assert.match(body, /the token endpoint with refresh_token for ada@example.com: after 1 more, always/)
      yield* page.submit("set-faults", { input: '{"rules":[]}' })
      assert.deepEqual((yield* page.zapier.state).faults, [])
    })
  )

  it.effect("reports an invalid form, and changes nothing", () =>
    Effect.gen(function* () {
      const page = ControlPage.make()
      for (const [action, fields, problem] of [
        ["register-app", { name: "", redirectUris: "https://a.example" }, "cannot be used"],
        ["register-app", { name: "Other", redirectUris: "nowhere" }, "Expected a whole URL"],
        ["register-user", { email: "ada@example.com" }, "A user with this e-mail address exists already."],
        ["add-fault", { fault: "{", nth: "0" }, "cannot be used"],
        ["add-fault", {}, "This cannot be used: fault: Missing key."],
        ["add-fault", { fault: '{"_tag":"Fire"}' }, 'fault._tag is "Fire"; use one of RequestLost,'],
        ["add-fault", { fault: "Fire" }, "fault._tag is missing; use one of RequestLost,"],
        [
          "add-fault",
          { fault: '{"_tag":"Unavailable","after":1}' },
          "fault.after is unknown; known: _tag, retryAfter, afterActing."
        ],
        ["add-fault", { fault: '{"_tag":"ResponseLost"}', endpoint: "tokens" }, 'match.endpoint: Expected "token"'],
        ["advance", { input: '{"by":"soon"}' }, "10 hours"],
        ["advance", {}, "cannot be used"],
        ["restore", { input: "{}" }, "No snapshot has this name"]
      ] as const) {
        const before = yield* page.zapier.state
        const { body, status } = yield* page.submit(action, fields)
        assert.strictEqual(status, 400, action)
        assert.match(body, /id="notice" class="notice problem"/)
        assert.include(Markup.text(body), problem)
        assert.strictEqual(yield* page.zapier.state, before)
      }
    })
  )

  it.effect("shows how long tokens have left, in words, by the fake's clock", () =>
    Effect.gen(function* () {
      const page = ControlPage.make()
      yield* ControlPage.connect(page.zapier)
      yield* page.zapier.advance(hour + 1_000)
      assert.include((yield* page.get("/_control/")).body, "8 h 59 min")
      yield* page.zapier.advance(9 * hour)
      const { body } = yield* page.get("/_control/")
      assert.include(body, "expired")
      assert.include(Markup.text(body), "10 h ahead of this machine's clock.")
    })
  )

  it.effect.prop(
    "has the same tags for any names, addresses and requests: outside input stays text",
    { name: Markup.Hostile, user: Markup.Hostile, path: Markup.Hostile },
    ({ name, path, user }) =>
      Effect.gen(function* () {
        const shown = Effect.fnUntraced(function* (name: string, user: string, path: string) {
          const page = ControlPage.make({
            apps: [{ ...ControlPage.app, name }],
            users: [{ email: user, firstName: name, lastName: "" }]
          })
          yield* ControlPage.connect(page.zapier)
          yield* page.zapier.handle({ ...FakeHttp.request("GET", "/"), path, query: `state=${path}&a=${name}` })
          yield* page.zapier.addFault({ fault: { _tag: "ResponseLost" }, match: { user } })
          const rows = yield* page.get("/_control/requests")
          return [...Markup.structure((yield* page.get("/_control/")).body), ...Markup.structure(rows.body)]
        })
        assert.deepStrictEqual(yield* shown(name, user, path), yield* shown("a", "b", "c"))
      })
  )

  it.effect("gives the latest requests anew only when there are others", () =>
    Effect.gen(function* () {
      const page = ControlPage.make()
      const first = yield* page.get("/_control/requests")
      assert.include(first.body, "No requests yet.")
      const cookie = `fake-zapier-9270=${secrets.session}`
      const same = { host, cookie, "if-none-match": first.headers["etag"] }
      assert.strictEqual((yield* page.get("/_control/requests", same)).status, 304)
      yield* page.zapier.handle(FakeHttp.request("GET", "/v1/apps?client_id=abc"))
      const second = yield* page.get("/_control/requests", same)
      assert.strictEqual(second.status, 200)
      assert.include(Markup.text(second.body), "GET /v1/apps?client_id=abc")
    })
  )

  it.effect("stays of use when there are many of everything", () =>
    Effect.gen(function* () {
      const page = ControlPage.make({ apps: [ControlPage.app], settings: { rateLimits: false } })
      for (let index = 0; index < 60; index++) yield* ControlPage.connect(page.zapier)
      const { body } = yield* page.get("/_control/")
      assert.include(body, "And 35 more")
      assert.strictEqual(body.match(/do\/revoke/g)?.length, 25)
    })
  )
})

describe("the API", () => {
  it.effect("lists its actions", () =>
    Effect.gen(function* () {
      const page = ControlPage.make()
      const { body, status } = yield* page.read("")
      assert.strictEqual(status, 200)
      assert.includeMembers(JSON.parse(body).POST, ["advance", "approve", "restore"])
      const unknown = yield* page.read("nothing")
      assert.strictEqual(unknown.status, 404)
      assert.deepInclude(JSON.parse(unknown.body), JSON.parse(body))
    })
  )

  it.effect("goes through the life of a grant", () =>
    Effect.gen(function* () {
      const page = ControlPage.make({ apps: [] })
      const json = (answer: FakeResponse) => JSON.parse(answer.body)
      const app = json(yield* page.act("register-app", ControlPage.app))
      assert.deepStrictEqual(app, ControlPage.app)
      assert.strictEqual(
        json(yield* page.act("register-user", { email: "grace@example.com" })).email,
        "grace@example.com"
      )
      const url = ControlPage.authorizationUrl
      const denied = json(yield* page.act("deny", { url }))
      assert.strictEqual(denied.location, `${ControlPage.redirectUri}?error=access_denied&state=xyz`)
      const approved = json(yield* page.act("approve", { url, user: "grace@example.com", scopes: ["zap"] }))
      assert.match(approved.location, /\?code=\w{30}&state=xyz$/)
      const { access_token, refresh_token } = yield* ControlPage.connect(page.zapier)
      const [grant] = json(yield* page.read("state")).grants
      assert.deepInclude(grant, { clientId: "abc", user: "ada@example.com", refreshToken: refresh_token })
      assert.strictEqual(grant.accessTokens[0].accessToken, access_token)
      assert.strictEqual(json(yield* page.read("issued"))[0].accessToken, access_token)
      assert.lengthOf(json(yield* page.read(`token-family?token=${access_token}`)), 1)
      const [request] = json(yield* page.read("requests"))
      assert.deepInclude(request, { method: "POST", path: "/oauth/token/", status: 200 })
      assert.include(request.body, "grant_type=authorization_code")
      assert.strictEqual((yield* page.act("end-access-token", { accessToken: access_token })).status, 204)
      assert.strictEqual((yield* page.act("revoke", { user: "ada@example.com" })).status, 204)
      assert.deepStrictEqual(json(yield* page.read("state")).grants, [])
      assert.notStrictEqual(json(yield* page.act("regenerate-secret", { clientId: "abc" })).clientSecret, "s3cret")
    })
  )

  it.effect("moves time, turns settings, injects faults, and keeps snapshots by name", () =>
    Effect.gen(function* () {
      const page = ControlPage.make()
      const state = Effect.map(page.read("state"), ({ body }) => JSON.parse(body))
      yield* page.act("snapshot", { name: "before" })
      for (const [action, input] of [
        ["advance", { by: "10 hours" }],
        ["advance", { by: 1_000 }],
        ["change-settings", { graceMillis: 10_000 }],
        ["set-faults", { rules: [{ fault: { _tag: "RequestLost" }, times: "Always" }] }],
        ["add-fault", { fault: { _tag: "ServerError", status: 502 }, match: { endpoint: "GET /v2/zaps" } }]
      ] as const) {
        assert.strictEqual((yield* page.act(action, input)).status, 204, action)
      }
      const changed = yield* state
      assert.strictEqual(changed.time, 10 * hour + 1_000)
      assert.strictEqual(changed.settings.graceMillis, 10_000)
      assert.lengthOf(changed.faults, 2)
      yield* page.act("set-time", { at: 5 })
      assert.strictEqual((yield* state).time, 5)
      yield* page.act("restore", { name: "before" })
      assert.deepInclude(yield* state, { time: 0, faults: [] })
      yield* page.act("advance", { by: 1 })
      yield* page.act("reset", {})
      assert.strictEqual((yield* state).time, 0)
      assert.strictEqual((yield* page.act("restore", { name: "other" })).status, 400)
    })
  )

  it.effect("reports invalid input", () =>
    Effect.gen(function* () {
      const page = ControlPage.make()
      for (const [action, input, problem] of [
        ["advance", { by: "soon" }, "10 hours"],
        ["advance", { by: -1 }, "0 or more milliseconds"],
        ["advance", { millis: 1 }, "This cannot be used: millis is unknown; known: by. by: Missing key."],
        ["reset", { now: true }, "This cannot be used: now is unknown; no member is allowed."],
        ["revoke", {}, "Say which grants to revoke"],
        ["change-settings", { codeLifetime: "2 minutes" }, "cannot be used"],
        ["change-settings", { grace: 1 }, "grace is unknown; known: asksForConsent, accessTokenLifetime,"],
        ["add-fault", { fault: { _tag: "Fire" } }, 'fault._tag is "Fire"; use one of RequestLost,'],
        ["add-fault", { fault: { _tag: "Fire" }, ntk: 1 }, "ntk is unknown; known: fault, match, nth, share, times."],
        [
          "set-faults",
          { rules: [{ fault: { _tag: "ClockJump", by: 1 } }] },
          "rules[0].fault.by is unknown; known: _tag, millis."
        ],
        ["approve", { url: "x", scope: ["zap"] }, "scope is unknown; known: url, user, scopes."],
        ["approve", { url: "nowhere" }, "not a URL"],
        ["approve", null, "cannot be used"]
      ] as const) {
        const { body, status } = yield* page.act(action, input)
        assert.strictEqual(status, 400, action)
        assert.include(JSON.parse(body).error, problem)
      }
      const form = FakeHttp.form(
        "POST",
        "/_control/api/advance",
        { by: "1" },
        { host, authorization: `Bearer ${secrets.token}` }
      )
      assert.include((yield* page.send(form)).body, "Send JSON")
      const wrong = [yield* page.act("state", {}), yield* page.read("advance")]
      assert.deepStrictEqual(
        wrong.map(({ headers, status }) => [status, headers["allow"]]),
        [
          [405, "GET"],
          [405, "POST"]
        ]
      )
    })
  )
})
