import { assert, describe, it } from "@effect/vitest"
import * as HashMap from "effect/HashMap"
import * as Schema from "effect/Schema"
import * as FakeFault from "../../src/fake/FakeFault.ts"
import * as FakeHttp from "../../src/fake/FakeHttp.ts"
import type * as FakeOutcome from "../../src/fake/FakeOutcome.ts"
import * as FakeServer from "../../src/fake/FakeServer.ts"
import type * as FakeState from "../../src/fake/FakeState.ts"
import * as Flow from "../utils/flow.ts"

const json = Schema.toCodecJson(FakeFault.Rule)

const decode = Schema.decodeUnknownSync(json)

const encode = Schema.encodeSync(json)

describe("a rule", () => {
  // As text, because JSON knows no -0.
  it.prop("comes back from JSON as it was", [FakeFault.Rule], ([rule]) => {
    const text = JSON.stringify(encode(rule))
    assert.strictEqual(JSON.stringify(encode(decode(JSON.parse(text)))), text)
  })

  it("can be of each kind", () => {
    assert.deepStrictEqual(
      FakeFault.ofEachKind.map(({ _tag }) => _tag),
      Object.keys(FakeFault.Fault.cases)
    )
    for (const fault of FakeFault.ofEachKind) assert.deepStrictEqual(decode({ fault }), { fault })
  })
})

const users = [
  { email: "ada@example.com", firstName: "Ada", lastName: "Example" },
  { email: "bob@example.com", firstName: "Bob", lastName: "Example" }
]

/** A fake that follows these rules from now on, and the fault of each request. */
const faulty = (...faults: ReadonlyArray<FakeFault.Rule>) => {
  const fake = Flow.make({ users })
  const handle = (request: FakeHttp.FakeRequest) => {
    const handled = FakeServer.handle(fake.state, request, fake.now)
    fake.state = handled.state
    return handled
  }
  return {
    fake,
    handle,
    begin: () => {
      fake.state = { ...fake.state, faults }
    },
    faultOf: (request: FakeHttp.FakeRequest) => handle(request).fault?._tag,
    authorization: Flow.basic(fake.app.clientId, fake.app.clientSecret)
  }
}

const categories = FakeHttp.request("GET", "/v1/categories")

const bearer = (method: string, path: string, token: string) =>
  FakeHttp.request(method, path, { headers: { authorization: `Bearer ${token}` } })

const lost: FakeFault.Fault = { _tag: "ResponseLost" }
const slow: FakeFault.Fault = { _tag: "ResponseSlow", millis: 1_500 }

describe("a fault is injected into a request", () => {
  it("once, by a rule that says nothing else", () => {
    const { begin, fake, faultOf } = faulty({ fault: lost })
    begin()
    assert.deepStrictEqual([faultOf(categories), faultOf(categories)], ["ResponseLost", undefined])
    assert.deepStrictEqual(fake.state.faults, [])
  })

  it("as often as the rule says, or always", () => {
    const twice = faulty({ fault: lost, times: 2 })
    twice.begin()
    assert.deepStrictEqual(
      [1, 2, 3].map(() => twice.faultOf(categories)),
      ["ResponseLost", "ResponseLost", undefined]
    )
    const always = faulty({ fault: lost, times: "Always" })
    always.begin()
    for (let i = 0; i < 100; i++) assert.strictEqual(always.faultOf(categories), "ResponseLost")
  })

  it("from the nth match on, and the state keeps the rest of the rule", () => {
    const { begin, fake, faultOf } = faulty({ fault: lost, nth: 3, match: { endpoint: "GET /v1/categories" } })
    begin()
    assert.deepStrictEqual([faultOf(categories), faultOf(FakeHttp.request("GET", "/v1/apps"))], [undefined, undefined])
    assert.strictEqual(fake.state.faults[0]?.nth, 2)
    assert.deepStrictEqual(
      [1, 2, 3].map(() => faultOf(categories)),
      [undefined, "ResponseLost", undefined]
    )
  })

  it("by the first rule that matches, and the others do not see it", () => {
    const { begin, faultOf } = faulty({ fault: lost }, { fault: slow, nth: 2 })
    begin()
    assert.deepStrictEqual(
      [1, 2, 3, 4].map(() => faultOf(categories)),
      ["ResponseLost", undefined, "ResponseSlow", undefined]
    )
  })

  it.each<
    readonly [FakeFault.Target, ReadonlyArray<readonly [string, string]>, ReadonlyArray<readonly [string, string]>]
  >([
    ["token", [["POST", "/oauth/token/"]], [["POST", "/oauth/token"]]],
    [
      "authorize",
      [
        ["GET", "/v2/authorize"],
        ["POST", "/oauth/authorize/"]
      ],
      [["GET", "/oauth/authorize"]]
    ],
    [
      "PATCH /v2/zaps/{id}",
      [
        ["PATCH", "/v2/zaps/1"],
        ["PATCH", "/v2/zaps/2/"]
      ],
      [["DELETE", "/v2/zaps/1"]]
    ],
    [
      "/v2/zaps/1",
      [
        ["PATCH", "/v2/zaps/1"],
        ["DELETE", "/v2/zaps/1"]
      ],
      [["PATCH", "/v2/zaps/2"]]
    ],
    ["/unheard/of", [["GET", "/unheard/of"]], [["GET", "/unheard"]]]
  ])("when it goes to %s", (endpoint, those, others) => {
    const { begin, faultOf } = faulty({ fault: lost, match: { endpoint }, times: "Always" })
    begin()
    for (const [method, path] of those)
      assert.strictEqual(faultOf(FakeHttp.request(method, path)), "ResponseLost", path)
    for (const [method, path] of others) assert.isUndefined(faultOf(FakeHttp.request(method, path)), path)
  })

  it("when it is of a grant type", () => {
    const { authorization, begin, faultOf } = faulty({ fault: lost, match: { grantType: "refresh_token" } })
    begin()
    const token = (grant_type: string, path = "/oauth/token/") =>
      FakeHttp.form("POST", path, { grant_type }, { authorization })
    assert.isUndefined(faultOf(token("client_credentials")))
    assert.isUndefined(faultOf(token("refresh_token", "/v2/zaps")))
    assert.strictEqual(faultOf(token("refresh_token")), "ResponseLost")
  })

  it("when it is of a user: by code, by refresh token, by access token, and on the consent page", () => {
    const match = { user: "bob@example.com" }
    const { authorization, begin, fake, handle, faultOf } = faulty({ fault: slow, match, times: "Always" })
    begin()
    const flow = (user: string) => {
      const url = `/v2/authorize?${fake.authorizeQuery()}`
      const consent = handle(FakeHttp.form("POST", url, { decision: "allow", user }))
      const code = new URL(consent.response.headers["location"] ?? "").searchParams.get("code") ?? ""
      const fields = { grant_type: "authorization_code", code, redirect_uri: Flow.redirectUri }
      const exchange = handle(FakeHttp.form("POST", "/oauth/token/", fields, { authorization }))
      const { access_token, refresh_token } = JSON.parse(exchange.response.body)
      const call = handle(bearer("GET", "/v2/zaps", access_token))
      const refresh = { grant_type: "refresh_token", refresh_token }
      const refreshed = handle(FakeHttp.form("POST", "/oauth/token/", refresh, { authorization }))
      return [consent, exchange, call, refreshed].map(({ fault, response }) => [fault?._tag, response.status])
    }
    assert.deepStrictEqual(
      flow("ada@example.com"),
      [302, 200, 200, 200].map((status) => [undefined, status])
    )
    assert.deepStrictEqual(
      flow("bob@example.com"),
      [302, 200, 200, 200].map((status) => ["ResponseSlow", status])
    )
    assert.isUndefined(faultOf(categories))
    assert.isUndefined(faultOf(FakeHttp.request("GET", `/v2/authorize?${fake.authorizeQuery()}`)))
  })

  const draws = (seed: string, ...rules: ReadonlyArray<FakeFault.Rule>) => {
    const fake = Flow.make({ seed, faults: rules })
    return Array.from({ length: 2_000 }, () => {
      const handled = FakeServer.handle(fake.state, categories, 0)
      fake.state = handled.state
      return handled.fault?._tag
    })
  }

  it("at the stated rate, drawn from the seed: the same seed, the same faults", () => {
    const rules: ReadonlyArray<FakeFault.Rule> = [
      { fault: lost, share: 0.1 },
      { fault: slow, share: 0.5 }
    ]
    const drawn = draws("a", ...rules)
    assert.deepStrictEqual(draws("a", ...rules), drawn)
    assert.notDeepEqual(draws("b", ...rules), drawn)
    assert.closeTo(drawn.filter((tag) => tag === "ResponseLost").length, 200, 50)
    // Half of what the first rule left alone.
    assert.closeTo(drawn.filter((tag) => tag === "ResponseSlow").length, 900, 100)
    assert.isTrue(draws("a", { fault: lost, share: 0 }).every((tag) => tag === undefined))
    assert.isTrue(draws("a", { fault: lost, share: 1 }).every((tag) => tag === "ResponseLost"))
    assert.lengthOf(
      draws("a", { fault: lost, share: 0.5, times: 3 }).filter((tag) => tag !== undefined),
      3
    )
  })

  it("without another token for it", () => {
    const token = (faults: ReadonlyArray<FakeFault.Rule>) => Flow.make({ faults }).appToken().json.access_token
    assert.strictEqual(token([{ fault: lost, share: 0 }]), token([]))
  })
})

const withoutFaults = ({ faults, faultsDrawn, ...state }: FakeState.FakeState) => {
  assert.isArray(faults)
  assert.isNumber(faultsDrawn)
  return state
}

describe("a refresh with a fault", () => {
  // A refresh that meets a fault, and the same refresh where nothing goes wrong.
  const refresh = (fault: FakeFault.Fault) => {
    const { authorization, begin, fake, handle } = faulty({ fault })
    const { refresh_token } = fake.connect()
    const request = FakeHttp.form(
      "POST",
      "/oauth/token/",
      { grant_type: "refresh_token", refresh_token },
      { authorization }
    )
    const before = fake.state
    const usual = FakeServer.handle(before, request, 0)
    begin()
    const handled = handle(request)
    return {
      handled,
      usual,
      hasActed: () => assert.deepStrictEqual(withoutFaults(handled.state), withoutFaults(usual.state)),
      hasNotActed: () => {
        assert.deepStrictEqual(withoutFaults(handled.state), withoutFaults(before))
        assert.isUndefined(handled.issued)
        assert.strictEqual(fake.refresh(refresh_token).status, 200)
      }
    }
  }

  it.each<readonly [FakeFault.Fault, FakeOutcome.Delivery]>([
    [{ _tag: "RequestLost" }, { _tag: "Closed" }],
    [{ _tag: "RequestSilent" }, { _tag: "Silent" }],
    [{ _tag: "ConnectionReset" }, { _tag: "Reset" }]
  ])("by %o never arrives", (fault, delivery) => {
    const { handled, hasNotActed } = refresh(fault)
    assert.deepStrictEqual(handled.delivery, delivery)
    assert.strictEqual(handled.response, FakeHttp.networkError)
    hasNotActed()
  })

  it.each<readonly [FakeFault.Fault, FakeOutcome.Delivery]>([
    [{ _tag: "ResponseLost" }, { _tag: "Closed" }],
    [{ _tag: "ResponseSilent" }, { _tag: "Silent" }],
    [{ _tag: "ConnectionReset", afterActing: true }, { _tag: "Reset" }],
    [slow, { _tag: "Responded", delay: 1_500 }],
    [
      { _tag: "TruncatedBody", bytes: 10 },
      { _tag: "Truncated", bytes: 10 }
    ]
  ])("by %o is acted on, and the tokens that were not delivered are known", (fault, delivery) => {
    const { handled, hasActed, usual } = refresh(fault)
    assert.deepStrictEqual(handled.delivery, delivery)
    assert.deepStrictEqual(handled.response, usual.response)
    assert.deepStrictEqual(handled.issued, usual.issued)
    hasActed()
  })

  it.each<readonly [FakeFault.Fault, number, string | undefined]>([
    [{ _tag: "ServerError", status: 502 }, 502, undefined],
    [{ _tag: "Unavailable" }, 503, "30"],
    [{ _tag: "Unavailable", retryAfter: 5 }, 503, "5"],
    [{ _tag: "RateLimited" }, 429, "60"],
    [{ _tag: "RateLimited", retryAfter: 1 }, 429, "1"]
  ])("by %o is refused, and nothing has happened", (fault, status, retryAfter) => {
    const { handled, hasNotActed } = refresh(fault)
    assert.deepStrictEqual([handled.response.status, handled.response.headers["retry-after"]], [status, retryAfter])
    if (retryAfter !== undefined) {
      assert.containsAllKeys(handled.response.headers, [
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset"
      ])
      assert.strictEqual(JSON.parse(handled.response.body).errors[0].status, String(status))
    }
    hasNotActed()
  })

  it.each<readonly [FakeFault.Fault, number]>([
    [{ _tag: "Unauthorized" }, 401],
    [{ _tag: "Forbidden" }, 403],
    [{ _tag: "Redirected" }, 302],
    [{ _tag: "Redirected", status: 307 }, 307]
  ])("by %o is rejected, and nothing has happened", (fault, status) => {
    const { handled, hasNotActed } = refresh(fault)
    assert.deepStrictEqual([handled.response.status, handled.delivery], [status, { _tag: "Responded", delay: 0 }])
    if (status === 401) assert.deepStrictEqual(JSON.parse(handled.response.body), { error: "invalid_client" })
    hasNotActed()
  })

  it.each<FakeFault.Fault>([
    { _tag: "ServerError", status: 504, afterActing: true },
    { _tag: "Unavailable", afterActing: true }
  ])("by %o is refused although it was acted on", (fault) => {
    const { handled, hasActed, usual } = refresh(fault)
    assert.isAtLeast(handled.response.status, 500)
    assert.deepStrictEqual(handled.issued, usual.issued)
    hasActed()
  })

  it("by MalformedJson gets a response that is not JSON, with the tokens in it", () => {
    const { handled, hasActed } = refresh({ _tag: "MalformedJson" })
    assert.throws(() => JSON.parse(handled.response.body))
    assert.include(handled.response.body, handled.issued?.accessToken ?? "none")
    assert.deepStrictEqual([handled.response.status, handled.delivery], [200, { _tag: "Responded", delay: 0 }])
    hasActed()
  })

  it("by WrongTypes gets members of other types, or the given ones", () => {
    const { handled, hasActed } = refresh({ _tag: "WrongTypes" })
    const body = JSON.parse(handled.response.body)
    assert.deepStrictEqual([typeof body.access_token, body.expires_in], ["number", "36000"])
    hasActed()
    const given = refresh({ _tag: "WrongTypes", members: { expires_in: null, extra: [] } })
    const usual = JSON.parse(given.usual.response.body)
    assert.deepStrictEqual(JSON.parse(given.handled.response.body), { ...usual, expires_in: null, extra: [] })
  })

  it("by WrongContentType gets the same body under another type", () => {
    const { handled, usual } = refresh({ _tag: "WrongContentType" })
    assert.strictEqual(handled.response.headers["content-type"], "text/html")
    assert.strictEqual(handled.response.body, usual.response.body)
    const given = refresh({ _tag: "WrongContentType", contentType: "multipart/form-data" })
    assert.strictEqual(given.handled.response.headers["content-type"], "multipart/form-data")
  })

  it("by TruncatedBody lacks at least a byte, and half of them by default", () => {
    const bytes = (fault: FakeFault.Fault) => {
      const { handled } = refresh(fault)
      const size = handled.response.body.length
      return handled.delivery._tag === "Truncated" ? size - handled.delivery.bytes : Number.NaN
    }
    assert.strictEqual(bytes({ _tag: "TruncatedBody", bytes: 1_000_000 }), 1)
    assert.isAbove(bytes({ _tag: "TruncatedBody" }), 50)
  })
})

describe("a rejection that lasts", () => {
  const rejected = (fault: FakeFault.Fault, path = "/v2/zaps", headers = {}) => {
    const { begin, fake, handle } = faulty({ fault, times: "Always" })
    const { access_token } = fake.connect({ scope: "zap zap:runs" })
    begin()
    const request = bearer("GET", path, access_token)
    const answers = [1, 2, 3].map(() => handle({ ...request, headers: { ...request.headers, ...headers } }).response)
    assert.deepStrictEqual(answers[0], answers[2])
    return answers[2] ?? FakeHttp.networkError
  }

  it("of the API is 401 for any token, as for an unknown one", () => {
    const { body, headers, status } = rejected({ _tag: "Unauthorized" })
    assert.deepStrictEqual([status, JSON.parse(body).errors[0].code], [401, "not_authenticated"])
    assert.include(headers["www-authenticate"], 'error="invalid_token"')
  })

  it("of the API is 403 for any token", () => {
    const { body, status } = rejected({ _tag: "Forbidden" })
    assert.deepStrictEqual([status, JSON.parse(body).errors[0].code], [403, "permission_denied"])
  })

  it("leads to a reserved name, without the query", () => {
    const { headers, status } = rejected({ _tag: "Redirected" }, "/v2/zap-runs?client_id=abc&code=s3cret")
    assert.deepStrictEqual([status, headers["location"]], [302, "https://redirected.invalid/v2/zap-runs"])
  })

  it("of the consent page is a page for a browser, and JSON for others", () => {
    for (const [fault, status] of [
      [{ _tag: "Unauthorized" }, 401],
      [{ _tag: "Forbidden" }, 403],
      [{ _tag: "RateLimited", retryAfter: 7 }, 429],
      [{ _tag: "Unavailable", retryAfter: 7 }, 503]
    ] as const) {
      const page = rejected(fault, "/v2/authorize", { accept: "text/html" })
      assert.strictEqual(page.headers["retry-after"], "retryAfter" in fault ? "7" : undefined)
      assert.deepStrictEqual([page.status, page.headers["content-type"]], [status, "text/html; charset=utf-8"])
      const json = rejected(fault, "/v2/authorize")
      assert.deepStrictEqual([json.status, json.headers["content-type"]], [status, "application/json"])
    }
  })
})

describe("a ClockJump", () => {
  it("comes before the response, forward or back", () => {
    const { begin, fake, handle } = faulty(
      { fault: { _tag: "ClockJump", millis: 36_000_000 } },
      { fault: { _tag: "ClockJump", millis: -1 } }
    )
    const { access_token } = fake.connect()
    begin()
    const call = () => handle(bearer("GET", "/v2/zaps", access_token)).response.status
    assert.deepStrictEqual([call(), call(), call()], [401, 200, 200])
    assert.strictEqual(fake.state.clockOffset, 35_999_999)
  })
})

describe("the rates", () => {
  it("count no lost request, and none that a fault rejected", () => {
    const { begin, fake, handle } = faulty(
      ...FakeFault.ofEachKind.slice(0, 2).map((fault) => ({ fault })),
      { fault: { _tag: "RateLimited" } },
      { fault: lost }
    )
    fake.state = { ...fake.state, settings: { ...fake.state.settings, rateLimits: true } }
    begin()
    for (let i = 0; i < 3; i++) handle(categories)
    assert.strictEqual(HashMap.size(fake.state.minutes), 0)
    handle(categories)
    assert.strictEqual(HashMap.size(fake.state.minutes), 1)
  })
})
