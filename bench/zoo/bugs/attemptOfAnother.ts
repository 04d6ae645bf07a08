import * as Effect from "effect/Effect"
import * as ByHand from "../base/byHand.ts"
import * as Case from "../case.ts"

class App extends ByHand.ByHand {
  override takeAttempt(state: string, signedIn: string): Effect.Effect<string, ByHand.AppError> {
    if (!this.db.attempts.has(state)) return Effect.fail(new ByHand.Refused({ why: "state" }))
    this.db.attempts.delete(state)
    return Effect.succeed(signedIn)
  }
}

export const bug = Case.bug(
  {
    name: "attempt-of-another",
    family: "callback",
    wrong: "Any state that the app has issued is accepted, even another user's.",
    fix: "Compare the user who began to connect with the signed-in user."
  },
  ByHand.appOf(App)
)
