import { describe, expect, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { format, inspect } from "node:util"
import * as TokenOutcome from "../../src/oauth/TokenOutcome.ts"
import * as Tokens from "../../src/oauth/Tokens.ts"
import { freeze } from "../utils/MachineLaws.ts"
import { reveal } from "../utils/Reveal.ts"

const access = (options: Partial<Tokens.Access> = {}): Tokens.Access => ({
  accessToken: Tokens.secret("access-1"),
  scopes: ["zap"],
  obtainedAt: 0,
  expiresAt: 36_000_000,
  ...options
})

const Clock = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4_000_000_000_000 }))
const Span = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000_000 }))

describe("Tokens.Secret", () => {
  it("does not show", () => {
    const tokens: Tokens.Tokens = { ...access(), refreshToken: Tokens.secret("refresh-1") }
    for (const shown of [JSON.stringify(tokens), inspect(tokens, { depth: 9 }), format("%s", tokens.accessToken)]) {
      expect(shown).not.toMatch(/access-1|refresh-1/)
    }
    expect(Redacted.value(tokens.accessToken)).toBe("access-1")
  })

  it("is not encoded to JSON by accident", () => {
    const encode = Schema.encodeResult(Schema.toCodecJson(Tokens.Access))
    const encoded = encode(access())
    expect(Result.isFailure(encoded) && String(encoded.failure)).toContain("Cannot serialize Redacted")
  })

  it("is not empty", () => {
    expect(Schema.is(Tokens.Secret)(Tokens.secret("a"))).toBe(true)
    expect(Schema.is(Tokens.Secret)(Tokens.secret(""))).toBe(false)
  })

  it("of equal text is equal, of another text is not", () => {
    expect(reveal(Tokens.secret("a"))).toEqual(reveal(Tokens.secret("a")))
    expect(reveal(Tokens.secret("a"))).not.toEqual(reveal(Tokens.secret("b")))
  })
})

describe("Tokens.Tokens", () => {
  it("may lack a refresh token, but not have an undefined one", () => {
    const isTokens = Schema.is(Tokens.Tokens)
    expect(isTokens(access())).toBe(true)
    expect(isTokens({ ...access(), refreshToken: Tokens.secret("refresh-1") })).toBe(true)
    expect(isTokens({ ...access(), refreshToken: undefined })).toBe(false)
  })

  it("can be renewed if they have a refresh token", () => {
    const isRenewable = Schema.is(Tokens.Renewable)
    expect(isRenewable({ ...access(), refreshToken: Tokens.secret("refresh-1") })).toBe(true)
    expect(isRenewable(access())).toBe(false)
    expect(isRenewable({ refreshToken: Tokens.secret("refresh-1") })).toBe(false)
  })

  it("keeps a scope that this version does not know", () => {
    expect(Schema.is(Tokens.Tokens)(access({ scopes: ["zap:teleport"] }))).toBe(true)
  })
})

describe("Tokens.isLive", () => {
  it("has time left before expiresAt, and none at it", () => {
    expect(Tokens.isLive({ obtainedAt: 0, expiresAt: 1_000 }, 999)).toBe(true)
    expect(Tokens.isLive({ obtainedAt: 0, expiresAt: 1_000 }, 1_000)).toBe(false)
  })

  it("may be used under a clock that is behind the one that it was obtained by", () => {
    expect(Tokens.isLive({ obtainedAt: 500, expiresAt: 1_000 }, 499)).toBe(true)
  })
})

describe("Tokens.dueAt", () => {
  it.each([
    ["five minutes before the end of ten hours", 0, 36_000_000, 300_000, 35_700_000],
    ["a tenth of its life before the end of a short one", 0, 10_000, 300_000, 9_000],
    ["where both agree", 0, 3_000_000, 300_000, 2_700_000],
    ["counted from when it was obtained", 5_000, 15_000, 300_000, 14_000],
    ["at its end, where no time ahead is wanted", 0, 36_000_000, 0, 36_000_000]
  ])("%s", (_, obtainedAt, expiresAt, ahead, due) => {
    expect(Tokens.dueAt({ obtainedAt, expiresAt }, ahead)).toBe(due)
  })

  it.prop(
    "is within the life of the token, in its last tenth, and no longer than wanted before its end",
    { obtainedAt: Clock, life: Span, ahead: Span },
    ({ ahead, life, obtainedAt }) => {
      const expiresAt = obtainedAt + life
      const due = Tokens.dueAt({ obtainedAt, expiresAt }, ahead)
      expect(due).toBeLessThanOrEqual(expiresAt)
      expect(expiresAt - due).toBeLessThanOrEqual(ahead)
      expect((expiresAt - due) * 10).toBeLessThanOrEqual(life + 1)
      // It is no earlier than it has to be: one of the two is reached.
      expect(expiresAt - due).toBeCloseTo(Math.min(ahead, life / 10))
    }
  )
})

describe("Tokens.reject", () => {
  it("gives a life of no length, and leaves the input and all else as they are", () => {
    const live = freeze(access({ obtainedAt: 500, replacedAt: 600 }))
    expect(reveal(Tokens.reject(live))).toEqual(reveal(access({ obtainedAt: 500, expiresAt: 500, replacedAt: 600 })))
    expect(Tokens.isRejected(live)).toBe(false)
  })

  it("does nothing to one that is rejected already", () => {
    for (const expiresAt of [500, 499]) {
      const rejected = access({ obtainedAt: 500, expiresAt })
      expect(Tokens.reject(rejected)).toBe(rejected)
    }
  })

  it.prop(
    "a rejected token is never live, at any time",
    { obtainedAt: Schema.Finite, expiresAt: Schema.Finite, now: Schema.Finite },
    ({ expiresAt, now, obtainedAt }) => {
      const rejected = Tokens.reject({ obtainedAt, expiresAt })
      expect(Tokens.isRejected(rejected)).toBe(true)
      expect(Tokens.isLive(rejected, now)).toBe(false)
    }
  )
})

describe("Tokens.isRejected", () => {
  it("differs from an expired token in the length of its life", () => {
    expect(Tokens.isRejected({ obtainedAt: 500, expiresAt: 501 })).toBe(false)
    expect(Tokens.isRejected({ obtainedAt: 500, expiresAt: 500 })).toBe(true)
    expect(Tokens.isRejected({ obtainedAt: 500, expiresAt: 499 })).toBe(true)
  })

  it("no token that a response grants is born rejected", () => {
    expect(TokenOutcome.lifetime(Number.MIN_VALUE)).toBeGreaterThan(0)
  })
})

describe("Tokens.isReplacement", () => {
  const replaced = { replacedAt: 1_000 }

  it("is one from the moment when it replaced a rejected token, for as long as the interval", () => {
    expect(Tokens.isReplacement(replaced, 1_000, 30_000)).toBe(true)
    expect(Tokens.isReplacement(replaced, 30_999, 30_000)).toBe(true)
    expect(Tokens.isReplacement(replaced, 31_000, 30_000)).toBe(false)
  })

  it("is none where it replaced none, where no interval is wanted, or where the clock went back", () => {
    expect(Tokens.isReplacement({}, 1_000, 30_000)).toBe(false)
    expect(Tokens.isReplacement(replaced, 1_000, 0)).toBe(false)
    expect(Tokens.isReplacement(replaced, 999, 30_000)).toBe(false)
  })
})

describe("Tokens.isBearable", () => {
  it.each([
    ["a".repeat(16_384), true],
    ["a".repeat(16_385), false],
    ["", false]
  ])("bounds the length of a token", (text, is) => {
    expect(Tokens.isBearable(text)).toBe(is)
  })
})
