/**
 * Tests an app of yours against the fake, in virtual time: whatever its users do and whatever fails, it has to keep its
 * rules. `check` draws scenarios, carries them out, checks the rules after each step, and shrinks a failing scenario to
 * a few steps: a script that can be read, pasted as a test, and replayed.
 *
 * An app is a layer over an `HttpClient` and a few functions. The runner plays its users: it goes through the consent
 * page for them, calls, disconnects, lets time pass, makes Zapier or the network fail, and restarts or kills the app
 * over stores that survive it. `Program` does the same with several processes of the library itself, and looks into its
 * store; a scenario knows only what the app sends and what it gets back.
 *
 * **Time** is virtual, and passes when nothing else is left to do, so no test waits. The app reads it from Effect's
 * `Clock`.
 *
 * **Each run** starts with a new fake, new stores and a new app. The same steps and the same seed give the same run, as
 * long as the app draws from Effect's `Random` or `SecureRandom`, and waits only for the `Clock`, the `HttpClient` and
 * promises that settle at once. An app that really waits, for a database for example, says for how long with `turn`.
 *
 * At the end every connected user calls once more, after the access token has expired, with no fault.
 *
 * @example
 * ```ts
 * import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
 * import * as MemoryStores from "@zapier-workflow-auth/core/store/MemoryStores"
 * import * as TokenEndpoint from "@zapier-workflow-auth/core/oauth/TokenEndpoint"
 * import * as ZapierAuth from "@zapier-workflow-auth/core/ZapierAuth"
 * import * as ZapierHttpClient from "@zapier-workflow-auth/core/ZapierHttpClient"
 * import * as Scenario from "@zapier-workflow-auth/testing/Scenario"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as Redacted from "effect/Redacted"
 *
 * const app = Scenario.make({
 *   stores: MemoryStores.layer,
 *   layer: ZapierHttpClient.layer().pipe(
 *     Layer.provideMerge(ZapierAuth.layer()),
 *     Layer.provide(TokenEndpoint.layer)
 *   ),
 *   logIn: (subject) =>
 *     ZapierAuth.ZapierAuth.use((auth) => auth.authorizationUrl({ subject, scopes: ["zap"] })).pipe(
 *       Effect.map(({ url }) => Redacted.value(url))
 *     ),
 *   comeBack: (callback, subject) => ZapierAuth.ZapierAuth.use((auth) => auth.handleCallback(callback, { subject })),
 *   call: (subject) =>
 *     ZapierHttpClient.ZapierHttpClient.use((zapier) =>
 *       zapier.call("GET /v2/zaps", { credential: Credential.user(subject) })
 *     ).pipe(Effect.timeout("1 minute")),
 *   disconnect: (subject) => ZapierAuth.ZapierAuth.use((auth) => auth.disconnect(subject))
 * })
 *
 * // Fails with a `ScenarioFailed`, whose message is the script, if a rule is broken.
 * await Effect.runPromise(Scenario.check(app, { runs: 20 }))
 * ```
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import type * as DiagramPage from "./Diagram.ts"
import type { Settings } from "./fake/FakeState.ts"
import * as Diagram from "./internal/diagram/model.ts"
import * as ScenarioDiagram from "./scenario/internal/diagram.ts"
import * as ScenarioNetwork from "./scenario/internal/network.ts"
import * as ScenarioExercise from "./scenario/internal/exercise.ts"
import * as ScenarioNames from "./scenario/internal/names.ts"
import * as ScenarioPace from "./scenario/internal/pace.ts"
import * as ScenarioScript from "./scenario/internal/script.ts"
import * as ScenarioTimeline from "./scenario/internal/timeline.ts"
import * as ScenarioWorld from "./scenario/internal/world.ts"
import * as Source from "./internal/source.ts"
import * as Timeline from "./internal/timeline.ts"
import type { App } from "./scenario/ScenarioApp.ts"
import * as ScenarioRules from "./scenario/ScenarioRules.ts"
import type { History } from "./scenario/ScenarioHistory.ts"
import { arbitrary, longest, type Step } from "./scenario/ScenarioStep.ts"

export { type Actions, type Anything, type App, make, type Provided } from "./scenario/ScenarioApp.ts"
export { fromRouter, fromRoutes } from "./scenario/ScenarioRoutes.ts"
export type { WaitTime } from "./internal/waits.ts"
export { type Action, arbitrary, type Happening, type Step } from "./scenario/ScenarioStep.ts"

/**
 * The user for whom a request is sent. The runner provides it to each function that it calls for a user, and forked
 * fibers inherit it. Work for several users, or for later, may provide it itself, with `Effect.provideService`.
 *
 * @since 0.1.0
 */
export const CurrentSubject = ScenarioNetwork.CurrentSubject

// -----------------------------------------------------------------------------
// Runs
// -----------------------------------------------------------------------------

/**
 * How one scenario is carried out.
 *
 * @since 0.1.0
 */
export interface Options {
  /** The rules that the app has to keep. Default: `ScenarioRules.all`. */
  readonly rules?: ReadonlyArray<ScenarioRules.Rule> | undefined
  /** How Zapier behaves. Default: as strictly as possible, without rate limits. */
  readonly settings?: Partial<Settings> | undefined
  /** The seed of the drawn values, the fake's tokens and the network's delays. Default: 1. */
  readonly seed?: number | string | undefined
  /** Waits for the app's real I/O before time passes. Default: a turn of the event loop. */
  readonly turn?: Effect.Effect<void> | undefined
}

/**
 * How scenarios are drawn; `Options` say how they are carried out.
 *
 * @since 0.1.0
 */
export interface CheckOptions extends Options {
  /** How many scenarios. Default: 100. */
  readonly runs?: number | undefined
  /** The largest number of steps in a scenario, up to 20. Default: 20. */
  readonly size?: number | undefined
  /** How many smaller scenarios are tried once a rule is broken. Default: 500. */
  readonly maxShrinks?: number | undefined
  /** The `replay` of a `ScenarioFailed`: only that scenario is carried out, with its seed. */
  readonly replay?: string | undefined
}

/**
 * A rule is broken. The message is a script that repeats the run.
 *
 * - `rule`: the name of the rule
 * - `observed`: what is wrong
 * - `steps`: a line for each step
 * - `timeline`: the last events, with their times: steps, requests, responses, and what users were shown; without
 *   secrets
 * - `script`: source code of an effect that repeats it
 * - `replay`: as an option of `check` it repeats it, too
 * - `diagram`: the whole run, for `page`; without secrets
 *
 * @since 0.1.0
 */
export class ScenarioFailed extends Schema.TaggedError<ScenarioFailed>(
  "@zapier-workflow-auth/testing/Scenario/ScenarioFailed"
)("ScenarioFailed", {
  rule: Schema.String,
  observed: Schema.String,
  steps: Schema.Array(Schema.String),
  timeline: Schema.Array(Schema.String),
  script: Schema.String,
  replay: Schema.optionalKey(Schema.String),
  diagram: Schema.optionalKey(Diagram.Diagram)
}) {
  override get message(): string {
    return ScenarioScript.messageOf(this)
  }
}

/**
 * How much the scenarios exercised.
 *
 * @since 0.1.0
 */
export interface Checked extends ScenarioExercise.Counts {
  readonly runs: number
  /** The situations that no scenario exercised, such as a refresh with a fault. The check says nothing about them. */
  readonly notExercised: ReadonlyArray<string>
}

class Broken extends Data.TaggedError("Broken")<{
  readonly rule: string
  readonly observed: string
  readonly done: number
  readonly timeline: ReadonlyArray<string>
  readonly diagram: Diagram.Diagram
}> {}

const carryOut = <R, S, A>(
  app: App<R, S, A>,
  steps: ReadonlyArray<Step<A>>,
  options: Options,
  pace = ScenarioPace.make({ isFixed: options.turn !== undefined })
): Effect.Effect<History, Broken> =>
  Effect.gen(function* () {
    const world = yield* ScenarioWorld.make(app, { ...options, pace })
    yield* Effect.addFinalizer(() => world.close)
    const verify = (done: number) =>
      Effect.suspend(() => {
        const history = world.history()
        for (const { check, name } of options.rules ?? ScenarioRules.all) {
          const wrong = check(history)
          if (wrong === undefined) continue
          const lines = steps.slice(0, done).map(ScenarioScript.lineOf)
          const timeline = ScenarioTimeline.linesOf(history, lines, Timeline.start)
          const broken = { rule: name, observed: ScenarioNames.hiding(history)(wrong) }
          const diagram = ScenarioDiagram.of(history, lines, Timeline.start, broken)
          return Effect.fail(new Broken({ ...broken, done, timeline, diagram }))
        }
        return Effect.void
      })
    for (const [index, step] of steps.entries()) {
      yield* world.perform(step)
      yield* verify(index + 1)
    }
    yield* world.audit
    yield* verify(steps.length)
    return world.history()
  }).pipe(
    Effect.scoped,
    // A response that arrives after its deadline looks like one that never came, so it counts only if a slower pace
    // changes nothing.
    Effect.catch((broken) => {
      const slower = pace.again()
      return slower === undefined ? Effect.fail(broken) : carryOut(app, steps, options, slower)
    }),
    Effect.ensuring(Effect.sync(pace.done))
  )

const failed = <A>(
  { diagram, done, observed, rule, timeline }: Broken,
  steps: ReadonlyArray<Step<A>>,
  options: Options,
  replay?: string
) => {
  const needed = steps.slice(0, done)
  return new ScenarioFailed({
    rule,
    observed,
    steps: needed.map(ScenarioScript.lineOf),
    timeline,
    script: ScenarioScript.scriptOf(needed, options),
    ...(replay === undefined ? {} : { replay }),
    diagram
  })
}

/**
 * A failure as a page for `Diagram.html`: the messages between the users' browsers, the app, the store where it is
 * observable, Zapier and other hosts.
 *
 * @example
 * ```ts
 * import * as Diagram from "@zapier-workflow-auth/testing/Diagram"
 * import * as Scenario from "@zapier-workflow-auth/testing/Scenario"
 *
 * // The error of `Scenario.check` has a diagram, too.
 * const failed = new Scenario.ScenarioFailed({
 *   rule: "Every caller gets a result",
 *   observed: "ada waits for ever",
 *   steps: ["ada calls"],
 *   timeline: [],
 *   script: 'Scenario.run(app, [\n  { _tag: "Call", subject: "ada" }\n])'
 * })
 *
 * Diagram.html(Scenario.page(failed)).includes("ada waits for ever") // => true
 * ```
 *
 * @since 0.1.0
 */
export const page = ({ diagram, observed, replay, rule, script, steps }: ScenarioFailed): DiagramPage.Page => ({
  violation: { rule, observed },
  diagram:
    diagram ??
    Diagram.make(
      [],
      steps.map((line, index) => Diagram.step(0, `${index + 1}. ${line}`))
    ),
  again: [
    ...(script === "" ? [] : [{ title: "As a test", code: script }]),
    ...(replay === undefined ? [] : [{ title: "To repeat it", code: `Scenario.check(app, ${Source.of({ replay })})` }])
  ]
})

const pairsOf = (length: number) =>
  Array.from({ length }, (_, second) => Array.from({ length: second }, (_, first) => [first, second] as const)).flat()

// All scenarios with one step less, with one member of a step less, with two steps less, or with a wait in place of
// several steps.
const smaller = <A>(steps: ReadonlyArray<Step<A>>): ReadonlyArray<ReadonlyArray<Step<A>>> => [
  ...steps.map((_, index) => steps.toSpliced(index, 1)),
  ...steps.flatMap((step, index) =>
    step._tag === "Together"
      ? step.steps.map((_, member) => {
          const [only, ...more] = step.steps.toSpliced(member, 1)
          if (only === undefined) return steps.toSpliced(index, 1)
          return steps.with(index, more.length === 0 ? only : { ...step, steps: [only, ...more] })
        })
      : []
  ),
  ...pairsOf(steps.length).map(([first, second]) => steps.filter((_, index) => index !== first && index !== second)),
  ...pairsOf(steps.length).map(([first, last]) =>
    steps.toSpliced(first, last - first + 1, { _tag: "Wait", time: "minutes" })
  )
]

// Steps that were drawn together shrink together; here each remaining step has to be necessary.
const minimize = Effect.fnUntraced(function* <A>(
  broken: Broken,
  steps: ReadonlyArray<Step<A>>,
  breaks: (steps: ReadonlyArray<Step<A>>) => Effect.Effect<Broken | undefined>
) {
  let least = { broken, steps: steps.slice(0, broken.done) }
  let isLess = true
  while (isLess) {
    isLess = false
    for (const fewer of smaller(least.steps)) {
      const found = yield* breaks(fewer)
      if (found?.rule !== broken.rule) continue
      least = { broken: found, steps: fewer.slice(0, found.done) }
      isLess = true
      break
    }
  }
  return least
})

/**
 * Carries out one scenario, and returns its history. Fails with `ScenarioFailed` if it breaks a rule. Dies if the app's
 * layers cannot be built.
 *
 * @since 0.1.0
 */
export const run = <R, S = never, A = never>(
  app: App<R, S, A>,
  steps: ReadonlyArray<Step<NoInfer<A>>>,
  options: Options = {}
): Effect.Effect<History, ScenarioFailed> =>
  Effect.mapError(carryOut(app, steps, options), (broken) => failed(broken, steps, options))

const defaultSeed = 1

// A replay contains its seed, which the fake and the network need as well.
const seedOf = (replay: string): number | string | undefined => {
  const parsed = Option.getOrUndefined(Schema.decodeOption(Replay)(replay))
  const seed = parsed?.[1]
  return seed === undefined || !/^\d+$/.test(seed) ? seed : Number(seed)
}

const Replay = Schema.fromJsonString(
  Schema.TupleWithRest(Schema.Tuple([Schema.Finite, Schema.String]), [Schema.Unknown])
)

/**
 * Draws scenarios and carries them out. Fails with `ScenarioFailed` if one breaks a rule, with the smallest that was
 * found; and if no call of any user ever succeeded, because then nothing was checked. Dies if the app's layers cannot
 * be built.
 *
 * @since 0.1.0
 */
export const check = Effect.fnUntraced(function* <R, S = never, A = never>(
  app: App<R, S, A>,
  options: CheckOptions = {}
): Effect.fn.Return<Checked, ScenarioFailed> {
  const { maxShrinks = 500, replay, runs = 100, size = longest } = options
  const seed = options.seed ?? (replay && seedOf(replay)) ?? defaultSeed
  const how = seed === defaultSeed ? options : { ...options, seed }
  const exercise = ScenarioExercise.make()
  // A smaller scenario that breaks another rule says nothing about this one.
  let broken: string | undefined
  const pace = ScenarioPace.make({ isFixed: options.turn !== undefined })
  const keepsRules = (steps: ReadonlyArray<Step<A>>) =>
    carryOut(app, steps, how, pace).pipe(
      Effect.map((history) => {
        exercise.add(history)
        return true
      }),
      Effect.catchIf(
        ({ rule }) => rule !== (broken ??= rule),
        () => Effect.succeed(true)
      ),
      // One scenario reports its logs at its end.
      Effect.provideService(References.MinimumLogLevel, "None")
    )
  const found = yield* Arbitrary.checkEffect(arbitrary(app), keepsRules, { maxShrinks, replay, runs, seed, size })
  if (found._tag === "Falsified" && found.failure._tag === "PropertyError") {
    const least = yield* minimize(found.failure.error, found.shrunkInput, (steps) =>
      carryOut(app, steps, how, pace).pipe(
        Effect.match({ onFailure: (broken) => broken, onSuccess: () => undefined }),
        Effect.provideService(References.MinimumLogLevel, "None")
      )
    )
    return yield* failed(least.broken, least.steps, how, found.replay)
  }
  const nothing = { steps: [], timeline: [], script: "" }
  if (found._tag !== "Passed") {
    const observed = Arbitrary.formatCheckFailure(found) ?? found._tag
    return yield* new ScenarioFailed({ rule: "The app can be checked", observed, ...nothing })
  }
  const { calls, served } = exercise.counts()
  if (served === 0) {
    const observed = `in ${found.runs} scenarios none of ${calls} calls succeeded, so nothing was checked`
    return yield* new ScenarioFailed({ rule: "At least one call succeeds", observed, ...nothing })
  }
  return { runs: found.runs, ...exercise.counts(), notExercised: exercise.missing() }
})
