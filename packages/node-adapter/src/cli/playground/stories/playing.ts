/** The stories that are being played or have been played, each with its latest run. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { stories } from "./stories.ts"
import * as Tell from "./tell.ts"

export type Progress =
  | { readonly _tag: "Waiting" }
  | { readonly _tag: "Playing" }
  | { readonly _tag: "Over"; readonly verdicts: ReadonlyArray<Tell.Outcome> }
  | { readonly _tag: "Failed"; readonly why: string }

export interface Run {
  readonly told: ReadonlyArray<Tell.ToldStep>
  readonly progress: Progress
}

/** @param changed is called whenever the page has to be updated */
export const make = Effect.fnUntraced(function* (changed: Effect.Effect<unknown>) {
  const scope: Scope.Scope = yield* Effect.scope
  const runs = new Map<string, Run>()
  // Stories of slow servers depend on time, so stories run one after another.
  const turn = yield* Semaphore.make(1)

  const set = (name: string, run: Run) =>
    Effect.suspend(() => {
      // The latest is the last.
      runs.delete(name)
      runs.set(name, run)
      return changed
    })

  const playOne = Effect.fnUntraced(function* (name: string, story: (typeof stories)[string]) {
    let told: Run["told"] = []
    yield* set(name, { told, progress: { _tag: "Playing" } })
    const exit = yield* Effect.exit(
      Tell.tell(story, (step) =>
        Effect.suspend(() => {
          told = [...told, step]
          return set(name, { told, progress: { _tag: "Playing" } })
        })
      )
    )
    const progress: Progress = Exit.isSuccess(exit)
      ? { _tag: "Over", verdicts: exit.value }
      : { _tag: "Failed", why: Cause.prettyErrors(exit.cause)[0]?.message ?? "unknown" }
    yield* set(name, { told, progress })
  })

  const isUnderWay = (name: string) => ["Waiting", "Playing"].includes(runs.get(name)?.progress._tag ?? "")

  return {
    runs: Effect.sync((): ReadonlyMap<string, Run> => new Map(runs)),
    /** Begins a story, unless it is already running. Returns false if it does not exist. */
    play: (name: string) =>
      Effect.gen(function* () {
        const story = Object.hasOwn(stories, name) ? stories[name] : undefined
        if (story === undefined) return false
        if (isUnderWay(name)) return true
        yield* set(name, { told: [], progress: { _tag: "Waiting" } })
        yield* Effect.forkIn(turn.withPermits(1)(playOne(name, story)), scope)
        return true
      })
  }
})

export type Playing = Effect.Success<ReturnType<typeof make>>
