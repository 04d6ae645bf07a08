import * as Effect from "effect/Effect"
import * as ByHand from "../base/byHand.ts"
import * as Case from "../case.ts"

class App extends ByHand.ByHand {
  override newState(subject: string): Effect.Effect<string> {
    return Effect.succeed(`acme-integration-for-${subject}`)
  }
}

export const bug = Case.bug(
  {
    name: "state-reused",
    family: "callback",
    wrong: "A user's state is always the same, derived from their name, so it can be guessed.",
    fix: "Draw a new state for each attempt, with at least 128 bits of randomness."
  },
  ByHand.appOf(App)
)
