import * as Scenario from "@zapier-workflow-auth/testing/Scenario"
import * as ByHand from "../base/byHand.ts"
import * as Case from "../case.ts"

const app = Scenario.make({ ...ByHand.appOf(ByHand.ByHand), instances: 2 })

export const bug = Case.bug(
  {
    name: "lock-of-one-instance",
    family: "several instances",
    wrong: "The lock that keeps refreshes apart is in memory, and the app runs twice.",
    fix: "Take the lock in the database: a lease that ends by itself."
  },
  app
)
