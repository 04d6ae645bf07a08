/** Connect tokens, and the Connect page that they open. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as FakeHttp from "../../src/fake/FakeHttp.ts"
import * as Partner from "../utils/partner.ts"
import * as PartnerFake from "../utils/partnerFake.ts"

const { connectPage, make, start } = PartnerFake

const redirectUri = Partner.app.redirectUris[0] ?? ""

const slack = "00000000-0000-4000-8000-000000000001"

type Parameters = { readonly [name: string]: string }

const urlOf = (token: string, more: Parameters = {}, page = connectPage) =>
  `${page}?${new URLSearchParams({ token, ...more })}`

/** What is on a page. */
const sessionOf = (body: string) => /name="session" value="(\w+)"/.exec(body)?.[1] ?? ""

const messageOf = (body: string) =>
  JSON.parse((/data-message="([^"]*)"/.exec(body)?.[1] ?? "null").replaceAll("&#34;", '"')) as unknown

const open = (fake: PartnerFake.PartnerFake, token: string, more: Parameters = {}, page = connectPage) =>
  fake.send(FakeHttp.request("GET", urlOf(token, more, page)))

const answer = (fake: PartnerFake.PartnerFake, session: string, decision: string, headers: Parameters = {}) =>
  fake.send(FakeHttp.form("POST", "/to/SlackCLIAPI", { session, decision }, headers))

/** A user, and a token for the Connect page. */
const begin = Effect.fnUntraced(function* (settings?: PartnerFake.Settings) {
  const fake = yield* make(settings)
  const access = yield* fake.accessToken()
  return {
    fake,
    access,
    token: yield* fake.connectToken(access),
    connections: Effect.map(fake.api("GET", `/v2/authentications?app=${slack}`, access), ({ json }) => json.data)
  }
})

describe("exchange for a connect token", () => {
  it.effect("gives one as RFC 8693 has it, which is no access token", () =>
    Effect.gen(function* () {
      const { access, fake } = yield* begin()
      const { json, status } = yield* fake.token(Partner.connectFields(access, connectPage))
      expect([status, json]).toStrictEqual([
        200,
        {
          access_token: expect.stringMatching(/^\w{30}$/),
          issued_token_type: Partner.types.connectToken,
          token_type: "N_A",
          expires_in: 360,
          scope: "connection:write"
        }
      ])
      expect((yield* fake.api("GET", "/v2/zaps", json.access_token)).status).toBe(401)
    })
  )

  it.effect.each<readonly [string, Parameters, string]>([
    ["no resource", { resource: "" }, "invalid_request"],
    ["a relative resource", { resource: "/to/SlackCLIAPI" }, "invalid_target"],
    ["a resource with a fragment", { resource: `${connectPage}#top` }, "invalid_target"],
    ["a resource that no browser opens", { resource: "urn:zapier:connect" }, "invalid_target"],
    ["no scope", { scope: "" }, "invalid_request"],
    ["another scope", { scope: "zap" }, "invalid_scope"],
    ["more scopes", { scope: "connection:write zap" }, "invalid_scope"],
    ["an unknown token", { subject_token: "unknown" }, "invalid_request"],
    ["a JWT", { subject_token: "e30.e30.AAAA" }, "invalid_request"]
  ])("is refused with %s", ([, change, error]) =>
    Effect.gen(function* () {
      const { access, fake } = yield* begin()
      const { json, status } = yield* fake.token({ ...Partner.connectFields(access, connectPage), ...change })
      expect([status, json.error]).toStrictEqual([400, error])
    })
  )

  it.effect("is refused with a token that has expired, is another partner's, or lacks the scope", () =>
    Effect.gen(function* () {
      const { access, fake } = yield* begin()
      const fields = Partner.connectFields(access, connectPage)
      expect((yield* fake.token(fields, "partner-2")).json.error).toBe("invalid_request")
      const narrow = yield* fake.exchange(yield* fake.jwt(), { scope: "zap" })
      const scoped = Partner.connectFields(narrow.json.access_token, connectPage)
      expect((yield* fake.token(scoped)).json.error).toBe("invalid_scope")
      yield* TestClock.adjust("1 hour")
      expect((yield* fake.token(scoped)).json).toMatchObject({
        error: "invalid_request",
        error_description: expect.stringContaining("expired")
      })
    })
  )

  it.effect("is refused with the token of a user who has an account at Zapier", () =>
    Effect.gen(function* () {
      const fake = yield* make()
      const query = new URLSearchParams({
        response_type: "code",
        client_id: Partner.app.clientId,
        redirect_uri: redirectUri,
        scope: "connection:write"
      })
      const callback = new URL(yield* fake.zapier.approve(`https://api.zapier.com/v2/authorize?${query}`))
      const code = callback.searchParams.get("code") ?? ""
      const tokens = yield* fake.token({ grant_type: "authorization_code", code, redirect_uri: redirectUri })
      const refused = yield* fake.token(Partner.connectFields(tokens.json.access_token, connectPage))
      expect(refused.json.error).toBe("invalid_request")
    })
  )
})

describe("the Connect page", () => {
  it.effect("connects an app, and goes back with the connection", () =>
    Effect.gen(function* () {
      const { connections, fake, token } = yield* begin()
      expect(yield* connections).toStrictEqual([])
      const page = yield* open(fake, token, { redirect_uri: redirectUri, state: "a & b", theme: "dark" })
      expect(page.status).toBe(200)
      expect(page.body).toContain("Connect Slack to Acme?")
      expect(page.body).not.toContain(token)
      const { headers, status } = yield* answer(fake, sessionOf(page.body), "allow")
      const callback = new URL(headers["location"] ?? "")
      const [made] = yield* connections
      expect([status, callback.origin + callback.pathname]).toStrictEqual([302, redirectUri])
      expect(Object.fromEntries(callback.searchParams)).toStrictEqual({
        authentication_id: made.id,
        service: "SlackCLIAPI",
        state: "a & b"
      })
      expect(made).toMatchObject({ type: "authentication", app: slack, is_expired: false })
      expect(made.id).toMatch(/^\d+$/)
    })
  )

  it.effect("tells the window that has opened it, in a popup", () =>
    Effect.gen(function* () {
      const { connections, fake, token } = yield* begin()
      const page = yield* open(fake, token)
      const ended = yield* answer(fake, sessionOf(page.body), "allow")
      const [made] = yield* connections
      expect(messageOf(ended.body)).toStrictEqual({ type: "authenticationSuccess", authId: Number(made.id) })
    })
  )

  it.effect("connects nothing for a user who denies", () =>
    Effect.gen(function* () {
      const { access, connections, fake, token } = yield* begin()
      const page = yield* open(fake, token, { redirect_uri: redirectUri, state: "s" })
      const { headers } = yield* answer(fake, sessionOf(page.body), "deny")
      expect(Object.fromEntries(new URL(headers["location"] ?? "").searchParams)).toStrictEqual({
        error: "server_error",
        error_description: "OAuth Failed: access_denied",
        state: "s"
      })
      const popup = yield* open(fake, yield* fake.connectToken(access))
      const ended = yield* answer(fake, sessionOf(popup.body), "deny")
      expect(messageOf(ended.body)).toStrictEqual({
        type: "authenticationError",
        error: "OAuth Failed: access_denied"
      })
      expect(yield* connections).toStrictEqual([])
    })
  )

  it.effect("renews a connection, and makes no other", () =>
    Effect.gen(function* () {
      const { access, connections, fake, token } = yield* begin()
      yield* fake.zapier.connect(urlOf(token))
      const [{ id }] = yield* connections
      yield* fake.zapier.expireAuthentication(id)
      expect(yield* connections).toMatchObject([{ id, is_expired: true }])
      const page = yield* open(fake, yield* fake.connectToken(access), { reconnect_id: id })
      expect(page.body).toContain("Reconnect Slack to Acme?")
      const ended = yield* answer(fake, sessionOf(page.body), "allow")
      expect(messageOf(ended.body)).toStrictEqual({ type: "authenticationSuccess", authId: Number(id) })
      expect(yield* connections).toMatchObject([{ id, is_expired: false }])
    })
  )

  it.effect.each(["SlackCLIAPI", "SlackCLIAPI@1.0.0", "slack", slack])("knows an app as %s", (name) =>
    Effect.gen(function* () {
      const { access, fake } = yield* begin()
      const page = `https://connect.zapier.com/to/${name}`
      expect((yield* open(fake, yield* fake.connectToken(access, page), {}, page)).status).toBe(200)
    })
  )

  /** How a page refuses: to the partner, in a popup, and what the user sees. */
  const refused = Effect.fnUntraced(function* (
    fake: PartnerFake.PartnerFake,
    token: string,
    description: string,
    more: Parameters = {},
    page = connectPage
  ) {
    const redirected = yield* open(fake, token, { redirect_uri: redirectUri, state: "s", ...more }, page)
    expect(Object.fromEntries(new URL(redirected.headers["location"] ?? "").searchParams)).toStrictEqual({
      error: "invalid_request",
      error_description: description,
      state: "s"
    })
    const popup = yield* open(fake, token, more, page)
    expect([popup.status, messageOf(popup.body)]).toStrictEqual([
      400,
      { type: "authenticationError", error: description }
    ])
    expect(sessionOf(popup.body)).toBe("")
  })

  it.effect("opens once for a token", () =>
    Effect.gen(function* () {
      const { fake, token } = yield* begin()
      yield* open(fake, token)
      yield* refused(fake, token, "Invalid token")
    })
  )

  it.effect("opens for no token that is unknown, an access token, or for another resource", () =>
    Effect.gen(function* () {
      const { access, fake } = yield* begin()
      const trello = "https://connect.zapier.com/to/TrelloCLIAPI"
      for (const token of ["", "unknown", access, yield* fake.connectToken(access, trello)]) {
        yield* refused(fake, token, "Invalid token")
      }
      const withQuery = yield* fake.connectToken(access, `${connectPage}?theme=dark`)
      yield* refused(fake, withQuery, "Invalid token", { theme: "dark" })
    })
  )

  it.effect("opens for six minutes, or for as long as is wanted", () =>
    Effect.gen(function* () {
      const { access, fake, token } = yield* begin()
      const other = yield* fake.connectToken(access)
      yield* TestClock.adjust("359 seconds")
      expect((yield* open(fake, token)).status).toBe(200)
      yield* TestClock.adjust("1 second")
      yield* refused(fake, other, "Token expired")
    })
  )

  it.effect("opens for no unknown app", () =>
    Effect.gen(function* () {
      const { access, fake } = yield* begin()
      const page = "https://connect.zapier.com/to/NobodyCLIAPI"
      yield* refused(fake, yield* fake.connectToken(access, page), "Invalid app", {}, page)
    })
  )

  it.effect("renews no connection of another user or another app", () =>
    Effect.gen(function* () {
      const { fake, token } = yield* begin()
      yield* refused(fake, token, "Invalid reconnect_id", { reconnect_id: "slack-1001" })
      // What was refused has not used the token up.
      expect((yield* open(fake, token)).status).toBe(200)
    })
  )

  it.effect("never redirects to an unregistered address", () =>
    Effect.gen(function* () {
      const { fake, token } = yield* begin()
      for (const given of [token, "unknown"]) {
        for (const uri of ["https://evil.example/", `${redirectUri}/`, `${redirectUri}?a=b`]) {
          const page = yield* open(fake, given, { redirect_uri: uri })
          expect([page.status, page.headers["location"], sessionOf(page.body)]).toStrictEqual([400, undefined, ""])
        }
      }
      expect((yield* open(fake, token, { redirect_uri: redirectUri })).status).toBe(200)
    })
  )

  it.effect("accepts a decision once, and from itself only", () =>
    Effect.gen(function* () {
      const { connections, fake, token } = yield* begin()
      const session = sessionOf((yield* open(fake, token)).body)
      const foreign = yield* answer(fake, session, "allow", { origin: "https://evil.example" })
      const statuses = [
        foreign,
        yield* answer(fake, "made-up", "allow"),
        yield* answer(fake, session, "perhaps"),
        yield* answer(fake, session, "allow"),
        yield* answer(fake, session, "allow")
      ].map(({ status }) => status)
      expect(statuses).toStrictEqual([403, 400, 400, 200, 400])
      expect(yield* connections).toHaveLength(1)
    })
  )

  it.effect("rejects a decision an hour later", () =>
    Effect.gen(function* () {
      const { fake, token } = yield* begin()
      const session = sessionOf((yield* open(fake, token)).body)
      yield* TestClock.adjust("1 hour")
      expect((yield* answer(fake, session, "allow")).status).toBe(400)
    })
  )

  it.effect("takes GET and POST, and each parameter once", () =>
    Effect.gen(function* () {
      const { fake, token } = yield* begin()
      expect((yield* fake.send(FakeHttp.request("PUT", urlOf(token)))).status).toBe(405)
      expect((yield* fake.send(FakeHttp.request("GET", `${urlOf(token)}&token=x`))).status).toBe(400)
      expect((yield* open(fake, token)).status).toBe(200)
    })
  )

  it.effect("gets faults, for all users or for one", () =>
    Effect.gen(function* () {
      const { fake, token } = yield* begin()
      yield* fake.zapier.setFaults([{ fault: { _tag: "Unavailable" }, match: { endpoint: "connect", user: "user-1" } }])
      const request = FakeHttp.request("GET", urlOf(token), { headers: { accept: "text/html" } })
      const page = yield* fake.send(request)
      expect([page.status, page.headers["content-type"]]).toStrictEqual([503, "text/html; charset=utf-8"])
      expect((yield* fake.send(request)).status).toBe(200)
    })
  )
})

describe("a test that decides for the user", () => {
  it.effect("gets the end of the page", () =>
    Effect.gen(function* () {
      const { access, connections, fake, token } = yield* begin()
      const allowed = yield* fake.zapier.connect(urlOf(token, { redirect_uri: redirectUri }))
      const [{ id }] = yield* connections
      expect(allowed).toStrictEqual({
        _tag: "Redirect",
        url: `${redirectUri}?authentication_id=${id}&service=SlackCLIAPI`
      })
      const denied = yield* fake.zapier.connect(urlOf(yield* fake.connectToken(access)), { decision: "deny" })
      expect(denied).toMatchObject({ _tag: "Message", message: { type: "authenticationError" } })
    })
  )

  it.effect("gets an error for invalid input", () =>
    Effect.gen(function* () {
      const { fake, token } = yield* begin()
      const problemOf = (url: string) => Effect.map(Effect.flip(fake.zapier.connect(url)), ({ problem }) => problem)
      expect(yield* problemOf("nonsense")).toContain("/to/{app}")
      expect(yield* problemOf("https://connect.zapier.com/v2/zaps")).toContain("/to/{app}")
      yield* open(fake, token)
      expect(yield* problemOf(urlOf(token))).toContain("Invalid token")
      expect((yield* Effect.flip(fake.zapier.expireAuthentication("none"))).problem).toContain("/v2/authentications")
    })
  )
})

it.effect("tokens are forgotten an hour after they have expired", () =>
  Effect.gen(function* () {
    const { access, fake } = yield* begin({ settings: { exchangedTokenLifetime: 36_000 } })
    const ask = (times: number) => Effect.repeat(fake.connectToken(access), { times: times - 1 })
    yield* ask(1_000)
    yield* TestClock.setTime((start + 2 * 3_600) * 1_000)
    yield* ask(100)
    const { connectTokens } = yield* fake.zapier.state
    expect([...connectTokens]).toHaveLength(100)
  })
)
