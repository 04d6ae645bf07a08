import { describe, expect, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as AppCredential from "../../src/machine/AppCredential.ts"
import * as Tokens from "../../src/oauth/Tokens.ts"
import { describeTable, situations, stepOf } from "../utils/MachineLaws.ts"
import { reveal } from "../utils/Reveal.ts"

const leaseDuration = 30_000
const expiryMargin = 300_000
const hour = 3_600_000
const end = 10 * hour

const machine = AppCredential.machine({ leaseDuration, expiryMargin })
const step = stepOf(machine)

type State = AppCredential.State
type Event = AppCredential.Event
type Of<Tag extends State["_tag"]> = Extract<State, { readonly _tag: Tag }>

/** An access token that lives for ten hours from 0, unless said otherwise. */
const access = (name: string, options: Partial<Tokens.Access> = {}): Tokens.Access => ({
  accessToken: Tokens.secret(`access-${name}`),
  scopes: ["promotions:write"],
  obtainedAt: 0,
  expiresAt: end,
  ...options
})

const active = (options: Partial<Of<"Active">> = {}): Of<"Active"> => ({
  _tag: "Active",
  generation: 3,
  access: access("3"),
  notBefore: 0,
  ...options
})

const requesting = (options: Partial<Of<"Requesting">> = {}): Of<"Requesting"> => ({
  _tag: "Requesting",
  generation: 3,
  access: access("3"),
  lease: { owner: "holder", deadline: end + leaseDuration },
  ...options
})

const first: Of<"Requesting"> = { _tag: "Requesting", generation: 0, lease: { owner: "holder", deadline: 30_000 } }

const demand: Event = { _tag: "AccessTokenRequested", owner: "caller" }
const rejected = (generation: number): Event => ({ _tag: "AccessTokenRejected", owner: "caller", generation })
const granted = (generation: number, tokens: Tokens.Access): Event => ({ _tag: "TokenGranted", generation, tokens })
const failed = (options: { owner?: string; generation?: number; notBefore?: number } = {}): Event => ({
  _tag: "RequestFailed",
  owner: "holder",
  generation: 3,
  notBefore: 0,
  ...options
})

const use = (name: string, generation: number, until: number, options: Partial<Tokens.Access> = {}) => ({
  _tag: "UseAccessToken",
  access: { ...access(name, options), family: "app", generation },
  until
})

const tagsOf = (commands: ReadonlyArray<AppCredential.Command>) => commands.map(({ _tag }) => _tag)

const runs = { arbitrary: { runs: 300 } }
const anything = situations(AppCredential.State, AppCredential.Event)

const Clock = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4_000_000_000_000 }))
// What a lease may plausibly have left.
const Span = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3 * leaseDuration }))
const { Active, Requesting } = AppCredential.State.cases
const { AccessTokenRejected, AccessTokenRequested, RequestFailed, TokenGranted } = AppCredential.Event.cases
const Demand = Schema.Union([AccessTokenRequested, AccessTokenRejected])

describeTable(machine, AppCredential.State, AppCredential.Event)

describe("AppCredential: one request for all", () => {
  it("the first demand claims the lease and asks for a token", () => {
    // A member that is there and undefined could not be stored.
    expect(step(AppCredential.absent, demand, 5_000)).toStrictEqual({
      state: { _tag: "Requesting", generation: 0, lease: { owner: "caller", deadline: 5_000 + leaseDuration } },
      commands: [{ _tag: "RequestToken", generation: 0, deadline: 5_000 + leaseDuration }]
    })
  })

  it("a request ahead of the end that its owner abandoned is taken over, while the live token is still used", () => {
    const state = { ...first, generation: 1, access: access("1") }
    expect(tagsOf(step(state, demand, 29_999).commands)).toEqual(["UseAccessToken"])
    const { commands, state: next } = step(state, demand, 30_000)
    expect(commands).toEqual([
      { _tag: "RequestToken", generation: 1, deadline: 30_000 + leaseDuration },
      use("1", 1, 30_000 + leaseDuration)
    ])
    expect(next).toStrictEqual({ ...state, lease: { owner: "caller", deadline: 30_000 + leaseDuration } })
  })

  it("who comes next waits for the lease, and takes over at its deadline", () => {
    expect(step(first, demand, 29_999)).toEqual({ state: first, commands: [{ _tag: "AwaitLease", until: 30_000 }] })
    expect(step(first, demand, 30_000)).toEqual({
      state: { ...first, lease: { owner: "caller", deadline: 30_000 + leaseDuration } },
      commands: [{ _tag: "RequestToken", generation: 0, deadline: 30_000 + leaseDuration }]
    })
  })

  it("a lease that no clock of today can have given is shortened, and taken over when that ends", () => {
    const state = { ...first, lease: { owner: "holder", deadline: end } }
    const shortened = { ...first, lease: { owner: "holder", deadline: leaseDuration } }
    expect(step(state, demand, 0)).toEqual({
      state: shortened,
      commands: [{ _tag: "AwaitLease", until: leaseDuration }]
    })
    expect(tagsOf(step(shortened, demand, leaseDuration).commands)).toEqual(["RequestToken"])
  })

  it("an event says who demands, and which token was rejected", () => {
    const isEvent = Schema.is(AppCredential.Event)
    expect([demand, rejected(3)].map((event) => isEvent(event))).toEqual([true, true])
    expect(isEvent({ _tag: "AccessTokenRequested" })).toBe(false)
    expect(isEvent({ _tag: "AccessTokenRejected", owner: "caller" })).toBe(false)
    expect(isEvent({ _tag: "AccessTokenRejected", generation: 3 })).toBe(false)
  })

  it.prop(
    "while a lease is live nobody else asks for a token",
    { state: Requesting, event: Demand, now: Clock, left: Span },
    ({ event, left, now, state }) => {
      const held: State = { ...state, lease: { ...state.lease, deadline: now + left } }
      const next = step(held, event, now)
      expect(tagsOf(next.commands)).not.toContain("RequestToken")
      expect(next.state).toMatchObject({ _tag: "Requesting", lease: held.lease })
    },
    runs
  )
})

describe("AppCredential: a granted token", () => {
  it.each([
    ["Absent", AppCredential.absent, 0],
    ["Requesting", first, 0],
    ["Requesting beside a token", requesting(), 3],
    ["Active", active(), 3]
  ] satisfies ReadonlyArray<[string, State, number]>)(
    "%s: is stored with a higher generation, and used",
    (_, state, generation) => {
      const next = step(state, granted(generation, access("new")), 1_000)
      expect(reveal(next)).toEqual(
        reveal({
          state: active({ generation: generation + 1, access: access("new") }),
          commands: [use("new", generation + 1, end - expiryMargin)]
        })
      )
    }
  )

  it.prop(
    "of a request that began before the stored token came changes nothing",
    { state: Schema.Union([Active, Requesting]), event: TokenGranted, now: Schema.Finite, behind: Span },
    ({ behind, event, now, state }) => {
      expect(step(state, { ...event, generation: state.generation - behind }, now)).toEqual({ state, commands: [] })
    },
    runs
  )

  it.prop(
    "never has a lower generation than the one before, unless there is none",
    [anything],
    ([{ event, now, state }]) => {
      const next = step(state, event, now).state
      if (state._tag === "Absent" || next._tag === "Absent") return
      expect(next.generation).toBeGreaterThanOrEqual(state.generation)
      if (next.generation !== state.generation) expect(event._tag).toBe("TokenGranted")
    },
    runs
  )
})

describe("AppCredential: use", () => {
  it("before the window the token is used until the window begins", () => {
    const now = end - expiryMargin - 1
    expect(reveal(step(active(), demand, now))).toEqual(
      reveal({ state: active(), commands: [use("3", 3, end - expiryMargin)] })
    )
  })

  it("inside the window a new one is asked for, and the caller answered in the same step", () => {
    const now = end - expiryMargin
    expect(reveal(step(active(), demand, now))).toEqual(
      reveal({
        state: requesting({ lease: { owner: "caller", deadline: now + leaseDuration } }),
        commands: [
          { _tag: "RequestToken", generation: 3, deadline: now + leaseDuration },
          use("3", 3, now + leaseDuration)
        ]
      })
    )
  })

  it("a token with a short life is renewed in its last tenth, not at each use", () => {
    const short = active({ access: access("3", { expiresAt: 10_000 }) })
    expect(tagsOf(step(short, demand, 8_999).commands)).toEqual(["UseAccessToken"])
    expect(tagsOf(step(short, demand, 9_000).commands)).toEqual(["RequestToken", "UseAccessToken"])
  })

  it("a dead token is not handed out", () => {
    expect(tagsOf(step(active(), demand, end).commands)).toEqual(["RequestToken"])
    const state = requesting({ access: access("3", { expiresAt: 1_000 }) })
    expect(tagsOf(step(state, demand, 1_000).commands)).toEqual(["AwaitLease"])
  })

  it("while another is asked for, the token is used until the lease or the token ends", () => {
    const at = (deadline: number) => requesting({ lease: { owner: "other", deadline } })
    expect(reveal(step(at(end - 5), demand, end - 10).commands)).toEqual(reveal([use("3", 3, end - 5)]))
    expect(reveal(step(at(end + 5), demand, end - 10).commands)).toEqual(reveal([use("3", 3, end)]))
  })
})

describe("AppCredential: a rejected token", () => {
  it("of the current generation is marked dead, and another is asked for", () => {
    expect(reveal(step(active(), rejected(3), hour))).toEqual(
      reveal({
        state: requesting({
          access: access("3", { expiresAt: hour }),
          lease: { owner: "caller", deadline: hour + leaseDuration }
        }),
        commands: [{ _tag: "RequestToken", generation: 3, deadline: hour + leaseDuration }]
      })
    )
  })

  it("is not handed out again by those who wait for the next one", () => {
    const next = step(requesting(), rejected(3), hour)
    expect(tagsOf(next.commands)).toEqual(["AwaitLease"])
    expect(tagsOf(step(next.state, demand, hour + 1).commands)).toEqual(["AwaitLease"])
  })

  it.each([active(), requesting({ lease: { owner: "holder", deadline: hour + leaseDuration } })])(
    "of an older generation is answered with the newer, $_tag",
    (state) => {
      const next = step(state, rejected(2), hour)
      expect(next.state).toBe(state)
      expect(reveal(next.commands)).toMatchObject([{ _tag: "UseAccessToken", access: { generation: 3 } }])
    }
  )

  it("where there is none by now leads to a request", () => {
    expect(tagsOf(step(AppCredential.absent, rejected(3), hour).commands)).toEqual(["RequestToken"])
  })
})

describe("AppCredential: a failed request", () => {
  it("gives the lease back and tells the caller; a token that is there stays", () => {
    expect(reveal(step(requesting(), failed({ notBefore: 7_000 }), 5_000))).toEqual(
      reveal({ state: active({ notBefore: 7_000 }), commands: [{ _tag: "ReportFailure" }] })
    )
    expect(step(first, failed({ generation: 0, notBefore: 7_000 }), 5_000)).toEqual({
      state: { _tag: "Absent", notBefore: 7_000 },
      commands: [{ _tag: "ReportFailure" }]
    })
  })

  it("of another owner or of another generation leaves the lease alone", () => {
    for (const event of [failed({ owner: "other" }), failed({ generation: 2 })]) {
      const state = requesting()
      expect(step(state, event, 5_000)).toEqual({ state, commands: [] })
    }
  })

  it("of an older generation leaves the newer token alone", () => {
    const state = active()
    expect(step(state, failed({ generation: 2, notBefore: 7_000 }), 5_000)).toEqual({ state, commands: [] })
  })

  it("never shortens a pause", () => {
    for (const [before, reported] of [
      [9_000, 7_000],
      [7_000, 9_000]
    ] as const) {
      const states: ReadonlyArray<State> = [active({ notBefore: before }), { _tag: "Absent", notBefore: before }]
      for (const state of states) {
        expect(step(state, failed({ notBefore: reported }), 5_000).state).toMatchObject({ notBefore: 9_000 })
      }
    }
  })

  it.prop(
    "keeps the token",
    { state: Active, event: RequestFailed, now: Schema.Finite, same: Schema.Boolean },
    ({ event, now, same, state }) => {
      const next = step(state, same ? { ...event, generation: state.generation } : event, now)
      expect(reveal(next.state)).toMatchObject({
        _tag: "Active",
        generation: state.generation,
        access: reveal(state.access)
      })
    },
    runs
  )
})

describe("AppCredential: a pause", () => {
  it("is waited for where there is no live token", () => {
    const states: ReadonlyArray<State> = [
      { _tag: "Absent", notBefore: end + 1_000 },
      active({ notBefore: end + 1_000 })
    ]
    for (const state of states) {
      expect(step(state, demand, end + 999)).toEqual({
        state,
        commands: [{ _tag: "AwaitTime", until: end + 1_000 }]
      })
      expect(tagsOf(step(state, demand, end + 1_000).commands)).toEqual(["RequestToken"])
    }
  })

  it("inside the window puts off the request until it ends", () => {
    const paused = active({ notBefore: end - 1_000 })
    expect(reveal(step(paused, demand, end - 1_001).commands)).toEqual(reveal([use("3", 3, end - 1_000)]))
    expect(tagsOf(step(paused, demand, end - 1_000).commands)).toEqual(["RequestToken", "UseAccessToken"])
  })
})
