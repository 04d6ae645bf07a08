import { describe, expect, it } from "@effect/vitest"
import type { Grant } from "@zapier-workflow-auth/core/store/GrantStore"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import * as Log from "./log.ts"
import { leaseDuration } from "./settings.ts"
import * as Verdict from "./verdict.ts"

const held = (family: string, generation: number, token: string) => ({
  family,
  generation,
  tokens: {
    accessToken: Tokens.secret(`access of ${token}`),
    refreshToken: Tokens.secret(token),
    scopes: ["zap" as const],
    obtainedAt: 0,
    expiresAt: 1
  }
})

const active = (generation: number, token: string, family = "one"): Grant => ({
  _tag: "Active",
  ...held(family, generation, token),
  responseLost: false
})

const refreshing = (owner: string, deadline: number, token = "a", generation = 1): Grant => ({
  _tag: "Refreshing",
  ...held("one", generation, token),
  responseLost: false,
  lease: { owner, deadline },
  attempt: 1
})

const ended = (generation: number, token: string, why: "ResponseLost" | "Revoked" = "ResponseLost"): Grant => ({
  _tag: "ReconnectRequired",
  ...held("one", generation, token),
  why,
  since: 0
})

const judge = (recorder: Log.Recorder, ...grants: ReadonlyArray<Grant>) =>
  Verdict.judge(
    recorder.log,
    grants.map((grant) => ({ subject: "ada", grant }))
  )

// A consent gave "a", and p1 got "b" for it.
const refreshed = () => {
  const recorder = Log.make()
  recorder.consented("a")
  recorder.sent("p1", "a", "b")
  return recorder
}

const killed = (process: string, kill: Partial<Log.Kill> = {}, recorder = refreshed()) => {
  recorder.dies(process)
  recorder.killed({ process, point: "random", refreshToken: undefined, ...kill })
  return recorder
}

describe("what is as it must be", () => {
  it("tokens that move along the server's chain", () => {
    const recorder = refreshed()
    recorder.sent("p2", "b", "c")
    const second = refreshing("p2", 20_000, "b", 2)
    const history = [active(1, "a"), refreshing("p1", 10_000), active(2, "b"), second, active(3, "c")]
    expect(judge(recorder, ...history)).toEqual({
      refreshes: 2,
      grantsLost: 0,
      responsesThatDied: 0,
      responsesCutOff: 0,
      violations: []
    })
  })

  it("a grant whose response died with its process, and a new consent after it", () => {
    const recorder = killed("p1")
    recorder.sent("p2", "a", undefined)
    recorder.consented("x")
    const takenOver = refreshing("p2", 10_000 + leaseDuration)
    const history = [active(1, "a"), refreshing("p1", 10_000), takenOver, ended(1, "a"), active(2, "x", "two")]
    expect(judge(recorder, ...history)).toMatchObject({
      grantsLost: 1,
      responsesThatDied: 1,
      violations: []
    })
  })

  it("a grant whose response was cut off in a living process", () => {
    const recorder = refreshed()
    recorder.withoutResponse("p1", "a")
    recorder.returned("p1", "a")
    recorder.sent("p1", "a", undefined)
    const history = [active(1, "a"), refreshing("p1", 10_000), refreshing("p1", 11_000), ended(1, "a")]
    expect(judge(recorder, ...history)).toMatchObject({
      grantsLost: 1,
      responsesThatDied: 0,
      responsesCutOff: 1,
      violations: []
    })
  })

  it("a process that was killed after its response was stored", () => {
    const recorder = killed("p1", { point: "committed", refreshToken: "b" })
    expect(judge(recorder, active(1, "a"), refreshing("p1", 10_000), active(2, "b")).violations).toEqual([])
  })
})

describe("what breaks a rule", () => {
  const broken: ReadonlyArray<readonly [says: string, verdict: () => Verdict.Verdict]> = [
    [
      "R3: p1 threw new tokens away while it was alive",
      () => {
        const recorder = killed("p1")
        recorder.returned("p1", "a")
        return judge(recorder, active(1, "a"), ended(1, "a"))
      }
    ],
    ["R3: p1 threw new tokens away while it was alive", () => judge(refreshed(), active(1, "a"), ended(1, "a"))],
    [
      "R4: the stored tokens were not issued for those that they replaced (ada, generation 3)",
      () => judge(refreshed(), active(1, "a"), active(2, "b"), active(3, "a"))
    ],
    [
      "R4: the stored tokens were not issued for those that they replaced (ada, generation 2)",
      () => judge(refreshed(), active(1, "a"), active(2, "z"))
    ],
    [
      "R4: generation 2 was followed by 1 (ada, generation 1)",
      () => judge(refreshed(), active(1, "a"), active(2, "b"), active(1, "a"))
    ],
    [
      "R4: generation 1 was followed by 3 (ada, generation 3)",
      () => judge(refreshed(), active(1, "a"), active(3, "b"))
    ],
    [
      "R4: tokens were replaced without a new generation (ada, generation 1)",
      () => judge(refreshed(), active(1, "a"), active(1, "b"))
    ],
    ["tokens have an unknown origin (ada, generation 1)", () => judge(refreshed(), active(1, "z"))],
    [
      "R4: an older consent came back (ada)",
      () => {
        const recorder = refreshed()
        recorder.consented("x")
        return judge(recorder, active(1, "a"), active(2, "x", "two"), active(3, "a"))
      }
    ],
    [
      "R1: a lease was taken over before it had ended (ada, generation 1)",
      () =>
        judge(
          refreshed(),
          active(1, "a"),
          refreshing("p1", 10_000),
          refreshing("p2", 9_999 + leaseDuration),
          active(2, "b")
        )
    ],
    [
      "R1: p2 sent a refresh token that it had not claimed",
      () => {
        const recorder = refreshed()
        recorder.sent("p2", "a", undefined)
        return judge(recorder, active(1, "a"), refreshing("p1", 10_000), active(2, "b"))
      }
    ],
    [
      "a grant was lost although no response was (ada)",
      () => judge(refreshed(), active(1, "a"), active(2, "b"), ended(2, "b"))
    ],
    ["a response was lost, but its grant was not (ada)", () => judge(killed("p1"), active(1, "a"))],
    ["a grant was lost because of Revoked (ada)", () => judge(killed("p1"), active(1, "a"), ended(1, "a", "Revoked"))],
    [
      "a process that was killed before its request sent a token (p1, claimed)",
      () => judge(killed("p1", { point: "claimed", refreshToken: "a" }), active(1, "a"), ended(1, "a"))
    ],
    [
      "a response was stored after its holder was killed (p1, responded)",
      () => judge(killed("p1", { point: "responded", refreshToken: "b" }), active(1, "a"), active(2, "b"))
    ],
    [
      "a committed response is not stored (p1, committed)",
      () => judge(killed("p1", { point: "committed", refreshToken: "b" }), active(1, "a"), ended(1, "a"))
    ]
  ]

  it.each(broken)("%s", (says, verdict) => {
    expect(verdict().violations).toContain(says)
  })
})
