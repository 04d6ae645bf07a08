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
    wrong: "The callback takes any code, whatever its state is.",
    fix: "Take a callback only if the app has given out its state, to this user, and not taken it yet."
  },
  ByHand.appOf(App)
)
