import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as TokenFailure from "../../src/oauth/TokenFailure.ts"
import type { TokenOutcome } from "../../src/oauth/TokenOutcome.ts"
import * as Tokens from "../../src/oauth/Tokens.ts"
import * as ZapierAuthError from "../../src/ZapierAuthError.ts"

const by = {
  refused: new ZapierAuthError.ReconnectRequired({ why: "Revoked" }),
  unknown: new ZapierAuthError.RefreshOutcomeUnknown({})
}

const unread = new ZapierAuthError.ApplicationUnavailable({ waited: Duration.seconds(20) })

type Failure = Exclude<TokenOutcome, { readonly _tag: "Granted" }>

describe("TokenFailure.toReason", () => {
  it.each([
    [{ _tag: "InvalidGrant" }, by.refused],
    [{ _tag: "NoResponse" }, by.unknown],
    [{ _tag: "InvalidClient" }, new ZapierAuthError.ClientRejected({})],
    [{ _tag: "Refused", error: "invalid_scope" }, new ZapierAuthError.TokenRequestRefused({ error: "invalid_scope" })],
    [
      { _tag: "RateLimited", retryAfter: 60_000 },
      new ZapierAuthError.RateLimited({ retryAfter: Duration.seconds(60) })
    ],
    [
      { _tag: "Unavailable", status: 503, retryAfter: 30_000 },
      new ZapierAuthError.ServiceUnavailable({ status: 503, retryAfter: Duration.seconds(30) })
    ],
    [
      { _tag: "Unavailable", status: 500, retryAfter: undefined },
      new ZapierAuthError.ServiceUnavailable({ status: 500 })
    ],
    [
      { _tag: "Malformed", status: 200, problem: "it is not a JSON object" },
      new ZapierAuthError.MalformedResponse({ status: 200, problem: "it is not a JSON object" })
    ],
    [{ _tag: "NotSent", code: "ECONNREFUSED" }, new ZapierAuthError.TransportFailed({ code: "ECONNREFUSED" })],
    [{ _tag: "NotTried", reason: unread }, unread]
  ] satisfies ReadonlyArray<[Failure, ZapierAuthError.Reason]>)("%j", (outcome, reason) => {
    const told = TokenFailure.toReason(outcome, by)
    expect(told).toEqual(reason)
    expect(told?.message).toBe(reason.message)
  })

  it("a server that does not say for how long it is away is not said to have", () => {
    const told = TokenFailure.toReason({ _tag: "Unavailable", status: 500, retryAfter: undefined }, by)
    expect(told).not.toHaveProperty("retryAfter")
  })

  it("maps neither tokens nor a request without time left to a failure", () => {
    const tokens = { accessToken: Tokens.secret("a"), scopes: [], obtainedAt: 0, expiresAt: 1 }
    expect(TokenFailure.toReason({ _tag: "Granted", tokens }, by)).toBeUndefined()
    expect(TokenFailure.toReason({ _tag: "NotTried" }, by)).toBeUndefined()
  })

  it("maps a refusal and an unknown outcome to the request's own reasons", () => {
    const exchange = {
      refused: new ZapierAuthError.ConsentExpired({ what: "code" }),
      unknown: new ZapierAuthError.ExchangeOutcomeUnknown({})
    }
    expect(TokenFailure.toReason({ _tag: "InvalidGrant" }, exchange)).toBe(exchange.refused)
    expect(TokenFailure.toReason({ _tag: "NoResponse" }, exchange)).toBe(exchange.unknown)
  })
})
