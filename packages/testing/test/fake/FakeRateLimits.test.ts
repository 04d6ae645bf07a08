import { assert, describe, it } from "@effect/vitest"
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as RateLimits from "@zapier-workflow-auth/core/zapier/RateLimits"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HashMap from "effect/HashMap"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as RateLimiter from "effect/persistence/RateLimiter"
import * as TestClock from "effect/testing/TestClock"
import * as FakeHttp from "../../src/fake/FakeHttp.ts"
import type * as FakeState from "../../src/fake/FakeState.ts"
import * as FakeZapier from "../../src/FakeZapier.ts"
import * as Flow from "../utils/flow.ts"

const second = 1_000

const setup = (settings: Partial<FakeState.Settings> = {}) => {
  const fake = Flow.make({ settings: { rateLimits: true, ...settings } })
  const apps = (address?: string, clientId = fake.app.clientId) =>
    fake.send(FakeHttp.request("GET", `/v1/apps?client_id=${clientId}`, { address }))
  return {
    fake,
    apps,
    times: (count: number, address?: string) => Array.from({ length: count }, () => apps(address).status)
  }
}

const passed = (count: number) => Array.from({ length: count }, () => 200)

describe("rate limits", () => {
  it("let 60 requests a minute of an address pass, and refuse all for a minute after the next", () => {
    const { apps, fake, times } = setup()
    assert.deepStrictEqual(times(60), passed(60))
    fake.now = 30 * second
    const { body, headers, status } = apps()
    assert.strictEqual(status, 429)
    assert.deepInclude(JSON.parse(body).errors[0], { status: "429", code: "throttled", source: null })
    assert.deepInclude(headers, {
      "retry-after": "60",
      "x-ratelimit-limit": "60",
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": "90"
    })
    fake.now = 90 * second - 1
    assert.deepInclude(apps().headers, { "retry-after": "1", "x-ratelimit-reset": "90" })
    fake.now = 90 * second
    assert.deepStrictEqual(times(60), passed(60))
  })

  it("begin a new minute with the first request after the last", () => {
    const { fake, times } = setup()
    times(60)
    fake.now = 60 * second
    assert.deepStrictEqual(times(60), passed(60))
  })

  it("let 150 requests a minute of a partner pass, from all addresses and in all modes together", () => {
    const { apps, fake, times } = setup()
    const zaps = (accessToken: string, address: string) =>
      fake.send(FakeHttp.request("GET", "/v2/zaps", { address, headers: { authorization: `Bearer ${accessToken}` } }))
    // The exchange of the code is one of the 150.
    const { access_token } = fake.connect()
    assert.deepStrictEqual([...times(60, "a"), ...times(60, "b"), ...times(28, "c")], passed(148))
    assert.strictEqual(zaps(access_token, "d").status, 200)
    assert.deepInclude(apps("d"), { status: 429 })
    assert.strictEqual(apps("d").headers["x-ratelimit-limit"], "150")
    assert.strictEqual(apps("e", "unknown").status, 401)
  })

  it("tell addresses apart, and count those that have no name as one", () => {
    const { apps, times } = setup()
    times(60)
    assert.strictEqual(apps().status, 429)
    assert.strictEqual(apps(FakeHttp.defaultAddress).status, 429)
    assert.strictEqual(apps("elsewhere").status, 200)
  })

  it("let a token request that is one too many change nothing", () => {
    const { fake, times } = setup()
    const { refresh_token } = fake.connect()
    times(59)
    assert.strictEqual(fake.refresh(refresh_token).status, 429)
    assert.strictEqual(fake.refresh(refresh_token).headers["cache-control"], "no-store")
    fake.now = 60 * second
    assert.strictEqual(fake.refresh(refresh_token).status, 200)
  })

  it("leave token requests alone when the setting says so", () => {
    const { fake, times } = setup({ rateLimitsTokenRequests: false })
    const { refresh_token } = fake.connect()
    times(61)
    assert.strictEqual(fake.refresh(refresh_token).status, 200)
  })

  it("leave the consent page alone", () => {
    const { fake, times } = setup()
    times(61)
    assert.strictEqual(fake.send(FakeHttp.request("GET", `/v2/authorize?${fake.authorizeQuery()}`)).status, 200)
    assert.isNotNull(fake.authorize().get("code"))
  })

  it("are as high as the settings say, or not there at all", () => {
    const few = setup({ requestsPerAddress: 2, requestsPerPartner: 3 })
    assert.deepStrictEqual(few.times(3), [200, 200, 429])
    assert.deepStrictEqual(few.times(2, "elsewhere"), [200, 429])
    const none = setup({ rateLimits: false })
    assert.deepStrictEqual(none.times(200), passed(200))
    assert.strictEqual(HashMap.size(none.fake.state.minutes), 0)
  })

  it("count each request, and those with an unknown user only for the address", () => {
    const { apps, fake } = setup()
    for (let i = 0; i < 60; i++) apps("a", `stranger-${i}`)
    assert.strictEqual(apps("a", "stranger").status, 429)
    assert.deepStrictEqual([...HashMap.keys(fake.state.minutes)], ["address a"])
  })
})

describe("a client with the library's own limiter", () => {
  const application = { clientId: "a", clientSecret: "b", redirectUris: ["https://app.example/callback"] }
  const fake = FakeZapier.layer({ apps: [{ name: "App", ...application }] })
  const limited = RateLimits.layer().pipe(
    Layer.provide([
      FakeZapier.layerHttpClient,
      Layer.provide(RateLimiter.layer, RateLimiter.layerStoreMemory),
      ClientApplication.layer(application)
    ]),
    Layer.provideMerge(fake)
  )

  it.effect("stays within them for any number of calls", () =>
    Effect.gen(function* () {
      const get = HttpClient.get("https://api.zapier.com/v1/apps?client_id=a")
      const all = Effect.all(
        Array.from({ length: 200 }, () => get),
        { concurrency: "unbounded" }
      )
      const fiber = yield* Effect.forkChild(all, { startImmediately: true })
      for (let minutes = 0; minutes < 10; minutes++) yield* TestClock.adjust("1 minute")
      const responses = yield* Fiber.join(fiber)
      assert.deepStrictEqual(
        responses.map(({ status }) => status),
        passed(200)
      )
    }).pipe(Effect.provide(limited))
  )
})
