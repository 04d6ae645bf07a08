import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as ByHand from "../base/byHand.ts"
import * as Case from "../case.ts"

const day = 86_400_000

class App extends ByHand.ByHand {
  readonly keptAt = new Map<string, number>()

  override connected(): void {}

  override call(subject: string): Effect.Effect<unknown, ByHand.AppError> {
    return Effect.gen({ self: this }, function* () {
      yield* this.accessToken(subject)
      const now = yield* Clock.currentTimeMillis
      const list = this.db.lists.get(subject)
      if (list !== undefined && now - (this.keptAt.get(subject) ?? 0) < day) return list
      const zaps = yield* this.zaps(subject)
      this.db.lists.set(subject, zaps)
      this.keptAt.set(subject, now)
      return zaps
    })
  }
}

export const bug = Case.bug(
  {
    name: "list-of-old-account",
    family: "accounts",
    wrong: "The list of Zaps is cached for a day, even if the user connects another account at Zapier.",
    fix: "Drop the list when a user connects, and cache it for minutes only."
  },
  ByHand.appOf(App)
)
