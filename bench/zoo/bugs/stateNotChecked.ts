import * as Effect from "effect/Effect"
import * as ByHand from "../base/byHand.ts"
import * as Case from "../case.ts"

class App extends ByHand.ByHand {
  override takeAttempt(_state: string, signedIn: string): Effect.Effect<string> {
    return Effect.succeed(signedIn)
  }
}

export const bug = Case.bug(
  {
    name: "state-not-checked",
    family: "callback",
    wrong: "The callback accepts any code, whatever its state.",
    fix: "Accept a callback only if the app issued its state to this user, and it was not used yet."
  },
  ByHand.appOf(App)
)
