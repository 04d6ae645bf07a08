import { describe, expect, it } from "@effect/vitest"
import type * as AppCredential from "@zapier-workflow-auth/core/machine/AppCredential"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import type * as TokenOutcome from "@zapier-workflow-auth/core/oauth/TokenOutcome"
import * as AppInvariants from "../src/AppInvariants.ts"
import type { Rule } from "../src/Invariants.ts"

type Observation = AppInvariants.Observation

const lifetime = 36_000_000
const lease = 30_000
const options = { expiryMargin: 300_000 }

// The token of the nth request, which began at that time.
const access = (n: number, at: number): Tokens.Access => ({
  accessToken: Tokens.secret(`access-${n}`),
  scopes: ["promotions:write"],
  obtainedAt: at,
  expiresAt: at + lifetime
})

const granted = (n: number, at: number): TokenOutcome.TokenOutcome => ({ _tag: "Granted", tokens: access(n, at) })

const stored = (state: AppCredential.State): Observation => ({ _tag: "TokenStored", state })

const absent: AppCredential.State = { _tag: "Absent", notBefore: 0 }

const active = (n: number, at: number, generation = n): AppCredential.State => ({
  _tag: "Active",
  generation,
  access: access(n, at),
  notBefore: 0
})

// `n` is 0 as long as there is no token.
const claimed = (owner: string, n: number, at: number, now: number): AppCredential.State => ({
  _tag: "Requesting",
  generation: n,
  ...(n === 0 ? {} : { access: access(n, at) }),
  lease: { owner, deadline: now + lease }
})

const asked = (owner: string, at: number): Observation => ({ _tag: "TokenAsked", owner, at })

const answered = (owner: string, at: number, outcome: TokenOutcome.TokenOutcome): Observation => ({
  _tag: "TokenAnswered",
  owner,
  at,
  outcome
})

const rejected = (owner: string, n: number): Observation => ({
  _tag: "AccessRejected",
  owner,
  accessToken: `access-${n}`
})

const ended = (owner: string): Observation => ({ _tag: "ProcessEnded", owner })
const suspended = (owner: string): Observation => ({ _tag: "ProcessSuspended", owner })
const settled: Observation = { _tag: "Settled", waiting: 0 }

// Process a gets the first token.
const first = [stored(claimed("a", 0, 0, 0)), asked("a", 0), answered("a", 100, granted(1, 0))]
const begun = [...first, stored(active(1, 0))]

// It asks for the second when the first has ended.
const now = lifetime
const asking = [...begun, stored(claimed("a", 1, 0, now)), asked("a", now)]
const renewed = [...asking, answered("a", now + 100, granted(2, now)), stored(active(2, now)), settled]

const silence: TokenOutcome.TokenOutcome = { _tag: "NoResponse" }

// Process a stands still after it was given a token; b takes the lease over and stores another.
const overtaken = [
  ...asking,
  suspended("a"),
  stored(claimed("b", 1, 0, now + lease)),
  asked("b", now + lease),
  answered("b", now + lease + 100, granted(3, now + lease)),
  stored(active(3, now + lease, 2)),
  answered("a", now + lease + 200, granted(2, now))
]

/** For each rule a sequence that keeps it, and one that breaks it with its last observation. */
const cases: {
  readonly [rule in Rule]?: readonly [ReadonlyArray<Observation>, ReadonlyArray<Observation>]
} = {
  "R1 one refresher": [
    // The first process has ended, so that the second takes over.
    [
      ...asking,
      ended("a"),
      stored(claimed("b", 1, 0, now + lease)),
      asked("b", now + lease),
      answered("b", now + lease + 100, granted(2, now + lease)),
      stored(active(2, now + lease)),
      settled
    ],
    [...asking, stored(claimed("b", 1, 0, now + 10)), asked("b", now + 10)]
  ],
  "R2 the lease outlives the request": [
    [...asking, answered("a", now + lease, granted(2, now)), stored(active(2, now))],
    [...asking, answered("a", now + lease + 1, granted(2, now))]
  ],
  "R3 success always wins": [
    [...overtaken, settled],
    [...asking, answered("a", now + 100, granted(2, now)), settled]
  ],
  "R4 never overwrite newer": [renewed, [...overtaken, stored(active(2, now, 3))]],
  "R7 401 means look again": [
    [...begun, rejected("a", 1), stored(claimed("a", 1, 0, 500)), asked("a", 500)],
    [...renewed, rejected("b", 1), stored(claimed("b", 2, now, now + 500)), asked("b", now + 500)]
  ],
  "R8 refresh when used": [
    [...begun, stored(claimed("a", 1, 0, lifetime - 300_000)), asked("a", lifetime - 300_000)],
    [...begun, stored(claimed("a", 1, 0, lifetime - 300_001)), asked("a", lifetime - 300_001)]
  ],
  "Everybody is answered": [renewed, [...begun, { _tag: "Settled", waiting: 1 }]]
}

/** The rules that each observation breaks. */
const judge = (observations: ReadonlyArray<Observation>) => {
  let ledger = AppInvariants.empty
  return observations.map((observation) => {
    const observed = AppInvariants.observe(ledger, observation, options)
    ledger = observed.ledger
    return observed.violations.map(({ rule }) => rule)
  })
}

describe.each(Object.entries(cases))("AppInvariants: %s", (rule, [honest, broken]) => {
  it("is kept", () => {
    expect(judge(honest).flat()).toEqual([])
  })

  it("is broken by the last observation, and called by its name", () => {
    const judgements = judge(broken)
    expect(judgements.slice(0, -1).flat()).toEqual([])
    expect(judgements.at(-1)).toEqual([rule])
  })
})

describe("AppInvariants", () => {
  it("nobody asks without a lease", () => {
    expect(judge([asked("a", 0)]).flat()).toEqual(["R1 one refresher"])
    // What was given back is no lease any more, nor is that of a process that has ended.
    expect(judge([stored(claimed("a", 0, 0, 0)), stored(absent), asked("a", 10)]).flat()).toEqual(["R1 one refresher"])
    expect(judge([stored(claimed("a", 0, 0, 0)), ended("a"), asked("a", 10)]).flat()).toEqual(["R1 one refresher"])
    // Nor is one that has led to a token.
    expect(judge([...begun, asked("a", now)]).flat()).toEqual(["R1 one refresher"])
  })

  it("nobody asks while another holds the lease, even if that one has yet to ask", () => {
    const both = [stored(claimed("a", 0, 0, 0)), stored(claimed("b", 0, 0, 0)), asked("a", 10)]
    expect(judge(both).flat()).toEqual(["R1 one refresher"])
  })

  it("a lease covers a request that is sent again, and one for a record that has moved on meanwhile", () => {
    const again = [...asking, answered("a", now + 100, silence), asked("a", now + 200)]
    expect(judge(again).flat()).toEqual([])
    const straggler = [
      ...asking,
      suspended("a"),
      stored(claimed("b", 1, 0, now + lease)),
      answered("a", now + lease, granted(2, now)),
      stored(active(2, now)),
      asked("b", now + lease),
      answered("b", now + lease + 100, granted(3, now + lease)),
      settled
    ]
    expect(judge(straggler).flat()).toEqual([])
  })

  it("no request leaves, or is to last, when its lease has ended", () => {
    const claim = stored(claimed("a", 0, 0, 0))
    expect(judge([claim, asked("a", lease)]).flat()).toEqual(["R2 the lease outlives the request"])
    const tooLong: Observation = { _tag: "TokenAsked", owner: "a", at: 0, until: lease + 1 }
    expect(judge([claim, tooLong]).flat()).toEqual(["R2 the lease outlives the request"])
  })

  it("a process that stands still breaks no promise", () => {
    expect(judge(overtaken).flat()).toEqual([])
  })

  it("a token is lost with the process that was given it", () => {
    expect(judge([...first, ended("a"), settled]).flat()).toEqual([])
  })

  it("generations grow one by one, and with each token", () => {
    const later = active(2, now, 3)
    expect(judge([...asking, answered("a", now, granted(2, now)), stored(later)]).flat()).toEqual([
      "R4 never overwrite newer"
    ])
    const same = active(2, now, 1)
    expect(judge([...asking, answered("a", now, granted(2, now)), stored(same)]).flat()).toEqual([
      "R4 never overwrite newer"
    ])
    expect(judge([...renewed, stored(active(1, 0))]).flat()).toEqual(["R4 never overwrite newer"])
    expect(judge([...renewed, stored(absent)]).flat()).toEqual(["R4 never overwrite newer"])
  })

  it("a token's time counts from the start of its request", () => {
    const late = [...asking, answered("a", now + 100, granted(2, now)), stored(active(2, now + 100))]
    expect(judge(late).flat()).toEqual(["R8 refresh when used"])
  })

  it("a token that was marked as ended without a 401 has its time left", () => {
    const marked = { ...claimed("a", 1, 0, 500), access: Tokens.expire(access(1, 0), 500) }
    expect(judge([...begun, stored(marked), asked("a", 500)]).flat()).toEqual(["R8 refresh when used"])
  })

  it("repeats no token", () => {
    let ledger = AppInvariants.empty
    for (const observation of Object.values(cases).flat(2)) {
      const { violations, ...observed } = AppInvariants.observe(ledger, observation, options)
      ledger = observed.ledger
      expect(JSON.stringify(violations)).not.toMatch(/access-\d/)
    }
  })
})
