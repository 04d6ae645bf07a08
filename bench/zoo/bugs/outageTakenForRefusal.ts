import * as Effect from "effect/Effect"
import type { Row } from "../base/database.ts"
import * as ByHand from "../base/byHand.ts"
import * as Case from "../case.ts"

class App extends ByHand.ByHand {
  override refreshFailed(subject: string, row: Row): Effect.Effect<never, ByHand.AppError> {
    return Effect.andThen(
      this.save(subject, { ...row, isDead: true }, row),
      Effect.fail(new ByHand.Reconnect({ why: "refresh failed" }))
    )
  }
}

export const bug = Case.bug(
  {
    name: "outage-taken-for-refusal",
    family: "errors",
    wrong: "Any failed refresh gives the connection up: a 503 counts as `invalid_grant`.",
    fix: "Give a connection up only if Zapier responds `invalid_grant`."
  },
  ByHand.appOf(App)
)
