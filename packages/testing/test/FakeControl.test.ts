import { assert, describe, it } from "@effect/vitest"
import * as HashMap from "effect/HashMap"
import * as Result from "effect/Result"
import * as FakeControl from "../src/FakeControl.ts"
import * as FakeState from "../src/FakeState.ts"
import * as Flow from "./utils/flow.ts"

const url = (fake: ReturnType<typeof Flow.make>, changes?: Record<string, string | undefined>) =>
  `https://api.zapier.com/v2/authorize?${fake.authorizeQuery(changes)}`

const problem = <A>(result: Result.Result<A, FakeControl.FakeControlError>) =>
  Result.isFailure(result) ? result.failure.message : "no problem"

describe("FakeControl", () => {
  it("registers apps with drawn or given credentials", () => {
    const [drawn, state] = FakeControl.registerApp(FakeState.make(), { name: "A", redirectUris: [] })
    assert.match(`${drawn.clientId} ${drawn.clientSecret}`, /^\w{30} \w{30}$/)
    const [given, both] = FakeControl.registerApp(state, {
      name: "B",
      redirectUris: [],
      clientId: "id",
      clientSecret: "secret"
    })
    assert.deepInclude(given, { clientId: "id", clientSecret: "secret" })
    assert.strictEqual(HashMap.size(both.apps), 2)
  })

  it("approves as a given user, also for less than was asked for", () => {
    const fake = Flow.make()
    const approved = FakeControl.approve(fake.state, url(fake), { user: "ada@example.com", scopes: ["zap"] }, 0)
    if (Result.isFailure(approved)) return assert.fail(approved.failure.message)
    const [location, state] = approved.success
    fake.state = state
    const { json } = fake.exchange(new URL(location).searchParams.get("code") ?? "")
    assert.strictEqual(json.scope, "zap")
  })

  it("says why it cannot approve", () => {
    const fake = Flow.make()
    const approve = (authorizationUrl: string, options: FakeControl.ApproveOptions = {}) =>
      problem(FakeControl.approve(fake.state, authorizationUrl, options, 0))
    assert.include(approve("nonsense"), "not a URL")
    assert.include(approve("https://api.zapier.com/v2/zaps"), "not that of a consent page")
    assert.include(approve(url(fake, { client_id: "unknown" })), "client_id")
    assert.include(approve(url(fake, { scope: "nonsense" })), "invalid_scope")
    assert.include(approve(url(fake), { user: "nobody@example.com" }), "no user")
    assert.include(approve(url(fake), { scopes: ["zap:write"] }), "more than what was asked for")
  })

  it("denies with the state", () => {
    const fake = Flow.make()
    const denied = Result.getOrThrow(FakeControl.deny(fake.state, url(fake)))
    assert.strictEqual(new URL(denied).search, "?error=access_denied&state=xyz")
  })

  it("ends the previous secret when it is regenerated", () => {
    const fake = Flow.make()
    const [app, state] = Result.getOrThrow(FakeControl.regenerateSecret(fake.state, fake.app.clientId))
    fake.state = state
    assert.strictEqual(fake.appToken().status, 401)
    const fields = { grant_type: "client_credentials" }
    assert.strictEqual(fake.token(fields, { authorization: Flow.basic(app.clientId, app.clientSecret) }).status, 200)
    assert.include(problem(FakeControl.regenerateSecret(fake.state, "unknown")), "no app")
  })

  it("revokes what users allowed: of all, or of one", () => {
    const fake = Flow.make()
    const { access_token, refresh_token } = fake.connect()
    fake.state = FakeControl.revoke(fake.state, { clientId: fake.app.clientId, user: "nobody@example.com" })
    assert.strictEqual(fake.api("GET", "/v2/zaps", access_token).status, 200)
    fake.state = FakeControl.revoke(fake.state, { clientId: fake.app.clientId, user: "ada@example.com" })
    assert.strictEqual(fake.api("GET", "/v2/zaps", access_token).status, 401)
    assert.deepStrictEqual(fake.refresh(refresh_token).json, { error: "invalid_grant" })
  })

  it("ends one access token, and leaves the refresh token", () => {
    const fake = Flow.make()
    const { access_token, refresh_token } = fake.connect()
    fake.state = FakeControl.endAccessToken(fake.state, access_token)
    assert.strictEqual(fake.api("GET", "/v2/zaps", access_token).status, 401)
    assert.strictEqual(fake.refresh(refresh_token).status, 200)
  })

  it("moves the clock and turns knobs", () => {
    const fake = Flow.make()
    const { access_token } = fake.connect()
    fake.state = FakeControl.advance(fake.state, 36_000_000)
    assert.strictEqual(fake.api("GET", "/v2/zaps", access_token).status, 401)
    fake.state = FakeControl.setKnobs(fake.state, { accessTokenLifetime: 60 })
    assert.strictEqual(fake.appToken().json.expires_in, 60)
    assert.strictEqual(fake.state.knobs.codeLifetime, 120)
  })
})
