import { describe, expect, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as UserGrant from "../src/UserGrant.ts"
import { describeTable } from "./utils/MachineLaws.ts"
import { reveal } from "./utils/Reveal.ts"
import {
  hour,
  machine,
  step,
  type Event,
  tokens,
  accessOf,
  refreshing,
  ended,
  presented,
  commandOf,
  tagsOf,
  tokensOf,
  runs,
  ReconnectRequired,
  ConsentGranted,
  Demand,
  Outcome,
  anything
} from "./utils/UserGrants.ts"

describeTable(machine, UserGrant.State, UserGrant.Event)

describe("UserGrant: consent and disconnect", () => {
  it.prop(
    "a consent replaces whatever is there: a higher generation, the new lineage, the new tokens and nothing of the old",
    { state: UserGrant.State, event: ConsentGranted, now: Schema.Finite },
    ({ event: drawn, now, state }) => {
      const generation = state._tag === "Absent" ? 0 : state.generation
      const event = state._tag === "Absent" ? drawn : { ...drawn, lineage: `not ${state.lineage}` }
      expect(reveal(step(state, event, now))).toEqual(
        reveal({
          state: {
            _tag: "Active",
            lineage: event.lineage,
            generation: generation + 1,
            tokens: event.tokens,
            answerLost: false,
            notBefore: 0
          },
          commands: []
        })
      )
    },
    runs
  )

  it.prop(
    "a consent that was taken is not taken again: what it has become since stays",
    { state: UserGrant.State, event: ConsentGranted, now: Schema.Finite },
    ({ event, now, state }) => {
      if (state._tag === "Absent") return
      expect(step(state, { ...event, lineage: state.lineage }, now)).toEqual({ state, commands: [] })
    },
    runs
  )

  it.prop(
    "a disconnect leaves nothing, from any state",
    { state: UserGrant.State, now: Schema.Finite },
    ({ now, state }) => {
      expect(step(state, { _tag: "Disconnected" }, now)).toEqual({ state: { _tag: "Absent" }, commands: [] })
    },
    runs
  )

  it.prop(
    "a late answer does not bring back a grant that was disconnected",
    { event: Outcome, now: Schema.Finite },
    ({ event, now }) => {
      expect(step(UserGrant.absent, event, now)).toEqual({ state: UserGrant.absent, commands: [] })
    },
    runs
  )

  it("the answer to a refresh of a grant that was disconnected and made anew is not taken for the new one's", () => {
    const connected = step(UserGrant.absent, { _tag: "ConsentGranted", lineage: "consent-1", tokens: tokens("a") }, 0)
    const gone = step(connected.state, { _tag: "Disconnected" }, 1)
    const anew = step(gone.state, { _tag: "ConsentGranted", lineage: "consent-2", tokens: tokens("b") }, 2)
    const late: Event = { _tag: "RefreshSucceeded", ...presented, generation: 1, tokens: tokens("c") }
    expect(step(anew.state, late, 3)).toEqual({ state: anew.state, commands: [] })
  })

  it.prop(
    "without a grant a demand asks for a connection",
    { event: Demand, now: Schema.Finite },
    ({ event, now }) => {
      expect(step(UserGrant.absent, event, now)).toEqual({
        state: UserGrant.absent,
        commands: [{ _tag: "RequireReconnect", why: "NeverConnected" }]
      })
    },
    runs
  )
})

describe("UserGrant: ReconnectRequired", () => {
  const demand: Event = { _tag: "AccessTokenRequested", owner: "caller" }

  it("keeps using an access token that has time left, and then says why the user has to connect", () => {
    const end = 10 * hour
    const last = step(ended(), demand, end - 1)
    expect(reveal(last)).toEqual(
      reveal({
        state: ended(),
        commands: [
          {
            _tag: "UseAccessToken",
            access: { ...accessOf(ended().tokens), lineage: "consent-1", generation: 3 },
            until: end
          }
        ]
      })
    )
    expect(step(ended(), demand, end)).toEqual({
      state: ended(),
      commands: [{ _tag: "RequireReconnect", why: "Revoked" }]
    })
  })

  it.prop(
    "never presents a token",
    { state: ReconnectRequired, event: UserGrant.Event, now: Schema.Finite },
    ({ event, now, state }) => {
      expect(tagsOf(step(state, event, now).commands)).not.toContain("PresentRefreshToken")
    },
    runs
  )

  it("keeps the refresh token, for a late success that names none", () => {
    const next = step(refreshing(), { _tag: "RefreshRefused", ...presented }, 5_000)
    expect(JSON.stringify(reveal(next.state))).toContain("refresh-3")
  })
})

describe("UserGrant: commands", () => {
  it.prop(
    "an access token that is handed out is the stored one and says which generation it is of",
    [anything],
    ([{ event, now, state }]) => {
      const next = step(state, event, now)
      const access = commandOf(next.commands, "UseAccessToken")?.access
      if (access === undefined || next.state._tag === "Absent") return
      expect(access).toMatchObject({ lineage: next.state.lineage, generation: next.state.generation })
      const stored = tokensOf(next.state)
      expect(stored !== undefined && Redacted.value(access.accessToken) === Redacted.value(stored.accessToken)).toBe(
        true
      )
      expect(access).not.toHaveProperty("refreshToken")
    },
    runs
  )

  it.prop(
    "a demand is always answered or told what to wait for",
    [Arbitrary.filter(anything, ({ event }) => event._tag.startsWith("AccessToken"))],
    ([{ event, now, state }]) => {
      expect(step(state, event, now).commands.length).toBeGreaterThan(0)
    },
    runs
  )
})

describe("UserGrant.eventOfOutcome", () => {
  const owner = "holder"
  const about = { lineage: "consent-1", generation: 3, owner }
  const now = 5_000
  const unknown = { _tag: "RefreshOutcomeUnknown", ...about }
  const failed = (mayHaveRotated: boolean, notBefore = 0) => ({
    _tag: "RefreshFailed",
    ...about,
    mayHaveRotated,
    notBefore
  })
  const granted = tokens("4")

  it.each([
    [
      { _tag: "Granted", tokens: granted },
      { _tag: "RefreshSucceeded", ...about, tokens: granted }
    ],
    [{ _tag: "InvalidGrant" }, { _tag: "RefreshRefused", ...about }],
    [{ _tag: "NoAnswer" }, unknown],
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
