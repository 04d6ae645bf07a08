import * as Effect from "effect/Effect"
import * as ByHand from "../base/byHand.ts"
import * as Case from "../case.ts"

class App extends ByHand.ByHand {
  failures = 0

  override call(subject: string): Effect.Effect<unknown, ByHand.AppError> {
    return Effect.suspend(() => {
      if (this.failures >= 2) return Effect.fail(new ByHand.Unavailable({ why: "breaker open" }))
      return Effect.tapError(super.call(subject), ({ _tag }) =>
        Effect.sync(() => {
          if (_tag === "Unavailable") this.failures++
        })
      )
    })
  }
}

export const bug = Case.bug(
  {
    name: "breaker-stays-open",
    family: "recovery",
    wrong: "A circuit breaker opens after two failures, and never closes again.",
    fix: "After a while, let one call through, and close the breaker if it succeeds."
  },
  ByHand.appOf(App)
)
