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
    wrong: "Zapier refuses the list of accounts, for which the app has no scope, and the page shows the rest.",
    fix: "Ask for each scope that the app's requests need."
  },
  ByHand.appOf(App)
)
