import * as Effect from "effect/Effect"
import * as ByHand from "../base/byHand.ts"
import * as Case from "../case.ts"

class App extends ByHand.ByHand {
  token = ""

  override accessToken(subject: string, rejected?: string): Effect.Effect<string, ByHand.AppError> {
    return Effect.tap(super.accessToken(subject, rejected), (token) =>
      Effect.sync(() => {
        this.token = token
      })
    )
  }

  override request(subject: string, method: "GET" | "POST", path: string): Effect.Effect<unknown, ByHand.AppError> {
    return Effect.gen({ self: this }, function* () {
      yield* this.accessToken(subject)
      // First checks whether the user may call at all.
      yield* Effect.sleep("50 millis")
      const { json, status } = yield* this.send(this.token, method, path)
      return status === 200 && json !== undefined ? json : yield* new ByHand.Unavailable({ why: `${status}` })
    })
  }
}

export const bug = Case.bug(
  {
    name: "users-mixed-up",
    family: "mixed up",
    wrong: "The calling user's token is in a variable that all requests share.",
    fix: "Pass the token as an argument."
  },
  ByHand.appOf(App)
)
