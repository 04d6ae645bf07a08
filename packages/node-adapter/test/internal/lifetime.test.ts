import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Lifetime from "../../src/internal/lifetime.ts"

class Away {
  readonly _tag = "Away"
}

/** What may happen, in any order. */
const Step = Schema.Literals([
  "use",
  "use, and give up",
  "the start fails",
  "the start throws",
  "the start succeeds",
  "what is used responds",
  "what is used fails",
  "time passes",
  "close"
])

// Long enough for whatever needs no more than a few turns.
const turn = async () => {
  for (let turns = 0; turns < 3; turns++) await new Promise(setImmediate)
}

const makeWorld = () => {
  const starts: Array<(exit: Exit.Exit<string, Away>) => void> = []
  const uses: Array<(exit: Exit.Exit<string, Away>) => void> = []
  const seen = { starting: 0, open: 0, begunAfterClose: 0, isClosed: false }
  const waitIn = (list: typeof starts) =>
    Effect.suspend(() => {
      const { promise, resolve } = Promise.withResolvers<Exit.Exit<string, Away>>()
      list.push(resolve)
      return Effect.ensuring(
        Effect.flatten(Effect.promise(() => promise)),
        Effect.sync(() => void list.splice(list.indexOf(resolve), 1))
      )
    })
  const start = Effect.gen(function* () {
    if (seen.isClosed) seen.begunAfterClose++
    seen.starting++
    const value = yield* Effect.ensuring(
      waitIn(starts),
      Effect.sync(() => seen.starting--)
    )
    seen.open++
    yield* Effect.addFinalizer(() => Effect.sync(() => seen.open--))
    return value
  })
  const lifetime = Lifetime.make(start, () => 20_000)
  const use = (signal?: AbortSignal) =>
    lifetime.use(() => {
      if (seen.isClosed) seen.begunAfterClose++
      return waitIn(uses)
    }, signal)
  return { lifetime, use, starts, uses, seen }
}

const settled = (outcome: Option.Option<Exit.Exit<string, Away>>) => {
  if (Option.isNone(outcome)) return "closed"
  if (Exit.isSuccess(outcome.value)) return "a value"
  const { reasons } = outcome.value.cause
  if (reasons.some(Cause.isFailReason)) return "typed"
  return reasons.some(Cause.isInterruptReason) ? "interrupted" : "thrown"
}

describe("a lifetime", () => {
  it.effect.prop(
    "settles each use, whatever comes in whatever order, with one start at a time and none after it was closed",
    { steps: Schema.Array(Step) },
    ({ steps }) =>
      Effect.promise(async () => {
        const world = makeWorld()
        const { lifetime, seen, starts, uses } = world
        const used: Array<{ readonly outcome: Promise<string>; readonly gaveUp: boolean }> = []
        let thrown = 0
        const closings: Array<Promise<void>> = []
        const close = () => {
          seen.isClosed = true
          closings.push(lifetime.close())
        }
        for (const step of steps) {
          switch (step) {
            case "use":
              used.push({ outcome: world.use().then(settled), gaveUp: false })
              break
            case "use, and give up": {
              const stop = new AbortController()
              used.push({ outcome: world.use(stop.signal).then(settled), gaveUp: true })
              stop.abort()
              break
            }
            case "the start fails":
              starts.at(-1)?.(Exit.fail(new Away()))
              break
            case "the start throws":
              if (starts.length > 0) thrown++
              starts.at(-1)?.(Exit.die("a bug"))
              break
            case "the start succeeds":
              starts.at(-1)?.(Exit.succeed("started"))
              break
            case "what is used responds":
              uses[0]?.(Exit.succeed("responded"))
              break
            case "what is used fails":
              uses[0]?.(Exit.fail(new Away()))
              break
            case "time passes":
              await turn()
              break
            case "close":
              close()
          }
          expect(seen.starting).toBeLessThanOrEqual(1)
          expect(seen.open).toBeLessThanOrEqual(1)
        }
        await turn()
        for (const respond of uses) respond(Exit.succeed("responded"))
        close()
        await turn()
        for (const respond of uses) respond(Exit.succeed("responded"))
        await Promise.all(closings)
        for (const { gaveUp, outcome } of used) {
          const allowed = ["a value", "typed", "closed"]
          if (gaveUp) allowed.push("interrupted")
          if (thrown > 0) allowed.push("thrown")
          expect(allowed).toContain(await outcome)
        }
        expect(await world.use().then(settled)).toBe("closed")
        expect(seen).toEqual({ starting: 0, open: 0, begunAfterClose: 0, isClosed: true })
        return true
      })
  )

  it("starts again after a start that threw", async () => {
    const { lifetime, starts, use, uses } = makeWorld()
    const first = use()
    starts[0]?.(Exit.die("a bug"))
    expect(settled(await first)).toBe("thrown")
    const second = use()
    starts.at(-1)?.(Exit.succeed("started"))
    await turn()
    uses[0]?.(Exit.succeed("responded"))
    expect(settled(await second)).toBe("a value")
    await lifetime.close()
  })

  it("tells those who wait that it was closed, also where a start cannot be interrupted", async () => {
    const start = Promise.withResolvers<string>()
    const uninterruptible = Effect.uninterruptible(Effect.promise(() => start.promise))
    const lifetime = Lifetime.make(uninterruptible, () => 20_000)
    const used = lifetime.use(() => Effect.void)
    await turn()
    const closing = lifetime.close()
    expect(Option.isNone(await used)).toBe(true)
    start.resolve("started")
    await closing
  })
})
