/** Handwritten clients of careful teams. */
import * as Scenario from "@zapier-workflow-auth/testing/Scenario"
import * as Effect from "effect/Effect"
import * as ByHand from "../base/byHand.ts"
import type { Row } from "../base/database.ts"
import { Leased } from "../base/leased.ts"
import * as Case from "../case.ts"

// A database takes time.
const slowly = <A>(effect: Effect.Effect<A>) => Effect.delay(effect, "12 millis")

class SlowDatabase extends ByHand.ByHand {
  override load(subject: string) {
    return slowly(super.load(subject))
  }
  override save(subject: string, row: Row, before: Row | undefined) {
    return slowly(super.save(subject, row, before))
  }
  override disconnect(subject: string) {
    return Effect.delay(super.disconnect(subject), "12 millis")
  }
}

class Early extends ByHand.ByHand {
  override isDue({ expiresAt }: Row, now: number) {
    return now >= expiresAt - 300_000
  }
}

// Retries requests that create nothing, once, when Zapier says so.
class Patient extends ByHand.ByHand {
  override send(token: string, method: "GET" | "POST", path: string, body?: unknown) {
    const once = super.send(token, method, path, body)
    return Effect.filterOrElse(
      once,
      ({ retryAfter }) => method !== "GET" || retryAfter === 0 || retryAfter > 30,
      ({ retryAfter }) => Effect.delay(once, `${retryAfter} seconds`)
    )
  }
}

// Opens for half a minute after two failures.
class Breaker extends ByHand.ByHand {
  failures = 0
  opensUntil = 0

  override call(subject: string) {
    const attempt = Effect.tapError(super.call(subject), ({ _tag }) =>
      Effect.map(this.now, (now) => {
        if (_tag !== "Unavailable" || ++this.failures < 2) return
        this.failures = 0
        this.opensUntil = now + 30_000
      })
    )
    return Effect.flatMap(this.now, (now) =>
      now < this.opensUntil ? Effect.fail(new ByHand.Unavailable({ why: "breaker open" })) : attempt
    )
  }
}

// Shows the previous list, and says so, while Zapier is unavailable.
class LastKnown extends ByHand.ByHand {
  override call(subject: string): Effect.Effect<unknown, ByHand.AppError> {
    return this.zaps(subject).pipe(
      Effect.tap((zaps) =>
        Effect.sync(() => {
          if (this.db.rows.has(subject)) this.db.lists.set(subject, zaps)
        })
      ),
      Effect.catchTag("Unavailable", (error) => {
        const zaps = this.db.lists.get(subject)
        return zaps === undefined ? Effect.fail(error) : Effect.succeed({ zaps, note: "This list may be old." })
      })
    )
  }
}

// Sometimes refreshes tokens that expire within half an hour.
class Renewing extends ByHand.ByHand {
  renew(subject: string): Effect.Effect<void, ByHand.AppError> {
    return Effect.gen({ self: this }, function* () {
      const row = yield* this.load(subject)
      if (row === undefined || row.isDead || (yield* this.now) < row.expiresAt - 1_800_000) return
      yield* this.refresh(subject, row)
    })
  }

  override job(): Effect.Effect<unknown, ByHand.AppError> {
    return Effect.forEach([...this.db.rows.keys()], (subject) =>
      Effect.ignore(this.alone(subject, this.renew(subject)))
    )
  }
}

// A digest for every connected user, which gets a token each time.
class Digest extends ByHand.ByHand {
  override job(): Effect.Effect<unknown, ByHand.AppError> {
    return Effect.forEach([...this.db.rows.keys()], (subject) => Effect.ignore(this.zaps(subject)))
  }
}

// Waits for work under way before it forgets a user, and for mails to be sent.
class SlowDisconnect extends ByHand.ByHand {
  override disconnect(subject: string) {
    return this.alone(subject, Effect.delay(super.disconnect(subject), "3 seconds"))
  }
}

// A user who begins to connect twice has one attempt.
class OneAttempt extends ByHand.ByHand {
  override newState(subject: string) {
    const open = [...this.db.attempts].find(([, attempt]) => attempt.subject === subject)
    return open === undefined ? super.newState(subject) : Effect.succeed(open[0])
  }
}

const made = ByHand.appOf(ByHand.ByHand)

export const cases: ReadonlyArray<Case.Case> = [
  Case.correct("by-hand", made),
  Case.correct("slow-database", ByHand.appOf(SlowDatabase)),
  Case.correct("early", ByHand.appOf(Early)),
  Case.correct("patient", ByHand.appOf(Patient)),
  Case.correct("breaker", ByHand.appOf(Breaker)),
  Case.correct("last-known", ByHand.appOf(LastKnown)),
  Case.correct("renewing-job", ByHand.withJob(Renewing, { expiryMargin: "30 minutes" })),
  Case.correct("digest-job", ByHand.withJob(Digest)),
  Case.correct("slow-disconnect", ByHand.appOf(SlowDisconnect)),
  Case.correct("one-attempt", ByHand.appOf(OneAttempt)),
  Case.correct("leased-instances", Scenario.make({ ...ByHand.appOf(Leased), instances: 2 })),
  Case.correct("rolling-deployment", Scenario.make({ ...made, before: ByHand.layerOf(Early) }))
]
