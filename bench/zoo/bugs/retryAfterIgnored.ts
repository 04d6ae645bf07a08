import * as Effect from "effect/Effect"
import * as ByHand from "../base/byHand.ts"
import * as Case from "../case.ts"

class App extends ByHand.ByHand {
  override send(token: string, method: "GET" | "POST", path: string, body?: unknown) {
    const once = super.send(token, method, path, body)
    return Effect.filterOrElse(
      once,
      ({ status }) => status !== 429 && status !== 503,
      () => Effect.delay(once, "1 second")
    )
  }
}

export const bug = Case.bug(
  {
    name: "retry-after-ignored",
    family: "retries",
    wrong: "A request that got 429 or 503 is retried after a second, whatever `Retry-After` says.",
    fix: "Wait as long as `Retry-After` says, or ask the user to try later."
  },
  ByHand.appOf(App)
)
