import { describe, expect, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Tokens from "../src/Tokens.ts"
import * as UserGrant from "../src/UserGrant.ts"
import { describeTable, situations, stepOf } from "./utils/MachineLaws.ts"
import { reveal } from "./utils/Reveal.ts"

const leaseDuration = 30_000
const refreshAhead = 300_000
const hour = 3_600_000

const machine = UserGrant.machine({ leaseDuration, refreshAhead })
const step = stepOf(machine)

type State = UserGrant.State
type Event = UserGrant.Event
type Of<Tag extends State["_tag"]> = Extract<State, { readonly _tag: Tag }>
type Command<Tag extends UserGrant.Command["_tag"]> = Extract<UserGrant.Command, { readonly _tag: Tag }>

// -----------------------------------------------------------------------------
// Values
// -----------------------------------------------------------------------------

/** Tokens that live for ten hours from 0, unless said otherwise. */
const tokens = (name: string, options: Partial<Tokens.Tokens> = {}): Tokens.Tokens => ({
  accessToken: Tokens.secret(`access-${name}`),
  refreshToken: Tokens.secret(`refresh-${name}`),
  scopes: ["zap", `scope-${name}`],
  obtainedAt: 0,
  expiresAt: 10 * hour,
  ...options
})

const withoutRefreshToken = ({ refreshToken: _, ...rest }: Tokens.Tokens): Tokens.Tokens => rest

const accessOf = ({ accessToken, expiresAt, obtainedAt, scopes }: Tokens.Tokens): Tokens.Access => ({
  accessToken,
  expiresAt,
  obtainedAt,
  scopes
})

const active = (options: Partial<Of<"Active">> = {}): Of<"Active"> => ({
  _tag: "Active",
  lineage: "consent-1",
  generation: 3,
  tokens: tokens("3"),
  answerLost: false,
  notBefore: 0,
  ...options
})

const refreshing = (options: Partial<Of<"Refreshing">> = {}): Of<"Refreshing"> => ({
  _tag: "Refreshing",
  lineage: "consent-1",
  generation: 3,
  tokens: tokens("3"),
  answerLost: false,
  lease: { owner: "holder", deadline: 10 * hour + leaseDuration },
  presentation: 1,
  ...options
})

const ended = (options: Partial<Of<"ReconnectRequired">> = {}): Of<"ReconnectRequired"> => ({
  _tag: "ReconnectRequired",
  lineage: "consent-1",
  generation: 3,
  tokens: tokens("3"),
  why: "Revoked",
  since: 0,
  ...options
})

const presented = { lineage: "consent-1", generation: 3, owner: "holder" }

const commandOf = <Tag extends UserGrant.Command["_tag"]>(
  commands: ReadonlyArray<UserGrant.Command>,
  tag: Tag
): Command<Tag> | undefined => commands.find((command): command is Command<Tag> => command._tag === tag)

const tagsOf = (commands: ReadonlyArray<UserGrant.Command>) => commands.map(({ _tag }) => _tag)

const tokensOf = (state: State): Tokens.Access | undefined => (state._tag === "Absent" ? undefined : state.tokens)

// -----------------------------------------------------------------------------
// Arbitrary values
// -----------------------------------------------------------------------------

const runs = { arbitrary: { runs: 300 } }

const Clock = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4_000_000_000_000 }))
const Span = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000_000 }))
// What a lease may plausibly have left.
const LeaseSpan = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3 * leaseDuration }))
const SpanOrZero = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000_000 }))

const { Active, ReconnectRequired, Refreshing } = UserGrant.State.cases
const { AccessTokenRejected, AccessTokenRequested, ConsentGranted, RefreshSucceeded } = UserGrant.Event.cases

const Demand = Schema.Union([AccessTokenRequested, AccessTokenRejected])
const Stored = Schema.Union([Active, Refreshing, ReconnectRequired])
const Outcome = Schema.Union([
  RefreshSucceeded,
  UserGrant.Event.cases.RefreshRefused,
  UserGrant.Event.cases.RefreshOutcomeUnknown,
  UserGrant.Event.cases.RefreshFailed
])

const anything = situations(UserGrant.State, UserGrant.Event)

describeTable(machine, UserGrant.State, UserGrant.Event)

// -----------------------------------------------------------------------------
// The rules
// -----------------------------------------------------------------------------

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
