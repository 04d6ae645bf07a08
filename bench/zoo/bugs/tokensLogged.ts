import * as Effect from "effect/Effect"
import * as ByHand from "../base/byHand.ts"
import * as Case from "../case.ts"

class App extends ByHand.ByHand {
  override askForTokens(form: { readonly [name: string]: string }): Effect.Effect<ByHand.TokenResult> {
    return Effect.tap(super.askForTokens(form), (response) => Effect.logDebug("token request", form, response))
  }
}

export const bug = Case.bug(
  {
    name: "tokens-logged",
    family: "leaks",
    wrong: "Token requests are logged with their bodies and responses.",
    fix: "Log the kind of request and its outcome, but no member of either body."
  },
  ByHand.appOf(App)
)
