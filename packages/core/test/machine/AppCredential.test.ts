import { describe, expect, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as AppCredential from "../../src/machine/AppCredential.ts"
import * as Lease from "../../src/machine/Lease.ts"
import type * as Pause from "../../src/machine/Pause.ts"
import type { TokenOutcome } from "../../src/oauth/TokenOutcome.ts"
import * as Tokens from "../../src/oauth/Tokens.ts"
import { describeTable, situations, stepOf } from "../utils/MachineLaws.ts"
import { reveal } from "../utils/Reveal.ts"

const responseTimeout = 60_000
// The time of listening, and 30 seconds to store what came.
const leaseDuration = 90_000
const expiryMargin = 300_000
const hour = 3_600_000
const end = 10 * hour

const machine = AppCredential.machine({ responseTimeout, expiryMargin })
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
const unavailable: Pause.Failure = { cause: { _tag: "Unavailable", status: 503 } }
const pauseUntil = (until: number, options: Partial<Pause.Pause> = {}): Pause.Pause => ({
  until,
  failures: 1,
  cause: { _tag: "Unavailable", status: 503 },
  ...options
})

const failed = (options: { owner?: string; generation?: number; failure?: Pause.Failure } = {}): Event => ({
  _tag: "RequestFailed",
  owner: "holder",
  generation: 3,
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
// What a lease may have left: 330 s, the longest that any process may claim.
const longest = 330_000
const Span = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: longest }))
const { Active, Requesting } = AppCredential.State.cases
const { AccessTokenRejected, AccessTokenRequested, RequestFailed, TokenGranted } = AppCredential.Event.cases
const Demand = Schema.Union([AccessTokenRequested, AccessTokenRejected])

describeTable(machine, AppCredential.edges, AppCredential.State, AppCredential.Event)

describe("AppCredential: one request for all", () => {
  it("the first demand claims the lease and asks for a token", () => {
    // A member that is there and undefined could not be stored.
    expect(step(AppCredential.absent, demand, 5_000)).toStrictEqual({
      state: { _tag: "Requesting", generation: 0, lease: { owner: "caller", deadline: 5_000 + leaseDuration } },
      commands: [{ _tag: "RequestToken", generation: 0, deadline: 5_000 + responseTimeout }]
    })
  })

  it("a request ahead of the end that its owner abandoned is taken over, while the live token is still used", () => {
    const state = { ...first, generation: 1, access: access("1") }
    expect(tagsOf(step(state, demand, 29_999).commands)).toEqual(["UseAccessToken"])
    const { commands, state: next } = step(state, demand, 30_000)
    expect(commands).toEqual([
      { _tag: "RequestToken", generation: 1, deadline: 30_000 + responseTimeout },
      use("1", 1, 30_000 + leaseDuration)
    ])
    expect(next).toStrictEqual({ ...state, lease: { owner: "caller", deadline: 30_000 + leaseDuration } })
  })

  it("the next process waits for the lease, and takes it over at its deadline", () => {
    expect(step(first, demand, 29_999)).toEqual({ state: first, commands: [{ _tag: "AwaitLease", until: 30_000 }] })
    expect(step(first, demand, 30_000)).toEqual({
      state: { ...first, lease: { owner: "caller", deadline: 30_000 + leaseDuration } },
      commands: [{ _tag: "RequestToken", generation: 0, deadline: 30_000 + responseTimeout }]
    })
  })

  it("a lease that lasts longer than any process may claim is cut, and taken over when that ends", () => {
    const at = (deadline: number) => ({ ...first, lease: { owner: "holder", deadline } })
    expect(step(at(end), demand, 0)).toEqual({
      state: at(longest),
      commands: [{ _tag: "AwaitLease", until: longest }]
    })
    expect(tagsOf(step(at(longest), demand, longest).commands)).toEqual(["RequestToken"])
  })

  it("another process may listen longer than this one: its lease is waited for to its end", () => {
    const state = { ...first, lease: Lease.make("holder", Lease.longestResponseTimeout, 0) }
    for (const now of [0, leaseDuration, longest - 1]) {
      const next = step(state, demand, now)
      expect(next.state).toBe(state)
      expect(next.commands).toEqual([{ _tag: "AwaitLease", until: longest }])
    }
    expect(tagsOf(step(state, demand, longest).commands)).toEqual(["RequestToken"])
  })

  it.each([29_999, 30_000])("a process adopts its own lease, at %d of 30000: it has no request open", (now) => {
    const own: Event = { _tag: "AccessTokenRequested", owner: "holder" }
    expect(step(first, own, now)).toEqual({
      state: { ...first, lease: { owner: "holder", deadline: now + leaseDuration } },
      commands: [{ _tag: "RequestToken", generation: 0, deadline: now + responseTimeout }]
    })
  })

  it("an event names the demanding process and the rejected token", () => {
    const isEvent = Schema.is(AppCredential.Event)
    expect([demand, rejected(3)].map((event) => isEvent(event))).toEqual([true, true])
    expect(isEvent({ _tag: "AccessTokenRequested" })).toBe(false)
    expect(isEvent({ _tag: "AccessTokenRejected", owner: "caller" })).toBe(false)
    expect(isEvent({ _tag: "AccessTokenRejected", generation: 3 })).toBe(false)
  })

  it.prop(
    "while another's lease is live, no process requests a token",
    { state: Requesting, event: Demand, now: Clock, left: Span },
    ({ event, left, now, state }) => {
      const held: State = { ...state, lease: { owner: `not ${event.owner}`, deadline: now + left } }
      const next = step(held, event, now)
      expect(tagsOf(next.commands)).not.toContain("RequestToken")
      expect(next.state).toMatchObject({ _tag: "Requesting", lease: held.lease })
    },
    runs
  )

  it.prop(
    "the requesting process holds a lease, and stops listening 30 seconds before it ends",
    [anything],
    ([{ event, now, state }]) => {
      const next = step(state, event, now)
      const command = next.commands.find((command) => command._tag === "RequestToken")
      if (command === undefined || next.state._tag !== "Requesting" || !("owner" in event)) {
        return expect(command).toBeUndefined()
      }
      if (state._tag === "Requesting" && Lease.isLive(Lease.clamp(state.lease, now), now)) {
        expect(state.lease.owner).toBe(event.owner)
      }
      expect(next.state.lease).toEqual(Lease.make(event.owner, responseTimeout, now))
      expect(command).toEqual({
        _tag: "RequestToken",
        generation: next.state.generation,
        deadline: Lease.listensUntil(next.state.lease)
      })
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

  it("ends a pause, and the count of failures", () => {
    const pause = pauseUntil(9_000, { failures: 4 })
    const states: ReadonlyArray<[State, number]> = [
      [{ _tag: "Absent", pause }, 0],
      [requesting({ pause }), 3],
      [active({ pause }), 3]
    ]
    for (const [state, generation] of states) {
      expect(step(state, granted(generation, access("new")), 1_000).state).not.toHaveProperty("pause")
    }
  })

  it("says when it replaced a rejected one, and only then", () => {
    const dead = access("3", { obtainedAt: 500, expiresAt: 500 })
    for (const state of [requesting({ access: dead }), active({ access: dead })]) {
      const next = step(state, granted(3, access("new")), hour)
      expect(next.state).toMatchObject({ access: { replacedAt: hour } })
      expect(next.commands).toMatchObject([{ _tag: "UseAccessToken", access: { replacedAt: hour } }])
    }
    const others: ReadonlyArray<[State, number]> = [
      [AppCredential.absent, 0],
      [first, 0],
      [active(), 3],
      [requesting({ access: access("3", { replacedAt: 200, expiresAt: 1_000 }) }), 3]
    ]
    for (const [state, generation] of others) {
      const next = step(state, granted(generation, access("new")), hour)
      expect(next.state).toMatchObject({ _tag: "Active" })
      expect(JSON.stringify(reveal(next))).not.toContain("replacedAt")
    }
  })

  it.prop(
    "is accepted in every state of its generation, from any process, at any time",
    { state: Schema.Union([Active, Requesting]), event: TokenGranted, now: Schema.Finite },
    ({ event, now, state }) => {
      const next = step(state, { ...event, generation: state.generation }, now).state
      expect(next).toMatchObject({ _tag: "Active", generation: state.generation + 1 })
      expect(next._tag === "Active" && reveal(next.access.accessToken)).toEqual(reveal(event.tokens.accessToken))
    },
    runs
  )

  it.prop(
    "of a request that began before the stored token came changes nothing",
    { state: Schema.Union([Active, Requesting]), event: TokenGranted, now: Schema.Finite, behind: Span },
    ({ behind, event, now, state }) => {
      const next = step(state, { ...event, generation: state.generation - behind }, now)
      expect(next.state).toBe(state)
      expect(next.commands).toEqual([])
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

  it("inside the window requests a new one, and serves the caller in the same step", () => {
    const now = end - expiryMargin
    expect(reveal(step(active(), demand, now))).toEqual(
      reveal({
        state: requesting({ lease: { owner: "caller", deadline: now + leaseDuration } }),
        commands: [
          { _tag: "RequestToken", generation: 3, deadline: now + responseTimeout },
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
          access: access("3", { expiresAt: 0 }),
          lease: { owner: "caller", deadline: hour + leaseDuration }
        }),
        commands: [{ _tag: "RequestToken", generation: 3, deadline: hour + responseTimeout }]
      })
    )
  })

  it("is not handed out again while a process waits for the next one", () => {
    const next = step(requesting(), rejected(3), hour)
    expect(tagsOf(next.commands)).toEqual(["AwaitLease"])
    expect(tagsOf(step(next.state, demand, hour + 1).commands)).toEqual(["AwaitLease"])
  })

  it.each([active(), requesting({ lease: { owner: "holder", deadline: hour + leaseDuration } })])(
    "of an older generation returns the newer token, $_tag",
    (state) => {
      const next = step(state, rejected(2), hour)
      expect(next.state).toBe(state)
      expect(reveal(next.commands)).toMatchObject([{ _tag: "UseAccessToken", access: { generation: 3 } }])
    }
  )

  it.prop(
    "is never used again at any time",
    { state: Schema.Union([Active, Requesting]), event: Demand, now: Schema.Finite, then: Schema.Finite },
    ({ event, now, state, then }) => {
      const once = step(state, rejected(state.generation), now)
      expect(tagsOf(once.commands)).not.toContain("UseAccessToken")
      expect(tagsOf(step(once.state, event, then).commands)).not.toContain("UseAccessToken")
    },
    runs
  )

  it("once more changes nothing while somebody else asks for the next one", () => {
    const lease = { owner: "holder", deadline: hour + leaseDuration }
    const state = requesting({ access: access("3", { expiresAt: 0 }), lease })
    expect(step(state, rejected(3), hour).state).toBe(state)
  })

  it("where there is none by now leads to a request", () => {
    expect(tagsOf(step(AppCredential.absent, rejected(3), hour).commands)).toEqual(["RequestToken"])
  })
})

describe("AppCredential: a failed request", () => {
  it("releases the lease and reports to the caller; a stored token stays", () => {
    expect(reveal(step(requesting(), failed(), 5_000))).toEqual(
      reveal({ state: active(), commands: [{ _tag: "ReportFailure" }] })
    )
    expect(step(first, failed({ generation: 0 }), 5_000)).toStrictEqual({
      state: { _tag: "Absent" },
      commands: [{ _tag: "ReportFailure" }]
    })
  })

  it.each([
    [requesting(), failed({ owner: "other" })],
    [requesting(), failed({ generation: 2 })],
    [active(), failed()],
    [AppCredential.absent, failed({ generation: 0 })]
  ])("that is not the open request's changes nothing: $_tag", (state, event) => {
    const next = step(state, event, 5_000)
    expect(next.state).toBe(state)
    expect(next.commands).toEqual([])
    expect(machine.isStale(state, event)).toBe(true)
  })

  it("that time mends sets a pause, which grows with each in a row, with a token and without", () => {
    for (const start of [AppCredential.absent, active({ access: access("3", { expiresAt: 1_000 }) })]) {
      let state: State = start
      let now = 1_000
      const generation = state._tag === "Active" ? 3 : 0
      const lengths: Array<number> = []
      for (let failures = 1; failures <= 7; failures++) {
        state = step(state, { _tag: "AccessTokenRequested", owner: "holder" }, now).state
        expect(state._tag).toBe("Requesting")
        state = step(state, failed({ generation, failure: unavailable }), now + 500).state
        expect(state).toMatchObject({ _tag: start._tag, pause: { failures, cause: unavailable.cause } })
        const until = state.pause?.until ?? Number.NaN
        lengths.push(until - now - 500)
        now = until
      }
      expect(lengths).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
    }
  })

  it("pauses for as long as the server says", () => {
    const failure: Pause.Failure = { cause: { _tag: "RateLimited" }, retryAfter: 60_000 }
    expect(step(requesting({ pause: pauseUntil(1_500) }), failed({ failure }), 5_000).state).toMatchObject({
      pause: { until: 65_000, failures: 2, cause: { _tag: "RateLimited" } }
    })
  })

  it("that time does not mend leaves the pause before", () => {
    const pause = pauseUntil(1_500, { failures: 3 })
    expect(step(requesting({ pause }), failed(), 5_000).state).toMatchObject({ _tag: "Active", pause })
    expect(step({ ...first, pause }, failed({ generation: 0 }), 5_000).state).toEqual({ _tag: "Absent", pause })
  })

  it.prop(
    "keeps the token",
    { state: Requesting, event: RequestFailed, now: Schema.Finite, same: Schema.Boolean },
    ({ event, now, same, state }) => {
      const { generation, lease } = state
      const next = step(state, same ? { ...event, generation, owner: lease.owner } : event, now).state
      expect(reveal(next._tag === "Absent" ? undefined : next.access)).toEqual(reveal(state.access))
      if (next._tag !== "Absent") expect(next.generation).toBe(generation)
    },
    runs
  )
})

describe("AppCredential: a pause", () => {
  const cause = { _tag: "NotSent", code: "ENOTFOUND" } as const

  it("without a live token is reported to the callers, with its cause", () => {
    const pause = pauseUntil(end + 1_000, { failures: 3, cause })
    const states: ReadonlyArray<State> = [{ _tag: "Absent", pause }, active({ pause })]
    for (const state of states) {
      const during = step(state, demand, end + 999)
      expect(during.state).toBe(state)
      expect(during.commands).toEqual([{ _tag: "AwaitTime", pause }])
      const after = step(state, demand, end + 1_000)
      expect(tagsOf(after.commands)).toEqual(["RequestToken"])
      // It says how many have failed, should this one fail as well.
      expect(after.state).toMatchObject({ _tag: "Requesting", pause })
    }
  })

  it("inside the window puts off the request until it ends", () => {
    const paused = active({ pause: pauseUntil(end - 1_000) })
    const during = step(paused, demand, end - 1_001)
    expect(during.state).toBe(paused)
    expect(reveal(during.commands)).toEqual(reveal([use("3", 3, end - 1_000)]))
    expect(tagsOf(step(paused, demand, end - 1_000).commands)).toEqual(["RequestToken", "UseAccessToken"])
  })

  it("that ends further ahead than any server is granted is ignored: the clock went back", () => {
    const until = (until: number) => tagsOf(step({ _tag: "Absent", pause: pauseUntil(until) }, demand, 1_000).commands)
    expect(until(1_000 + hour)).toEqual(["AwaitTime"])
    expect(until(1_001 + hour)).toEqual(["RequestToken"])
  })

  it("covers the rejection of a token", () => {
    const pause = pauseUntil(hour + 1_000, { cause })
    expect(step(active({ pause }), rejected(3), hour).commands).toEqual([{ _tag: "AwaitTime", pause }])
  })
})

describe("AppCredential.eventOfOutcome", () => {
  const about = { generation: 3, owner: "holder" }
  const failure = (failure?: Pause.Failure) => ({
    _tag: "RequestFailed",
    ...about,
    ...(failure === undefined ? {} : { failure })
  })

  it("takes the tokens, except a refresh token", () => {
    const tokens = { ...access("4"), refreshToken: Tokens.secret("refresh-4") }
    const event = AppCredential.eventOfOutcome({ _tag: "Granted", tokens }, about)
    expect(reveal(event)).toStrictEqual(reveal({ _tag: "TokenGranted", generation: 3, tokens: access("4") }))
  })

  it.each([
    [{ _tag: "NoResponse" }, failure({ cause: { _tag: "NoResponse" } })],
    [
      { _tag: "Unavailable", status: 503, retryAfter: 30_000 },
      failure({ cause: { _tag: "Unavailable", status: 503 }, retryAfter: 30_000 })
    ],
    [{ _tag: "RateLimited", retryAfter: 60_000 }, failure({ cause: { _tag: "RateLimited" }, retryAfter: 60_000 })],
    [{ _tag: "NotSent", code: "ENOTFOUND" }, failure({ cause: { _tag: "NotSent", code: "ENOTFOUND" } })],
    [
      { _tag: "Malformed", status: 200, problem: "no JSON" },
      failure({ cause: { _tag: "Malformed", status: 200, problem: "no JSON" } })
    ],
    [{ _tag: "InvalidGrant" }, failure()],
    [{ _tag: "InvalidClient" }, failure()],
    [{ _tag: "Refused", error: "invalid_scope" }, failure()],
    [{ _tag: "NotTried" }, failure()]
  ] satisfies ReadonlyArray<[TokenOutcome, unknown]>)("%j", (outcome, event) => {
    expect(AppCredential.eventOfOutcome(outcome, about)).toStrictEqual(event)
  })
})
