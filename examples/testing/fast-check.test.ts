import * as Settings from "@zapier-workflow-auth/core/Settings"
import * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import * as Arbitraries from "@zapier-workflow-auth/testing/Arbitraries"
import * as FastCheck from "@zapier-workflow-auth/testing/FastCheck"
import * as Arbitrary from "effect/Arbitrary"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { test } from "vitest"

// The machine under test: no event of another consent ever changes a grant.
const grants = FastCheck.from(Arbitraries.grant)
const events = FastCheck.from(Arbitrary.schema(UserGrant.Event))
const settings = FastCheck.from(Arbitraries.settings).map((options) => Result.getOrThrow(Settings.make(options)))

test("what is about another consent changes nothing", () => {
  fc.assert(
    fc.property(grants, events, settings, fc.nat(), (grant, event, settings, now) => {
      fc.pre(event._tag === "RefreshSucceeded" && event.family !== grant.family)
      const { state } = Result.getOrThrow(UserGrant.machine(settings).step(grant, event, now))
      return state === grant
    }),
    { numRuns: 50 }
  )
})
