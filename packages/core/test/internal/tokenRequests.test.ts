import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import * as TokenRequests from "../../src/internal/tokenRequests.ts"
import * as Settings from "../../src/Settings.ts"
import type { TokenOutcome } from "../../src/oauth/TokenOutcome.ts"
import type { TokenRequest } from "../../src/oauth/TokenRequest.ts"
import * as Tokens from "../../src/oauth/Tokens.ts"

const secret = Tokens.secret("s3cret")

const requests: { readonly [Tag in TokenRequest["_tag"]]: TokenRequest } = {
  AuthorizationCode: {
    _tag: "AuthorizationCode",
    code: secret,
    redirectUri: "https://app.example/callback",
    codeVerifier: undefined,
    scopes: ["zap"]
  },
  Refresh: { _tag: "Refresh", refreshToken: secret, scopes: ["zap"] },
  ClientCredentials: { _tag: "ClientCredentials", scopes: ["zap"] }
}

const outcomes = {
  NotSent: { _tag: "NotSent", code: "ECONNREFUSED" },
  NoResponse: { _tag: "NoResponse" },
  Unavailable: { _tag: "Unavailable", status: 500, retryAfter: undefined },
  UnavailableFor: { _tag: "Unavailable", status: 503, retryAfter: 1_000 },
  RateLimited: { _tag: "RateLimited", retryAfter: 1_000 },
  InvalidGrant: { _tag: "InvalidGrant" },
  InvalidClient: { _tag: "InvalidClient" },
  Refused: { _tag: "Refused", error: "invalid_scope" },
  Malformed: { _tag: "Malformed", status: 200, problem: "no JSON" }
} as const satisfies { readonly [name: string]: TokenOutcome }

const deadline = 30_000

/** What comes of a request whose every sending has the same outcome, and when each was sent for how long at most. */
const send = (request: TokenRequest, outcome: TokenOutcome, options?: Settings.Options) => {
  const sent: Array<{ readonly at: number; readonly timeout: number }> = []
  const request_ = TokenRequests.make(
    {
      request: (_, { timeout }) =>
        Effect.map(Clock.currentTimeMillis, (at) => {
          sent.push({ at, timeout })
          return outcome
        })
    },
    Result.getOrThrow(Settings.make(options))
  )
  return Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(request_(request, deadline), { startImmediately: true })
    yield* TestClock.adjust("1 minute")
    return { outcome: yield* Fiber.join(fiber), sent }
  })
}

describe("tokenRequests", () => {
  it.effect.each(
    Object.keys(requests).flatMap((kind) =>
      Object.keys(outcomes).map((outcome) => ({ kind, outcome }))
    ) as ReadonlyArray<{
      kind: keyof typeof requests
      outcome: keyof typeof outcomes
    }>
  )("tries again only where that is safe: $kind, $outcome", ({ kind, outcome }) =>
    Effect.gen(function* () {
      const isSafe =
        outcome === "NotSent" ||
        (kind === "ClientCredentials" && (outcome === "NoResponse" || outcome === "Unavailable"))
      const result = yield* send(requests[kind], outcomes[outcome])
      expect(result.outcome).toEqual(outcomes[outcome])
      expect(result.sent.length > 1).toBe(isSafe)
    })
  )

  it.effect("waits longer each time, and not for ever", () =>
    Effect.gen(function* () {
      const { sent } = yield* send(requests.Refresh, outcomes.NotSent, { retryFor: "5 seconds" })
      const pauses = sent.slice(1).map(({ at }, index) => at - (sent[index]?.at ?? 0))
      expect(pauses.length).toBeGreaterThanOrEqual(3)
      for (const [index, pause] of pauses.entries()) {
        expect(pause).toBeGreaterThanOrEqual(250 * 2 ** index * 0.8)
        expect(pause).toBeLessThanOrEqual(250 * 2 ** index * 1.2 + 1)
      }
      expect(sent.at(-1)?.at).toBeLessThan(10_000)
    })
  )

  it.effect("does not try again when told not to", () =>
    Effect.gen(function* () {
      expect((yield* send(requests.Refresh, outcomes.NotSent, { retryFor: 0 })).sent).toHaveLength(1)
    })
  )

  it.effect("cuts each request off before the deadline", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(25_000)
      const { sent } = yield* send(requests.Refresh, outcomes.NotSent, { retryFor: "1 minute" })
      for (const { at, timeout } of sent) expect(at + timeout).toBeLessThanOrEqual(deadline)
      expect(sent[0]).toEqual({ at: 25_000, timeout: 5_000 })
    })
  )

  it.effect("sends nothing once the deadline has passed", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(deadline)
      const result = yield* send(requests.Refresh, outcomes.NotSent)
      expect(result).toEqual({ outcome: TokenRequests.tooLate, sent: [] })
    })
  )
})
