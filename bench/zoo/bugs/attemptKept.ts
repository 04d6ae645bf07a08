import * as Effect from "effect/Effect"
import * as ByHand from "../base/byHand.ts"
import * as Case from "../case.ts"

class App extends ByHand.ByHand {
  override takeAttempt(state: string, signedIn: string): Effect.Effect<string, ByHand.AppError> {
    return this.db.attempts.get(state)?.subject === signedIn
      ? Effect.succeed(signedIn)
      : Effect.fail(new ByHand.Refused({ why: "state" }))
  }
}

export const bug = Case.bug(
  {
    name: "attempt-kept",
    family: "callback",
    wrong: "A state is accepted for several callbacks: reloading the page sends the code again.",
    fix: "Delete the attempt before its code is exchanged."
  },
  ByHand.appOf(App)
)
