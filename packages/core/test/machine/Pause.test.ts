import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Pause from "../../src/machine/Pause.ts"
import * as TokenOutcome from "../../src/oauth/TokenOutcome.ts"
import * as Tokens from "../../src/oauth/Tokens.ts"
import * as ZapierAuthError from "../../src/ZapierAuthError.ts"

const Clock = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4e12 }))
const Wait = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: TokenOutcome.longestPause }))
const Count = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5_000 }))

const cause = { _tag: "Unavailable", status: 503 } as const

const pause = (until: number, options: Partial<Pause.Pause> = {}): Pause.Pause => ({
  until,
  failures: 1,
  cause,
  ...options
})

describe("Pause.failureOf", () => {
  it.each([
    [
      { _tag: "RateLimited", retryAfter: 60_000 },
      { cause: { _tag: "RateLimited" }, retryAfter: 60_000 }
    ],
    [
      { _tag: "Unavailable", status: 503, retryAfter: 30_000 },
      { cause: { _tag: "Unavailable", status: 503 }, retryAfter: 30_000 }
    ],
    [{ _tag: "Unavailable", status: 500, retryAfter: undefined }, { cause: { _tag: "Unavailable", status: 500 } }],
    [
      { _tag: "Malformed", status: 200, problem: "no JSON" },
      { cause: { _tag: "Malformed", status: 200, problem: "no JSON" } }
    ],
    [{ _tag: "NotSent", code: "ENOTFOUND" }, { cause: { _tag: "NotSent", code: "ENOTFOUND" } }],
    [{ _tag: "NoResponse" }, { cause: { _tag: "NoResponse" } }]
  ] satisfies ReadonlyArray<[TokenOutcome.TokenOutcome, Pause.Failure]>)("%j passes with time", (outcome, failure) => {
    // A member that is there and undefined could not be stored.
    expect(Pause.failureOf(outcome)).toStrictEqual(failure)
    expect(Schema.is(Pause.Failure)(Pause.failureOf(outcome))).toBe(true)
  })

  it.each([
    { _tag: "Granted", tokens: { accessToken: Tokens.secret("a"), scopes: [], obtainedAt: 0, expiresAt: 1 } },
    { _tag: "InvalidGrant" },
    { _tag: "InvalidClient" },
    { _tag: "Refused", error: "invalid_scope" },
    { _tag: "NotTried" },
    { _tag: "NotTried", reason: new ZapierAuthError.ApplicationUnavailable({ waited: Duration.seconds(20) }) }
  ] satisfies ReadonlyArray<TokenOutcome.TokenOutcome>)("$_tag is nothing that a pause would mend", (outcome) => {
    expect(Pause.failureOf(outcome)).toBeUndefined()
  })
})

describe("Pause.Pause", () => {
  it.each(["until", "failures", "cause"] as const)("needs %s", (name) => {
    const { [name]: _, ...rest } = pause(5)
    expect(Schema.is(Pause.Pause)(pause(5))).toBe(true)
    expect(Schema.is(Pause.Pause)(rest)).toBe(false)
  })
})

describe("Pause.Failure", () => {
  it("has a cause that is known, and a time that is a number, if any", () => {
    const isFailure = Schema.is(Pause.Failure)
    expect(isFailure({ cause, retryAfter: 0 })).toBe(true)
    expect(isFailure({ cause, retryAfter: "0" })).toBe(false)
    expect(isFailure({})).toBe(false)
    expect(isFailure({ cause: { _tag: "Refused" } })).toBe(false)
    expect(isFailure({ cause, retryAfter: Number.NaN })).toBe(false)
  })
})

describe("Pause.after", () => {
  it("doubles with each failure in a row, from one second to half a minute", () => {
    const lengths: Array<number> = []
    let previous: Pause.Pause | undefined
    for (let failures = 1; failures <= 8; failures++) {
      previous = Pause.after(previous, { cause }, 10_000)
      expect(previous).toMatchObject({ failures, cause })
      lengths.push(previous.until - 10_000)
    }
    expect(lengths).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
  })

  it("lasts for as long as the server says, if that is a second or more, and is counted", () => {
    for (const [retryAfter, length] of [
      [0, 16_000],
      [999, 16_000],
      [1_000, 1_000],
      [3_600_000, 3_600_000]
    ] as const) {
      expect(Pause.after(pause(9_000, { failures: 4 }), { cause, retryAfter }, 10_000)).toEqual(
        pause(10_000 + length, { failures: 5 })
      )
    }
  })

  it("names the latest cause", () => {
    const next = Pause.after(pause(9_000), { cause: { _tag: "RateLimited" }, retryAfter: 60_000 }, 10_000)
    expect(next.cause).toEqual({ _tag: "RateLimited" })
  })

  it.prop(
    "ends at some time, is longer than the one after fewer failures or as long, and can be stored",
    { now: Clock, failures: Count },
    ({ failures, now }) => {
      const lengthAfter = (count: number) => Pause.after(pause(0, { failures: count }), { cause }, now).until - now
      expect(lengthAfter(failures)).toBeGreaterThanOrEqual(1_000)
      expect(lengthAfter(failures)).toBeLessThanOrEqual(30_000)
      expect(lengthAfter(failures + 1)).toBeGreaterThanOrEqual(lengthAfter(failures))
      expect(Schema.is(Pause.Pause)(Pause.after(pause(0, { failures }), { cause }, now))).toBe(true)
    }
  )
})

describe("Pause.isOn", () => {
  it.each([
    [999, false],
    [1_000, false],
    [1_001, true],
    [1_000 + TokenOutcome.longestPause, true],
    [1_001 + TokenOutcome.longestPause, false]
  ])("until %d, at 1000: %s", (until, expected) => {
    expect(Pause.isOn(pause(until), 1_000)).toBe(expected)
  })

  it("is not on where there is none", () => {
    expect(Pause.isOn(undefined, 1_000)).toBe(false)
  })

  it.prop(
    "any allowed pause is on from the failure to its end",
    { now: Clock, retryAfter: Wait },
    ({ now, retryAfter }) => {
      const { until } = Pause.after(undefined, { cause, retryAfter }, now)
      expect(Pause.isOn(pause(until), now)).toBe(true)
      expect(until - now).toBe(retryAfter < 1_000 ? 1_000 : retryAfter)
      expect(Pause.isOn(pause(until), until - 1)).toBe(true)
      expect(Pause.isOn(pause(until), until)).toBe(false)
    }
  )
})

describe("Pause.toReason", () => {
  const by = {
    refused: new ZapierAuthError.ReconnectRequired({ why: "Revoked" }),
    unknown: new ZapierAuthError.RefreshOutcomeUnknown({})
  }
  const told = (cause: Pause.Cause, now = 10_000) => Pause.toReason(pause(40_000, { cause }), by, now)

  it("tells the cause, and for how long nothing is sent", () => {
    const retryAfter = Duration.seconds(30)
    expect(told({ _tag: "RateLimited" })).toEqual(new ZapierAuthError.RateLimited({ retryAfter }))
    expect(told(cause)).toEqual(new ZapierAuthError.ServiceUnavailable({ status: 503, retryAfter }))
  })

  it("tells the cause where the reason has no place for a time", () => {
    expect(told({ _tag: "Malformed", status: 200, problem: "no JSON" })).toEqual(
      new ZapierAuthError.MalformedResponse({ status: 200, problem: "no JSON" })
    )
    expect(told({ _tag: "NotSent", code: "ENOTFOUND" })).toEqual(
      new ZapierAuthError.TransportFailed({ code: "ENOTFOUND" })
    )
    expect(told({ _tag: "NoResponse" })).toBe(by.unknown)
  })

  it("never tells a time that has passed", () => {
    const retryAfter = Duration.zero
    expect(told(cause, 40_001)).toEqual(new ZapierAuthError.ServiceUnavailable({ status: 503, retryAfter }))
  })

  it.prop("every cause may pass by itself", [Pause.Cause, Clock], ([cause, now]) => {
    const reason = Pause.toReason(pause(now + 1_000, { cause }), by, now)
    expect(reason.isRetryable).toBe(true)
    expect(reason.needsReconnect).toBe(false)
  })
})
