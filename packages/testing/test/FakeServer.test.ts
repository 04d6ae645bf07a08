import { assert, describe, it } from "@effect/vitest"
import * as Endpoint from "@zapier-workflow-auth/core/Endpoint"
import * as Scopes from "@zapier-workflow-auth/core/Scopes"
import * as HashMap from "effect/HashMap"
import * as Schema from "effect/Schema"
import * as FakeHttp from "../src/FakeHttp.ts"
import * as FakeServer from "../src/FakeServer.ts"
import type * as FakeState from "../src/FakeState.ts"
import * as Flow from "./utils/flow.ts"

const second = 1_000
const hour = 3_600 * second

describe("authorization endpoint", () => {
  it("shows a page with the app's name and the scopes, everything escaped", () => {
    const fake = Flow.make()
    fake.state = { ...fake.state, users: [{ id: 1, email: "<b>@x", firstName: "", lastName: "" }] }
    const { body, headers, status } = fake.send(FakeHttp.request("GET", `/v2/authorize?${fake.authorizeQuery()}`))
    assert.strictEqual(status, 200)
    assert.match(headers["content-type"] ?? "", /text\/html/)
    assert.include(body, "Allow Acme to use Zapier for you?")
    assert.include(body, "<code>profile</code>")
    assert.notInclude(body, "<b>@x")
  })

  it("shows a hostile state as text, in the form's address only", () => {
    const fake = Flow.make()
    const query = fake.authorizeQuery({ state: '"><script>alert(1)</script>' })
    const { body } = fake.send(FakeHttp.request("GET", `/v2/authorize?${query}`))
    assert.notInclude(body, "<script>")
  })

  it.each(["/v2/authorize", "/oauth/authorize/"])("sends the user back from %s with a code and the state", (path) => {
    const fake = Flow.make()
    const request = FakeHttp.form("POST", `${path}?${fake.authorizeQuery()}`, { decision: "allow" })
    const { headers, status } = fake.send(request)
    const location = new URL(headers["location"] ?? "")
    assert.strictEqual(status, 302)
    assert.strictEqual(location.origin + location.pathname, Flow.redirectUri)
    assert.strictEqual(location.searchParams.get("state"), "xyz")
    assert.match(location.searchParams.get("code") ?? "", /^[A-Za-z0-9]{30}$/)
  })

  it("sends the user back with access_denied and the state when the user denies", () => {
    const fake = Flow.make()
    assert.deepStrictEqual(Object.fromEntries(fake.authorize({}, "deny")), { error: "access_denied", state: "xyz" })
  })

  it.each([
    ["no client_id", { client_id: undefined }],
    ["an unknown client_id", { client_id: "unknown" }],
    ["no redirect_uri", { redirect_uri: undefined }],
    ["a redirect_uri that is not registered", { redirect_uri: "https://evil.example/callback" }],
    ["a redirect_uri with a slash too many", { redirect_uri: `${Flow.redirectUri}/` }]
  ])("shows a page and never redirects for %s", (_, changes) => {
    const fake = Flow.make()
    for (const method of ["GET", "POST"]) {
      const { headers, status } = fake.send(FakeHttp.request(method, `/v2/authorize?${fake.authorizeQuery(changes)}`))
      assert.strictEqual(status, 400)
      assert.isUndefined(headers["location"])
    }
  })

  it("shows a page for a repeated parameter", () => {
    const fake = Flow.make()
    const { status } = fake.send(FakeHttp.request("GET", `/v2/authorize?${fake.authorizeQuery()}&state=again`))
    assert.strictEqual(status, 400)
  })

  it.each([
    ["an unknown scope", { scope: "zap nonsense" }, "invalid_scope"],
    ["no scope", { scope: undefined }, "invalid_scope"],
    ["another response type", { response_type: "token" }, "unsupported_response_type"],
    ["no response type", { response_type: undefined }, "invalid_request"],
    ["another response mode", { response_mode: "fragment" }, "invalid_request"],
    ["an unknown PKCE method", { code_challenge: "x", code_challenge_method: "S512" }, "invalid_request"]
  ])("sends the user back at once for %s", (_, changes, error) => {
    const fake = Flow.make()
    const { headers, status } = fake.send(FakeHttp.request("GET", `/v2/authorize?${fake.authorizeQuery(changes)}`))
    assert.strictEqual(status, 302)
    assert.deepStrictEqual(Object.fromEntries(new URL(headers["location"] ?? "").searchParams), { error, state: "xyz" })
  })

  it("keeps the query of a redirect URI as it is registered", () => {
    const fake = Flow.make()
    const send = (redirect_uri: string) => {
      const app = { ...fake.app, redirectUris: [redirect_uri] }
      fake.state = { ...fake.state, apps: HashMap.set(fake.state.apps, app.clientId, app) }
      const url = `/v2/authorize?${fake.authorizeQuery({ redirect_uri, state: "a&b" })}`
      return fake.send(FakeHttp.form("POST", url, { decision: "deny" }))
    }
    assert.strictEqual(
      send("https://acme.example/cb?to=%20a").headers["location"],
      "https://acme.example/cb?to=%20a&error=access_denied&state=a%26b"
    )
  })

  it("asks nobody when the knob says so, and still refuses what it refuses", () => {
    const users = ["a", "b"].map((name) => ({ email: `${name}@example.com`, firstName: name, lastName: "" }))
    const fake = Flow.make({ users, knobs: { asksForConsent: false } })
    const open = (changes?: Record<string, string | undefined>) =>
      fake.send(FakeHttp.request("GET", `/v2/authorize?${fake.authorizeQuery(changes)}`))
    const emailOf = ({ headers, status }: FakeHttp.FakeResponse) => {
      assert.strictEqual(status, 302)
      const { searchParams } = new URL(headers["location"] ?? "")
      assert.strictEqual(searchParams.get("state"), "xyz")
      const { access_token } = fake.exchange(searchParams.get("code") ?? "").json
      return JSON.parse(fake.api("GET", "/v1/profiles/me", access_token).body).email
    }
    assert.strictEqual(emailOf(open()), "a@example.com")
    assert.strictEqual(emailOf(open({ sign_up_email: "b@example.com" })), "b@example.com")
    assert.strictEqual(emailOf(open({ sign_up_email: "nobody@example.com" })), "a@example.com")
    assert.strictEqual(open({ redirect_uri: "https://evil.example/callback" }).status, 400)
    assert.include(open({ scope: "nonsense" }).headers["location"], "error=invalid_scope")
  })

  it("takes the user that the form names, and no other", () => {
    const fake = Flow.make({
      users: [
        { email: "a@example.com", firstName: "A", lastName: "" },
        { email: "b@example.com", firstName: "B", lastName: "" }
      ]
    })
    const send = (user: string) =>
      fake.send(FakeHttp.form("POST", `/v2/authorize?${fake.authorizeQuery()}`, { decision: "allow", user }))
    const code = new URL(send("b@example.com").headers["location"] ?? "").searchParams.get("code") ?? ""
    const { access_token } = fake.exchange(code).json
    assert.strictEqual(JSON.parse(fake.api("GET", "/v1/profiles/me", access_token).body).email, "b@example.com")
    assert.strictEqual(send("c@example.com").status, 400)
  })
})

describe("authorization code grant", () => {
  it("answers with the documented members in the documented order, not to be cached", () => {
    const fake = Flow.make()
    const { headers, json, status } = fake.exchange(fake.code())
    assert.strictEqual(status, 200)
    assert.deepStrictEqual(Object.keys(json), ["access_token", "expires_in", "token_type", "scope", "refresh_token"])
    assert.deepInclude(json, { expires_in: 36_000, token_type: "Bearer", scope: "zap profile" })
    assert.deepInclude(headers, { "cache-control": "no-store", pragma: "no-cache", "content-type": "application/json" })
  })

  it("takes a code for two minutes", () => {
    const fake = Flow.make()
    const [early, late] = [fake.code(), fake.code()]
    fake.now = 120 * second - 1
    assert.strictEqual(fake.exchange(early).status, 200)
    fake.now = 120 * second
    assert.deepStrictEqual([fake.exchange(late).status, fake.exchange(late).json], [400, { error: "invalid_grant" }])
  })

  it("takes a code once, and ends what it gave when it comes again", () => {
    const fake = Flow.make()
    const code = fake.code()
    const { access_token, refresh_token } = fake.exchange(code).json
    assert.deepStrictEqual(fake.exchange(code).json, { error: "invalid_grant" })
    assert.strictEqual(fake.api("GET", "/v2/zaps", access_token).status, 401)
    assert.deepStrictEqual(fake.refresh(refresh_token).json, { error: "invalid_grant" })
  })

  it("leaves what a code gave alone when the knob says so", () => {
    const fake = Flow.make({ knobs: { codeReuseRevokesGrant: false } })
    const code = fake.code()
    const { access_token } = fake.exchange(code).json
    assert.strictEqual(fake.exchange(code).status, 400)
    assert.strictEqual(fake.api("GET", "/v2/zaps", access_token).status, 200)
  })

  it("wants the very redirect URI of the authorization request", () => {
    const fake = Flow.make()
    const code = fake.code()
    const described = (error_description: string) => ({ error: "invalid_request", error_description })
    assert.deepStrictEqual(
      fake.exchange(code, { redirect_uri: "https://acme.example/other" }).json,
      described("Mismatching redirect URI.")
    )
    assert.deepStrictEqual(
      fake.token({ grant_type: "authorization_code", code }).json,
      described("Missing redirect URI.")
    )
    assert.strictEqual(fake.exchange(code).status, 200)
  })

  it("does not take a code of another app, nor an unknown one", () => {
    const fake = Flow.make()
    const other = Flow.make({ seed: "other" })
    const code = fake.code()
    fake.state = { ...fake.state, apps: other.state.apps }
    const credentials = { authorization: Flow.basic(other.app.clientId, other.app.clientSecret) }
    const fields = { grant_type: "authorization_code", redirect_uri: Flow.redirectUri }
    for (const tried of [code, "unknown"]) {
      assert.deepStrictEqual(fake.token({ ...fields, code: tried }, credentials).json, { error: "invalid_grant" })
    }
  })

  it("verifies PKCE, S256 and plain", () => {
    const fake = Flow.make()
    // RFC 7636 appendix B
    const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    const s256 = { code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", code_challenge_method: "S256" }
    assert.deepStrictEqual(fake.exchange(fake.code(s256)).json, { error: "invalid_grant" })
    assert.strictEqual(fake.exchange(fake.code(s256), { code_verifier: "wrong" }).status, 400)
    assert.strictEqual(fake.exchange(fake.code(s256), { code_verifier: verifier }).status, 200)
    assert.strictEqual(fake.exchange(fake.code({ code_challenge: "p" }), { code_verifier: "p" }).status, 200)
  })
})

describe("client authentication", () => {
  const fields = { grant_type: "client_credentials", scope: "zap" }

  it("is taken in the header or in the body, and not in both", () => {
    const fake = Flow.make()
    const { clientId: client_id, clientSecret: client_secret } = fake.app
    assert.strictEqual(fake.token(fields).status, 200)
    assert.strictEqual(fake.token({ ...fields, client_id, client_secret }, {}).status, 200)
    assert.deepInclude(fake.token({ ...fields, client_id, client_secret }).json, { error: "invalid_request" })
  })

  it("form-decodes the parts of the header", () => {
    const fake = Flow.make()
    fake.state = { ...fake.state, apps: fake.state.apps }
    const authorization = Flow.basic(
      fake.app.clientId.replace(/^./, (c) => `%${c.charCodeAt(0).toString(16)}`),
      fake.app.clientSecret
    )
    assert.strictEqual(fake.token(fields, { authorization }).status, 200)
  })

  it.each([
    ["a wrong secret", (id: string) => Flow.basic(id, "wrong")],
    ["an unknown client", () => Flow.basic("unknown", "secret")],
    ["a header that is not base64", () => "Basic !!!"],
    ["a header without a colon", () => "Basic YWJj"],
    ["another scheme", (id: string) => `Digest ${id}`],
    ["nothing", () => undefined]
  ])("fails with 401 and a challenge for %s", (_, header) => {
    const fake = Flow.make()
    const { headers, json, status } = fake.token(fields, { authorization: header(fake.app.clientId) })
    assert.deepStrictEqual([status, json], [401, { error: "invalid_client" }])
    assert.strictEqual(headers["www-authenticate"], 'Bearer error="invalid_client"')
  })

  it("that fails does not use a code up", () => {
    const fake = Flow.make()
    const code = fake.code()
    const exchange = { grant_type: "authorization_code", code, redirect_uri: Flow.redirectUri }
    assert.strictEqual(fake.token(exchange, { authorization: Flow.basic(fake.app.clientId, "wrong") }).status, 401)
    assert.strictEqual(fake.exchange(code).status, 200)
  })
})

describe("refresh token grant", () => {
  it("rotates both tokens and ends the old ones at once", () => {
    const fake = Flow.make()
    const first = fake.connect()
    const { json, status } = fake.refresh(first.refresh_token)
    assert.strictEqual(status, 200)
    assert.notStrictEqual(json.access_token, first.access_token)
    assert.notStrictEqual(json.refresh_token, first.refresh_token)
    assert.strictEqual(fake.api("GET", "/v2/zaps", first.access_token).status, 401)
    assert.strictEqual(fake.api("GET", "/v2/zaps", json.access_token).status, 200)
  })

  it("ends the whole grant when a rotated token comes again", () => {
    const fake = Flow.make()
    const first = fake.connect()
    const second = fake.refresh(first.refresh_token).json
    assert.deepStrictEqual(fake.refresh(first.refresh_token).json, { error: "invalid_grant" })
    assert.strictEqual(fake.api("GET", "/v2/zaps", second.access_token).status, 401)
    assert.deepStrictEqual(fake.refresh(second.refresh_token).json, { error: "invalid_grant" })
  })

  it("only refuses a rotated token when the knob says so", () => {
    const fake = Flow.make({ knobs: { reuseRevokesGrant: false } })
    const first = fake.connect()
    const second = fake.refresh(first.refresh_token).json
    assert.strictEqual(fake.refresh(first.refresh_token).status, 400)
    assert.strictEqual(fake.refresh(second.refresh_token).status, 200)
  })

  it("gives the same pair again during a grace period", () => {
    const fake = Flow.make({ knobs: { graceMillis: 10 * second } })
    const first = fake.connect()
    const second_ = fake.refresh(first.refresh_token).json
    fake.now = 10 * second - 1
    assert.deepStrictEqual(fake.refresh(first.refresh_token).json, second_)
    fake.now = 10 * second
    assert.strictEqual(fake.refresh(first.refresh_token).status, 400)
  })

  it("keeps the old access token alive when the knob says so", () => {
    const fake = Flow.make({ knobs: { refreshEndsAccessToken: false } })
    const first = fake.connect()
    fake.refresh(first.refresh_token)
    assert.strictEqual(fake.api("GET", "/v2/zaps", first.access_token).status, 200)
  })

  it("gives no refresh token and keeps the old one when the knob says so", () => {
    const fake = Flow.make({ knobs: { rotateRefreshTokens: false } })
    const first = fake.connect()
    assert.isUndefined(fake.refresh(first.refresh_token).json.refresh_token)
    assert.strictEqual(fake.refresh(first.refresh_token).status, 200)
  })

  it("narrows scopes and never widens them", () => {
    const fake = Flow.make()
    const first = fake.connect()
    assert.deepStrictEqual(fake.refresh(first.refresh_token, { scope: "zap zap:write" }).json, {
      error: "invalid_scope"
    })
    const narrowed = fake.refresh(first.refresh_token, { scope: "zap" }).json
    assert.strictEqual(narrowed.scope, "zap")
    assert.strictEqual(fake.api("GET", "/v1/profiles/me", narrowed.access_token).status, 403)
  })

  it("refuses an unknown token, a missing one, and one of another app", () => {
    const fake = Flow.make()
    const { refresh_token } = fake.connect()
    assert.deepStrictEqual(fake.refresh("unknown").json, { error: "invalid_grant" })
    assert.deepInclude(fake.token({ grant_type: "refresh_token" }).json, { error: "invalid_request" })
    const other = Flow.make({ seed: "other" })
    fake.state = { ...fake.state, apps: other.state.apps }
    const credentials = { authorization: Flow.basic(other.app.clientId, other.app.clientSecret) }
    assert.deepStrictEqual(fake.token({ grant_type: "refresh_token", refresh_token }, credentials).json, {
      error: "invalid_grant"
    })
  })
})

describe("client credentials grant", () => {
  it("gives a token for the scopes that were asked for, and no refresh token", () => {
    const fake = Flow.make()
    const { json } = fake.appToken("promotions:read promotions:write")
    assert.deepStrictEqual(Object.keys(json), ["access_token", "expires_in", "token_type", "scope"])
    assert.strictEqual(json.scope, "promotions:read promotions:write")
  })

  it("gives all scopes when none is asked for, and refuses unknown ones", () => {
    const fake = Flow.make()
    assert.strictEqual(fake.appToken().json.scope, Scopes.known.join(" "))
    assert.deepStrictEqual(fake.appToken("nonsense").json, { error: "invalid_scope" })
  })

  it("answers with the documented odd Content-Type when the knob says so", () => {
    const fake = Flow.make({ knobs: { appTokenContentType: "multipart/form-data" } })
    assert.strictEqual(fake.appToken().headers["content-type"], "multipart/form-data")
  })
})

describe("token endpoint", () => {
  it("takes multipart bodies as well as urlencoded ones", async () => {
    const fake = Flow.make()
    const form = new FormData()
    form.append("grant_type", "client_credentials")
    form.append("scope", "zap")
    const encoded = new Response(form)
    const request = FakeHttp.request("POST", "/oauth/token/", {
      headers: {
        "content-type": encoded.headers.get("content-type") ?? "",
        authorization: Flow.basic(fake.app.clientId, fake.app.clientSecret)
      },
      body: new Uint8Array(await encoded.arrayBuffer())
    })
    assert.deepInclude(fake.json(request), { scope: "zap", token_type: "Bearer" })
  })

  it.each([
    ["that ends too early", "--x\r\n"],
    ["without a boundary at its end", '--x\r\nContent-Disposition: form-data; name="grant_type"\r\n\r\nrefresh_token'],
    ["with a part that has no headers", "--x\r\n\r\n--x--\r\n"],
    ["with a part whose headers do not end", "--x\r\nContent-Disp\r\n--x\r\n--x--\r\n"],
    ["with a part that has no name", "--x\r\nContent-Disposition: form-data\r\n\r\nrefresh_token\r\n--x--\r\n"],
    [
      "that sends a file",
      '--x\r\nContent-Disposition: form-data; name="grant_type"; filename="f"\r\n\r\nrefresh_token\r\n--x--\r\n'
    ]
  ])("takes nothing out of a multipart body %s", (_, body) => {
    const headers = { "content-type": "multipart/form-data; boundary=x" }
    const answer = Flow.make().json(FakeHttp.request("POST", "/oauth/token/", { headers, body }))
    assert.deepStrictEqual(answer, { error: "unsupported_grant_type" })
  })

  it("knows no other grant types, and no JSON bodies", () => {
    const fake = Flow.make()
    const unsupported = { error: "unsupported_grant_type" }
    assert.deepStrictEqual(fake.token({ grant_type: "password" }).json, unsupported)
    assert.deepStrictEqual(fake.token({ grant_type: "toString" }).json, unsupported)
    assert.deepStrictEqual(fake.token({}).json, unsupported)
    const json = FakeHttp.request("POST", "/oauth/token/", {
      headers: { "content-type": "application/json" },
      body: '{"grant_type":"client_credentials"}'
    })
    assert.deepStrictEqual(fake.json(json), unsupported)
  })

  it("refuses repeated parameters, GET, and the address without its slash", () => {
    const fake = Flow.make()
    const twice = fake.token([
      ["grant_type", "client_credentials"],
      ["scope", "zap"],
      ["scope", "zap"]
    ])
    assert.deepInclude(twice.json, { error: "invalid_request" })
    const get = fake.send(FakeHttp.request("GET", "/oauth/token/"))
    assert.deepStrictEqual([get.status, get.headers["allow"]], [405, "POST"])
    const slash = fake.send(FakeHttp.form("POST", "/oauth/token", { grant_type: "client_credentials" }))
    assert.deepStrictEqual([slash.status, slash.headers["location"]], [301, "/oauth/token/"])
  })
})

describe("API", () => {
  it("challenges missing, unknown and expired tokens as observed", () => {
    const fake = Flow.make()
    const { access_token } = fake.connect()
    const challenge = (token?: string) => {
      const { body, headers, status } = fake.api("GET", "/v2/zaps", token)
      assert.strictEqual(status, 401)
      assert.deepInclude(JSON.parse(body).errors[0], { status: "401", code: "not_authenticated", source: null })
      return headers["www-authenticate"]
    }
    assert.strictEqual(challenge(), 'Bearer realm="api"')
    assert.match(challenge("unknown") ?? "", /error="invalid_token",error_description="The access token is invalid."/)
    fake.now = 10 * hour - 1
    assert.strictEqual(fake.api("GET", "/v2/zaps", access_token).status, 200)
    fake.now = 10 * hour
    assert.match(challenge(access_token) ?? "", /error_description="The access token has expired."/)
  })

  it("refuses a missing scope with 403 and no challenge", () => {
    const fake = Flow.make()
    const { access_token } = fake.connect({ scope: "profile" })
    const { headers, status } = fake.api("GET", "/v2/zaps", access_token)
    assert.deepStrictEqual([status, headers["www-authenticate"]], [403, undefined])
  })

  it("takes wider scopes for narrower ones", () => {
    const fake = Flow.make()
    const { access_token } = fake.connect({ scope: "zap:account:all" })
    assert.strictEqual(fake.api("GET", "/v2/zaps", access_token).status, 200)
  })

  it("takes users' tokens and the app's only where they belong", () => {
    const fake = Flow.make()
    const user = fake.connect({ scope: "zap promotions:write" }).access_token
    const app = fake.appToken().json.access_token
    assert.strictEqual(fake.api("GET", "/v2/zaps", app).status, 403)
    assert.strictEqual(fake.api("DELETE", "/v2/promotions/x", user).status, 403)
    assert.strictEqual(fake.api("DELETE", "/v2/promotions/x", app).status, 404)
  })

  it("wants the client id of a known app", () => {
    const fake = Flow.make()
    assert.strictEqual(fake.api("GET", "/v1/apps").status, 401)
    assert.strictEqual(fake.api("GET", "/v1/apps?client_id=unknown").status, 401)
    assert.strictEqual(fake.api("GET", `/v1/apps?client_id=${fake.app.clientId}`).status, 200)
    assert.strictEqual(fake.api("GET", `/v1/zap-templates?client_id=${fake.app.clientId}`).status, 200)
    assert.strictEqual(fake.api("GET", "/v1/categories").status, 200)
  })

  it("does not take a user's token in the place of the client id", () => {
    const fake = Flow.make()
    assert.strictEqual(fake.api("GET", "/v1/apps", fake.connect().access_token).status, 401)
  })

  it("pages v1 lists by number", () => {
    const fake = Flow.make()
    const page = (query: string) => JSON.parse(fake.api("GET", `/v1/apps?client_id=${fake.app.clientId}${query}`).body)
    const first = page("&per_page=5")
    assert.deepInclude(first, { total: 12, page: 1, pages: 3, per_page: 5, prev_url: null })
    const slugs = [1, 2, 3, 4].map((number) =>
      page(`&per_page=5&page=${number}`).objects.map(({ slug }: { slug: string }) => slug)
    )
    assert.deepStrictEqual(
      slugs.map(({ length }) => length),
      [5, 5, 2, 0]
    )
    assert.strictEqual(new Set(slugs.flat()).size, 12)
    assert.include(first.next_url, "page=2")
  })

  it("pages v2 lists by offset", () => {
    const fake = Flow.make()
    const { access_token } = fake.connect()
    const page = (query: string) => JSON.parse(fake.api("GET", `/v2/zaps?${query}`, access_token).body)
    const whole = page("")
    assert.deepStrictEqual(whole.meta, { count: 3, offset: 0, limit: 10 })
    const parts = [page("limit=2"), page("limit=2&offset=2")]
    assert.deepStrictEqual(
      parts.flatMap(({ data }) => data),
      whole.data
    )
    assert.include(parts[0].links.next, "offset=2")
    assert.isNull(parts[1].links.next)
  })

  it("answers 404 and 405 in the documented error shape", () => {
    const fake = Flow.make()
    const unknown = fake.api("GET", "/v3/unheard-of")
    assert.deepStrictEqual([unknown.status, JSON.parse(unknown.body).errors[0].status], [404, "404"])
    const method = fake.api("PUT", "/v2/zaps")
    assert.deepStrictEqual([method.status, method.headers["allow"]], [405, "GET, POST"])
  })

  it("asks for the credential of every endpoint that needs one", () => {
    const fake = Flow.make()
    for (const name of Endpoint.names.filter((name) => name !== "GET /v2/authorize")) {
      const { method, path } = Endpoint.parts(name)
      const { status } = fake.api(method, path.replace(/\{\w+\}/g, "1"))
      if (Endpoint.requirement(name).modes.length > 0) assert.strictEqual(status, 401, name)
      else assert.notStrictEqual(status, 401, name)
    }
  })
})

describe("the machine", () => {
  const Method = Schema.Literals(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
  const Path = Schema.Union([
    Schema.String.pipe(Schema.check(Schema.isMaxLength(20))),
    Schema.Literals([
      "/oauth/token/",
      "/oauth/token",
      "/v2/authorize",
      "/oauth/authorize/",
      "/v2/zaps",
      "/v1/apps",
      "/v2/promotions/%"
    ])
  ])
  const Form = Schema.Record(
    Schema.Literals([
      "grant_type",
      "code",
      "client_id",
      "client_secret",
      "refresh_token",
      "redirect_uri",
      "scope",
      "decision"
    ]),
    Schema.String
  )
  const Header = Schema.Union([
    Schema.String,
    Schema.Literals(["Basic YTpi", "Bearer x", "application/json", "multipart/form-data; boundary=x"])
  ])

  it.prop(
    "never throws and never fails by itself, whatever it is asked",
    [Method, Path, Schema.String, Form, Header, Header, Schema.Uint8Array],
    ([method, path, query, form, authorization, contentType, bytes]) => {
      const fake = Flow.make()
      const requests = [
        FakeHttp.form(method, `${path}?${query}`, form, { authorization }),
        FakeHttp.request(method, `${path}?${fake.authorizeQuery()}`, {
          headers: { authorization, "content-type": contentType },
          body: bytes
        })
      ]
      for (const request of requests) {
        const { status } = FakeServer.handle(fake.state, request, 0).response
        assert.isTrue(status >= 200 && status < 500, String(status))
      }
    }
  )

  it("gives the same answers for the same seed and requests, and others for another seed", () => {
    const run = (seed: string) => {
      const fake = Flow.make({ seed })
      const first = fake.connect()
      return [first, fake.refresh(first.refresh_token).json, fake.appToken().json]
    }
    assert.deepStrictEqual(run("a"), run("a"))
    assert.notDeepEqual(run("a"), run("b"))
  })

  it("changes nothing in the state that it is given", () => {
    const fake = Flow.make()
    const { state } = fake
    const { refresh_token } = fake.connect()
    const connected = fake.state
    fake.refresh(refresh_token)
    fake.state = connected
    assert.strictEqual(fake.refresh(refresh_token).status, 200)
    assert.strictEqual(FakeServer.handle(state, FakeHttp.request("GET", "/v2/zaps"), 0).state, state)
  })

  it("moves its clock on by the offset", () => {
    const fake = Flow.make()
    const { access_token } = fake.connect()
    fake.state = { ...fake.state, clockOffset: 10 * hour } satisfies FakeState.FakeState
    assert.strictEqual(fake.api("GET", "/v2/zaps", access_token).status, 401)
  })
})
