import { assert, describe, it } from "@effect/vitest"
import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
import * as HashMap from "effect/HashMap"
import * as Schema from "effect/Schema"
import * as FakeHttp from "../../src/fake/FakeHttp.ts"
import * as FakeServer from "../../src/fake/FakeServer.ts"
import type * as FakeState from "../../src/fake/FakeState.ts"
import * as Documented from "../utils/documented.ts"
import * as Flow from "../utils/flow.ts"

const second = 1_000
const hour = 3_600 * second

const browser = { accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" }

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
      const url = `/v2/authorize?${fake.authorizeQuery(changes)}`
      const { body, headers, status } = fake.send(FakeHttp.request(method, url, { headers: browser }))
      assert.strictEqual(status, 400)
      assert.include(body, "<h1>This link does not work</h1>")
      assert.isUndefined(headers["location"])
    }
  })

  it("shows a page for a repeated parameter", () => {
    const fake = Flow.make()
    const url = `/v2/authorize?${fake.authorizeQuery()}&state=again`
    const { headers, status } = fake.send(FakeHttp.request("GET", url, { headers: browser }))
    assert.deepStrictEqual([status, headers["content-type"]], [400, "text/html; charset=utf-8"])
  })

  it.each([
    ["no client_id", { client_id: undefined }, 401, null],
    ["an unknown client_id", { client_id: "unknown" }, 401, null],
    ["no redirect_uri", { redirect_uri: undefined }, 400, { parameter: "redirect_uri" }],
    [
      "a redirect_uri that is not registered",
      { redirect_uri: "https://evil.example/callback" },
      400,
      { parameter: "redirect_uri" }
    ]
  ])("responds in JSON for %s, unless a page is requested", (_, changes, expected, source) => {
    const fake = Flow.make()
    const url = `/v2/authorize?${fake.authorizeQuery(changes)}`
    for (const accept of [undefined, "application/json", "*/*", "application/json, text/plain"]) {
      const { body, headers, status } = fake.send(FakeHttp.request("GET", url, { headers: { accept } }))
      assert.deepStrictEqual([status, headers["content-type"]], [expected, "application/json"])
      const [error] = JSON.parse(body).errors
      Schema.decodeUnknownSync(Documented.Error)(error)
      assert.deepStrictEqual([String(error.status), error.source], [String(expected), source])
    }
  })

  it("responds in JSON to an incomplete form, and to an unsupported method", () => {
    const fake = Flow.make()
    const url = `/v2/authorize?${fake.authorizeQuery()}`
    const form = fake.send(FakeHttp.form("POST", url, { decision: "perhaps" }))
    assert.deepStrictEqual([form.status, JSON.parse(form.body).errors[0].code], [400, "parse_error"])
    const put = fake.send(FakeHttp.request("PUT", url))
    assert.deepStrictEqual([put.status, put.headers["allow"]], [405, "GET, POST"])
    assert.strictEqual(JSON.parse(put.body).errors[0].code, "method_not_allowed")
  })

  it("always shows the consent page", () => {
    const fake = Flow.make()
    const url = `/v2/authorize?${fake.authorizeQuery()}`
    const { headers, status } = fake.send(FakeHttp.request("GET", url, { headers: { accept: "application/json" } }))
    assert.deepStrictEqual([status, headers["content-type"]], [200, "text/html; charset=utf-8"])
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

  it("skips consent if the setting says so, and still rejects invalid requests", () => {
    const users = ["a", "b"].map((name) => ({ email: `${name}@example.com`, firstName: name, lastName: "" }))
    const fake = Flow.make({ users, settings: { asksForConsent: false } })
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

  it("responds 404 and 405 in the documented error shape", () => {
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
    "never throws and never fails for any request",
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

  it("gives the same responses for the same seed and requests, and others for another seed", () => {
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
