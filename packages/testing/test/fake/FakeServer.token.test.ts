/** The token endpoint, grant by grant. */
import { assert, describe, it } from "@effect/vitest"
import * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
import * as FakeHttp from "../../src/fake/FakeHttp.ts"
import * as Flow from "../utils/flow.ts"

const second = 1_000

describe("authorization code grant", () => {
  it("responds with the documented members in the documented order, not to be cached", () => {
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

  it("accepts a code once, and revokes its tokens when it comes again", () => {
    const fake = Flow.make()
    const code = fake.code()
    const { access_token, refresh_token } = fake.exchange(code).json
    assert.deepStrictEqual(fake.exchange(code).json, { error: "invalid_grant" })
    assert.strictEqual(fake.api("GET", "/v2/zaps", access_token).status, 401)
    assert.deepStrictEqual(fake.refresh(refresh_token).json, { error: "invalid_grant" })
  })

  it("keeps the tokens of a reused code if the setting says so", () => {
    const fake = Flow.make({ settings: { codeReuseRevokesGrant: false } })
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

  it("rejects a code of another app, and an unknown one", () => {
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

  it("only refuses a rotated token when the setting says so", () => {
    const fake = Flow.make({ settings: { reuseRevokesGrant: false } })
    const first = fake.connect()
    const second = fake.refresh(first.refresh_token).json
    assert.strictEqual(fake.refresh(first.refresh_token).status, 400)
    assert.strictEqual(fake.refresh(second.refresh_token).status, 200)
  })

  it("gives the same pair again during a grace period", () => {
    const fake = Flow.make({ settings: { graceMillis: 10 * second } })
    const first = fake.connect()
    const second_ = fake.refresh(first.refresh_token).json
    fake.now = 10 * second - 1
    assert.deepStrictEqual(fake.refresh(first.refresh_token).json, second_)
    fake.now = 10 * second
    assert.strictEqual(fake.refresh(first.refresh_token).status, 400)
  })

  it("keeps the old access token alive when the setting says so", () => {
    const fake = Flow.make({ settings: { refreshEndsAccessToken: false } })
    const first = fake.connect()
    fake.refresh(first.refresh_token)
    assert.strictEqual(fake.api("GET", "/v2/zaps", first.access_token).status, 200)
  })

  it("gives no refresh token and keeps the old one when the setting says so", () => {
    const fake = Flow.make({ settings: { rotateRefreshTokens: false } })
    const first = fake.connect()
    assert.isUndefined(fake.refresh(first.refresh_token).json.refresh_token)
    assert.strictEqual(fake.refresh(first.refresh_token).status, 200)
  })

  it.each([
    [true, "zap profile", { scope: "zap profile" }],
    [false, "zap", { error: "invalid_scope" }]
  ])("after one for less gives all again, or less for good: %o", (refreshRestoresScope, next, wider) => {
    const fake = Flow.make({ settings: { refreshRestoresScope } })
    const narrowed = fake.refresh(fake.connect().refresh_token, { scope: "zap" }).json
    assert.strictEqual(narrowed.scope, "zap")
    const { refresh_token, scope } = fake.refresh(narrowed.refresh_token).json
    assert.strictEqual(scope, next)
    assert.deepInclude(fake.refresh(refresh_token, { scope: "zap profile" }).json, wider)
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

  it("responds with the documented odd Content-Type if the setting says so", () => {
    const fake = Flow.make({ settings: { appTokenContentType: "multipart/form-data" } })
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
