import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as ByHand from "../base/byHand.ts"
import * as Case from "../case.ts"

class App extends ByHand.ByHand {
  override alone<A>(_subject: string, effect: Effect.Effect<A, ByHand.AppError>): Effect.Effect<A, ByHand.AppError> {
    return Effect.flatMap(Effect.forkIn(effect, this.scope), Fiber.join)
  }
}

export const bug = Case.bug(
  {
    name: "refresh-uncoordinated",
    family: "refresh",
    wrong: "Each call refreshes an expired access token by itself.",
    fix: "Let one call refresh, and the others wait for it."
  },
  ByHand.appOf(App)
)
