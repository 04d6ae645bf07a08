/** The rules of refreshing: R1, R3, R4, R5. */
import { describe, expect, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Lease from "../../src/machine/Lease.ts"
import * as Tokens from "../../src/oauth/Tokens.ts"
import { reveal } from "../utils/Reveal.ts"
import * as Grants from "../utils/Grants.ts"

// What a lease may have left: 330 s, the longest that any process may claim.
const longest = 330_000
const LeaseSpan = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: longest }))

// Nobody is called so: a drawn lease is another's, unless a test says otherwise.
const stranger = "nobody's name"

const isRejected = (tokens: Tokens.Access) => tokens.expiresAt <= tokens.obtainedAt

describe("UserGrant: one refresher (R1)", () => {
  it.prop(
    "while another's lease is live and the access token has ended, a demand waits for the lease",
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
        tokens: { ...state.tokens, obtainedAt: now - ago - 1, expiresAt: now - ago },
        lease: { owner: stranger, deadline: now + left }
      }
      // A rejection of other tokens: the lease is all that counts.
      const demand = event._tag === "AccessTokenRejected" ? { ...event, family: `not ${state.family}` } : event
      const next = Grants.step(held, demand, now)
      expect(next.state).toBe(held)
      expect(next.commands).toEqual([{ _tag: "AwaitLease", until: now + left }])
    },
    Grants.runs
  )

  it.prop(
    "while another's lease is live, a demand never sends the refresh token",
    { state: Grants.Refreshing, event: Grants.Demand, now: Grants.Clock, left: LeaseSpan },
    ({ event, left, now, state }) => {
      const held: Grants.State = { ...state, lease: { owner: stranger, deadline: now + left } }
      const { commands, state: next } = Grants.step(held, event, now)
      expect(Grants.tagsOf(commands)).not.toContain("SendRefreshToken")
      expect(next).toMatchObject({ _tag: "Refreshing", lease: held.lease })
    },
    Grants.runs
  )

  it.prop(
    "the sender of the refresh token holds a lease of full length, and sends the stored token",
    [Grants.anything],
    ([{ event, now, state }]) => {
      const next = Grants.step(state, event, now)
      const command = Grants.commandOf(next.commands, "SendRefreshToken")
      if (next.state._tag !== "Refreshing" || !("owner" in event)) return expect(command).toBeUndefined()
      if (command === undefined) {
        // Nobody's lease begins without a presentation; at most it is shortened.
        expect(state).toMatchObject({ _tag: "Refreshing", lease: { owner: next.state.lease.owner } })
        expect(state).toMatchObject({ attempt: next.state.attempt })
        return
      }
      if (state._tag === "Refreshing" && Lease.isLive(Lease.clamp(state.lease, now), now)) {
        expect(state.lease.owner).toBe(event.owner)
      }
      expect(next.state.lease).toEqual(Lease.make(event.owner, Grants.responseTimeout, now))
      expect(reveal(command)).toEqual(
        reveal({
          _tag: "SendRefreshToken",
          family: next.state.family,
          generation: next.state.generation,
          refreshToken: next.state.tokens.refreshToken,
          scopes: next.state.tokens.scopes,
          // The last 30 seconds of the lease are for storing what comes.
          deadline: Lease.listensUntil(next.state.lease)
        })
      )
    },
    Grants.runs
  )

  it("the lease is live up to its deadline, and may be taken over at it", () => {
    const state = Grants.refreshing({
      tokens: Grants.renewable("3", { expiresAt: 1_000 }),
      lease: { owner: "holder", deadline: 2_000 }
    })
    const demand: Grants.Event = { _tag: "AccessTokenRequested", owner: "other" }
    expect(Grants.step(state, demand, 1_999).commands).toEqual([{ _tag: "AwaitLease", until: 2_000 }])
    expect(Grants.tagsOf(Grants.step(state, demand, 2_000).commands)).toEqual(["SendRefreshToken"])
  })

  it("a refresh ahead of the end that its owner abandoned is taken over, while the live token is still used", () => {
    const state = Grants.refreshing({ lease: { owner: "holder", deadline: 2_000 } })
    const demand: Grants.Event = { _tag: "AccessTokenRequested", owner: "other" }
    expect(Grants.tagsOf(Grants.step(state, demand, 1_999).commands)).toEqual(["UseAccessToken"])
    const next = Grants.step(state, demand, 2_000)
    expect(Grants.tagsOf(next.commands)).toEqual(["SendRefreshToken", "UseAccessToken"])
    expect(Grants.commandOf(next.commands, "UseAccessToken")?.until).toBe(2_000 + Grants.leaseDuration)
    expect(next.state).toMatchObject({ lease: { owner: "other" }, attempt: 1, responseLost: true })
  })

  it.each([1_500, 2_000, 3_000])(
    "a process adopts its own lease, at %d of 2000: it has no request open, so that nothing was sent or lost",
    (now) => {
      const state = Grants.refreshing({
        tokens: Grants.renewable("3", { expiresAt: 1_000 }),
        lease: { owner: "holder", deadline: 2_000 }
      })
      const next = Grants.step(state, { _tag: "AccessTokenRequested", owner: "holder" }, now)
      expect(reveal(next.state)).toEqual(
        reveal({ ...state, lease: { owner: "holder", deadline: now + Grants.leaseDuration } })
      )
      expect(Grants.tagsOf(next.commands)).toEqual(["SendRefreshToken"])
    }
  )

  it("a lease that is adopted keeps the note of a lost response, and begins anew with the first attempt", () => {
    const state = Grants.refreshing({ attempt: 2, responseLost: true })
    const next = Grants.step(state, { _tag: "AccessTokenRequested", owner: "holder" }, 5_000)
    expect(next.state).toMatchObject({ attempt: 1, responseLost: true })
    expect(Grants.tagsOf(next.commands)).toEqual(["SendRefreshToken", "UseAccessToken"])
  })

  it("another process may listen longer than this one: its lease is waited for to its end", () => {
    const state = Grants.refreshing({
      tokens: Grants.renewable("3", { expiresAt: 1_000 }),
      lease: Lease.make("holder", Lease.longestResponseTimeout, Grants.hour)
    })
    const demand: Grants.Event = { _tag: "AccessTokenRequested", owner: "other" }
    for (const now of [Grants.hour, Grants.hour + Grants.leaseDuration, Grants.hour + longest - 1]) {
      const next = Grants.step(state, demand, now)
      expect(next.state).toBe(state)
      expect(next.commands).toEqual([{ _tag: "AwaitLease", until: Grants.hour + longest }])
    }
    expect(Grants.tagsOf(Grants.step(state, demand, Grants.hour + longest).commands)).toEqual(["SendRefreshToken"])
  })

  it("a lease that lasts longer than any process may claim is cut, and taken over when that ends", () => {
    const dead = Grants.renewable("3", { expiresAt: 1_000 })
    const state = Grants.refreshing({ tokens: dead, lease: { owner: "holder", deadline: 10 * Grants.hour } })
    const demand: Grants.Event = { _tag: "AccessTokenRequested", owner: "other" }
    const next = Grants.step(state, demand, Grants.hour)
    const lease = { owner: "holder", deadline: Grants.hour + longest }
    expect(reveal(next.state)).toEqual(reveal({ ...state, lease }))
    expect(next.commands).toEqual([{ _tag: "AwaitLease", until: lease.deadline }])
    expect(Grants.tagsOf(Grants.step(next.state, demand, lease.deadline).commands)).toEqual(["SendRefreshToken"])
  })

  it.prop(
    "a failure counts only if the owner of the lease reports it",
    { state: Grants.Stored, event: Grants.Failure, now: Schema.Finite, isLate: Schema.Boolean },
    ({ event, isLate, now, state }) => {
      const owner = state._tag === "Refreshing" ? `not ${state.lease.owner}` : event.owner
      const failure: Grants.Event = { ...event, family: state.family, generation: state.generation, owner }
      expect(Grants.machine.isStale(state, failure)).toBe(true)
      const at = isLate && state._tag === "Refreshing" ? state.lease.deadline + 1 : now
      const next = Grants.step(state, failure, at)
      expect(next.state).toBe(state)
      expect(next.commands).toEqual([])
    },
    Grants.runs
  )

  it.prop(
    "a late failure of the owner counts until another process takes the lease over",
    { state: Grants.Refreshing, event: Grants.Failure, now: Schema.Finite },
    ({ event, now, state }) => {
      const { family, generation, lease } = state
      const failure: Grants.Event = { ...event, family, generation, owner: lease.owner }
      expect(Grants.machine.isStale(state, failure)).toBe(false)
      expect(Grants.step(state, failure, now).commands.length).toBe(1)
    },
    Grants.runs
  )
})

describe("UserGrant: success always wins (R3)", () => {
  it.prop(
    "a success for the stored generation is stored from any state, by any process, at any time",
    { state: Grants.Stored, event: Grants.RefreshSucceeded, now: Schema.Finite },
    ({ event, now, state }) => {
      const success: Grants.Event = { ...event, family: state.family, generation: state.generation }
      const next = Grants.step(state, success, now)
      const refreshToken = event.tokens.refreshToken ?? state.tokens.refreshToken
      // Whatever it replaces a rejected token by is known to do so.
      const replaced = isRejected(state.tokens) ? { replacedAt: now } : {}
      expect(reveal(next.state)).toEqual(
        reveal({
          _tag: "Active",
          family: state.family,
          generation: state.generation + 1,
          tokens: { ...event.tokens, ...(refreshToken === undefined ? {} : { refreshToken }), ...replaced },
          responseLost: false
        })
      )
      expect(reveal(Grants.commandOf(next.commands, "UseAccessToken")?.access)).toEqual(
        reveal({
          ...Grants.withoutRefreshToken(event.tokens),
          ...replaced,
          family: state.family,
          generation: state.generation + 1
        })
      )
      expect(Grants.machine.isStale(state, success)).toBe(false)
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
    const next = Grants.step(state, { _tag: "RefreshSucceeded", ...Grants.attempt, tokens: renewed }, 9 * Grants.hour)
    expect(reveal(next.state)).toEqual(reveal(Grants.active({ generation: 4, tokens: renewed })))
    expect(Grants.tagsOf(next.commands)).toEqual(["UseAccessToken"])
  })

  it("a response without a refresh token keeps the old one (RFC 6749 section 6)", () => {
    const renewed = Grants.withoutRefreshToken(Grants.tokens("4"))
    for (const state of [Grants.active(), Grants.refreshing(), Grants.ended()]) {
      const next = Grants.step(state, { _tag: "RefreshSucceeded", ...Grants.attempt, tokens: renewed }, Grants.hour)
      expect(reveal(Grants.tokensOf(next.state))).toEqual(
        reveal({ ...renewed, refreshToken: Tokens.secret("refresh-3") })
      )
    }
  })

  it("without an old or a new refresh token there is none", () => {
    const renewed = Grants.withoutRefreshToken(Grants.tokens("4"))
    const before = Grants.active({ tokens: Grants.withoutRefreshToken(Grants.tokens("3")) })
    const { state } = Grants.step(before, { _tag: "RefreshSucceeded", ...Grants.attempt, tokens: renewed }, Grants.hour)
    expect(Object.keys(Grants.tokensOf(state) ?? {})).not.toContain("refreshToken")
  })

  it.each([
    ["Active", Grants.active()],
    ["Refreshing", Grants.refreshing()],
    ["ReconnectRequired", Grants.ended()]
  ] satisfies ReadonlyArray<[string, Exclude<Grants.State, { readonly _tag: "Absent" }>]>)(
    "%s: a renewal says when it replaced a rejected token, and only then",
    (_, state) => {
      const success: Grants.Event = { _tag: "RefreshSucceeded", ...Grants.attempt, tokens: Grants.tokens("4") }
      const renewed = (tokens: Tokens.Renewable) => Grants.step({ ...state, tokens }, success, Grants.hour)
      const rejected = renewed(Grants.renewable("3", { obtainedAt: 500, expiresAt: 500 }))
      expect(rejected.state).toMatchObject({ tokens: { replacedAt: Grants.hour } })
      expect(Grants.commandOf(rejected.commands, "UseAccessToken")?.access.replacedAt).toBe(Grants.hour)
      for (const tokens of [Grants.renewable("3"), Grants.renewable("3", { replacedAt: 200, expiresAt: 1_000 })]) {
        const other = renewed(tokens)
        expect(Grants.tokensOf(other.state)).not.toHaveProperty("replacedAt")
        expect(Grants.commandOf(other.commands, "UseAccessToken")?.access).not.toHaveProperty("replacedAt")
      }
    }
  )
})

describe("UserGrant: never overwrite newer (R4)", () => {
  it.prop(
    "an outcome of an older generation changes nothing",
    { state: Grants.Stored, event: Grants.Outcome, now: Schema.Finite, behind: Grants.Span },
    ({ behind, event, now, state }) => {
      const stale: Grants.Event = { ...event, family: state.family, generation: state.generation - behind }
      const next = Grants.step(state, stale, now)
      expect(next.state).toBe(state)
      expect(next.commands).toEqual([])
    },
    Grants.runs
  )

  it.prop(
    "an outcome of a later generation changes nothing",
    { state: Grants.Stored, event: Grants.Outcome, now: Schema.Finite, ahead: Grants.Span },
    ({ ahead, event, now, state }) => {
      const foreign: Grants.Event = { ...event, family: state.family, generation: state.generation + ahead }
      const next = Grants.step(state, foreign, now)
      expect(next.state).toBe(state)
      expect(next.commands).toEqual([])
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
      expect(next.commands).toEqual([])
    },
    Grants.runs
  )

  it.prop(
    "a refresh token without a usable access token is kept, even late, and sent after a pause",
    { state: Grants.Stored, event: Grants.RefreshTokenReplaced, now: Grants.Clock, isStale: Schema.Boolean },
    ({ event, isStale, now, state }) => {
      const { family, generation } = state
      const about = { family, generation: isStale ? generation + 1 : generation }
      const { commands, state: next } = Grants.step(state, { ...event, ...about }, now)
      if (isStale) return expect(next).toBe(state)
      expect(reveal(next)).toMatchObject(
        reveal({
          _tag: "Active",
          family,
          generation: generation + 1,
          tokens: { ...state.tokens, refreshToken: event.refreshToken },
          responseLost: false
        }) as object
      )
      expect(next).toHaveProperty("pause.cause", event.failure.cause)
      expect(commands).toEqual([{ _tag: "ReportFailure" }])
    },
    Grants.runs
  )

  it.prop(
    "only a response or a consent replaces tokens, and raises the generation by one as it does",
    [Grants.anything],
    ([{ event, now, state }]) => {
      const next = Grants.step(state, event, now).state
      if (state._tag === "Absent" || next._tag === "Absent") return
      const isSame = next.generation === state.generation
      expect(isSame || next.generation === state.generation + 1).toBe(true)
      if (isSame) {
        expect(next.family).toBe(state.family)
        const shownOf = (of: Grants.State) => reveal({ ...Grants.tokensOf(of), expiresAt: 0 })
        expect(shownOf(next)).toEqual(shownOf(state))
      } else {
        if (event._tag === "RefreshTokenReplaced") return
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
  const unknown = (isAwaited: boolean): Grants.Event => ({
    _tag: "RefreshOutcomeUnknown",
    ...Grants.attempt,
    isAwaited
  })
  const refused: Grants.Event = { _tag: "RefreshRefused", ...Grants.attempt }
  const dead = Grants.renewable("3", { expiresAt: 1_000 })

  it("after a broken connection, while a caller waits, the same refresh token is sent once more under a new lease", () => {
    const first = Grants.step(Grants.active({ tokens: dead }), { _tag: "AccessTokenRequested", owner: "holder" }, 2_000)
    expect(first.state).toMatchObject({ _tag: "Refreshing", attempt: 1, responseLost: false })
    const second = Grants.step(first.state, unknown(true), 22_000)
    expect(second.state).toMatchObject({
      _tag: "Refreshing",
      generation: 3,
      attempt: 2,
      responseLost: true,
      lease: { owner: "holder", deadline: 22_000 + Grants.leaseDuration }
    })
    expect(Grants.tagsOf(second.commands)).toEqual(["SendRefreshToken"])
    expect(reveal(second.commands)).toEqual(
      reveal(first.commands.map((command) => ({ ...command, deadline: 22_000 + Grants.responseTimeout })))
    )
  })

  it.each([
    ["the second attempt", 2, true],
    ["the second attempt, and no caller", 2, false],
    ["no caller", 1, false]
  ] as const)(
    "after %s the grant stays, with a note of the loss and a pause, and the caller gets an error",
    (_, attempt, isAwaited) => {
      const state = Grants.refreshing({ tokens: dead, attempt, responseLost: attempt === 2 })
      const next = Grants.step(state, unknown(isAwaited), 42_000)
      const pause = { until: 43_000, failures: 1, cause: { _tag: "NoResponse" } } as const
      expect(reveal(next.state)).toEqual(reveal(Grants.active({ tokens: dead, responseLost: true, pause })))
      expect(next.commands).toEqual([{ _tag: "ReportFailure" }])
    }
  )

  it("a second attempt does not end or prolong the pause of the failures before", () => {
    const pause = Grants.pause(1_500, { failures: 4 })
    const state = Grants.refreshing({ tokens: dead, pause })
    const second = Grants.step(state, unknown(true), 42_000)
    expect(second.state).toMatchObject({ attempt: 2, pause })
    expect(Grants.step(second.state, unknown(true), 62_000).state).toMatchObject({
      pause: { until: 62_000 + 16_000, failures: 5, cause: { _tag: "NoResponse" } }
    })
  })

  it("the note survives into the next refresh", () => {
    const next = Grants.step(
      Grants.active({ tokens: dead, responseLost: true }),
      { _tag: "AccessTokenRequested", owner: "x" },
      2_000
    )
    expect(next.state).toMatchObject({ _tag: "Refreshing", attempt: 1, responseLost: true })
  })

  it("a refusal means ResponseLost after a loss, and else Revoked", () => {
    for (const [responseLost, why] of [
      [true, "ResponseLost"],
      [false, "Revoked"]
    ] as const) {
      const next = Grants.step(Grants.refreshing({ responseLost, pause: Grants.pause(1_500) }), refused, 5_000)
      expect(reveal(next.state)).toEqual(reveal(Grants.ended({ why, since: 5_000 })))
      expect(next.commands).toEqual([{ _tag: "RequireReconnect", why }])
    }
  })

  it.prop(
    "taking over another's expired lease counts the response as lost",
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
        tokens: { ...state.tokens, obtainedAt: now - ago - 1, expiresAt: now - ago },
        lease: { owner: stranger, deadline: now - late }
      }
      const next = Grants.step(abandoned, event, now)
      expect(next.state).toMatchObject({
        _tag: "Refreshing",
        responseLost: true,
        attempt: 1,
        lease: { owner: event.owner, deadline: now + Grants.leaseDuration }
      })
      expect(Grants.tagsOf(next.commands)).toEqual(["SendRefreshToken"])
    },
    Grants.runs
  )

  it("a success clears the note, and ends the pause", () => {
    const next = Grants.step(
      Grants.refreshing({ responseLost: true, attempt: 2, pause: Grants.pause(1_500, { failures: 5 }) }),
      { _tag: "RefreshSucceeded", ...Grants.attempt, tokens: Grants.tokens("4") },
      5_000
    )
    expect(next.state).toMatchObject({ _tag: "Active", responseLost: false })
    expect(next.state).not.toHaveProperty("pause")
  })
})
