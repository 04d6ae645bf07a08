/** A correct, handwritten client for several instances: a refresh takes a lease in the database. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { type AppError, ByHand, Unavailable } from "./byHand.ts"

// Longer than a token request takes, with clocks that differ by some seconds; in milliseconds.
const lease = 60_000

const patience = 90_000

export class Leased extends ByHand {
  take(subject: string, giveUpAt: number): Effect.Effect<object, AppError> {
    return Effect.gen({ self: this }, function* () {
      const now = yield* this.now
      if (now > giveUpAt) return yield* new Unavailable({ why: "somebody else is at it" })
      const held = this.db.leases.get(subject)
      if (held !== undefined && held.until > now) return yield* Effect.delay(this.take(subject, giveUpAt), "100 millis")
      const owner = {}
      this.db.leases.set(subject, { owner, until: now + lease })
      return owner
    })
  }

  override alone<A>(subject: string, effect: Effect.Effect<A, AppError>): Effect.Effect<A, AppError> {
    const leave = (owner: object) =>
      Effect.sync(() => {
        if (this.db.leases.get(subject)?.owner === owner) this.db.leases.delete(subject)
      })
    const led = Effect.gen({ self: this }, function* () {
      const owner = yield* this.take(subject, (yield* this.now) + patience)
      return yield* Effect.ensuring(effect, leave(owner))
    })
    return Effect.flatMap(Effect.forkIn(led, this.scope), Fiber.join)
  }
}
