import * as Scenario from "@zapier-workflow-auth/testing/Scenario"
import * as ByHand from "../base/byHand.ts"
import * as Case from "../case.ts"

const app = Scenario.make({ ...ByHand.appOf(ByHand.ByHand), instances: 2 })

export const bug = Case.bug(
  {
    name: "lock-of-one-instance",
    family: "several instances",
    wrong: "The lock around refreshes is in memory, but the app runs in two instances.",
    fix: "Keep the lock in the database: a lease that ends by itself."
  },
  app
)
