import { describe, expect, it } from "@effect/vitest"
import * as Pause from "@zapier-workflow-auth/core/machine/Pause"
import * as TokenOutcome from "@zapier-workflow-auth/core/oauth/TokenOutcome"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as AnswerArbitraries from "../../src/fake/AnswerArbitraries.ts"
import * as Documented from "../utils/documented.ts"
import * as Variety from "../utils/variety.ts"

const runs = { arbitrary: { runs: 300 } }

const asked: TokenOutcome.Asked = { scopes: ["profile"], startedAt: 1_000, now: 1_050 }

const interpret = (answer: TokenOutcome.Answer) => TokenOutcome.interpret(answer, asked)

const tagOf = (answer: TokenOutcome.Answer) => interpret(answer)._tag

describe("every arbitrary", () => {
  const all = Object.entries(AnswerArbitraries).filter(([, value]) => Arbitrary.isArbitrary(value))

  it.effect.each(all)("draws different values: %s", ([, arbitrary]) =>
    Effect.gen(function* () {
      expect(yield* Variety.distinct(arbitrary)).toBeGreaterThan(15)
    })
  )
})

describe("an answer of the token endpoint", () => {
  it.prop(
    "grants what it says, in whatever form",
    { answer: AnswerArbitraries.granted },
    ({ answer }) => {
      const outcome = interpret(answer)
      if (outcome._tag !== "Granted") return expect.fail(outcome._tag)
      const { access_token, refresh_token, scope } = JSON.parse(answer.body)
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
    { answer: AnswerArbitraries.odd },
    ({ answer }) => {
      const outcome = interpret(answer)
      if (outcome._tag !== "Granted") return expect.fail(outcome._tag)
      const body = JSON.parse(answer.body)
      expect(Redacted.value(outcome.tokens.accessToken)).toBe(body.access_token)
      for (const oddity of outcome.oddities ?? []) expect(Object.keys(body)).toContain(oddity)
    },
    runs
  )

  it.prop("grants as it is documented", { answer: AnswerArbitraries.documented }, ({ answer }) => {
    expect(Object.keys(JSON.parse(answer.body))).toEqual([
      "access_token",
      "expires_in",
      "token_type",
      "scope",
      "refresh_token"
    ])
    expect(interpret(answer)).toMatchObject({ _tag: "Granted", tokens: { expiresAt: 36_001_000 } })
  })

  it.effect("refuses with every error", () =>
    Effect.gen(function* () {
      expect(yield* Variety.kinds(AnswerArbitraries.refused, tagOf)).toEqual([
        "InvalidClient",
        "InvalidGrant",
        "Refused"
      ])
    })
  )

  it.prop("puts off when it is busy", { answer: AnswerArbitraries.busy }, ({ answer }) => {
    const outcome = interpret(answer)
    expect(outcome._tag).toBe(answer.status === 429 ? "RateLimited" : "Unavailable")
    expect(Pause.failureOf(outcome)?.retryAfter ?? 0).toBeLessThanOrEqual(120_000)
  })

  it.prop(
    "says nothing when it is malformed",
    { answer: AnswerArbitraries.malformed },
    ({ answer }) => {
      expect(tagOf(answer)).toBe("Malformed")
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
      const problemOf = (answer: TokenOutcome.Answer) => {
        const outcome = interpret(answer)
        return outcome._tag === "Malformed" ? outcome.problem : outcome._tag
      }
      expect(yield* Variety.kinds(AnswerArbitraries.malformed, problemOf)).toEqual(problems)
    })
  )

  it.effect("has every outcome", () =>
    Effect.gen(function* () {
      expect(yield* Variety.kinds(AnswerArbitraries.outcome, ({ _tag }) => _tag)).toEqual([
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
  it.prop("has the documented shape", { answer: AnswerArbitraries.apiError }, ({ answer }) => {
    const { errors } = JSON.parse(answer.body)
    expect(Schema.is(Documented.Error)(errors[0])).toBe(true)
    expect(Number(errors[0].status)).toBe(answer.status)
  })
})
