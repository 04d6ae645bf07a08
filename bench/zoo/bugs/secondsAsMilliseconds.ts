import * as ByHand from "../base/byHand.ts"
import * as Case from "../case.ts"

class App extends ByHand.ByHand {
  override expiryOf({ askedAt, expiresIn }: ByHand.Granted): number {
    return askedAt + expiresIn
  }
}

export const bug = Case.bug(
  {
    name: "seconds-as-milliseconds",
    family: "time",
    wrong: "`expires_in` is read as milliseconds: each access token seems to expire within a minute.",
    fix: "Multiply `expires_in`, which is in seconds, by 1,000."
  },
  ByHand.appOf(App)
)
