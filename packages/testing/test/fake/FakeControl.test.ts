import { assert, describe, it } from "@effect/vitest"
import * as HashMap from "effect/HashMap"
import * as Result from "effect/Result"
import * as FakeControl from "../../src/fake/FakeControl.ts"
import * as FakeFault from "../../src/fake/FakeFault.ts"
import * as FakeState from "../../src/fake/FakeState.ts"
import * as Flow from "../utils/flow.ts"

type Fake = ReturnType<typeof Flow.make>

const url = (fake: Fake, changes?: Record<string, string | undefined>) =>
  `https://api.zapier.com/v2/authorize?${fake.authorizeQuery(changes)}`

const problem = <A>(result: Result.Result<A, FakeControl.FakeControlError>) =>
  Result.isFailure(result) ? result.failure.message : "no problem"

const done = (fake: Fake, result: Result.Result<FakeState.FakeState, FakeControl.FakeControlError>) => {
  fake.state = Result.getOrThrow(result)
}

const users = [
  { email: "ada@example.com", firstName: "Ada", lastName: "Example" },
  { email: "bob@example.com", firstName: "Bob", lastName: "Example" }
]

describe("apps and users", () => {
  it("are registered with drawn or given credentials", () => {
    const [drawn, state] = Result.getOrThrow(FakeControl.registerApp(FakeState.make(), { name: "A", redirectUris: [] }))
    assert.match(`${drawn.clientId} ${drawn.clientSecret}`, /^\w{30} \w{30}$/)
    const [given, both] = Result.getOrThrow(
      FakeControl.registerApp(state, { name: "B", redirectUris: [], clientId: "id", clientSecret: "secret" })
    )
    assert.deepInclude(given, { clientId: "id", clientSecret: "secret" })
    assert.strictEqual(HashMap.size(both.apps), 2)
  })

  it.each<readonly [string, FakeControl.AppOptions, RegExp]>([
    ["without a name", { name: "", redirectUris: [] }, /name: .*length of at least 1/],
    ["that redirects to no URL", { name: "A", redirectUris: ["callback"] }, /redirectUris\[0\]: .*whole URL/],
    ["that redirects to a fragment", { name: "A", redirectUris: ["https://a.example/#x"] }, /without a fragment/],
    [
      "that redirects to a fragment",
      { name: "A", redirectUris: ["https://acme.example/cb#top"] },
      /whole URL without a fragment/
    ],
    [
      "that redirects to a URL that no header can carry",
      { name: "A", redirectUris: ["https://acme.example/\ncb"] },
      /whole URL without a fragment/
    ],
    ["whose client id is taken", { name: "A", redirectUris: [], clientId: "id" }, /Use another one/]
  ])("are refused: an app %s", (_, options, expected) => {
    const { state } = Flow.make()
    const [, next] = Result.getOrThrow(
      FakeControl.registerApp(state, { name: "A", redirectUris: [], clientId: "id", clientSecret: "s3cret" })
    )
    assert.match(problem(FakeControl.registerApp(next, options)), expected)
  })

  it("are refused without a word of a secret", () => {
    const options = { name: "A", redirectUris: ["s3cret"], clientSecret: "s3cret", scret: "s3cret" }
    const refused = problem(FakeControl.registerApp(FakeState.make(), options))
    assert.include(refused, "scret is unknown; known: name, redirectUris, clientId, clientSecret")
    assert.notInclude(refused, "s3cret")
  })

  it("have ids of their own, and can sign in", () => {
    const fake = Flow.make()
    const [user, state] = Result.getOrThrow(FakeControl.registerUser(fake.state, { email: "bob@example.com" }))
    assert.deepStrictEqual(user, { id: 1_002, email: "bob@example.com", firstName: "", lastName: "" })
    fake.state = state
    const [location, approved] = Result.getOrThrow(
      FakeControl.approve(fake.state, url(fake), { user: "bob@example.com" }, 0)
    )
    fake.state = approved
    const { access_token } = fake.exchange(new URL(location).searchParams.get("code") ?? "").json
    assert.strictEqual(fake.call(200, "GET", "/v1/profiles/me", access_token).email, "bob@example.com")
    assert.include(problem(FakeControl.registerUser(fake.state, { email: "bob@example.com" })), "already")
  })

  it("come with a new secret that ends the previous one", () => {
    const fake = Flow.make()
    const [app, state] = Result.getOrThrow(FakeControl.regenerateSecret(fake.state, fake.app.clientId))
    fake.state = state
    assert.strictEqual(fake.appToken().status, 401)
    const fields = { grant_type: "client_credentials" }
    assert.strictEqual(fake.token(fields, { authorization: Flow.basic(app.clientId, app.clientSecret) }).status, 200)
    assert.include(problem(FakeControl.regenerateSecret(fake.state, "unknown")), "No app")
  })
})

describe("consent", () => {
  it("is given as a given user, also for less than was asked for", () => {
    const fake = Flow.make()
    const approved = FakeControl.approve(fake.state, url(fake), { user: "ada@example.com", scopes: ["zap"] }, 0)
    const [location, state] = Result.getOrThrow(approved)
    fake.state = state
    const { json } = fake.exchange(new URL(location).searchParams.get("code") ?? "")
    assert.strictEqual(json.scope, "zap")
  })

  it("is not given for invalid input, and the problem is named", () => {
    const fake = Flow.make()
    const approve = (authorizationUrl: string, options: FakeControl.ApproveOptions = {}) =>
      problem(FakeControl.approve(fake.state, authorizationUrl, options, 0))
    assert.include(approve("nonsense"), "not a URL")
    assert.include(approve("https://api.zapier.com/v2/zaps"), "not a consent page")
    assert.include(approve(url(fake, { client_id: "unknown" })), "client_id")
    assert.include(approve(url(fake, { scope: "nonsense" })), "invalid_scope")
    assert.include(approve(url(fake), { user: "nobody@example.com" }), "No user")
    assert.include(approve(url(fake), { scopes: ["zap:write"] }), "only scopes that were requested")
    assert.include(problem(FakeControl.deny(fake.state, "nonsense")), "not a URL")
    assert.include(problem(FakeControl.deny(fake.state, url(fake), { user: "nobody@example.com" })), "No user")
  })

  it("is denied with the state", () => {
    const fake = Flow.make()
    const denied = Result.getOrThrow(FakeControl.deny(fake.state, url(fake), { user: "ada@example.com" }))
    assert.strictEqual(new URL(denied).search, "?error=access_denied&state=xyz")
  })
})

describe("revoke", () => {
  const connectedTwice = () => {
    const fake = Flow.make({ users })
    const tokens = users.map(({ email }) => {
      const [location, state] = Result.getOrThrow(FakeControl.approve(fake.state, url(fake), { user: email }, 0))
      fake.state = state
      return fake.exchange(new URL(location).searchParams.get("code") ?? "").json.access_token as string
    })
    const alive = () => tokens.map((token) => fake.api("GET", "/v2/zaps", token).status === 200)
    return { fake, tokens, alive }
  }

  it("ends all access of an app", () => {
    const { alive, fake } = connectedTwice()
    done(fake, FakeControl.revoke(fake.state, { clientId: fake.app.clientId }))
    assert.deepStrictEqual(alive(), [false, false])
  })

  it("ends all access to one user", () => {
    const { alive, fake } = connectedTwice()
    done(fake, FakeControl.revoke(fake.state, { user: "bob@example.com" }))
    assert.deepStrictEqual(alive(), [true, false])
  })

  it("ends one app's access to one user", () => {
    const { alive, fake } = connectedTwice()
    const [other, state] = Result.getOrThrow(FakeControl.registerApp(fake.state, { name: "B", redirectUris: [] }))
    done(fake, FakeControl.revoke(state, { clientId: other.clientId, user: "ada@example.com" }))
    assert.deepStrictEqual(alive(), [true, true])
    done(fake, FakeControl.revoke(state, { clientId: fake.app.clientId, user: "ada@example.com" }))
    assert.deepStrictEqual(alive(), [false, true])
  })

  it("ends one grant, its refresh token included, once and for all", () => {
    const { alive, fake, tokens } = connectedTwice()
    const { refresh_token } = fake.connect()
    const [grantId] = [...HashMap.values(fake.state.grants)]
      .filter(({ accessTokens }) => accessTokens.some(({ accessToken }) => accessToken === tokens[0]))
      .map(({ id }) => id)
    for (let i = 0; i < 2; i++) done(fake, FakeControl.revoke(fake.state, { grantId }))
    assert.deepStrictEqual(alive(), [false, true])
    assert.strictEqual(fake.refresh(refresh_token).status, 200)
    done(fake, FakeControl.revoke(fake.state, { user: "ada@example.com" }))
    assert.deepStrictEqual(fake.refresh(refresh_token).json, { error: "invalid_grant" })
  })

  it("rejects ambiguous targets", () => {
    const { fake } = connectedTwice()
    const refused = (of: FakeControl.Revocation) => problem(FakeControl.revoke(fake.state, of))
    assert.include(refused({}), "Say which grants")
    assert.include(refused({ clientId: "unknown" }), "No app")
    assert.include(refused({ user: "nobody@example.com" }), "No user")
    assert.include(
      refused({ grant: "x" } as FakeControl.Revocation),
      "grant is unknown; known: clientId, user, grantId"
    )
  })

  it("leaves the refresh token when only an access token is ended", () => {
    const fake = Flow.make()
    const { access_token, refresh_token } = fake.connect()
    fake.state = FakeControl.endAccessToken(fake.state, access_token)
    assert.strictEqual(fake.api("GET", "/v2/zaps", access_token).status, 401)
    assert.strictEqual(fake.refresh(refresh_token).status, 200)
  })
})

describe("time, settings and faults", () => {
  it("moves the clock ahead, and sets it back", () => {
    const fake = Flow.make()
    const { access_token } = fake.connect()
    const status = () => fake.api("GET", "/v2/zaps", access_token).status
    done(fake, FakeControl.advance(fake.state, 36_000_000))
    assert.strictEqual(status(), 401)
    fake.now = 5_000
    done(fake, FakeControl.setTime(fake.state, 35_999_999, fake.now))
    assert.strictEqual(status(), 200)
    fake.now++
    assert.strictEqual(status(), 401)
  })

  it("does not move the clock by an invalid duration", () => {
    const state = FakeState.make()
    for (const millis of [-1, Number.NaN, Infinity]) {
      assert.include(problem(FakeControl.advance(state, millis)), "milliseconds")
    }
    for (const at of [Number.NaN, Infinity, 9e15]) {
      assert.include(problem(FakeControl.setTime(state, at, 0)), "milliseconds")
    }
  })

  it("turns the settings that are named", () => {
    const fake = Flow.make()
    done(fake, FakeControl.changeSettings(fake.state, { accessTokenLifetime: 60 }))
    assert.strictEqual(fake.appToken().json.expires_in, 60)
    assert.strictEqual(fake.state.settings.codeLifetime, 120)
  })

  it("rejects invalid values of settings, and unknown settings", () => {
    const turn = (settings: object) => problem(FakeControl.changeSettings(FakeState.make(), settings))
    assert.match(turn({ graceMillis: -1 }), /graceMillis: .*greater than or equal to 0/)
    assert.match(turn({ requestsPerAddress: 0.5 }), /requestsPerAddress: .*integer/)
    assert.strictEqual(turn({ accessTokenLifetime: 0.5 }), "no problem")
    assert.match(turn({ rateLimits: "no" }), /rateLimits: .*boolean/)
    const names = Object.keys(FakeState.strictest).join(", ")
    assert.strictEqual(turn({ grace: 1 }), `The settings cannot be used: grace is unknown; known: ${names}.`)
  })

  it("adds faults after those that are there, or in their place", () => {
    const [lost, slow] = [{ fault: { _tag: "ResponseLost" } }, { fault: { _tag: "ResponseSlow", millis: 5 } }] as const
    const one = Result.getOrThrow(FakeControl.addFault(FakeState.make(), lost))
    const two = Result.getOrThrow(FakeControl.addFault(one, slow))
    assert.deepStrictEqual(two.faults, [lost, slow])
    assert.deepStrictEqual(Result.getOrThrow(FakeControl.setFaults(two, [])).faults, [])
  })

  it("refuses faults that cannot be", () => {
    const refused = (rule: unknown) => problem(FakeControl.addFault(FakeState.make(), rule as never))
    const tags = Object.keys(FakeFault.Fault.cases).join(", ")
    assert.strictEqual(
      refused({ fault: { _tag: "Earthquake" } }),
      `The fault cannot be used: fault._tag is "Earthquake"; use one of ${tags}.`
    )
    for (const fault of [{}, "ResponseLost", null]) {
      assert.include(refused({ fault }), `fault._tag is missing; use one of ${tags}.`)
    }
    const unavailable = { _tag: "Unavailable" }
    assert.include(
      refused({ fault: { ...unavailable, retry: 3 } }),
      "fault.retry is unknown; known: _tag, retryAfter, afterActing."
    )
    assert.include(refused({ fault: unavailable, time: 3 }), "time is unknown; known: fault, match, nth, share, times.")
    assert.include(
      refused({ fault: unavailable, match: { endpiont: "token" } }),
      "match.endpiont is unknown; known: endpoint, grantType, user."
    )
    assert.match(
      refused({ fault: unavailable, match: { grantType: "refresh" } }),
      /match\.grantType: .*"refresh_token"/
    )
    const all = [{ fault: unavailable }, { fault: { ...unavailable, retry: 3 } }]
    assert.include(problem(FakeControl.setFaults(FakeState.make(), all as never)), "[1].fault.retry is unknown")
    assert.include(refused({ fault: { _tag: "ServerError", status: 200 } }), "between 500 and 599")
    assert.include(refused({ fault: { _tag: "ResponseLost" }, share: 2 }), "between 0 and 1")
    assert.include(refused({ fault: { _tag: "ResponseLost" }, nth: 0 }), "nth: ")
    assert.match(
      refused({ fault: { _tag: "ResponseLost" }, match: { endpoint: "zaps" } }),
      /match\.endpoint: .*"token".*"GET \/v2\/zaps"/
    )
  })
})

describe("make", () => {
  it("registers apps and users, with the same checks as the single calls", () => {
    const state = Result.getOrThrow(
      FakeControl.make({
        apps: [{ name: "A", redirectUris: [], clientId: "id" }],
        users,
        faults: [{ fault: { _tag: "ResponseLost" } }],
        settings: { codeLifetime: 1 }
      })
    )
    assert.isTrue(HashMap.has(state.apps, "id"))
    assert.deepStrictEqual(state.users, FakeState.make({ users }).users)
    assert.deepStrictEqual([state.faults.length, state.settings.codeLifetime], [1, 1])
    assert.include(problem(FakeControl.make({ apps: [{ name: "", redirectUris: [] }] })), "The app")
    assert.include(problem(FakeControl.make({ users: [...users, ...users] })), "already")
    assert.include(problem(FakeControl.make({ settings: { codeLifetime: -1 } })), "The settings")
    assert.include(
      problem(FakeControl.make({ setting: {} } as never)),
      "The options cannot be used: setting is unknown; known: seed, settings, users, apps, faults."
    )
    assert.include(problem(FakeControl.make({ faults: [{ fault: { _tag: "ClockJump", millis: 0.5 } }] })), "The faults")
  })
})
