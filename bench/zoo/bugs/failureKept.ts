import * as Effect from "effect/Effect"
import type { Row } from "../base/database.ts"
import * as ByHand from "../base/byHand.ts"
import * as Case from "../case.ts"

class App extends ByHand.ByHand {
  readonly refreshed = new Map<Row, Effect.Effect<string, ByHand.AppError>>()

  override refresh(subject: string, row: Row): Effect.Effect<string, ByHand.AppError> {
    const kept =
      this.refreshed.get(row) ?? Effect.runSync(Effect.cached(Effect.suspend(() => super.refresh(subject, row))))
    this.refreshed.set(row, kept)
    return kept
  }
}

export const bug = Case.bug(
  {
    name: "failure-kept",
    family: "caches",
    wrong: "The result of a refresh is cached for its row, even an error: no call tries again.",
    fix: "Do not cache errors."
  },
  ByHand.appOf(App)
)
