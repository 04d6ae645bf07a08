import type * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import * as ByHand from "../base/byHand.ts"
import * as Case from "../case.ts"

class App extends ByHand.ByHand {
  override alone<A>(subject: string, effect: Effect.Effect<A, ByHand.AppError>): Effect.Effect<A, ByHand.AppError> {
    const lock = this.locks.get(subject) ?? Semaphore.makeUnsafe(1)
    this.locks.set(subject, lock)
    return lock.withPermits(1)(effect)
  }
}

export const bug = Case.bug(
  {
    name: "refresh-ends-with-caller",
    family: "hanging up",
    wrong: "A refresh runs in its caller's fiber, and is interrupted when that user hangs up.",
    fix: "Fork the refresh in the app's scope, and let callers wait for it."
  },
  ByHand.appOf(App)
)
