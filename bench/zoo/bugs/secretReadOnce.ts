import * as Effect from "effect/Effect"
import * as ByHand from "../base/byHand.ts"
import * as Case from "../case.ts"

class App extends ByHand.ByHand {
  known: string | undefined

  override get secret(): Effect.Effect<string> {
    return this.known === undefined
      ? Effect.tap(super.secret, (secret) =>
          Effect.sync(() => {
            this.known = secret
          })
        )
      : Effect.succeed(this.known)
  }
}

export const bug = Case.bug(
  {
    name: "secret-read-once",
    family: "life of the process",
    wrong: "The client secret is read once, so a new one is not noticed before the next restart.",
    fix: "Read the secret for each token request."
  },
  ByHand.appOf(App)
)
