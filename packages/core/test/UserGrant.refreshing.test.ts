/** The rules of refreshing: R1, R3, R4, R5. */
import { describe, expect, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Tokens from "../src/Tokens.ts"
import { reveal } from "./utils/Reveal.ts"
import {
  leaseDuration,
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
  Refreshing,
  AccessTokenRequested,
  RefreshSucceeded,
  Demand,
  Stored,
  Outcome,
  anything
} from "./utils/UserGrants.ts"

// What a lease may plausibly have left.
const LeaseSpan = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3 * leaseDuration }))

describe("UserGrant: one refresher (R1)", () => {
  it.prop(
    "while a lease is live and the access token is dead, a demand waits for the lease",
    { state: Refreshing, event: Demand, now: Clock, left: LeaseSpan, ago: SpanOrZero },
    ({ ago, event, left, now, state }) => {
      const held: State = {
        ...state,
        tokens: { ...state.tokens, expiresAt: now - ago },
        lease: { ...state.lease, deadline: now + left }
      }
      expect(step(held, event, now)).toEqual({ state: held, commands: [{ _tag: "AwaitLease", until: now + left }] })
    },
    runs
  )

  it.prop(
    "while a lease is live, a demand never presents the refresh token, whatever became of the access token",
    { state: Refreshing, event: Demand, now: Clock, left: LeaseSpan },
    ({ event, left, now, state }) => {
      const held: State = { ...state, lease: { ...state.lease, deadline: now + left } }
      const { commands, state: next } = step(held, event, now)
      expect(tagsOf(commands)).not.toContain("PresentRefreshToken")
      expect(next).toMatchObject({ _tag: "Refreshing", lease: held.lease })
    },
    runs
  )

  it.prop(
    "whoever presents the refresh token holds a lease of full length, and presents what is stored",
    [anything],
    ([{ event, now, state }]) => {
      const next = step(state, event, now)
      const command = commandOf(next.commands, "PresentRefreshToken")
      if (next.state._tag !== "Refreshing" || !("owner" in event)) return expect(command).toBeUndefined()
      if (command === undefined) {
        // Nobody's lease begins without a presentation; at most it is shortened.
        expect(state).toMatchObject({ _tag: "Refreshing", lease: { owner: next.state.lease.owner } })
        expect(state).toMatchObject({ presentation: next.state.presentation })
        return
      }
      expect(next.state.lease).toEqual({ owner: event.owner, deadline: now + leaseDuration })
      expect(reveal(command)).toEqual(
        reveal({
          _tag: "PresentRefreshToken",
          lineage: next.state.lineage,
          generation: next.state.generation,
          refreshToken: next.state.tokens.refreshToken,
          scopes: next.state.tokens.scopes,
          deadline: now + leaseDuration
        })
      )
    },
    runs
  )

  it("the lease is live up to its deadline, and may be taken over at it", () => {
    const state = refreshing({ tokens: tokens("3", { expiresAt: 1_000 }), lease: { owner: "holder", deadline: 2_000 } })
    const demand: Event = { _tag: "AccessTokenRequested", owner: "other" }
    expect(step(state, demand, 1_999).commands).toEqual([{ _tag: "AwaitLease", until: 2_000 }])
    expect(tagsOf(step(state, demand, 2_000).commands)).toEqual(["PresentRefreshToken"])
  })

  it("a refresh ahead of the end that its owner abandoned is taken over, while the live token is still used", () => {
    const state = refreshing({ lease: { owner: "holder", deadline: 2_000 } })
    const demand: Event = { _tag: "AccessTokenRequested", owner: "other" }
    expect(tagsOf(step(state, demand, 1_999).commands)).toEqual(["UseAccessToken"])
    const next = step(state, demand, 2_000)
    expect(tagsOf(next.commands)).toEqual(["PresentRefreshToken", "UseAccessToken"])
    expect(commandOf(next.commands, "UseAccessToken")?.until).toBe(2_000 + leaseDuration)
    expect(next.state).toMatchObject({ lease: { owner: "other" }, presentation: 1, answerLost: true })
  })

  it("a lease that no clock of today can have given is shortened, and taken over when that ends", () => {
    const dead = tokens("3", { expiresAt: 1_000 })
    const state = refreshing({ tokens: dead, lease: { owner: "holder", deadline: 10 * hour } })
    const demand: Event = { _tag: "AccessTokenRequested", owner: "other" }
    const next = step(state, demand, hour)
    const lease = { owner: "holder", deadline: hour + leaseDuration }
    expect(reveal(next.state)).toEqual(reveal({ ...state, lease }))
    expect(next.commands).toEqual([{ _tag: "AwaitLease", until: lease.deadline }])
    expect(tagsOf(step(next.state, demand, lease.deadline).commands)).toEqual(["PresentRefreshToken"])
  })

  it("the refusal of an earlier request does not end a grant that another owner is renewing", () => {
    const state = refreshing({ lease: { owner: "other", deadline: 2_000 }, presentation: 2, answerLost: true })
    expect(step(state, { _tag: "RefreshRefused", ...presented }, 1_999)).toEqual({ state, commands: [] })
    expect(step(state, { _tag: "RefreshRefused", ...presented }, 2_000).state._tag).toBe("ReconnectRequired")
  })

  it.each(["RefreshOutcomeUnknown", "RefreshFailed"] as const)(
    "%s of an earlier request leaves the lease of another owner alone",
    (_tag) => {
      const state = refreshing({ lease: { owner: "other", deadline: 2_000 } })
      const event: Event =
        _tag === "RefreshFailed"
          ? { _tag, ...presented, mayHaveRotated: true, notBefore: 5_000 }
          : { _tag, ...presented }
      expect(step(state, event, 1_000)).toEqual({ state, commands: [] })
      expect(step(state, event, 3_000)).toEqual({ state, commands: [] })
    }
  )
})

describe("UserGrant: success always wins (R3)", () => {
  it.prop(
    "a success for the stored generation is stored from any state, whoever reports it and whenever",
    { state: Stored, event: RefreshSucceeded, now: Schema.Finite },
    ({ event, now, state }) => {
      const success: Event = { ...event, lineage: state.lineage, generation: state.generation }
      const next = step(state, success, now)
      const refreshToken = event.tokens.refreshToken ?? state.tokens.refreshToken
      expect(reveal(next.state)).toEqual(
        reveal({
          _tag: "Active",
          lineage: state.lineage,
          generation: state.generation + 1,
          tokens: { ...event.tokens, ...(refreshToken === undefined ? {} : { refreshToken }) },
          answerLost: false,
          notBefore: 0
        })
      )
      expect(reveal(commandOf(next.commands, "UseAccessToken")?.access)).toEqual(
        reveal({ ...accessOf(event.tokens), lineage: state.lineage, generation: state.generation + 1 })
      )
    },
    runs
  )

  it.each([
    ["Active", active()],
    ["Refreshing by the same owner", refreshing()],
    ["Refreshing by another owner", refreshing({ lease: { owner: "other", deadline: 20 * hour } })],
    ["ReconnectRequired", ended()]
  ] satisfies ReadonlyArray<[string, State]>)("%s takes the new tokens", (_, state) => {
    const renewed = tokens("4", { obtainedAt: 9 * hour, expiresAt: 19 * hour })
    const next = step(state, { _tag: "RefreshSucceeded", ...presented, tokens: renewed }, 9 * hour)
    expect(reveal(next.state)).toEqual(reveal(active({ generation: 4, tokens: renewed })))
    expect(tagsOf(next.commands)).toEqual(["UseAccessToken"])
  })

  it("an answer without a refresh token keeps the old one (RFC 6749 section 6)", () => {
    const renewed = withoutRefreshToken(tokens("4"))
    for (const state of [active(), refreshing(), ended()]) {
      const next = step(state, { _tag: "RefreshSucceeded", ...presented, tokens: renewed }, hour)
      expect(reveal(tokensOf(next.state))).toEqual(reveal({ ...renewed, refreshToken: Tokens.secret("refresh-3") }))
    }
  })

  it("where there is neither an old one nor a new one, there is none", () => {
    const renewed = withoutRefreshToken(tokens("4"))
    const before = refreshing({ tokens: withoutRefreshToken(tokens("3")) })
    const { state } = step(before, { _tag: "RefreshSucceeded", ...presented, tokens: renewed }, hour)
    expect(Object.keys(tokensOf(state) ?? {})).not.toContain("refreshToken")
  })
})

describe("UserGrant: never overwrite newer (R4)", () => {
  it.prop(
    "an outcome of an older generation changes nothing",
    { state: Stored, event: Outcome, now: Schema.Finite, behind: Span },
    ({ behind, event, now, state }) => {
      const stale: Event = { ...event, lineage: state.lineage, generation: state.generation - behind }
      const next = step(state, stale, now)
      expect(next.state).toBe(state)
      expect(tagsOf(next.commands).filter((tag) => tag !== "RequireReconnect")).toEqual([])
    },
    runs
  )

  it.prop(
    "an outcome of another consent changes nothing, even of the same generation",
    { state: Stored, event: Outcome, now: Schema.Finite },
    ({ event, now, state }) => {
      const foreign: Event = { ...event, lineage: `not ${state.lineage}`, generation: state.generation }
      const next = step(state, foreign, now)
      expect(next.state).toBe(state)
      expect(tagsOf(next.commands).filter((tag) => tag !== "RequireReconnect")).toEqual([])
    },
    runs
  )

  it.prop(
    "only a success or a consent replaces tokens, and raises the generation by one as it does",
    [anything],
    ([{ event, now, state }]) => {
      const next = step(state, event, now).state
      if (state._tag === "Absent" || next._tag === "Absent") return
      const isSame = next.generation === state.generation
      expect(isSame || next.generation === state.generation + 1).toBe(true)
      if (isSame) {
        expect(next.lineage).toBe(state.lineage)
        const shownOf = (of: State) => reveal({ ...tokensOf(of), expiresAt: 0, refreshToken: undefined })
        expect(shownOf(next)).toEqual(shownOf(state))
        if (next._tag !== "ReconnectRequired" && state._tag !== "ReconnectRequired") {
          expect(next.tokens.refreshToken).toBe(state.tokens.refreshToken)
        }
      } else {
        expect(["ConsentGranted", "RefreshSucceeded"]).toContain(event._tag)
        expect(reveal(tokensOf(next)?.accessToken)).toEqual("tokens" in event && reveal(event.tokens.accessToken))
      }
    },
    runs
  )
})

describe("UserGrant: unknown is not failed (R5)", () => {
  const unknown: Event = { _tag: "RefreshOutcomeUnknown", ...presented }
  const refused: Event = { _tag: "RefreshRefused", ...presented }
  const dead = tokens("3", { expiresAt: 1_000 })

  it("after the first lost answer the same refresh token is presented once more, under a new lease", () => {
    const first = step(active({ tokens: dead }), { _tag: "AccessTokenRequested", owner: "holder" }, 2_000)
    expect(first.state).toMatchObject({ _tag: "Refreshing", presentation: 1, answerLost: false })
    const second = step(first.state, unknown, 22_000)
    expect(second.state).toMatchObject({
      _tag: "Refreshing",
      generation: 3,
      presentation: 2,
      answerLost: true,
      lease: { owner: "holder", deadline: 22_000 + leaseDuration }
    })
    expect(tagsOf(second.commands)).toEqual(["PresentRefreshToken"])
    expect(reveal(second.commands)).toEqual(
      reveal(first.commands.map((command) => ({ ...command, deadline: 22_000 + leaseDuration })))
    )
  })

  it("after the second lost answer the caller is told, and the grant stays, with a note that answers were lost", () => {
    const state = refreshing({ tokens: dead, presentation: 2, answerLost: true })
    const next = step(state, unknown, 42_000)
    expect(reveal(next.state)).toEqual(reveal(active({ tokens: dead, answerLost: true })))
    expect(next.commands).toEqual([{ _tag: "ReportFailure" }])
  })

  it("the note survives into the next refresh", () => {
    const next = step(active({ tokens: dead, answerLost: true }), { _tag: "AccessTokenRequested", owner: "x" }, 2_000)
    expect(next.state).toMatchObject({ _tag: "Refreshing", presentation: 1, answerLost: true })
  })

  it("a refusal means AnswerLost after a loss, and else Revoked", () => {
    for (const [answerLost, why] of [
      [true, "AnswerLost"],
      [false, "Revoked"]
    ] as const) {
      for (const state of [refreshing({ answerLost }), active({ answerLost })]) {
        const next = step(state, refused, 5_000)
        expect(reveal(next.state)).toEqual(reveal(ended({ why, since: 5_000 })))
        expect(next.commands).toEqual([{ _tag: "RequireReconnect", why }])
      }
    }
  })

  it.prop(
    "whoever takes over an ended lease counts the answer as lost",
    { state: Refreshing, event: AccessTokenRequested, now: Clock, late: SpanOrZero, ago: SpanOrZero },
    ({ ago, event, late, now, state }) => {
      const abandoned: State = {
        ...state,
        tokens: { ...state.tokens, expiresAt: now - ago, refreshToken: Tokens.secret("refresh") },
        lease: { ...state.lease, deadline: now - late }
      }
      const next = step(abandoned, event, now)
      expect(next.state).toMatchObject({
        _tag: "Refreshing",
        answerLost: true,
        presentation: 1,
        lease: { owner: event.owner, deadline: now + leaseDuration }
      })
      expect(tagsOf(next.commands)).toEqual(["PresentRefreshToken"])
    },
    runs
  )

  it("a success clears the note", () => {
    const next = step(
      refreshing({ answerLost: true, presentation: 2 }),
      { _tag: "RefreshSucceeded", ...presented, tokens: tokens("4") },
      5_000
    )
    expect(next.state).toMatchObject({ _tag: "Active", answerLost: false })
  })

  it("a late loss that nobody waits for is noted, and presents nothing", () => {
    const next = step(active(), unknown, 5_000)
    expect(reveal(next)).toEqual(reveal({ state: active({ answerLost: true }), commands: [{ _tag: "ReportFailure" }] }))
  })
})
