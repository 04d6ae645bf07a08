import * as Effect from "effect/Effect"
import type { Row } from "../base/database.ts"
import * as ByHand from "../base/byHand.ts"
import * as Case from "../case.ts"

class App extends ByHand.ByHand {
  readonly fresh = new Map<string, Row>()

  override load(subject: string): Effect.Effect<Row | undefined> {
    return Effect.sync(() => this.fresh.get(subject) ?? this.db.rows.get(subject))
  }

  override save(subject: string, row: Row): Effect.Effect<void> {
    this.fresh.set(subject, row)
    const write = Effect.sync(() => {
      if (this.fresh.get(subject) === row) this.db.rows.set(subject, row)
    })
    return Effect.asVoid(Effect.forkIn(Effect.delay(write, "5 minutes"), this.scope))
  }

  override disconnect(subject: string): Effect.Effect<void, ByHand.AppError> {
    this.fresh.delete(subject)
    return super.disconnect(subject)
  }
}

export const bug = Case.bug(
  {
    name: "written-behind",
    family: "results and stores",
    wrong: "New tokens are written to the database minutes later, to save writes.",
    fix: "Write new tokens before using them."
  },
  ByHand.appOf(App)
)
