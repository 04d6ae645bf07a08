/** Free play: the sample app at two servers side by side. A browser connects at the strict one; the lenient one follows. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Duration from "effect/Duration"
import type { FakeZapier } from "@zapier-workflow-auth/testing/FakeZapier"
import * as Semaphore from "effect/Semaphore"
import type { Server } from "../stories/stories.ts"
import * as Actions from "./actions.ts"
import type { Side } from "./freePlayPage.ts"
import * as World from "./world.ts"

export interface Place {
  readonly fake: FakeZapier["Service"]
  /** The address of the fake. */
  readonly origin: string
}

export interface Options {
  readonly strict: Place
  readonly lenient: Place
  readonly redirectUri: string
  readonly slowMotion: Duration.Duration
  /** Runs whenever the page has to be updated. */
  readonly changed: Effect.Effect<unknown>
}

export const make = Effect.fnUntraced(function* ({ lenient, strict, ...common }: Options) {
  // The page and its buttons wait while the lenient server connects.
  const connecting = yield* Semaphore.make(1)
  const connected = connecting.withPermits(1)(Effect.void)
  const follower = yield* World.make({ ...common, ...lenient, granted: () => Effect.void })
  const leader = yield* World.make({
    ...common,
    ...strict,
    granted: (event) =>
      event === "ConsentGranted" ? Effect.ignore(connecting.withPermits(1)(follower.connect)) : Effect.void
  })
  const worlds = [leader, follower]

  const sideOf = Effect.fnUntraced(function* (server: Server, world: World.World) {
    const [entries, facts, lit] = [yield* world.entries, yield* world.facts, yield* world.lit]
    return { server, entries, facts, lit, now: world.millis() } satisfies Side
  })

  return {
    clock: leader.clock,
    services: leader.services,
    sides: Effect.andThen(connected, Effect.all([sideOf("Strict", leader), sideOf("Lenient", follower)])),
    press: (name: string): Effect.Effect<Actions.Pressed> =>
      Effect.andThen(connected, Actions.press(worlds, name)).pipe(
        Effect.catchCause((cause) =>
          Effect.succeed<Actions.Pressed>({
            _tag: "Useless",
            why: `That did not work: ${Cause.prettyErrors(cause)[0]?.message ?? "unknown error"}`
          })
        )
      ),
    /** Records an action on the control page of the strict server. */
    controlled: Effect.fnUntraced(function* (words: string) {
      // Both use the same time, so that they can be compared.
      yield* Effect.flatMap(strict.fake.time, lenient.fake.setTime)
      yield* leader.note("Control page", words)
    })
  }
})

export type FreePlay = Effect.Success<ReturnType<typeof make>>
