import { describe, expect, it } from "@effect/vitest"
import * as AppCredential from "../../src/machine/AppCredential.ts"
import * as AppCredentialDriver from "../../src/machine/AppCredentialDriver.ts"
import * as WhiteLabelToken from "../../src/machine/WhiteLabelToken.ts"
import type { TokenOutcome } from "../../src/oauth/TokenOutcome.ts"
import * as Tokens from "../../src/oauth/Tokens.ts"
import { situations } from "../utils/MachineLaws.ts"
import { reveal } from "../utils/Reveal.ts"

const settings = { responseTimeout: 60_000, expiryMargin: 300_000 }
const ada = { subject: "ada", tenant: "acme" }

const app = AppCredential.machine(settings)
const whiteLabel = WhiteLabelToken.machine(settings)
const drivenApp = AppCredentialDriver.driven(["zap"], settings)
const driven = WhiteLabelToken.driven(ada, settings)

const drawn = situations(AppCredential.State, AppCredential.Event)

const text = (value: unknown) =>
  JSON.stringify(reveal(value), (_, part) => (typeof part === "bigint" ? String(part) : part)) ?? "nothing"

describe("WhiteLabelToken is the app credential under another name", () => {
  it("has a name of its own, and begins alike", () => {
    expect(whiteLabel.name).toBe("WhiteLabelToken")
    expect(driven.none).toBe(drivenApp.none)
  })

  it.prop(
    "makes the same step",
    [drawn],
    ([{ event, now, state }]) => {
      expect(whiteLabel.isStale(state, event)).toBe(app.isStale(state, event))
      expect(text(whiteLabel.step(state, event, now))).toBe(text(app.step(state, event, now)))
    },
    { arbitrary: { runs: 1_000 } }
  )

  it.prop(
    "is driven alike: the same results, waits and requests",
    [drawn],
    ([{ event, now, state }]) => {
      expect(text(driven.idOf(state))).toBe(text(drivenApp.idOf(state)))
      expect(text([driven.accessOf(state)])).toBe(text([drivenApp.accessOf(state)]))
      for (const owner of ["caller", "other"]) {
        expect(driven.demand(owner, undefined)).toEqual(drivenApp.demand(owner, undefined))
        const id = driven.idOf(state)
        expect(driven.demand(owner, id)).toEqual(drivenApp.demand(owner, drivenApp.idOf(state)))
      }
      const stepped = app.step(state, event, now)
      if (stepped._tag === "Failure") return
      for (const command of stepped.success.commands) {
        const { request: user, ...order } = { request: undefined, ...driven.order(command, now) }
        const { request: credentials, ...same } = { request: undefined, ...drivenApp.order(command, now) }
        expect(text(order)).toBe(text(same))
        expect(user).toEqual(credentials === undefined ? undefined : ada)
      }
    },
    { arbitrary: { runs: 1_000 } }
  )

  const tokens: Tokens.Tokens = {
    accessToken: Tokens.secret("access-1"),
    refreshToken: Tokens.secret("refresh-1"),
    scopes: ["zap"],
    obtainedAt: 0,
    expiresAt: 1
  }
  const outcomes: ReadonlyArray<TokenOutcome> = [
    { _tag: "Granted", tokens },
    { _tag: "InvalidGrant" },
    { _tag: "InvalidClient" },
    { _tag: "Refused", error: "invalid_request" },
    { _tag: "RateLimited", retryAfter: 60_000 },
    { _tag: "Unavailable", status: 503, retryAfter: undefined },
    { _tag: "Malformed", status: 200, problem: "it is not a JSON object" },
    { _tag: "NotSent", code: "ECONNREFUSED" },
    { _tag: "NoResponse" }
  ]

  it.each(outcomes)("draws the same conclusion from $_tag, with advice for White Label", (outcome) => {
    const id = { generation: 3, family: "any" }
    const concluded = driven.conclude({ id, request: ada, owner: "caller" }, outcome, true)
    const ofApp = drivenApp.conclude(
      { id, request: { _tag: "ClientCredentials", scopes: ["zap"] }, owner: "caller" },
      outcome,
      true
    )
    expect(reveal(concluded.event)).toEqual(reveal(ofApp.event))
    expect(concluded.failure?._tag).toBe(ofApp.failure?._tag)
    const isRefused = outcome._tag === "InvalidGrant" || outcome._tag === "Refused"
    expect(concluded.failure?.message.includes("issuer, audience") ?? false).toBe(isRefused)
    if (!isRefused) expect(concluded.failure?.message).toBe(ofApp.failure?.message)
  })

  it("keeps no refresh token", () => {
    const { event } = driven.conclude(
      { id: { generation: 0, family: "any" }, request: ada, owner: "caller" },
      { _tag: "Granted", tokens },
      true
    )
    expect(JSON.stringify(reveal(event))).toContain("access-1")
    expect(JSON.stringify(reveal(event))).not.toContain("refresh-1")
  })
})
