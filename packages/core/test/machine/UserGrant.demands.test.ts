/** What whoever needs an access token is told: R6, R7, R8. */
import { describe, expect, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import type * as Pause from "../../src/machine/Pause.ts"
import * as UserGrant from "../../src/machine/UserGrant.ts"
import { reveal } from "../utils/Reveal.ts"
import * as Grants from "../utils/Grants.ts"

describe("UserGrant: the right thing is blamed (R6)", () => {
  const unavailable: Pause.Failure = { cause: { _tag: "Unavailable", status: 503 } }
  const failed = (options: { mayHaveRotated?: boolean; failure?: Pause.Failure } = {}): Grants.Event => ({
    _tag: "RefreshFailed",
    ...Grants.attempt,
    mayHaveRotated: false,
    ...options
  })

  it.prop(
    "a failed refresh never ends a grant, and keeps its tokens",
    { state: Grants.Stored, event: UserGrant.Event.cases.RefreshFailed, now: Schema.Finite, about: Schema.Boolean },
    ({ about, event, now, state }) => {
      const owner = state._tag === "Refreshing" && about ? state.lease.owner : event.owner
      const next = Grants.step(state, { ...event, family: state.family, generation: state.generation, owner }, now)
      if (state._tag !== "ReconnectRequired") expect(next.state._tag).not.toBe("ReconnectRequired")
      expect(reveal(Grants.tokensOf(next.state))).toEqual(reveal(Grants.tokensOf(state)))
    },
    Grants.runs
  )

  it("a failed refresh releases the lease and reports to the caller", () => {
    expect(reveal(Grants.step(Grants.refreshing(), failed(), 5_000))).toEqual(
      reveal({ state: Grants.active(), commands: [{ _tag: "ReportFailure" }] })
    )
  })

  it("a failure after which the tokens may have rotated counts as a lost response", () => {
    expect(Grants.step(Grants.refreshing(), failed({ mayHaveRotated: true }), 5_000).state).toMatchObject({
      responseLost: true
    })
  })

  it("a failure after which they cannot have rotated does not", () => {
    expect(Grants.step(Grants.refreshing(), failed(), 5_000).state).toMatchObject({ responseLost: false })
  })

  it("a failure that says nothing does not clear the note of a lost response", () => {
    expect(Grants.step(Grants.refreshing({ responseLost: true }), failed(), 5_000).state).toMatchObject({
      responseLost: true
    })
  })

  it("a failure that time mends sets a pause, which grows with each in a row", () => {
    let state: Grants.State = Grants.active({ tokens: Grants.tokens("3", { expiresAt: 1_000 }) })
    let now = 1_000
    const lengths: Array<number> = []
    for (let failures = 1; failures <= 7; failures++) {
      state = Grants.step(state, { _tag: "AccessTokenRequested", owner: "holder" }, now).state
      // The pause before is remembered while the next request is open: it says how many have failed.
      expect(state).toMatchObject({ _tag: "Refreshing", ...(failures === 1 ? {} : { pause: { until: now } }) })
      state = Grants.step(state, failed({ failure: unavailable }), now + 500).state
      expect(state).toMatchObject({ _tag: "Active", pause: { failures, cause: unavailable.cause } })
      const until = state._tag === "Active" ? (state.pause?.until ?? Number.NaN) : Number.NaN
      lengths.push(until - now - 500)
      now = until
    }
    expect(lengths).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
  })

  it("a pause lasts for as long as the server says", () => {
    const next = Grants.step(
      Grants.refreshing({ pause: Grants.pause(1_500) }),
      failed({ failure: { cause: { _tag: "RateLimited" }, retryAfter: 60_000 } }),
      5_000
    )
    expect(next.state).toMatchObject({ pause: { until: 65_000, failures: 2, cause: { _tag: "RateLimited" } } })
  })

  it("a failure that time does not mend sets no pause, and leaves the one before", () => {
    const pause = Grants.pause(1_500, { failures: 3 })
    expect(Grants.step(Grants.refreshing(), failed(), 5_000).state).not.toHaveProperty("pause")
    expect(Grants.step(Grants.refreshing({ pause }), failed(), 5_000).state).toMatchObject({ _tag: "Active", pause })
  })
})

describe("UserGrant: 401 means look again (R7)", () => {
  const rejected = (generation: number, family = "consent-1"): Grants.Event => ({
    _tag: "AccessTokenRejected",
    family,
    generation,
    owner: "caller"
  })

  it.prop(
    "the rejection of an older generation uses the newer token, without a request",
    {
      state: Schema.Union([Grants.Active, Grants.ReconnectRequired]),
      event: Grants.AccessTokenRejected,
      now: Grants.Clock,
      behind: Grants.Span
    },
    ({ behind, event, now, state }) => {
      const life = { obtainedAt: now - Grants.hour, expiresAt: now + 9 * Grants.hour }
      const stored: Grants.State = { ...state, tokens: { ...state.tokens, ...life } }
      // Stale, but not an event that says nothing: whoever needs a token is told which to use.
      const stale: Grants.Event = { ...event, family: state.family, generation: state.generation - behind }
      const next = Grants.step(stored, stale, now)
      expect(next.state).toBe(stored)
      expect(Grants.tagsOf(next.commands)).toEqual(["UseAccessToken"])
      expect(Grants.commandOf(next.commands, "UseAccessToken")?.access).toMatchObject({
        family: state.family,
        generation: state.generation
      })
    },
    Grants.runs
  )

  it("the rejection of a token of an earlier consent uses the newer one", () => {
    const next = Grants.step(Grants.active(), rejected(3, "consent-0"), Grants.hour)
    expect(Grants.tagsOf(next.commands)).toEqual(["UseAccessToken"])
  })

  it("the rejection of the current token marks it dead, and sends the refresh token", () => {
    const next = Grants.step(Grants.active(), rejected(3), Grants.hour)
    expect(reveal(next.state)).toEqual(
      reveal(
        Grants.refreshing({
          tokens: Grants.renewable("3", { expiresAt: 0 }),
          lease: { owner: "caller", deadline: Grants.hour + Grants.leaseDuration }
        })
      )
    )
    expect(Grants.tagsOf(next.commands)).toEqual(["SendRefreshToken"])
  })

  it("while another owner refreshes, a rejection of the current token waits, and the token is not used any more", () => {
    const deadline = Grants.hour + 10_000
    const next = Grants.step(Grants.refreshing({ lease: { owner: "other", deadline } }), rejected(3), Grants.hour)
    expect(next.commands).toEqual([{ _tag: "AwaitLease", until: deadline }])
    const later = Grants.step(next.state, { _tag: "AccessTokenRequested", owner: "third" }, Grants.hour + 1)
    expect(later.commands).toEqual([{ _tag: "AwaitLease", until: deadline }])
  })

  it("while another owner refreshes, the rejection of an older token uses the current one", () => {
    const next = Grants.step(
      Grants.refreshing({ lease: { owner: "other", deadline: 2 * Grants.hour } }),
      rejected(2),
      Grants.hour
    )
    expect(Grants.tagsOf(next.commands)).toEqual(["UseAccessToken"])
  })

  it("a grant that has ended no longer uses a token that the API rejected", () => {
    const next = Grants.step(Grants.ended(), rejected(3), Grants.hour)
    expect(reveal(next.state)).toEqual(reveal(Grants.ended({ tokens: Grants.tokens("3", { expiresAt: 0 }) })))
    expect(next.commands).toEqual([{ _tag: "RequireReconnect", why: "Revoked" }])
  })

  it.prop(
    "a rejected token is never used again, at any time",
    { state: Grants.Stored, event: Grants.Demand, now: Schema.Finite, then: Schema.Finite },
    ({ event, now, state, then }) => {
      const { family, generation } = state
      const first = Grants.step(state, { _tag: "AccessTokenRejected", family, generation, owner: "caller" }, now)
      expect(Grants.tagsOf(first.commands)).not.toContain("UseAccessToken")
      const second = Grants.step(first.state, event, then)
      expect(Grants.tagsOf(second.commands)).not.toContain("UseAccessToken")
      // It is rejected once; nothing is written again because others say so too.
      const again = Grants.step(second.state, { _tag: "AccessTokenRejected", family, generation, owner: "other" }, then)
      expect(reveal(Grants.tokensOf(again.state))).toEqual(reveal(Grants.tokensOf(first.state)))
    },
    Grants.runs
  )

  it("a repeated rejection of a token changes nothing", () => {
    const rejectedOnce = Grants.refreshing({
      tokens: Grants.renewable("3", { expiresAt: 0 }),
      lease: { owner: "other", deadline: Grants.hour + 10_000 }
    })
    expect(Grants.step(rejectedOnce, rejected(3), Grants.hour).state).toBe(rejectedOnce)
    const gone = Grants.ended({ tokens: Grants.tokens("3", { expiresAt: 0 }) })
    expect(Grants.step(gone, rejected(3), Grants.hour).state).toBe(gone)
  })

  it("during a pause the rejection of the current token is noted, without a request", () => {
    const pause = Grants.pause(Grants.hour + 10_000)
    const next = Grants.step(Grants.active({ pause }), rejected(3), Grants.hour)
    expect(reveal(next.state)).toEqual(reveal(Grants.active({ pause, tokens: Grants.tokens("3", { expiresAt: 0 }) })))
    expect(next.commands).toEqual([{ _tag: "AwaitTime", pause }])
  })

  it("the rejection of a token that nothing renews ends the grant", () => {
    const tokens = Grants.withoutRefreshToken(Grants.tokens("3"))
    const next = Grants.step(Grants.active({ tokens }), rejected(3), Grants.hour)
    expect(next.state).toMatchObject({ _tag: "ReconnectRequired", why: "NoRefreshToken", tokens: { expiresAt: 0 } })
    expect(next.commands).toEqual([{ _tag: "RequireReconnect", why: "NoRefreshToken" }])
  })
})

describe("UserGrant: refresh when used (R8)", () => {
  const demand: Grants.Event = { _tag: "AccessTokenRequested", owner: "caller" }
  const end = 10 * Grants.hour

  it("before the window the token is used until the window begins", () => {
    const next = Grants.step(Grants.active(), demand, end - Grants.expiryMargin - 1)
    expect(next.state).toEqual(Grants.active())
    expect(reveal(next.commands)).toEqual(
      reveal([
        {
          _tag: "UseAccessToken",
          access: { ...Grants.withoutRefreshToken(Grants.tokens("3")), family: "consent-1", generation: 3 },
          until: end - Grants.expiryMargin
        }
      ])
    )
  })

  it("inside the window the refresh token is sent, and the caller served in the same step", () => {
    const now = end - Grants.expiryMargin
    const next = Grants.step(Grants.active(), demand, now)
    expect(reveal(next.state)).toEqual(
      reveal(Grants.refreshing({ lease: { owner: "caller", deadline: now + Grants.leaseDuration } }))
    )
    // A member that is there and undefined could not be stored.
    expect(next.state).not.toHaveProperty("pause")
    expect(Grants.tagsOf(next.commands)).toEqual(["SendRefreshToken", "UseAccessToken"])
    expect(Grants.commandOf(next.commands, "UseAccessToken")?.until).toBe(now + Grants.leaseDuration)
  })

  it("waiting for another's refresh changes nothing", () => {
    const waited = Grants.refreshing({ lease: { owner: "other", deadline: end - 10_000 } })
    expect(Grants.step(waited, demand, end - 20_000).state).toBe(waited)
  })

  it("others use the token while it lives, until the lease or the token ends", () => {
    const until = (deadline: number) =>
      Grants.commandOf(
        Grants.step(Grants.refreshing({ lease: { owner: "other", deadline } }), demand, end - 20_000).commands,
        "UseAccessToken"
      )?.until
    expect(until(end - 10_000)).toBe(end - 10_000)
    expect(until(end + 10_000)).toBe(end)
  })

  it("a dead token is renewed before a caller gets a result", () => {
    expect(Grants.tagsOf(Grants.step(Grants.active(), demand, end).commands)).toEqual(["SendRefreshToken"])
  })

  it.prop(
    "a token is used only before its end, and renewed only inside its window and its last tenth",
    {
      state: Grants.Active,
      owner: Schema.NonEmptyString,
      now: Grants.Clock,
      age: Grants.SpanOrZero,
      left: Grants.Span
    },
    ({ age, left, now, owner, state }) => {
      const life = { obtainedAt: now - age, expiresAt: now + left }
      const { pause: _, ...unpaused } = state
      const live: Grants.State = { ...unpaused, tokens: { ...Grants.tokens("x"), ...life } }
      const next = Grants.step(live, { _tag: "AccessTokenRequested", owner }, now)
      // The tokens have a refresh token, and no pause is on.
      const isDue = left <= Math.min(Grants.expiryMargin, (age + left) / 10)
      expect(next.state._tag).toBe(isDue ? "Refreshing" : "Active")
      const until = Grants.commandOf(next.commands, "UseAccessToken")?.until ?? Number.NaN
      expect(until).toBeGreaterThan(now)
      expect(until).toBeLessThanOrEqual(now + left)
    },
    Grants.runs
  )

  it("a token with a life of ten seconds is renewed in its last second, not at each use", () => {
    const state = Grants.active({ tokens: Grants.tokens("3", { expiresAt: 10_000 }) })
    expect(Grants.tagsOf(Grants.step(state, demand, 8_999).commands)).toEqual(["UseAccessToken"])
    expect(Grants.tagsOf(Grants.step(state, demand, 9_000).commands)).toEqual(["SendRefreshToken", "UseAccessToken"])
  })

  it("a renewed token is used until its own window begins", () => {
    const renewed = Grants.tokens("4", { obtainedAt: end, expiresAt: 2 * end })
    const next = Grants.step(
      Grants.refreshing(),
      { _tag: "RefreshSucceeded", ...Grants.attempt, tokens: renewed },
      end + 500
    )
    expect(Grants.commandOf(next.commands, "UseAccessToken")?.until).toBe(2 * end - Grants.expiryMargin)
  })

  it("during a pause a live token is used; without one, callers get the pause and its cause", () => {
    const pause = Grants.pause(end + 60_000, { failures: 3, cause: { _tag: "NotSent", code: "ENOTFOUND" } })
    const paused = Grants.active({ pause })
    expect(Grants.step(paused, demand, end)).toEqual({ state: paused, commands: [{ _tag: "AwaitTime", pause }] })
    expect(Grants.tagsOf(Grants.step(paused, demand, end - 1).commands)).toEqual(["UseAccessToken"])
    expect(Grants.tagsOf(Grants.step(paused, demand, end + 60_000).commands)).toEqual(["SendRefreshToken"])
  })

  it("a pause inside the window puts off the refresh until it ends", () => {
    const paused = Grants.active({ pause: Grants.pause(end - 100_000) })
    const during = Grants.step(paused, demand, end - 100_001)
    expect(during.state).toBe(paused)
    expect(Grants.tagsOf(during.commands)).toEqual(["UseAccessToken"])
    expect(Grants.commandOf(during.commands, "UseAccessToken")?.until).toBe(end - 100_000)
    expect(Grants.tagsOf(Grants.step(paused, demand, end - 100_000).commands)).toEqual([
      "SendRefreshToken",
      "UseAccessToken"
    ])
  })

  it("a pause that ends further ahead than any server is granted is ignored: the clock went back", () => {
    const now = end + 1_000
    const until = (until: number) =>
      Grants.tagsOf(Grants.step(Grants.active({ pause: Grants.pause(until) }), demand, now).commands)
    expect(until(now + Grants.hour)).toEqual(["AwaitTime"])
    expect(until(now + Grants.hour + 1)).toEqual(["SendRefreshToken"])
  })

  it("without a refresh token the access token is used to its end, and then the user has to connect", () => {
    const state = Grants.active({ tokens: Grants.withoutRefreshToken(Grants.tokens("3")) })
    const last = Grants.step(state, demand, end - 1)
    expect(Grants.tagsOf(last.commands)).toEqual(["UseAccessToken"])
    expect(Grants.commandOf(last.commands, "UseAccessToken")?.until).toBe(end)
    const after = Grants.step(state, demand, end)
    expect(reveal(after.state)).toEqual(
      reveal(
        Grants.ended({
          why: "NoRefreshToken",
          since: end,
          tokens: Grants.withoutRefreshToken(Grants.tokens("3"))
        })
      )
    )
    expect(after.commands).toEqual([{ _tag: "RequireReconnect", why: "NoRefreshToken" }])
  })
})
