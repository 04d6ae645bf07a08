import { expect, it } from "@effect/vitest"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import type * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import * as Invariants from "@zapier-workflow-auth/testing/Invariants"

const grant: UserGrant.State = {
  _tag: "Active",
  family: "consent-1",
  generation: 1,
  tokens: {
    accessToken: Tokens.secret("access-1"),
    refreshToken: Tokens.secret("refresh-1"),
    scopes: ["zap"],
    obtainedAt: 0,
    expiresAt: 36_000_000
  },
  responseLost: false
}

// Observations of a client: this one refreshes without a lease, and an hour early.
const observations: ReadonlyArray<Invariants.Observation<UserGrant.State>> = [
  { _tag: "CodeResponded", outcome: { _tag: "Granted", tokens: grant.tokens } },
  { _tag: "Stored", state: grant, isAlive: true, at: 0 },
  { _tag: "Sent", owner: "worker-1", token: "refresh-1", at: 32_400_000 }
]

it("says which rules are broken, and how", () => {
  const options = { expiryMargin: 300_000, rejectionInterval: 30_000 }
  let history = Invariants.empty
  const broken = observations.flatMap((observation) => {
    const observed = Invariants.observe(history, observation, options)
    history = observed.history
    return observed.violations
  })
  expect(broken).toEqual([{ rule: "R1 one refresher", observed: "a process without the lease sent a token" }])
})
