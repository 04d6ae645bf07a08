import * as Effect from "effect/Effect"
import type { Row } from "../base/database.ts"
import * as ByHand from "../base/byHand.ts"
import * as Case from "../case.ts"

class App extends ByHand.ByHand {
  override save(subject: string, row: Row): Effect.Effect<void> {
    return Effect.sync(() => void this.db.rows.set(subject, row))
  }
}

export const bug = Case.bug(
  {
    name: "brought-back",
    family: "disconnect",
    wrong: "A refresh stores its tokens although the user disconnected meanwhile, so the user is connected again.",
    fix: "Store the tokens of a refresh only if the row has not changed since."
  },
  ByHand.appOf(App)
)
