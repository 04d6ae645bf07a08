/** The rules of refreshing: R1, R3, R4, R5. */
import { describe, expect, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Tokens from "../../src/oauth/Tokens.ts"
import { reveal } from "../utils/Reveal.ts"
import * as Grants from "../utils/Grants.ts"

// What a lease may plausibly have left.
const LeaseSpan = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3 * Grants.leaseDuration }))

describe("UserGrant: one refresher (R1)", () => {
  it.prop(
    "while a lease is live and the access token is dead, a demand waits for the lease",
    {
      state: Grants.Refreshing,
      event: Grants.Demand,
      now: Grants.Clock,
      left: LeaseSpan,
      ago: Grants.SpanOrZero
    },
    ({ ago, event, left, now, state }) => {
      const held: Grants.State = {
        ...state,
        tokens: { ...state.tokens, expiresAt: now - ago },
        lease: { ...state.lease, deadline: now + left }
      }
      expect(Grants.step(held, event, now)).toEqual({
        state: held,
        commands: [{ _tag: "AwaitLease", until: now + left }]
      })
    },
    Grants.runs
  )

  it.prop(
    "while a lease is live, a demand never presents the refresh token, whatever became of the access token",
    { state: Grants.Refreshing, event: Grants.Demand, now: Grants.Clock, left: LeaseSpan },
    ({ event, left, now, state }) => {
      const held: Grants.State = { ...state, lease: { ...state.lease, deadline: now + left } }
      const { commands, state: next } = Grants.step(held, event, now)
      expect(Grants.tagsOf(commands)).not.toContain("PresentRefreshToken")
      expect(next).toMatchObject({ _tag: "Refreshing", lease: held.lease })
    },
    Grants.runs
  )

  it.prop(
    "whoever presents the refresh token holds a lease of full length, and presents what is stored",
    [Grants.anything],
    ([{ event, now, state }]) => {
      const next = Grants.step(state, event, now)
      const command = Grants.commandOf(next.commands, "PresentRefreshToken")
      if (next.state._tag !== "Refreshing" || !("owner" in event)) return expect(command).toBeUndefined()
      if (command === undefined) {
        // Nobody's lease begins without a presentation; at most it is shortened.
        expect(state).toMatchObject({ _tag: "Refreshing", lease: { owner: next.state.lease.owner } })
        expect(state).toMatchObject({ presentation: next.state.presentation })
        return
      }
      expect(next.state.lease).toEqual({ owner: event.owner, deadline: now + Grants.leaseDuration })
      expect(reveal(command)).toEqual(
        reveal({
          _tag: "PresentRefreshToken",
          family: next.state.family,
          generation: next.state.generation,
          refreshToken: next.state.tokens.refreshToken,
          scopes: next.state.tokens.scopes,
          deadline: now + Grants.leaseDuration
        })
      )
    },
    Grants.runs
  )

  it("the lease is live up to its deadline, and may be taken over at it", () => {
    const state = Grants.refreshing({
      tokens: Grants.tokens("3", { expiresAt: 1_000 }),
      lease: { owner: "holder", deadline: 2_000 }
    })
    const demand: Grants.Event = { _tag: "AccessTokenRequested", owner: "other" }
    expect(Grants.step(state, demand, 1_999).commands).toEqual([{ _tag: "AwaitLease", until: 2_000 }])
    expect(Grants.tagsOf(Grants.step(state, demand, 2_000).commands)).toEqual(["PresentRefreshToken"])
  })

  it("a refresh ahead of the end that its owner abandoned is taken over, while the live token is still used", () => {
    const state = Grants.refreshing({ lease: { owner: "holder", deadline: 2_000 } })
    const demand: Grants.Event = { _tag: "AccessTokenRequested", owner: "other" }
    expect(Grants.tagsOf(Grants.step(state, demand, 1_999).commands)).toEqual(["UseAccessToken"])
    const next = Grants.step(state, demand, 2_000)
    expect(Grants.tagsOf(next.commands)).toEqual(["PresentRefreshToken", "UseAccessToken"])
    expect(Grants.commandOf(next.commands, "UseAccessToken")?.until).toBe(2_000 + Grants.leaseDuration)
    expect(next.state).toMatchObject({ lease: { owner: "other" }, presentation: 1, responseLost: true })
  })

  it("a lease that no clock of today can have given is shortened, and taken over when that ends", () => {
    const dead = Grants.tokens("3", { expiresAt: 1_000 })
    const state = Grants.refreshing({ tokens: dead, lease: { owner: "holder", deadline: 10 * Grants.hour } })
    const demand: Grants.Event = { _tag: "AccessTokenRequested", owner: "other" }
    const next = Grants.step(state, demand, Grants.hour)
    const lease = { owner: "holder", deadline: Grants.hour + Grants.leaseDuration }
    expect(reveal(next.state)).toEqual(reveal({ ...state, lease }))
    expect(next.commands).toEqual([{ _tag: "AwaitLease", until: lease.deadline }])
    expect(Grants.tagsOf(Grants.step(next.state, demand, lease.deadline).commands)).toEqual(["PresentRefreshToken"])
  })

  it("the refusal of an earlier request does not end a grant that another owner is renewing", () => {
    const state = Grants.refreshing({
      lease: { owner: "other", deadline: 2_000 },
      presentation: 2,
      responseLost: true
    })
    expect(Grants.step(state, { _tag: "RefreshRefused", ...Grants.presented }, 1_999)).toEqual({
      state,
      commands: []
    })
    expect(Grants.step(state, { _tag: "RefreshRefused", ...Grants.presented }, 2_000).state._tag).toBe(
      "ReconnectRequired"
    )
  })

  it.each(["RefreshOutcomeUnknown", "RefreshFailed"] as const)(
    "%s of an earlier request leaves the lease of another owner alone",
    (_tag) => {
      const state = Grants.refreshing({ lease: { owner: "other", deadline: 2_000 } })
      const event: Grants.Event =
        _tag === "RefreshFailed"
          ? { _tag, ...Grants.presented, mayHaveRotated: true, notBefore: 5_000 }
          : { _tag, ...Grants.presented }
      expect(Grants.step(state, event, 1_000)).toEqual({ state, commands: [] })
      expect(Grants.step(state, event, 3_000)).toEqual({ state, commands: [] })
    }
  )
})

describe("UserGrant: success always wins (R3)", () => {
  it.prop(
    "a success for the stored generation is stored from any state, whoever reports it and whenever",
    { state: Grants.Stored, event: Grants.RefreshSucceeded, now: Schema.Finite },
    ({ event, now, state }) => {
      const success: Grants.Event = { ...event, family: state.family, generation: state.generation }
      const next = Grants.step(state, success, now)
      const refreshToken = event.tokens.refreshToken ?? state.tokens.refreshToken
      expect(reveal(next.state)).toEqual(
        reveal({
          _tag: "Active",
          family: state.family,
          generation: state.generation + 1,
          tokens: { ...event.tokens, ...(refreshToken === undefined ? {} : { refreshToken }) },
          responseLost: false,
          notBefore: 0
        })
      )
      expect(reveal(Grants.commandOf(next.commands, "UseAccessToken")?.access)).toEqual(
        reveal({ ...Grants.accessOf(event.tokens), family: state.family, generation: state.generation + 1 })
      )
    },
    Grants.runs
  )

  it.each([
    ["Active", Grants.active()],
    ["Refreshing by the same owner", Grants.refreshing()],
    ["Refreshing by another owner", Grants.refreshing({ lease: { owner: "other", deadline: 20 * Grants.hour } })],
    ["ReconnectRequired", Grants.ended()]
  ] satisfies ReadonlyArray<[string, Grants.State]>)("%s takes the new tokens", (_, state) => {
    const renewed = Grants.tokens("4", { obtainedAt: 9 * Grants.hour, expiresAt: 19 * Grants.hour })
    const next = Grants.step(state, { _tag: "RefreshSucceeded", ...Grants.presented, tokens: renewed }, 9 * Grants.hour)
    expect(reveal(next.state)).toEqual(reveal(Grants.active({ generation: 4, tokens: renewed })))
    expect(Grants.tagsOf(next.commands)).toEqual(["UseAccessToken"])
  })

  it("an answer without a refresh token keeps the old one (RFC 6749 section 6)", () => {
    const renewed = Grants.withoutRefreshToken(Grants.tokens("4"))
    for (const state of [Grants.active(), Grants.refreshing(), Grants.ended()]) {
      const next = Grants.step(state, { _tag: "RefreshSucceeded", ...Grants.presented, tokens: renewed }, Grants.hour)
      expect(reveal(Grants.tokensOf(next.state))).toEqual(
        reveal({ ...renewed, refreshToken: Tokens.secret("refresh-3") })
      )
    }
  })

  it("where there is neither an old one nor a new one, there is none", () => {
    const renewed = Grants.withoutRefreshToken(Grants.tokens("4"))
    const before = Grants.refreshing({ tokens: Grants.withoutRefreshToken(Grants.tokens("3")) })
    const { state } = Grants.step(
      before,
      { _tag: "RefreshSucceeded", ...Grants.presented, tokens: renewed },
      Grants.hour
    )
    expect(Object.keys(Grants.tokensOf(state) ?? {})).not.toContain("refreshToken")
  })
})

describe("UserGrant: never overwrite newer (R4)", () => {
  it.prop(
    "an outcome of an older generation changes nothing",
    { state: Grants.Stored, event: Grants.Outcome, now: Schema.Finite, behind: Grants.Span },
    ({ behind, event, now, state }) => {
      const stale: Grants.Event = { ...event, family: state.family, generation: state.generation - behind }
      const next = Grants.step(state, stale, now)
      expect(next.state).toBe(state)
      expect(Grants.tagsOf(next.commands).filter((tag) => tag !== "RequireReconnect")).toEqual([])
    },
    Grants.runs
  )

  it.prop(
    "an outcome of another consent changes nothing, even of the same generation",
    { state: Grants.Stored, event: Grants.Outcome, now: Schema.Finite },
    ({ event, now, state }) => {
      const foreign: Grants.Event = { ...event, family: `not ${state.family}`, generation: state.generation }
      const next = Grants.step(state, foreign, now)
      expect(next.state).toBe(state)
      expect(Grants.tagsOf(next.commands).filter((tag) => tag !== "RequireReconnect")).toEqual([])
    },
    Grants.runs
  )

  it.prop(
    "only a success or a consent replaces tokens, and raises the generation by one as it does",
    [Grants.anything],
    ([{ event, now, state }]) => {
      const next = Grants.step(state, event, now).state
      if (state._tag === "Absent" || next._tag === "Absent") return
      const isSame = next.generation === state.generation
      expect(isSame || next.generation === state.generation + 1).toBe(true)
      if (isSame) {
        expect(next.family).toBe(state.family)
        const shownOf = (of: Grants.State) => reveal({ ...Grants.tokensOf(of), expiresAt: 0, refreshToken: undefined })
        expect(shownOf(next)).toEqual(shownOf(state))
        if (next._tag !== "ReconnectRequired" && state._tag !== "ReconnectRequired") {
          expect(next.tokens.refreshToken).toBe(state.tokens.refreshToken)
        }
      } else {
        expect(["ConsentGranted", "RefreshSucceeded"]).toContain(event._tag)
        expect(reveal(Grants.tokensOf(next)?.accessToken)).toEqual(
          "tokens" in event && reveal(event.tokens.accessToken)
        )
      }
    },
    Grants.runs
  )
})

describe("UserGrant: unknown is not failed (R5)", () => {
  const unknown: Grants.Event = { _tag: "RefreshOutcomeUnknown", ...Grants.presented }
  const refused: Grants.Event = { _tag: "RefreshRefused", ...Grants.presented }
  const dead = Grants.tokens("3", { expiresAt: 1_000 })

  it("after the first lost answer the same refresh token is presented once more, under a new lease", () => {
    const first = Grants.step(Grants.active({ tokens: dead }), { _tag: "AccessTokenRequested", owner: "holder" }, 2_000)
    expect(first.state).toMatchObject({ _tag: "Refreshing", presentation: 1, responseLost: false })
    const second = Grants.step(first.state, unknown, 22_000)
    expect(second.state).toMatchObject({
      _tag: "Refreshing",
      generation: 3,
      presentation: 2,
      responseLost: true,
      lease: { owner: "holder", deadline: 22_000 + Grants.leaseDuration }
    })
    expect(Grants.tagsOf(second.commands)).toEqual(["PresentRefreshToken"])
    expect(reveal(second.commands)).toEqual(
      reveal(first.commands.map((command) => ({ ...command, deadline: 22_000 + Grants.leaseDuration })))
    )
  })

  it("after the second lost answer the caller is told, and the grant stays, with a note that answers were lost", () => {
    const state = Grants.refreshing({ tokens: dead, presentation: 2, responseLost: true })
    const next = Grants.step(state, unknown, 42_000)
    expect(reveal(next.state)).toEqual(reveal(Grants.active({ tokens: dead, responseLost: true })))
    expect(next.commands).toEqual([{ _tag: "ReportFailure" }])
  })

  it("the note survives into the next refresh", () => {
    const next = Grants.step(
      Grants.active({ tokens: dead, responseLost: true }),
      { _tag: "AccessTokenRequested", owner: "x" },
      2_000
    )
    expect(next.state).toMatchObject({ _tag: "Refreshing", presentation: 1, responseLost: true })
  })

  it("a refusal means ResponseLost after a loss, and else Revoked", () => {
    for (const [responseLost, why] of [
      [true, "ResponseLost"],
      [false, "Revoked"]
    ] as const) {
      for (const state of [Grants.refreshing({ responseLost }), Grants.active({ responseLost })]) {
        const next = Grants.step(state, refused, 5_000)
        expect(reveal(next.state)).toEqual(reveal(Grants.ended({ why, since: 5_000 })))
        expect(next.commands).toEqual([{ _tag: "RequireReconnect", why }])
      }
    }
  })

  it.prop(
    "whoever takes over an ended lease counts the answer as lost",
    {
      state: Grants.Refreshing,
      event: Grants.AccessTokenRequested,
      now: Grants.Clock,
      late: Grants.SpanOrZero,
      ago: Grants.SpanOrZero
    },
    ({ ago, event, late, now, state }) => {
      const abandoned: Grants.State = {
        ...state,
        tokens: { ...state.tokens, expiresAt: now - ago, refreshToken: Tokens.secret("refresh") },
        lease: { ...state.lease, deadline: now - late }
      }
      const next = Grants.step(abandoned, event, now)
      expect(next.state).toMatchObject({
        _tag: "Refreshing",
        responseLost: true,
        presentation: 1,
        lease: { owner: event.owner, deadline: now + Grants.leaseDuration }
      })
      expect(Grants.tagsOf(next.commands)).toEqual(["PresentRefreshToken"])
    },
    Grants.runs
  )

  it("a success clears the note", () => {
    const next = Grants.step(
      Grants.refreshing({ responseLost: true, presentation: 2 }),
      { _tag: "RefreshSucceeded", ...Grants.presented, tokens: Grants.tokens("4") },
      5_000
    )
    expect(next.state).toMatchObject({ _tag: "Active", responseLost: false })
  })

  it("a late loss that nobody waits for is noted, and presents nothing", () => {
    const next = Grants.step(Grants.active(), unknown, 5_000)
    expect(reveal(next)).toEqual(
      reveal({ state: Grants.active({ responseLost: true }), commands: [{ _tag: "ReportFailure" }] })
    )
  })
})
