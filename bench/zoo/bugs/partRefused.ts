import * as Effect from "effect/Effect"
import * as ByHand from "../base/byHand.ts"
import * as Case from "../case.ts"

class App extends ByHand.ByHand {
  override call(subject: string): Effect.Effect<unknown, ByHand.AppError> {
    const accounts = this.request(subject, "GET", "/v2/authentications")
    return Effect.all({ zaps: this.zaps(subject), accounts: Effect.orElseSucceed(accounts, () => undefined) })
  }
}

export const bug = Case.bug(
  {
    name: "part-refused",
    family: "scopes",
    wrong: "Zapier rejects the request for accounts, for which the app has no scope, and the page shows only the rest.",
    fix: "Request every scope that the app's calls need."
  },
  ByHand.appOf(App)
)
