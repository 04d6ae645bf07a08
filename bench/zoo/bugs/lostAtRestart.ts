import * as MemoryStores from "@zapier-workflow-auth/core/store/MemoryStores"
import * as Scenario from "@zapier-workflow-auth/testing/Scenario"
import * as Layer from "effect/Layer"
import * as Library from "../base/library.ts"
import * as Case from "../case.ts"

const app = Scenario.make({
  ...Library.app,
  stores: undefined,
  layer: Layer.provide(Library.layer, MemoryStores.layer)
})

export const bug = Case.bug(
  {
    name: "lost-at-restart",
    family: "life of the process",
    wrong: "Tokens are kept in memory, and lost with the process.",
    fix: "Keep them in a store that survives the process."
  },
  app
)
