import { describe, expect, it } from "@effect/vitest"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import type * as AppCredential from "@zapier-workflow-auth/core/machine/AppCredential"
import type * as TokenOutcome from "@zapier-workflow-auth/core/oauth/TokenOutcome"
import type * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import * as Invariants from "../src/Invariants.ts"

type Observation = Invariants.Observation<UserGrant.State>

const lifetime = 36_000_000
const lease = 90_000
const options = { expiryMargin: 300_000, rejectionInterval: 30_000 }

// The tokens of the nth request, which began at that time.
const tokens = (n: number, at: number): Tokens.Renewable => ({
  accessToken: Tokens.secret(`access-${n}`),
  refreshToken: Tokens.secret(`refresh-${n}`),
  scopes: ["zap"],
  obtainedAt: at,
  expiresAt: at + lifetime
})

const granted = (n: number, at: number): TokenOutcome.TokenOutcome => ({ _tag: "Granted", tokens: tokens(n, at) })

const held = (n: number, at: number) => ({ family: "consent", generation: n, tokens: tokens(n, at) })

const stored = (state: UserGrant.State, isAlive = true, at = 0): Observation => ({
  _tag: "Stored",
  state,
  isAlive,
  at
})

type Of<Tag extends UserGrant.State["_tag"]> = Extract<UserGrant.State, { readonly _tag: Tag }>

const active = (n: number, at: number, responseLost = false): Of<"Active"> => ({
  _tag: "Active",
  ...held(n, at),
  responseLost
})

const use = (n: number, at: number, replacedAt?: number): Tokens.UsableAccess => ({
  ...tokens(n, at),
  family: "consent",
  generation: n,
  ...(replacedAt === undefined ? {} : { replacedAt })
})

const given = (access: Tokens.UsableAccess): Observation => ({ _tag: "AccessGiven", owner: "a", access })

const claimed = (owner: string, n: number, at: number, now: number): Of<"Refreshing"> => ({
  _tag: "Refreshing",
  ...held(n, at),
  responseLost: false,
  lease: { owner, deadline: now + lease },
  attempt: 1
})

const givenUp = (n: number, at: number, why: "Revoked" | "ResponseLost" = "Revoked"): UserGrant.State => ({
  _tag: "ReconnectRequired",
  ...held(n, at),
  why,
  since: at
})

const sent = (owner: string, n: number, at: number): Observation => ({
  _tag: "Sent",
  owner,
  token: `refresh-${n}`,
  at
})

const answered = (owner: string, n: number, at: number, outcome: TokenOutcome.TokenOutcome): Observation => ({
  _tag: "Responded",
  owner,
  token: `refresh-${n}`,
  at,
  outcome
})

const arrived: Observation = { _tag: "CodeArrived", code: "code", at: 0 }
const exchanged = (at: number): Observation => ({ _tag: "CodeSent", code: "code", at })
const settled: Observation = { _tag: "Settled", waiting: 0 }
const gone: UserGrant.State = { _tag: "Absent" }

const connected = [
  arrived,
  exchanged(0),
  { _tag: "CodeResponded", outcome: granted(1, 0) },
  stored(active(1, 0))
] as const

// Process a claims the grant when its token has ended, and sends.
const now = lifetime
const sending = [...connected, stored(claimed("a", 1, 0, now)), sent("a", 1, now)] as const
const answer = granted(2, now)
const renewed = [...sending, answered("a", 1, now + 100, answer), stored(active(2, now)), settled] as const

const refused: TokenOutcome.TokenOutcome = { _tag: "InvalidGrant" }
const silence: TokenOutcome.TokenOutcome = { _tag: "NoResponse" }

const rejected = (owner: string, n: number, at = 0, replacedAt?: number): Observation => ({
  _tag: "AccessRejected",
  owner,
  access: { ...tokens(n, 0), family: "family", generation: n, ...(replacedAt === undefined ? {} : { replacedAt }) },
  at
})

const quiet: Observation = { _tag: "ProcessQuiet", owner: "a", at: now + 200 }

// The first token was rejected at once, and replaced by the second.
const fresh = (owner: string, at: number): UserGrant.State => ({
  ...claimed(owner, 2, 500, at),
  tokens: { ...tokens(2, 500), replacedAt: 600 }
})
const replaced = [
  ...connected,
  rejected("a", 1),
  stored(claimed("a", 1, 0, 500)),
  sent("a", 1, 500),
  answered("a", 1, 600, granted(2, 500)),
  stored({ ...active(2, 500), tokens: { ...tokens(2, 500), replacedAt: 600 } })
] as const

/** For each rule a sequence that keeps it, and one that breaks it with its last observation. */
const cases: { readonly [rule in Invariants.Rule]: readonly [ReadonlyArray<Observation>, ReadonlyArray<Observation>] } =
  {
    "R1 one refresher": [
      // The first process has ended, so that the second takes over.
      [
        ...sending,
        { _tag: "ProcessEnded", owner: "a" },
        stored(claimed("b", 1, 0, now + lease), true, now + lease),
        sent("b", 1, now + lease),
        answered("b", 1, now + lease + 100, granted(2, now + lease)),
        stored(active(2, now + lease)),
        settled
      ],
      [...sending, stored(claimed("b", 1, 0, now + 10), true, now + 10)]
    ],
    "R2 patience": [
      [...sending, answered("a", 1, now + lease, answer), stored(active(2, now))],
      [...sending, sent("a", 1, now + 30_000)]
    ],
    "R3 success always wins": [
      [...sending, answered("a", 1, now + 100, answer), stored(active(2, now)), settled],
      [...sending, answered("a", 1, now + 100, answer), settled]
    ],
    "R4 never overwrite newer": [renewed, [...renewed, stored(active(1, 0))]],
    "R5 unknown is not failed": [
      [
        ...sending,
        answered("a", 1, now + 100, silence),
        sent("a", 1, now + 100),
        answered("a", 1, now + 200, refused),
        stored(givenUp(1, 0, "ResponseLost"), false)
      ],
      [...sending, answered("a", 1, now + 100, silence), stored(givenUp(1, 0, "ResponseLost"), false)]
    ],
    "R6 the right thing is blamed": [
      [...sending, answered("a", 1, now + 100, { _tag: "InvalidClient" }), stored(active(1, 0))],
      [...sending, answered("a", 1, now + 100, { _tag: "InvalidClient" }), stored(givenUp(1, 0), false)]
    ],
    "R7 401 means look again": [
      [...connected, rejected("a", 1), stored(claimed("a", 1, 0, 500)), sent("a", 1, 500)],
      [...renewed, rejected("b", 1), stored(claimed("b", 2, now, now + 500)), sent("b", 2, now + 500)]
    ],
    "R8 refresh when used": [
      [...connected, stored(claimed("a", 1, 0, lifetime - 1_000)), sent("a", 1, lifetime - 1_000)],
      [...connected, stored(claimed("a", 1, 0, 1_000)), sent("a", 1, 1_000)]
    ],
    "R9 a code is exchanged once": [connected, [...connected, exchanged(1_000)]],
    "R10 no dead token": [
      [...renewed, rejected("a", 1), given(use(2, now))],
      [...renewed, rejected("a", 1), given(use(1, 0))]
    ],
    "R12 a fresh token is believed": [
      [...replaced, rejected("a", 2, 31_000, 600), stored(claimed("a", 2, 500, 31_000)), sent("a", 2, 31_000)],
      [...replaced, rejected("a", 2, 1_000, 600), stored(fresh("a", 1_000)), sent("a", 2, 1_000)]
    ],
    "Leases are released": [
      [...sending, answered("a", 1, now + 100, silence), stored(active(1, 0, true)), quiet],
      [...sending, answered("a", 1, now + 100, silence), quiet]
    ],
    "A disconnect is final": [
      [...sending, stored(gone), answered("a", 1, now + 100, answer), settled],
      [...sending, stored(gone), answered("a", 1, now + 100, answer), stored(active(2, now))]
    ],
    "Every caller gets a result": [renewed, [...connected, { _tag: "Settled", waiting: 1 }]],
    // Seen from inside, by the model alone.
    "Drivers follow their table": [[], []]
  }

/** The rules that each observation breaks. */
const judge = (observations: ReadonlyArray<Observation>) => {
  let history = Invariants.empty
  return observations.map((observation) => {
    const observed = Invariants.observe(history, observation, options)
    history = observed.history
    return observed.violations.map(({ rule }) => rule)
  })
}

describe.each(Object.entries(cases))("Invariants: %s", (rule, [honest, broken]) => {
  it("is kept", () => {
    expect(judge(honest).flat()).toEqual([])
  })

  it("is broken by the last observation, and called by its name", () => {
    const judgements = judge(broken)
    expect(judgements.slice(0, -1).flat()).toEqual([])
    expect(judgements.at(-1)).toEqual(broken.length === 0 ? undefined : [rule])
  })
})

describe("Invariants", () => {
  it("a code is not sent more than two minutes after it came", () => {
    expect(judge([arrived, exchanged(120_000)]).flat()).toEqual(["R9 a code is exchanged once"])
  })

  it("tokens of a code are stored, unless their process ends, or another consent or a removal stands", () => {
    const brought = (owner: string, n: number): Observation => ({
      _tag: "CodeResponded",
      outcome: granted(n, 0),
      owner
    })
    const written = (owner: string, state: UserGrant.State): Observation => ({
      _tag: "Stored",
      state,
      isAlive: true,
      at: 0,
      owner
    })
    const thrownAway = ["R3 success always wins"]
    expect(judge([brought("a", 1), settled]).flat()).toEqual(thrownAway)
    expect(judge([brought("a", 1), written("a", active(1, 0)), settled]).flat()).toEqual([])
    expect(judge([brought("a", 1), { _tag: "ProcessEnded", owner: "a" }, settled]).flat()).toEqual([])
    const both = [brought("a", 1), brought("b", 2)]
    const second: UserGrant.State = { ...active(2, 0), generation: 1 }
    expect(judge([...both, written("b", second), settled]).flat()).toEqual([])
    expect(judge([...both, written("b", second), written("b", gone), settled]).flat()).toEqual([])
    // One process stores them one after the other.
    expect(judge([brought("a", 1), brought("a", 2), written("a", second), settled]).flat()).toEqual(thrownAway)
  })

  it("a token's time counts from the start of its request", () => {
    const late = [...sending, answered("a", 1, now + 100, answer), stored(active(2, now + 100))]
    expect(judge(late).flat()).toEqual(["R8 refresh when used"])
  })

  it("a grant with a working refresh token is not given up", () => {
    const early = [...sending, answered("a", 1, now + 100, refused), stored(givenUp(1, 0), true)]
    expect(judge(early).flat()).toEqual(["R5 unknown is not failed"])
  })

  it("the user is not blamed for a lost response", () => {
    const blamed = [
      ...sending,
      answered("a", 1, now + 100, silence),
      sent("a", 1, now + 100),
      answered("a", 1, now + 200, refused),
      stored(givenUp(1, 0, "Revoked"), false)
    ]
    expect(judge(blamed).flat()).toEqual(["R5 unknown is not failed"])
  })

  it("a loss before a renewal with the same refresh token is not blamed after it", () => {
    const same: Tokens.Renewable = { ...tokens(2, now), refreshToken: Tokens.secret("refresh-1") }
    const again = { family: "consent", generation: 2, tokens: same }
    const observations: ReadonlyArray<Observation> = [
      ...sending,
      answered("a", 1, now + 100, silence),
      sent("a", 1, now + 100),
      answered("a", 1, now + 200, { _tag: "Granted", tokens: same }),
      stored({ _tag: "Active", ...again, responseLost: false }),
      stored({
        _tag: "Refreshing",
        ...again,
        responseLost: false,
        lease: { owner: "a", deadline: now + lifetime + lease },
        attempt: 1
      }),
      sent("a", 1, now + lifetime),
      answered("a", 1, now + lifetime + 100, refused),
      stored({ _tag: "ReconnectRequired", ...again, why: "Revoked", since: now + lifetime + 100 }, false)
    ]
    expect(judge(observations).flat()).toEqual([])
  })

  it("a process that a renewal with the same refresh token has overtaken stores nothing", () => {
    const same = (n: number): Tokens.Tokens => ({ ...tokens(n, now + lease), refreshToken: Tokens.secret("refresh-1") })
    const observations: ReadonlyArray<Observation> = [
      ...sending,
      { _tag: "ProcessPaused", owner: "a" },
      stored(claimed("b", 1, 0, now + lease), true, now + lease),
      sent("b", 1, now + lease),
      answered("b", 1, now + lease + 100, { _tag: "Granted", tokens: same(2) }),
      stored({ _tag: "Active", family: "consent", generation: 2, tokens: same(2), responseLost: false }),
      answered("a", 1, now + 2 * lease, { _tag: "Granted", tokens: same(3) }),
      settled
    ]
    expect(judge(observations).flat()).toEqual([])
  })

  it("a process that is paused breaks no promise", () => {
    const paused: Observation = { _tag: "ProcessPaused", owner: "a" }
    const observations = [
      ...sending,
      paused,
      stored(claimed("b", 1, 0, now + lease), true, now + lease),
      sent("b", 1, now + lease)
    ]
    expect(judge([...observations, answered("a", 1, now + 2 * lease, refused)]).flat()).toEqual([])
  })

  it("only a process that claimed a replaced refresh token sends it", () => {
    expect(judge([...renewed, sent("a", 1, now + 200)]).flat()).toEqual(["R1 one refresher"])
    expect(judge([...renewed, sent("b", 1, now + 200)]).flat()).toEqual(["R1 one refresher"])
    expect(judge([...connected, stored(gone), sent("a", 1, now)]).flat()).toEqual(["R1 one refresher"])
    const claim = [...connected, stored(claimed("a", 1, 0, now)), stored(gone)]
    expect(judge([...claim, sent("a", 1, now)]).flat()).toEqual([])
    expect(new Set(judge([...claim, sent("a", 1, now), sent("a", 1, now)]).flat())).toContain("R1 one refresher")
  })

  it("no process removes a grant by a decision on an older one", () => {
    const removed = (n: number, at: number): Observation => ({
      _tag: "Stored",
      state: gone,
      isAlive: false,
      at,
      from: active(n, at)
    })
    expect(judge([...renewed, removed(2, now)]).flat()).toEqual([])
    expect(judge([...renewed, removed(1, 0)]).flat()).toEqual(["R4 never overwrite newer"])
  })

  it("a process hands out nothing of a grant that it was asked to remove, once that is gone", () => {
    const asked: Observation = { _tag: "DisconnectAsked", owner: "a" }
    expect(judge([...connected, asked, given(use(1, 0))]).flat()).toEqual([])
    expect(judge([...connected, asked, stored(gone), given(use(1, 0))]).flat()).toEqual(["R10 no dead token"])
  })

  it("no process claims during a pause", () => {
    const pause = { until: now + 60_000, failures: 1, cause: { _tag: "RateLimited" } } as const
    const paused = stored({ ...active(1, 0), pause })
    const claim = stored(claimed("a", 1, 0, now), true, now)
    expect(judge([...connected, paused, claim]).flat()).toEqual(["R10 no dead token"])
  })

  it("a request of the app names the app", () => {
    let history = Invariants.emptyOfApp
    const judgeApp = (observation: Invariants.Observation<AppCredential.State>) => {
      const observed = Invariants.observe(history, observation, options)
      history = observed.history
      return observed.violations.map(({ rule }) => rule)
    }
    const request = { _tag: "Sent", owner: "a", token: Invariants.app, at: now } as const
    const state = { _tag: "Requesting", generation: 0, lease: { owner: "a", deadline: now + lease } } as const
    expect(judgeApp({ _tag: "Stored", state, isAlive: true, at: now })).toEqual([])
    expect(judgeApp(request)).toEqual([])
    expect(judgeApp({ ...request, owner: "b" })).toEqual(["R2 patience", "R1 one refresher"])
  })

  it("repeats no token", () => {
    let history = Invariants.empty
    for (const observation of Object.values(cases).flat(2)) {
      const { violations, ...observed } = Invariants.observe(history, observation, options)
      history = observed.history
      expect(JSON.stringify(violations)).not.toMatch(/(access|refresh)-\d/)
    }
  })
})
