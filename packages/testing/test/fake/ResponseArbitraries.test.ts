import { describe, expect, it } from "@effect/vitest"
import * as Pause from "@zapier-workflow-auth/core/machine/Pause"
import * as TokenOutcome from "@zapier-workflow-auth/core/oauth/TokenOutcome"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as ResponseArbitraries from "../../src/fake/ResponseArbitraries.ts"
import * as Documented from "../utils/documented.ts"
import * as Variety from "../utils/variety.ts"

const runs = { arbitrary: { runs: 300 } }

const asked: TokenOutcome.Asked = { scopes: ["profile"], startedAt: 1_000, now: 1_050 }

const interpret = (response: TokenOutcome.TokenResponse) => TokenOutcome.interpret(response, asked)

const tagOf = (response: TokenOutcome.TokenResponse) => interpret(response)._tag

describe("every arbitrary", () => {
  const all = Object.entries(ResponseArbitraries).filter(([, value]) => Arbitrary.isArbitrary(value))

  it.effect.each(all)("draws different values: %s", ([, arbitrary]) =>
    Effect.gen(function* () {
      expect(yield* Variety.distinct(arbitrary)).toBeGreaterThan(15)
    })
  )
})

describe("a response of the token endpoint", () => {
  it.prop(
    "grants its tokens, in any form",
    { response: ResponseArbitraries.granted },
    ({ response }) => {
      const outcome = interpret(response)
      if (outcome._tag !== "Granted") return expect.fail(outcome._tag)
      const { access_token, refresh_token, scope } = JSON.parse(response.body)
      expect(Redacted.value(outcome.tokens.accessToken)).toBe(access_token)
      expect(outcome.tokens.refreshToken && Redacted.value(outcome.tokens.refreshToken)).toBe(
        refresh_token || undefined
      )
      expect(outcome.tokens.scopes).toEqual(scope ? scope.split(" ") : asked.scopes)
      expect(outcome.tokens.expiresAt).toBeGreaterThan(asked.startedAt)
    },
    runs
  )

  it.prop(
    "grants beside odd members, and says which are odd",
    { response: ResponseArbitraries.odd },
    ({ response }) => {
      const outcome = interpret(response)
      if (outcome._tag !== "Granted") return expect.fail(outcome._tag)
      const body = JSON.parse(response.body)
      expect(Redacted.value(outcome.tokens.accessToken)).toBe(body.access_token)
      for (const oddity of outcome.oddities ?? []) expect(Object.keys(body)).toContain(oddity)
    },
    runs
  )

  it.prop("grants as it is documented", { response: ResponseArbitraries.documented }, ({ response }) => {
    expect(Object.keys(JSON.parse(response.body))).toEqual([
      "access_token",
      "expires_in",
      "token_type",
      "scope",
      "refresh_token"
    ])
    expect(interpret(response)).toMatchObject({ _tag: "Granted", tokens: { expiresAt: 36_001_000 } })
  })

  it.effect("refuses with every error", () =>
    Effect.gen(function* () {
      expect(yield* Variety.kinds(ResponseArbitraries.refused, tagOf)).toEqual([
        "InvalidClient",
        "InvalidGrant",
        "Refused"
      ])
    })
  )

  it.prop("puts off when it is busy", { response: ResponseArbitraries.busy }, ({ response }) => {
    const outcome = interpret(response)
    expect(outcome._tag).toBe(response.status === 429 ? "RateLimited" : "Unavailable")
    expect(Pause.failureOf(outcome)?.retryAfter ?? 0).toBeLessThanOrEqual(120_000)
  })

  it.prop(
    "is Malformed if it has no usable meaning",
    { response: ResponseArbitraries.malformed },
    ({ response }) => {
      expect(tagOf(response)).toBe("Malformed")
    },
    runs
  )

  it.effect("is malformed in every way", () =>
    Effect.gen(function* () {
      const problems = [
        "it contains no access token",
        "it contains no error code (Content-Type: application/json)",
        "it is a redirect, which is never followed with credentials",
        "it is not a JSON object (Content-Type: application/json)",
        "its access token cannot be sent in a header"
      ]
      const problemOf = (response: TokenOutcome.TokenResponse) => {
        const outcome = interpret(response)
        return outcome._tag === "Malformed" ? outcome.problem : outcome._tag
      }
      expect(yield* Variety.kinds(ResponseArbitraries.malformed, problemOf)).toEqual(problems)
    })
  )

  it.effect("has every outcome", () =>
    Effect.gen(function* () {
      expect(yield* Variety.kinds(ResponseArbitraries.outcome, ({ _tag }) => _tag)).toEqual([
        "Granted",
        "InvalidClient",
        "InvalidGrant",
        "Malformed",
        "NoResponse",
        "NotSent",
        "RateLimited",
        "Refused",
        "Unavailable"
      ])
    })
  )
})

describe("an error of the API", () => {
  it.prop("has the documented shape", { response: ResponseArbitraries.apiError }, ({ response }) => {
    const { errors } = JSON.parse(response.body)
    expect(Schema.is(Documented.Error)(errors[0])).toBe(true)
    expect(Number(errors[0].status)).toBe(response.status)
  })
})
