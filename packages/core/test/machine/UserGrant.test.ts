import { describe, expect, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as UserGrant from "../../src/machine/UserGrant.ts"
import { describeTable } from "../utils/MachineLaws.ts"
import { reveal } from "../utils/Reveal.ts"
import * as Grants from "../utils/Grants.ts"

describeTable(Grants.machine, UserGrant.State, UserGrant.Event)

describe("UserGrant: consent and disconnect", () => {
  it.prop(
    "a consent replaces whatever is there: a higher generation, the new family, the new tokens and nothing of the old",
    { state: UserGrant.State, event: Grants.ConsentGranted, now: Schema.Finite },
    ({ event: drawn, now, state }) => {
      const generation = state._tag === "Absent" ? 0 : state.generation
      const event = state._tag === "Absent" ? drawn : { ...drawn, family: `not ${state.family}` }
      expect(reveal(Grants.step(state, event, now))).toEqual(
        reveal({
          state: {
            _tag: "Active",
            family: event.family,
            generation: generation + 1,
            tokens: event.tokens,
            responseLost: false,
            notBefore: 0
          },
          commands: []
        })
      )
    },
    Grants.runs
  )

  it.prop(
    "a consent that was taken is not taken again: what it has become since stays",
    { state: UserGrant.State, event: Grants.ConsentGranted, now: Schema.Finite },
    ({ event, now, state }) => {
      if (state._tag === "Absent") return
      expect(Grants.step(state, { ...event, family: state.family }, now)).toEqual({ state, commands: [] })
    },
    Grants.runs
  )

  it.prop(
    "a disconnect leaves nothing, from any state",
    { state: UserGrant.State, now: Schema.Finite },
    ({ now, state }) => {
      expect(Grants.step(state, { _tag: "Disconnected" }, now)).toEqual({ state: { _tag: "Absent" }, commands: [] })
    },
    Grants.runs
  )

  it.prop(
    "a late answer does not bring back a grant that was disconnected",
    { event: Grants.Outcome, now: Schema.Finite },
    ({ event, now }) => {
      expect(Grants.step(UserGrant.absent, event, now)).toEqual({ state: UserGrant.absent, commands: [] })
    },
    Grants.runs
  )

  it("the answer to a refresh of a grant that was disconnected and made anew is not taken for the new one's", () => {
    const connected = Grants.step(
      UserGrant.absent,
      { _tag: "ConsentGranted", family: "consent-1", tokens: Grants.tokens("a") },
      0
    )
    const gone = Grants.step(connected.state, { _tag: "Disconnected" }, 1)
    const anew = Grants.step(gone.state, { _tag: "ConsentGranted", family: "consent-2", tokens: Grants.tokens("b") }, 2)
    const late: Grants.Event = {
      _tag: "RefreshSucceeded",
      ...Grants.presented,
      generation: 1,
      tokens: Grants.tokens("c")
    }
    expect(Grants.step(anew.state, late, 3)).toEqual({ state: anew.state, commands: [] })
  })

  it.prop(
    "without a grant a demand asks for a connection",
    { event: Grants.Demand, now: Schema.Finite },
    ({ event, now }) => {
      expect(Grants.step(UserGrant.absent, event, now)).toEqual({
        state: UserGrant.absent,
        commands: [{ _tag: "RequireReconnect", why: "NeverConnected" }]
      })
    },
    Grants.runs
  )
})

describe("UserGrant: ReconnectRequired", () => {
  const demand: Grants.Event = { _tag: "AccessTokenRequested", owner: "caller" }

  it("keeps using an access token that has time left, and then says why the user has to connect", () => {
    const end = 10 * Grants.hour
    const last = Grants.step(Grants.ended(), demand, end - 1)
    expect(reveal(last)).toEqual(
      reveal({
        state: Grants.ended(),
        commands: [
          {
            _tag: "UseAccessToken",
            access: { ...Grants.accessOf(Grants.ended().tokens), family: "consent-1", generation: 3 },
            until: end
          }
        ]
      })
    )
    expect(Grants.step(Grants.ended(), demand, end)).toEqual({
      state: Grants.ended(),
      commands: [{ _tag: "RequireReconnect", why: "Revoked" }]
    })
  })

  it.prop(
    "never presents a token",
    { state: Grants.ReconnectRequired, event: UserGrant.Event, now: Schema.Finite },
    ({ event, now, state }) => {
      expect(Grants.tagsOf(Grants.step(state, event, now).commands)).not.toContain("PresentRefreshToken")
    },
    Grants.runs
  )

  it("keeps the refresh token, for a late success that names none", () => {
    const next = Grants.step(Grants.refreshing(), { _tag: "RefreshRefused", ...Grants.presented }, 5_000)
    expect(JSON.stringify(reveal(next.state))).toContain("refresh-3")
  })
})

describe("UserGrant: commands", () => {
  it.prop(
    "an access token that is handed out is the stored one and says which generation it is of",
    [Grants.anything],
    ([{ event, now, state }]) => {
      const next = Grants.step(state, event, now)
      const access = Grants.commandOf(next.commands, "UseAccessToken")?.access
      if (access === undefined || next.state._tag === "Absent") return
      expect(access).toMatchObject({ family: next.state.family, generation: next.state.generation })
      const stored = Grants.tokensOf(next.state)
      expect(stored !== undefined && Redacted.value(access.accessToken) === Redacted.value(stored.accessToken)).toBe(
        true
      )
      expect(access).not.toHaveProperty("refreshToken")
    },
    Grants.runs
  )

  it.prop(
    "a demand is always answered or told what to wait for",
    [Arbitrary.filter(Grants.anything, ({ event }) => event._tag.startsWith("AccessToken"))],
    ([{ event, now, state }]) => {
      expect(Grants.step(state, event, now).commands.length).toBeGreaterThan(0)
    },
    Grants.runs
  )
})

describe("UserGrant.eventOfOutcome", () => {
  const owner = "holder"
  const about = { family: "consent-1", generation: 3, owner }
  const now = 5_000
  const unknown = { _tag: "RefreshOutcomeUnknown", ...about }
  const failed = (mayHaveRotated: boolean, notBefore = 0) => ({
    _tag: "RefreshFailed",
    ...about,
    mayHaveRotated,
    notBefore
  })
  const granted = Grants.tokens("4")

  it.each([
    [
      { _tag: "Granted", tokens: granted },
      { _tag: "RefreshSucceeded", ...about, tokens: granted }
    ],
    [{ _tag: "InvalidGrant" }, { _tag: "RefreshRefused", ...about }],
    [{ _tag: "NoResponse" }, unknown],
    [{ _tag: "Malformed", status: 200, problem: "it is not JSON" }, unknown],
    [{ _tag: "Malformed", status: 400, problem: "it is not JSON" }, failed(false)],
    [{ _tag: "Unavailable", status: 503, retryAfter: 30_000 }, failed(true, now + 30_000)],
    [{ _tag: "Unavailable", status: 500, retryAfter: undefined }, failed(true)],
    [{ _tag: "RateLimited", retryAfter: 60_000 }, failed(false, now + 60_000)],
    [{ _tag: "InvalidClient" }, failed(false)],
    [{ _tag: "Refused", error: "invalid_scope" }, failed(false)],
    [{ _tag: "NotSent", code: "ECONNREFUSED" }, failed(false)]
  ] as const)("%j", (outcome, event) => {
    expect(UserGrant.eventOfOutcome(outcome, about, now)).toEqual(event)
  })
})
