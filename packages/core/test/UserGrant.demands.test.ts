/** What whoever needs an access token is told: R6, R7, R8. */
import { describe, expect, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as UserGrant from "../src/UserGrant.ts"
import { reveal } from "./utils/Reveal.ts"
import {
  leaseDuration,
  refreshAhead,
  hour,
  step,
  type State,
  type Event,
  tokens,
  withoutRefreshToken,
  accessOf,
  active,
  refreshing,
  ended,
  presented,
  commandOf,
  tagsOf,
  tokensOf,
  runs,
  Clock,
  Span,
  SpanOrZero,
  Active,
  ReconnectRequired,
  AccessTokenRejected,
  Stored
} from "./utils/UserGrants.ts"

describe("UserGrant: the right thing is blamed (R6)", () => {
  const failed = (options: { mayHaveRotated?: boolean; notBefore?: number } = {}): Event => ({
    _tag: "RefreshFailed",
    ...presented,
    mayHaveRotated: false,
    notBefore: 0,
    ...options
  })

  it.prop(
    "a failed refresh never ends a grant, and keeps its tokens",
    { state: Stored, event: UserGrant.Event.cases.RefreshFailed, now: Schema.Finite, about: Schema.Boolean },
    ({ about, event, now, state }) => {
      const owner = state._tag === "Refreshing" && about ? state.lease.owner : event.owner
      const next = step(state, { ...event, lineage: state.lineage, generation: state.generation, owner }, now)
      if (state._tag !== "ReconnectRequired") expect(next.state._tag).not.toBe("ReconnectRequired")
      expect(reveal(tokensOf(next.state))).toEqual(reveal(tokensOf(state)))
    },
    runs
  )

  it("a failed refresh gives the lease back and tells the caller", () => {
    expect(reveal(step(refreshing(), failed({ notBefore: 7_000 }), 5_000))).toEqual(
      reveal({ state: active({ notBefore: 7_000 }), commands: [{ _tag: "ReportFailure" }] })
    )
  })

  it("a failure after which the tokens may have rotated counts as a lost answer", () => {
    expect(step(refreshing(), failed({ mayHaveRotated: true }), 5_000).state).toMatchObject({ answerLost: true })
    expect(step(active(), failed({ mayHaveRotated: true }), 5_000).state).toMatchObject({ answerLost: true })
  })

  it("a failure after which they cannot have rotated does not", () => {
    expect(step(refreshing(), failed(), 5_000).state).toMatchObject({ answerLost: false })
    expect(step(active(), failed(), 5_000).state).toMatchObject({ answerLost: false })
  })

  it("a failure that says nothing does not clear the note of a lost answer", () => {
    expect(step(refreshing({ answerLost: true }), failed(), 5_000).state).toMatchObject({ answerLost: true })
    expect(step(active({ answerLost: true }), failed(), 5_000).state).toMatchObject({ answerLost: true })
  })

  it("a late failure never shortens the pause", () => {
    expect(step(active({ notBefore: 9_000 }), failed({ notBefore: 7_000 }), 5_000).state).toMatchObject({
      notBefore: 9_000
    })
    expect(step(active({ notBefore: 7_000 }), failed({ notBefore: 9_000 }), 5_000).state).toMatchObject({
      notBefore: 9_000
    })
  })
})

describe("UserGrant: 401 means look again (R7)", () => {
  const rejected = (generation: number, lineage = "consent-1"): Event => ({
    _tag: "AccessTokenRejected",
    lineage,
    generation,
    owner: "caller"
  })

  it.prop(
    "the rejection of an older generation uses the newer token and presents nothing",
    { state: Schema.Union([Active, ReconnectRequired]), event: AccessTokenRejected, now: Clock, behind: Span },
    ({ behind, event, now, state }) => {
      const life = { obtainedAt: now - hour, expiresAt: now + 9 * hour }
      const stored: State = { ...state, tokens: { ...state.tokens, ...life } }
      const stale: Event = { ...event, lineage: state.lineage, generation: state.generation - behind }
      const next = step(stored, stale, now)
      expect(next.state).toBe(stored)
      expect(tagsOf(next.commands)).toEqual(["UseAccessToken"])
      expect(commandOf(next.commands, "UseAccessToken")?.access).toMatchObject({
        lineage: state.lineage,
        generation: state.generation
      })
    },
    runs
  )

  it("the rejection of a token of an earlier consent uses the newer one", () => {
    const next = step(active(), rejected(3, "consent-0"), hour)
    expect(tagsOf(next.commands)).toEqual(["UseAccessToken"])
  })

  it("the rejection of the current token marks it dead, and presents the refresh token", () => {
    const next = step(active(), rejected(3), hour)
    expect(reveal(next.state)).toEqual(
      reveal(
        refreshing({
          tokens: tokens("3", { expiresAt: hour }),
          lease: { owner: "caller", deadline: hour + leaseDuration }
        })
      )
    )
    expect(tagsOf(next.commands)).toEqual(["PresentRefreshToken"])
  })

  it("while another owner refreshes, the rejection of the current token waits, and nobody uses it any more", () => {
    const deadline = hour + 10_000
    const next = step(refreshing({ lease: { owner: "other", deadline } }), rejected(3), hour)
    expect(next.commands).toEqual([{ _tag: "AwaitLease", until: deadline }])
    const later = step(next.state, { _tag: "AccessTokenRequested", owner: "third" }, hour + 1)
    expect(later.commands).toEqual([{ _tag: "AwaitLease", until: deadline }])
  })

  it("while another owner refreshes, the rejection of an older token uses the current one", () => {
    const next = step(refreshing({ lease: { owner: "other", deadline: 2 * hour } }), rejected(2), hour)
    expect(tagsOf(next.commands)).toEqual(["UseAccessToken"])
  })

  it("a grant that has ended no longer uses a token that the API rejected", () => {
    const next = step(ended(), rejected(3), hour)
    expect(reveal(next.state)).toEqual(reveal(ended({ tokens: tokens("3", { expiresAt: hour }) })))
    expect(next.commands).toEqual([{ _tag: "RequireReconnect", why: "Revoked" }])
  })
})

describe("UserGrant: refresh when used (R8)", () => {
  const demand: Event = { _tag: "AccessTokenRequested", owner: "caller" }
  const end = 10 * hour

  it("before the window the token is used until the window begins", () => {
    const next = step(active(), demand, end - refreshAhead - 1)
    expect(next.state).toEqual(active())
    expect(reveal(next.commands)).toEqual(
      reveal([
        {
          _tag: "UseAccessToken",
          access: { ...accessOf(tokens("3")), lineage: "consent-1", generation: 3 },
          until: end - refreshAhead
        }
      ])
    )
  })

  it("inside the window the refresh token is presented, and the caller answered in the same step", () => {
    const now = end - refreshAhead
    const next = step(active(), demand, now)
    expect(reveal(next.state)).toEqual(
      reveal(refreshing({ lease: { owner: "caller", deadline: now + leaseDuration } }))
    )
    expect(tagsOf(next.commands)).toEqual(["PresentRefreshToken", "UseAccessToken"])
    expect(commandOf(next.commands, "UseAccessToken")?.until).toBe(now + leaseDuration)
  })

  it("whoever merely waits for another's refresh changes nothing", () => {
    const waited = refreshing({ lease: { owner: "other", deadline: end - 10_000 } })
    expect(step(waited, demand, end - 20_000).state).toBe(waited)
  })

  it("others use the token while it lives, until the lease or the token ends", () => {
    const until = (deadline: number) =>
      commandOf(
        step(refreshing({ lease: { owner: "other", deadline } }), demand, end - 20_000).commands,
        "UseAccessToken"
      )?.until
    expect(until(end - 10_000)).toBe(end - 10_000)
    expect(until(end + 10_000)).toBe(end)
  })

  it("a dead token is renewed before anybody is answered", () => {
    expect(tagsOf(step(active(), demand, end).commands)).toEqual(["PresentRefreshToken"])
  })

  it.prop(
    "a token is never used past its end, nor renewed before its window or while more than a tenth of its life is left",
    { state: Active, owner: Schema.NonEmptyString, now: Clock, age: SpanOrZero, left: Span },
    ({ age, left, now, owner, state }) => {
      const life = { obtainedAt: now - age, expiresAt: now + left }
      const live: State = { ...state, notBefore: 0, tokens: { ...tokens("x"), ...life } }
      const next = step(live, { _tag: "AccessTokenRequested", owner }, now)
      const isDue = left <= Math.min(refreshAhead, (age + left) / 10)
      expect(next.state._tag).toBe(isDue ? "Refreshing" : "Active")
      const until = commandOf(next.commands, "UseAccessToken")?.until ?? Number.NaN
      expect(until).toBeGreaterThan(now)
      expect(until).toBeLessThanOrEqual(now + left)
    },
    runs
  )

  it("a token with a life of ten seconds is renewed in its last second, not at each use", () => {
    const state = active({ tokens: tokens("3", { expiresAt: 10_000 }) })
    expect(tagsOf(step(state, demand, 8_999).commands)).toEqual(["UseAccessToken"])
    expect(tagsOf(step(state, demand, 9_000).commands)).toEqual(["PresentRefreshToken", "UseAccessToken"])
  })

  it("a renewed token is used until its own window begins", () => {
    const renewed = tokens("4", { obtainedAt: end, expiresAt: 2 * end })
    const next = step(refreshing(), { _tag: "RefreshSucceeded", ...presented, tokens: renewed }, end + 500)
    expect(commandOf(next.commands, "UseAccessToken")?.until).toBe(2 * end - refreshAhead)
  })

  it("during a pause a dead token is waited for, and a live one used", () => {
    const paused = active({ notBefore: end + 60_000 })
    expect(step(paused, demand, end)).toEqual({
      state: paused,
      commands: [{ _tag: "AwaitTime", until: end + 60_000 }]
    })
    expect(tagsOf(step(paused, demand, end - 1).commands)).toEqual(["UseAccessToken"])
    expect(tagsOf(step(paused, demand, end + 60_000).commands)).toEqual(["PresentRefreshToken"])
  })

  it("a pause inside the window puts off the refresh until it ends", () => {
    const paused = active({ notBefore: end - 100_000 })
    const during = step(paused, demand, end - 100_001)
    expect(tagsOf(during.commands)).toEqual(["UseAccessToken"])
    expect(commandOf(during.commands, "UseAccessToken")?.until).toBe(end - 100_000)
    expect(tagsOf(step(paused, demand, end - 100_000).commands)).toEqual(["PresentRefreshToken", "UseAccessToken"])
  })

  it("without a refresh token the access token is used to its end, and then the user has to connect", () => {
    const state = active({ tokens: withoutRefreshToken(tokens("3")) })
    const last = step(state, demand, end - 1)
    expect(tagsOf(last.commands)).toEqual(["UseAccessToken"])
    expect(commandOf(last.commands, "UseAccessToken")?.until).toBe(end)
    const after = step(state, demand, end)
    expect(reveal(after.state)).toEqual(
      reveal(ended({ why: "NoRefreshToken", since: end, tokens: withoutRefreshToken(tokens("3")) }))
    )
    expect(after.commands).toEqual([{ _tag: "RequireReconnect", why: "NoRefreshToken" }])
  })
})
