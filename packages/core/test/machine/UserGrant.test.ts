import { describe, expect, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Pause from "../../src/machine/Pause.ts"
import * as UserGrant from "../../src/machine/UserGrant.ts"
import type { TokenOutcome } from "../../src/oauth/TokenOutcome.ts"
import * as Tokens from "../../src/oauth/Tokens.ts"
import { ApplicationUnavailable } from "../../src/ZapierAuthError.ts"
import { describeTable } from "../utils/MachineLaws.ts"
import { reveal } from "../utils/Reveal.ts"
import * as Grants from "../utils/Grants.ts"

describeTable(Grants.machine, UserGrant.edges, UserGrant.State, UserGrant.Event)

describe("UserGrant: consent and disconnect", () => {
  it.prop(
    "a consent replaces any state: a higher generation, the new family and tokens, and no pause",
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
            responseLost: false
          },
          commands: []
        })
      )
    },
    Grants.runs
  )

  it.prop(
    "a stored consent is not stored again: its current state stays",
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
    "a late response does not bring back a disconnected grant",
    { event: Grants.Outcome, now: Schema.Finite },
    ({ event, now }) => {
      expect(Grants.step(UserGrant.absent, event, now)).toEqual({ state: UserGrant.absent, commands: [] })
    },
    Grants.runs
  )

  it("a response to a refresh of a disconnected grant does not change its successor", () => {
    const connected = Grants.step(
      UserGrant.absent,
      { _tag: "ConsentGranted", family: "consent-1", tokens: Grants.tokens("a") },
      0
    )
    const gone = Grants.step(connected.state, { _tag: "Disconnected" }, 1)
    const anew = Grants.step(gone.state, { _tag: "ConsentGranted", family: "consent-2", tokens: Grants.tokens("b") }, 2)
    const late: Grants.Event = {
      _tag: "RefreshSucceeded",
      ...Grants.attempt,
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
            access: { ...Grants.withoutRefreshToken(Grants.ended().tokens), family: "consent-1", generation: 3 },
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
    "never sends a token",
    { state: Grants.ReconnectRequired, event: UserGrant.Event, now: Schema.Finite },
    ({ event, now, state }) => {
      expect(Grants.tagsOf(Grants.step(state, event, now).commands)).not.toContain("SendRefreshToken")
    },
    Grants.runs
  )

  it("keeps the refresh token, for a late success that names none", () => {
    const next = Grants.step(Grants.refreshing(), { _tag: "RefreshRefused", ...Grants.attempt }, 5_000)
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
    "a demand always gets a token, an error or a time to wait for",
    [Arbitrary.filter(Grants.anything, ({ event }) => event._tag.startsWith("AccessToken"))],
    ([{ event, now, state }]) => {
      expect(Grants.step(state, event, now).commands.length).toBeGreaterThan(0)
    },
    Grants.runs
  )
})

describe("UserGrant.granted", () => {
  it("is a grant as it is after its first consent", () => {
    const { state } = Grants.step(
      UserGrant.absent,
      { _tag: "ConsentGranted", family: "consent-1", tokens: Grants.tokens("1") },
      5_000
    )
    expect(reveal(UserGrant.granted("consent-1", Grants.tokens("1")))).toEqual(reveal(state))
    expect(state).toMatchObject({ _tag: "Active", generation: 1 })
  })
})

describe("UserGrant.eventOfOutcome", () => {
  const about = { family: "consent-1", generation: 3, owner: "holder" }
  const unknown = (isAwaited: boolean) => ({ _tag: "RefreshOutcomeUnknown", ...about, isAwaited })
  const failed = (mayHaveRotated: boolean, failure?: Pause.Failure) => ({
    _tag: "RefreshFailed",
    ...about,
    mayHaveRotated,
    ...(failure === undefined ? {} : { failure })
  })
  const granted = Grants.tokens("4")
  const sealed = new ApplicationUnavailable({ waited: Duration.seconds(20) })

  it.each([
    [
      { _tag: "Granted", tokens: granted },
      { _tag: "RefreshSucceeded", ...about, tokens: granted }
    ],
    [{ _tag: "InvalidGrant" }, { _tag: "RefreshRefused", ...about }],
    [
      { _tag: "Malformed", status: 200, problem: "it is not JSON" },
      failed(true, { cause: { _tag: "Malformed", status: 200, problem: "it is not JSON" } })
    ],
    [
      { _tag: "Malformed", status: 400, problem: "it is not JSON" },
      failed(false, { cause: { _tag: "Malformed", status: 400, problem: "it is not JSON" } })
    ],
    [
      { _tag: "Unavailable", status: 503, retryAfter: 30_000 },
      failed(true, { cause: { _tag: "Unavailable", status: 503 }, retryAfter: 30_000 })
    ],
    [
      { _tag: "Unavailable", status: 500, retryAfter: undefined },
      failed(true, { cause: { _tag: "Unavailable", status: 500 } })
    ],
    [
      { _tag: "RateLimited", retryAfter: 60_000 },
      failed(false, { cause: { _tag: "RateLimited" }, retryAfter: 60_000 })
    ],
    [{ _tag: "NotSent", code: "ECONNREFUSED" }, failed(false, { cause: { _tag: "NotSent", code: "ECONNREFUSED" } })],
    [{ _tag: "InvalidClient" }, failed(false)],
    [{ _tag: "Refused", error: "invalid_scope" }, failed(false)],
    [{ _tag: "NotTried" }, failed(false)],
    [{ _tag: "NotTried", reason: sealed }, failed(false)]
  ] satisfies ReadonlyArray<[TokenOutcome, unknown]>)("%j, awaited or not", (outcome, event) => {
    for (const isAwaited of [true, false]) {
      // A member that is there and undefined could not be stored.
      expect(UserGrant.eventOfOutcome(outcome, about, isAwaited)).toStrictEqual(event)
      expect(Schema.is(UserGrant.Event)(UserGrant.eventOfOutcome(outcome, about, isAwaited))).toBe(true)
    }
  })

  it.each([true, false])("a lost response records if a caller waits: %s", (isAwaited) => {
    expect(UserGrant.eventOfOutcome({ _tag: "NoResponse" }, about, isAwaited)).toStrictEqual(unknown(isAwaited))
  })

  it("names the family, the generation and the owner of the refresh, and nothing else", () => {
    const command = { ...about, _tag: "SendRefreshToken", refreshToken: Tokens.secret("refresh-3") }
    expect(UserGrant.eventOfOutcome({ _tag: "InvalidGrant" }, command, true)).toStrictEqual({
      _tag: "RefreshRefused",
      ...about
    })
  })
})
