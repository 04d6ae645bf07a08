import * as Scenario from "@zapier-workflow-auth/testing/Scenario"
import * as Effect from "effect/Effect"
import * as Library from "../base/library.ts"
import * as Case from "../case.ts"

const app = Scenario.make({
  ...Library.app,
  call: (subject) => Effect.orElseSucceed(Library.zaps(subject), (): ReadonlyArray<string> => [])
})

export const bug = Case.bug(
  {
    name: "errors-swallowed",
    family: "messages to users",
    wrong: "Every error becomes an empty list.",
    fix: "Ask the user to connect if the error requires it; otherwise ask to try later."
  },
  app
)
