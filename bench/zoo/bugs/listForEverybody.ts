import * as Scenario from "@zapier-workflow-auth/testing/Scenario"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Library from "../base/library.ts"
import * as Case from "../case.ts"

interface Kept {
  at: number
  zaps: ReadonlyArray<string>
}

class Cache extends Context.Service<Cache, Kept>()("zoo/listForEverybody/Cache") {}

const app = Scenario.make({
  ...Library.app,
  layer: Layer.merge(
    Library.layer,
    Layer.sync(Cache, () => ({ at: Number.NEGATIVE_INFINITY, zaps: [] }))
  ),
  call: Effect.fnUntraced(function* (subject: string) {
    const cache = yield* Cache
    const now = yield* Clock.currentTimeMillis
    if (now - cache.at >= 60_000) {
      cache.zaps = yield* Library.zaps(subject)
      cache.at = now
    }
    return cache.zaps
  })
})

export const bug = Case.bug(
  {
    name: "list-for-everybody",
    family: "caches",
    wrong: "The list of Zaps is cached for a minute, for all users together.",
    fix: "Cache a list for each user."
  },
  app
)
