/** What is different where somebody sits at a terminal. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Terminal from "effect/Terminal"
import * as TestClock from "effect/testing/TestClock"
import { run as runMain } from "../../src/cli/main.ts"
import { waiting } from "../../src/cli/waiting.ts"
import * as CommandLine from "../utils/CommandLine.ts"
import * as World from "../utils/CommandLineWorld.ts"

const isTerminal = {
  stdinIsTerminal: Effect.succeed(true),
  stdoutIsTerminal: Effect.succeed(true),
  stderrIsTerminal: Effect.succeed(true)
}

/** A terminal at which this is typed, and what it shows. */
const terminal = (typed: string) => {
  const shown: Array<string> = []
  const display = (text: string) => Effect.sync(() => void shown.push(text))
  const keys = [...Array.from(typed), "\r"].map((character) => ({
    input: Option.some(character),
    key: { name: character === "\r" ? "enter" : character, ctrl: false, meta: false, shift: false }
  }))
  const layer = Layer.merge(
    Layer.succeed(
      Terminal.Terminal,
      Terminal.make({
        columns: Effect.succeed(80),
        rows: Effect.succeed(24),
        size: Effect.die("nobody asks"),
        readInput: Effect.tap(Queue.unbounded<Terminal.UserInput>(), (queue) => Queue.offerAll(queue, keys)),
        readLine: Effect.succeed(typed),
        display
      })
    ),
    Stdio.layerTest({
      ...isTerminal,
      stdout: () => Sink.forEach((chunk) => display(String(chunk))),
      stderr: () => Sink.forEach((chunk) => display(String(chunk)))
    })
  )
  return { layer, shown }
}

describe("at a terminal", () => {
  it.live("who has not set the client secret is asked for it, once, and does not see it", () =>
    Effect.gen(function* () {
      const world = yield* World.make
      const { layer, shown } = terminal(world.env["ZAPIER_CLIENT_SECRET"] ?? "")
      const recorder = CommandLine.recorder()
      const code = yield* runMain(["app-token", "--scope", "promotions:write"], "1.2.3").pipe(
        Effect.provide(
          Layer.provideMerge(layer, CommandLine.environment({ ...world.env, ZAPIER_CLIENT_SECRET: "" }, recorder))
        )
      )
      expect([code, recorder.lines.stderr]).toEqual([0, ""])
      expect(yield* world.tokenRequests).toEqual(["client_credentials"])
      const all = shown.join("")
      expect(all.match(/Client secret/g)?.length).toBeGreaterThan(0)
      expect(all).not.toContain("s3cret")
    })
  )

  it.effect.each([
    [{}, true],
    [{ NO_COLOR: "1" }, false],
    [{ TERM: "dumb" }, false]
  ] as const)("help has colours unless %j forbids them", ([env, hasColours]) =>
    Effect.gen(function* () {
      const { layer, shown } = terminal("")
      const recorder = CommandLine.recorder()
      const code = yield* runMain(["help", "login"], "1.2.3").pipe(
        Effect.provide(Layer.provideMerge(layer, CommandLine.environment(env, recorder)))
      )
      expect(code).toBe(0)
      expect(shown.join("").includes("\u001b[1mUSAGE\u001b[0m")).toBe(hasColours)
      expect(shown.join("").includes("\u001b")).toBe(hasColours)
    })
  )

  it.effect("a wait is shown, and leaves nothing behind", () =>
    Effect.gen(function* () {
      const { layer, shown } = terminal("")
      const fiber = yield* Effect.forkChild(
        Effect.provide(waiting("Waiting for Zapier")(Effect.sleep("150 millis")), layer)
      )
      yield* TestClock.adjust("150 millis")
      yield* Fiber.join(fiber)
      expect(shown).toEqual(["\r\u001b[K⠋ Waiting for Zapier", "\r\u001b[K⠙ Waiting for Zapier", "\r\u001b[K"])
    })
  )
})

it.live("anywhere else a wait says nothing", () =>
  Effect.gen(function* () {
    const said: Array<unknown> = []
    const layer = Stdio.layerTest({ stderr: () => Sink.forEach((chunk) => Effect.sync(() => void said.push(chunk))) })
    yield* Effect.provide(waiting("Waiting for Zapier")(Stream.runDrain(Stream.make(1))), layer)
    expect(said).toEqual([])
  })
)
