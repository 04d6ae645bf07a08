import type * as Effect from "effect/Effect"
import * as ByHand from "../base/byHand.ts"
import * as Case from "../case.ts"

class App extends ByHand.ByHand {
  override alone<A>(_subject: string, effect: Effect.Effect<A, ByHand.AppError>): Effect.Effect<A, ByHand.AppError> {
    return effect
  }
}

export const bug = Case.bug(
  {
    name: "refresh-uncoordinated",
    family: "refresh",
    wrong: "Each call refreshes by itself when the access token has expired.",
    fix: "Let one call refresh, and the others wait for it."
  },
  ByHand.appOf(App)
)
