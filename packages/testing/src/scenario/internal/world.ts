/**
 * An app in a time of its own, over the fake: it is started, restarted and killed over stores that outlive it, its users
 * do what they do, and everything that comes of it comes to rest before the next step.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Formatter from "effect/Formatter"
import type { Mutable } from "effect/Types"
import type * as FakeFault from "../../fake/FakeFault.ts"
import type { Knobs } from "../../fake/FakeState.ts"
import * as FakeZapier from "../../FakeZapier.ts"
import type { App } from "../ScenarioApp.ts"
import {
  type Account,
  type Authorization,
  type Browsing,
  type Ending,
  type Result,
  type Seen,
  type Subject,
  subjects,
  type Told,
  type Visit,
  type Write
} from "../ScenarioSeen.ts"
import * as ScenarioShown from "../ScenarioShown.ts"
import { type Action, type Happening, type Step } from "../ScenarioStep.ts"
import * as ScenarioExpected from "./expected.ts"
import * as ScenarioNetwork from "./network.ts"
import type { Pace } from "./pace.ts"
import { waits } from "../../internal/waits.ts"
import * as ScenarioProcesses from "./processes.ts"
import * as ScenarioTime from "./time.ts"
import * as ScenarioWays from "./ways.ts"
import * as Seeded from "../../internal/seeded.ts"
import * as Timeline from "../../internal/timeline.ts"

const stateOf = (url: string) => (URL.canParse(url) ? (new URL(url).searchParams.get("state") ?? undefined) : undefined)

// How long a user takes on the consent page, in milliseconds.
const thought = 10_000

// When the app learns of a new secret, in milliseconds.
const noticed = 300_000

// How long something is under way at most when something else happens, in milliseconds: less than most things take.
const atWork = 500

/** What a scenario's options say of its world. */
export interface Options {
  readonly knobs?: Partial<Knobs> | undefined
  readonly seed?: number | string | undefined
  readonly turn?: Effect.Effect<void> | undefined
  readonly pace: Pace
}

// Something that a user does, until it is over.
interface Deed {
  readonly fiber: Fiber.Fiber<unknown, unknown>
  readonly giveUp: () => void
}

// How long a way back is good for at least, in milliseconds: a code lives two minutes.
const timely = 60_000

const isOutage = ({ fault, times }: FakeFault.Rule) => fault._tag === "ServerError" && times === "Always"

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
    knobs: { rateLimits: false, ...options.knobs }
  })
  // How long things take in a step does not depend on the steps before: when these are taken away, the rest stays as it was.
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
  const events: Array<Told> = []
  const logs: Array<string> = []
  const outer = yield* Effect.context()
  const authorizations: Array<Mutable<Authorization>> = []
  // With which attempt a user comes back, by deed.
  const attempts = new Map<number, Authorization>()
  const stepsBeganAt: Array<number> = []
  const endings: Array<Ending> = []
  let stored: string | undefined
  let deeds = 0
  let index = 0

  // ---------------------------------------------------------------------------
  // Time
  // ---------------------------------------------------------------------------

  // Where users, and what outlives the app, have their time.
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
  // Whether the app runs with a secret that is none any more, and is to be restarted.
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
  const ways = ScenarioWays.make(forge)

  // ---------------------------------------------------------------------------
  // Steps
  // ---------------------------------------------------------------------------

  const act = (
    action: Result["action"],
    subject: Subject | undefined,
    doing: (deed: number) => Effect.Effect<ScenarioProcesses.Ended>,
    mustWork: () => boolean = () => true,
    isElsewhere = false
  ): Deed => {
    const step = index
    const deed = deeds++
    const connection = () => (subject === undefined ? "None" : network.connectionOf(subject))
    const before = connection()
    const beganAt = timeline.now()
    // From the moment when it is asked for: calls that are under way may find that the connection is gone.
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
        deed,
        action,
        subject,
        isElsewhere,
        end,
        exit,
        shown,
        mustWork: mustWork() && !hasRival(deed),
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
    const fiber = Effect.runForkWith(onGround)(doing(deed))
    fiber.addObserver((exit) => {
      if (exit._tag === "Failure") return note("Done", exit)
      if (exit.value === "NoWay") isNoted = true
      else if (exit.value === "Killed" || exit.value === "HungUp") note(exit.value, undefined)
      else note("Done", exit.value)
    })
    return { fiber, giveUp: () => note("Waiting", undefined) }
  }

  const isExit = <B>(ended: ScenarioProcesses.Ended<B>): ended is Exit.Exit<B, unknown> => typeof ended === "object"

  // What a stranger has begun, who knows all that is public.
  function forge(): ScenarioWays.Way {
    const url = `https://api.zapier.com/v2/authorize?${new URLSearchParams({
      response_type: "code",
      client_id: credentials.clientId,
      redirect_uri: redirectUri,
      scope: "zap",
      state: "forged-state-of-a-stranger-0123456789"
    })}`
    const callback = atOnce(
      Effect.orDie(zapier.approve(url, { user: ScenarioNetwork.emailOf(ScenarioNetwork.stranger) }))
    )
    network.sentBack(ScenarioNetwork.stranger, callback)
    return { callback, at: timeline.now(), generation: processes.starts(), authorization: undefined }
  }

  // The user looks at the consent page for a while, and answers it.
  const answerConsentPage = Effect.fnUntraced(function* (
    deed: number,
    subject: Subject,
    answer: "approve" | "deny",
    account: Account
  ): Effect.fn.Return<ScenarioProcesses.Ended<ScenarioWays.Way>> {
    const generation = processes.starts()
    const begun = yield* inApp("LogIn", deed, subject, () => app.logIn(subject))
    if (!isExit(begun) || begun._tag === "Failure") return begun as ScenarioProcesses.Ended<never>
    network.noteSecret(`a state (${subject})`, stateOf(begun.value))
    const authorization: Mutable<Authorization> = { url: begun.value, subject, at: timeline.now(), usedAt: undefined }
    authorizations.push(authorization)
    attempts.set(deed, authorization)
    yield* Effect.sleep(thought)
    const back = yield* Effect.exit(zapier[answer](begun.value, { user: ScenarioNetwork.emailOf(subject, account) }))
    if (back._tag === "Failure") return Exit.failCause(back.cause)
    network.sentBack(subject, back.value, account)
    return Exit.succeed({ callback: back.value, at: timeline.now(), generation, authorization })
  })

  const bringBack = (
    deed: number,
    subject: Subject,
    { authorization, callback }: ScenarioWays.Way,
    comeBack: App<R, S, A>["comeBack"] = app.comeBack
  ) => {
    if (authorization !== undefined) attempts.set(deed, authorization)
    return Effect.map(
      inApp("ComeBack", deed, subject, () => comeBack(callback, subject)),
      (ended) => {
        if (authorization !== undefined && isExit(ended) && shows(ended, subject) === "Data") {
          authorization.usedAt ??= timeline.now()
        }
        return ended
      }
    )
  }

  // An app may have room for one attempt of a user: whoever begins twice at once may be refused with either.
  const hasRival = (deed: number) => {
    const mine = attempts.get(deed)
    return authorizations.some(
      (other) =>
        other !== mine && mine?.subject === other.subject && (other.at >= mine.at || (other.usedAt ?? 0) >= mine.at)
    )
  }

  const visitConsentPage = Effect.fnUntraced(function* (
    deed: number,
    subject: Subject,
    answer: "approve" | "deny",
    account: Account = "own"
  ) {
    const way = yield* answerConsentPage(deed, subject, answer, account)
    if (!isExit(way) || way._tag === "Failure") return way
    if (answer === "approve") ways.use(subject, way.value)
    return yield* bringBack(deed, subject, way.value)
  })

  const logIn = Effect.fnUntraced(function* (deed: number, subject: Subject) {
    const way = yield* answerConsentPage(deed, subject, "approve", "own")
    if (isExit(way) && way._tag === "Success") ways.keep(subject, way.value)
    return way
  })

  const callOf = ({ browser, subject }: Extract<Action<A>, { readonly _tag: "Call" }>) => {
    const isElsewhere = browser === "Other"
    const call = isElsewhere ? app.callElsewhere : app.call
    return act(
      "Call",
      subject,
      (deed) => (call === undefined ? Effect.succeed("NoWay") : inApp("Call", deed, subject, () => call(subject))),
      () => true,
      isElsewhere
    )
  }

  const deedOf = (step: Action<A>): Deed => {
    switch (step._tag) {
      case "Consent":
        return act("Consent", step.subject, (deed) => visitConsentPage(deed, step.subject, "approve", step.account))
      case "Deny":
        return act(
          "Deny",
          step.subject,
          (deed) => visitConsentPage(deed, step.subject, "deny"),
          () => false
        )
      case "LogIn":
        return act("LogIn", step.subject, (deed) => logIn(deed, step.subject))
      case "ComeBack": {
        const { browser, subject } = step
        const comeBack = browser === "Other" ? app.comeBackElsewhere : app.comeBack
        const way = comeBack && ways.of(subject, step.with)
        const isOwn = step.with === "Own"
        if (isOwn && way !== undefined) ways.use(subject, way)
        return act(
          "ComeBack",
          subject,
          (deed) => (way === undefined ? Effect.succeed("NoWay") : bringBack(deed, subject, way, comeBack)),
          () =>
            isOwn &&
            browser === undefined &&
            way?.generation === processes.starts() &&
            timeline.now() - way.at < timely,
          browser === "Other"
        )
      }
      case "Call":
        return callOf(step)
      case "Disconnect":
        return act("Disconnect", step.subject, (deed) =>
          inApp("Disconnect", deed, step.subject, () => app.disconnect(step.subject))
        )
      case "Act": {
        const subject = app.actions?.subject?.(step.action)
        return act(
          "Act",
          subject,
          (deed) => inApp("Act", deed, subject, () => app.actions?.run(step.action) ?? Effect.void),
          () => false
        )
      }
    }
  }

  const whileAtWork = Effect.suspend(() => runUntil(timeline.now() + latency.below(atWork)))

  // Begins a step. What its users do goes on after it.
  const take = Effect.fnUntraced(function* (step: Step<A>, deeds: Array<Deed>): Effect.fn.Return<void> {
    switch (step._tag) {
      case "Consent":
      case "Deny":
      case "LogIn":
      case "ComeBack":
      case "Call":
      case "Disconnect":
      case "Act":
        return void deeds.push(deedOf(step))
      case "Wait":
        return yield* runUntil(timeline.now() + waits[step.time])
      case "Together":
        for (const member of step.steps) yield* take(member, deeds)
        return
      default:
        if (deeds.length > 0) yield* whileAtWork
        return yield* happen(step)
    }
  })

  const outage = (time: number) =>
    Effect.sync(() => {
      const rule = { fault: { _tag: "ServerError", status: 503 }, times: "Always" } as const
      const { faults } = atOnce(zapier.state)
      atOnce(zapier.setFaults([rule, ...faults]))
      network.trouble("Zapier is down", time)
      timeline.after(time, () => {
        const now = atOnce(zapier.state).faults
        atOnce(zapier.setFaults(now.filter((other) => !isOutage(other))))
      })
    })

  const noteEnding = (what: Ending["what"], subject: Subject) => {
    endings.push({ subject, what, at: timeline.now() })
  }

  const revoke = (subject: Subject) => {
    noteEnding("Access", subject)
    network.revoke(subject)
    for (const account of ["own", "other"] as const) {
      atOnce(zapier.revoke({ clientId: credentials.clientId, user: ScenarioNetwork.emailOf(subject, account) }))
    }
  }

  const happen = Effect.fnUntraced(function* (step: Happening) {
    switch (step._tag) {
      case "Restart":
        return yield* processes.restart
      case "Crash":
        return yield* processes.crash
      case "Arm":
        return atOnce(zapier.addFault(step.rule))
      case "HangUp":
        return processes.hangUp(step.subject)
      case "Revoke":
        return revoke(step.subject)
      case "EndAccessToken":
        noteEnding("AccessToken", step.subject)
        return atOnce(zapier.endAccessToken(network.accessTokenOf(step.subject) ?? ""))
      case "RevokeAll":
        return subjects.forEach(revoke)
      case "RegenerateSecret": {
        const renewed = renewSecret()
        network.trouble("the app has a new secret", noticed)
        timeline.after(noticed, () => {
          configured = renewed
          isOutdated = app.restartsForSecret === true
        })
        return
      }
      case "Outage":
        return yield* outage(waits[step.time])
      case "SetKnobs":
        return atOnce(zapier.setKnobs(step.knobs))
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
    const deeds: Array<Deed> = []
    yield* take(step, deeds)
    yield* until(deeds.map(({ fiber }) => fiber))
    for (const { giveUp } of deeds) giveUp()
    index++
  })

  return {
    /** Carries a step out, and everything that comes of it. */
    perform,

    /**
     * Whoever has ever been connected calls once more, in each browser, when the access token has ended and nothing gets in
     * the way.
     */
    audit: Effect.gen(function* () {
      atOnce(zapier.setFaults([]))
      const { knobs } = atOnce(zapier.state)
      yield* runUntil(timeline.now() + noticed + knobs.accessTokenLifetime * 1_000)
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

    seen: (): Seen => ({
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
      authorizations,
      expected,
      lives: network.lives,
      fake: atOnce(zapier.state)
    })
  }
})
