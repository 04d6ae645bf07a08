import * as Effect from "effect/Effect"
import * as ByHand from "../base/byHand.ts"
import * as Case from "../case.ts"

class App extends ByHand.ByHand {
  override comeBack(callback: string, subject: string): Effect.Effect<void, ByHand.AppError> {
    return Effect.tap(super.comeBack(callback, subject), () =>
      Effect.sync(() => {
        this.db.jobs.set(subject, this.db.rows.get(subject)?.accessToken ?? "")
      })
    )
  }

  override job(): Effect.Effect<unknown, ByHand.AppError> {
    return Effect.forEach([...this.db.jobs.values()], (token) => Effect.ignore(this.send(token, "GET", "/v2/zaps")))
  }
}

export const bug = Case.bug(
  {
    name: "job-after-disconnect",
    family: "jobs",
    wrong: "A job holds a copy of the access token, and uses it after the user has disconnected.",
    fix: "Give jobs the user's name, and let them get a token each time."
  },
  ByHand.withJob(App)
)
