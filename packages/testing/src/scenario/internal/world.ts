/**
 * The world of a scenario: an app in virtual time, over the fake. It starts, restarts and kills the app over stores
 * that survive, and carries out each step until everything has settled.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Formatter from "effect/Formatter"
import type { Settings } from "../../fake/FakeState.ts"
import * as FakeZapier from "../../FakeZapier.ts"
import type { App } from "../ScenarioApp.ts"
import {
  type Browsing,
  type Result,
  type History,
  type Subject,
  subjects,
  type PublishedEvent,
  type Visit,
  type Write
} from "../ScenarioHistory.ts"
import * as ScenarioShown from "../ScenarioShown.ts"
import type { Action, Step } from "../ScenarioStep.ts"
import * as ScenarioConsents from "./consents.ts"
import * as ScenarioExpected from "./expected.ts"
import * as ScenarioHappenings from "./happenings.ts"
import * as ScenarioNetwork from "./network.ts"
import type { Pace } from "./pace.ts"
import { waits } from "../../internal/waits.ts"
import * as ScenarioProcesses from "./processes.ts"
import * as ScenarioTime from "./time.ts"
import * as Seeded from "../../internal/seeded.ts"
import * as Timeline from "../../internal/timeline.ts"

// When the app is configured with a new secret, in milliseconds.
const noticed = 300_000

// How long an action is under way at most before an event, in milliseconds: shorter than most actions.
const atWork = 500

/** The options of a scenario's world. */
export interface Options {
  readonly settings?: Partial<Settings> | undefined
  readonly seed?: number | string | undefined
  readonly turn?: Effect.Effect<void> | undefined
  readonly pace: Pace
}

// An action of a user, until it is over.
interface RunningAction {
  readonly fiber: Fiber.Fiber<unknown, unknown>
  readonly giveUp: () => void
}

export const make = Effect.fnUntraced(function* <R, S, A>(app: App<R, S, A>, options: Options) {
  const seed = String(options.seed ?? 1)
  const redirectUri = app.redirectUri ?? "https://acme.example/callback"
  const credentials = { clientId: "acme", redirectUris: [redirectUri] }
  const timeline = Timeline.make()
  const zapier = FakeZapier.make({
    seed,
    apps: [{ name: "Acme", ...credentials }],
    users: [...subjects, ScenarioNetwork.stranger].flatMap((firstName) => [
      { email: ScenarioNetwork.emailOf(firstName), firstName, lastName: "Example" },
      { email: ScenarioNetwork.emailOf(firstName, "other"), firstName, lastName: "Elsewhere" }
    ]),
    settings: { rateLimits: false, ...options.settings }
  })
  // Durations in a step do not depend on earlier steps, so removing steps does not change the others.
  const chanceOf = (step?: Step<A>) =>
    Seeded.make(seed, `latency ${step?._tag === "Together" ? (step.chance ?? 0) : 0}`)
  let chance = chanceOf()
  const latency = { below: (end: number) => chance.below(end) }
  const network = ScenarioNetwork.make(zapier, latency, timeline)
  const random = Seeded.make(seed, "app")
  const shows = (exit: Exit.Exit<unknown, unknown>, subject: Subject | undefined) =>
    app.shows?.(exit, subject) ?? ScenarioShown.byDefault(exit, app.asksToReconnect)
  const expected = ScenarioExpected.of(app.expects)
  const results: Array<Result> = []
  const visits: Array<Visit> = []
  const browsings: Array<Browsing> = []
  const writes: Array<Write> = []
  const events: Array<PublishedEvent> = []
  const logs: Array<string> = []
  const outer = yield* Effect.context()
  const stepsBeganAt: Array<number> = []
  let stored: string | undefined
  let actionCount = 0
  let index = 0

  // ---------------------------------------------------------------------------
  // Time
  // ---------------------------------------------------------------------------

  // The room of users, and of everything that survives the app.
  const ground = timeline.room()
  const onGround = Context.merge(outer, Timeline.contextOf(ground, random))
  const { runUntil, until } = ScenarioTime.make(timeline, options.pace, options.turn ?? Effect.yieldNow)
  const atOnce = <B, E>(effect: Effect.Effect<B, E>): B =>
    Effect.runSyncWith(Context.make(Clock.Clock, ground.clock))(effect)

  // ---------------------------------------------------------------------------
  // The app
  // ---------------------------------------------------------------------------

  const renewSecret = () => {
    const renewed = atOnce(zapier.regenerateSecret(credentials.clientId))
    network.noteSecret("the client secret", renewed.clientSecret)
    return { ...credentials, ...renewed }
  }

  let configured = renewSecret()
  // True if the app runs with an outdated secret, and has to be restarted.
  let isOutdated = false

  const processes = yield* ScenarioProcesses.make(app, {
    timeline,
    until,
    network,
    random,
    outer,
    ground,
    configured: () => configured,
    step: () => index,
    visits,
    browsings,
    writes,
    events,
    logs
  })
  const { inApp } = processes
  const client = { clientId: credentials.clientId, redirectUri }
  const consents = ScenarioConsents.make(app, { zapier, network, timeline, processes, client, atOnce, shows })
  const regenerateSecret = () => {
    const renewed = renewSecret()
    network.trouble("the app has a new secret", noticed)
    timeline.after(noticed, () => {
      configured = renewed
      isOutdated = app.restartsForSecret === true
    })
  }
  const { endings, happen } = ScenarioHappenings.make({
    zapier,
    network,
    timeline,
    processes,
    clientId: credentials.clientId,
    atOnce,
    regenerateSecret
  })

  // ---------------------------------------------------------------------------
  // Steps
  // ---------------------------------------------------------------------------

  const act = (
    action: Result["action"],
    subject: Subject | undefined,
    doing: (actionId: number) => Effect.Effect<ScenarioProcesses.Ended>,
    mustWork: () => boolean = () => true,
    isElsewhere = false
  ): RunningAction => {
    const step = index
    const actionId = actionCount++
    const connection = () => (subject === undefined ? "None" : network.connectionOf(subject))
    const before = connection()
    const beganAt = timeline.now()
    // From the moment of the request on, because calls under way may find the connection gone.
    const leaving = action === "Disconnect" ? subject : undefined
    if (leaving !== undefined) network.disconnect(leaving)
    let isNoted = false
    const note = (end: Result["end"], exit: Result["exit"]) => {
      if (isNoted) return
      isNoted = true
      const shown = exit === undefined ? undefined : shows(exit, subject)
      const endedAt = timeline.now()
      const after = connection()
      results.push({
        step,
        actionId,
        action,
        subject,
        isElsewhere,
        end,
        exit,
        shown,
        mustWork: mustWork() && !consents.hasRival(actionId),
        beganAt,
        endedAt,
        before,
        after,
        account: subject === undefined ? undefined : network.accountOf(subject)
      })
      if (leaving === undefined) return
      if (exit?._tag === "Success") network.disconnect(leaving)
      else if (before !== "None") network.stay(leaving)
    }
    const fiber = Effect.runForkWith(onGround)(doing(actionId))
    fiber.addObserver((exit) => {
      if (exit._tag === "Failure") return note("Done", exit)
      if (exit.value === "NoWay") isNoted = true
      else if (exit.value === "Killed" || exit.value === "HungUp") note(exit.value, undefined)
      else note("Done", exit.value)
    })
    return { fiber, giveUp: () => note("Waiting", undefined) }
  }

  const callOf = ({ browser, subject }: Extract<Action<A>, { readonly _tag: "Call" }>) => {
    const isElsewhere = browser === "Other"
    const call = isElsewhere ? app.callElsewhere : app.call
    return act(
      "Call",
      subject,
      (actionId) =>
        call === undefined ? Effect.succeed("NoWay") : inApp("Call", actionId, subject, () => call(subject)),
      () => true,
      isElsewhere
    )
  }

  const begin = (step: Action<A>): RunningAction => {
    switch (step._tag) {
      case "Consent":
        return act("Consent", step.subject, (actionId) =>
          consents.visitConsentPage(actionId, step.subject, "approve", step.account)
        )
      case "Deny":
        return act(
          "Deny",
          step.subject,
          (actionId) => consents.visitConsentPage(actionId, step.subject, "deny"),
          () => false
        )
      case "LogIn":
        return act("LogIn", step.subject, (actionId) => consents.logIn(actionId, step.subject))
      case "ComeBack": {
        const { browser, subject } = step
        const comeBack = browser === "Other" ? app.comeBackElsewhere : app.comeBack
        const way = comeBack && consents.wayOf(subject, step.with)
        return act(
          "ComeBack",
          subject,
          (actionId) =>
            way === undefined ? Effect.succeed("NoWay") : consents.bringBack(actionId, subject, way, comeBack),
          () => step.with === "Own" && browser === undefined && way !== undefined && consents.isTimely(way),
          browser === "Other"
        )
      }
      case "Call":
        return callOf(step)
      case "Disconnect":
        return act("Disconnect", step.subject, (actionId) =>
          inApp("Disconnect", actionId, step.subject, () => app.disconnect(step.subject))
        )
      case "Act": {
        const subject = app.actions?.subject?.(step.action)
        return act(
          "Act",
          subject,
          (actionId) => inApp("Act", actionId, subject, () => app.actions?.run(step.action) ?? Effect.void),
          () => false
        )
      }
    }
  }

  const whileAtWork = Effect.suspend(() => runUntil(timeline.now() + latency.below(atWork)))

  // Begins a step. Its actions go on afterwards.
  const take = Effect.fnUntraced(function* (step: Step<A>, running: Array<RunningAction>): Effect.fn.Return<void> {
    switch (step._tag) {
      case "Consent":
      case "Deny":
      case "LogIn":
      case "ComeBack":
      case "Call":
      case "Disconnect":
      case "Act":
        return void running.push(begin(step))
      case "Wait":
        return yield* runUntil(timeline.now() + waits[step.time])
      case "Together":
        for (const member of step.steps) yield* take(member, running)
        return
      default:
        if (running.length > 0) yield* whileAtWork
        return yield* happen(step)
    }
  })

  const perform = Effect.fnUntraced(function* (step: Step<A>) {
    network.enter(index)
    if (isOutdated) {
      isOutdated = false
      yield* processes.restartAll
    }
    chance = chanceOf(step)
    stepsBeganAt.push(timeline.now())
    const running: Array<RunningAction> = []
    yield* take(step, running)
    yield* until(running.map(({ fiber }) => fiber))
    for (const { giveUp } of running) giveUp()
    index++
  })

  return {
    /** Carries out a step and everything that follows from it. */
    perform,

    /**
     * Every user who was ever connected calls once more, in each browser, after the access token has expired, with no
     * fault.
     */
    audit: Effect.gen(function* () {
      atOnce(zapier.setFaults([]))
      const { settings } = atOnce(zapier.state)
      yield* runUntil(timeline.now() + noticed + settings.accessTokenLifetime * 1_000)
      for (const subject of subjects) {
        if (network.accountOf(subject) === undefined) continue
        yield* perform({ _tag: "Call", subject })
        if (app.callElsewhere !== undefined) yield* perform({ _tag: "Call", subject, browser: "Other" })
      }
      if (app.stored === undefined) return
      const looking = Effect.runForkWith(Context.merge(onGround, processes.stores))(app.stored)
      yield* until([looking])
      const exit = looking.pollUnsafe()
      stored = exit?._tag === "Success" ? Formatter.format(exit.value) : undefined
    }),

    close: processes.close,

    history: (): History => ({
      now: timeline.now(),
      stepsBeganAt,
      troubles: network.troubles,
      endings,
      results,
      exchanges: network.exchanges,
      visits,
      browsings,
      writes,
      events,
      logs,
      stored,
      secrets: network.secrets,
      authorizations: consents.authorizations,
      expected,
      lives: network.lives,
      fake: atOnce(zapier.state)
    })
  }
})
