import { describe, expect, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as FakeArbitraries from "../../src/fake/FakeArbitraries.ts"
import * as FakeControl from "../../src/fake/FakeControl.ts"
import * as FakeFault from "../../src/fake/FakeFault.ts"
import * as FakeServer from "../../src/fake/FakeServer.ts"
import * as FakeState from "../../src/fake/FakeState.ts"
import * as Flow from "../utils/flow.ts"
import * as Variety from "../utils/variety.ts"

const runs = { arbitrary: { runs: 200 } }

describe("every arbitrary", () => {
  const all: ReadonlyArray<readonly [string, Arbitrary.Arbitrary<unknown>]> = [
    ["settings", FakeArbitraries.settings],
    ["app", FakeArbitraries.app],
    ["white label", FakeArbitraries.whiteLabel],
    ["options", FakeArbitraries.options],
    ["request", FakeArbitraries.request()],
    ["faults", Arbitrary.schema(FakeFault.Fault)],
    ["rules", Arbitrary.schema(FakeFault.Rule)]
  ]

  it.effect.each(all)("draws different values: %s", ([, arbitrary]) =>
    Effect.gen(function* () {
      expect(yield* Variety.distinct(arbitrary)).toBeGreaterThan(40)
    })
  )
})

describe("options", () => {
  it.prop(
    "make a fake",
    { options: FakeArbitraries.options },
    ({ options }) => {
      const fake = Result.getOrThrow(FakeControl.make(options))
      expect(fake.settings).toEqual({ ...FakeState.strictest, ...options.settings })
      expect(fake.faults).toEqual(options.faults ?? [])
    },
    runs
  )

  it.prop("turn some settings", { settings: FakeArbitraries.settings }, ({ settings }) => {
    expect(Schema.is(FakeState.Settings)({ ...FakeState.strictest, ...settings })).toBe(true)
  })
})

describe("request", () => {
  const flow = Flow.make()
  const { access_token, refresh_token } = flow.connect()
  const { clientId, clientSecret } = flow.app
  const known = { clientId, clientSecret, redirectUri: Flow.redirectUri, tokens: [access_token, refresh_token] }
  const requests = FakeArbitraries.request(known)
  const statusOf = (request: Parameters<typeof FakeServer.handle>[1]) =>
    FakeServer.handle(flow.state, request, 0).response.status

  it.prop(
    "gets a response of the fake",
    { request: requests },
    ({ request }) => {
      expect(statusOf(request)).toBeLessThan(500)
    },
    runs
  )

  it.effect("gets different responses", () =>
    Effect.gen(function* () {
      const statuses = yield* Variety.kinds(requests, (request) => String(statusOf(request)))
      expect(statuses).toEqual(expect.arrayContaining(["200", "302", "400", "401", "403", "404", "405"]))
    })
  )

  it.effect("gets tokens now and then with known credentials", () =>
    Effect.gen(function* () {
      const isGranted = (request: Parameters<typeof FakeServer.handle>[1]) =>
        String(FakeServer.handle(flow.state, request, 0).issued !== undefined)
      expect(yield* Variety.kinds(requests, isGranted)).toEqual(["false", "true"])
      expect(yield* Variety.kinds(FakeArbitraries.request(), isGranted)).toEqual(["false"])
    })
  )
})
