import * as Effect from "effect/Effect"
import * as ByHand from "../base/byHand.ts"
import * as Case from "../case.ts"

class App extends ByHand.ByHand {
  override exchange(code: string): Effect.Effect<ByHand.TokenResult> {
    const once = super.exchange(code)
    return Effect.filterOrElse(
      once,
      ({ _tag }) => _tag !== "Failed",
      () => Effect.delay(once, "1 minute")
    )
  }
}

export const bug = Case.bug(
  {
    name: "code-sent-again",
    family: "retries",
    wrong: "The exchange of a code is retried if no response arrives.",
    fix: "Send a code once, and ask the user to connect again."
  },
  ByHand.appOf(App)
)
