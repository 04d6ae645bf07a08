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
  responseLost: false,
  notBefore: 0
}

// What was seen of a client: here of one that refreshes without a lease, and an hour early.
const seen: ReadonlyArray<Invariants.Observation> = [
  { _tag: "CodeAnswered", outcome: { _tag: "Granted", tokens: grant.tokens } },
  { _tag: "GrantStored", state: grant, isAlive: true },
  { _tag: "RefreshSent", owner: "worker-1", refreshToken: "refresh-1", at: 32_400_000 }
]

it("says which rules are broken, and how", () => {
  let ledger = Invariants.empty
  const broken = seen.flatMap((observation) => {
    const observed = Invariants.observe(ledger, observation, { expiryMargin: 300_000 })
    ledger = observed.ledger
    return observed.violations
  })
  expect(broken).toEqual([
    { rule: "R1 one refresher", what: "a refresh token was sent by a process that held no lease" }
  ])
})
