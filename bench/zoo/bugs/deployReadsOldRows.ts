import * as Scenario from "@zapier-workflow-auth/testing/Scenario"
import * as ByHand from "../base/byHand.ts"
import type { Row } from "../base/database.ts"
import * as Case from "../case.ts"

// The previous version wrote seconds.
class Before extends ByHand.ByHand {
  override expiryOf(response: ByHand.Granted): number {
    return super.expiryOf(response) / 1_000
  }
  override isDue({ expiresAt }: Row, now: number): boolean {
    return now >= expiresAt * 1_000
  }
}

const app = Scenario.make({ ...ByHand.appOf(ByHand.ByHand), before: ByHand.layerOf(Before) })

export const bug = Case.bug(
  {
    name: "deploy-reads-old-rows",
    family: "deploy",
    wrong: "A new version stores expiry times in milliseconds, and reads the old version's seconds as milliseconds.",
    fix: "Migrate the rows with the deployment, or store their unit."
  },
  app
)
