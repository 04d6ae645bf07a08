/**
 * An app in a time of its own, over the fake: it is started, restarted and killed over stores that outlive it, its users
 * do what they do, and everything that comes of it comes to rest before the next step.
 */
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import { isZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { Knobs } from "../FakeState.ts"
import * as FakeZapier from "../FakeZapier.ts"
import { waits } from "../Program.ts"
import type { Anything, App, Provided } from "../ScenarioApp.ts"
import { type Result, type Seen, type Subject, subjects } from "../ScenarioSeen.ts"
import type { Action, Happening, Step } from "../ScenarioStep.ts"
import * as ScenarioNetwork from "./scenarioNetwork.ts"
import * as Seeded from "./seeded.ts"
import * as Timeline from "./timeline.ts"

const credentials = { clientId: "acme", redirectUris: ["https://acme.example/callback"] }

// How long a user takes on the consent page, and after how long nobody waits any more, in milliseconds.
const thought = 10_000
const patience = 600_000

// When the app learns of a new secret, in milliseconds.
const noticed = 300_000

// How long something is under way at most when something else happens, in milliseconds: less than most things take.
const atWork = 400

// How often nothing must have happened in a turn of the event loop, so that nothing is under way.
const quietTurns = 2

/** What a scenario's options say of its world. */
export interface Options {
  readonly knobs?: Partial<Knobs> | undefined
  readonly seed?: number | string | undefined
  readonly turn?: Effect.Effect<void> | undefined
}

// Something that is done in an app, and the fiber that does it.
interface Doing {
  readonly fiber: Fiber.Fiber<unknown, unknown>
  readonly end: (exit: Exit.Exit<unknown, unknown> | undefined) => void
}

interface Process<R> extends ScenarioNetwork.Host {
  readonly room: Timeline.Room
  readonly scope: Scope.Closeable
  readonly context: Context.Context<R>
  readonly doings: Set<Doing>
}

// Something that a user does, until it is over.
interface Deed {
  readonly fiber: Fiber.Fiber<unknown, unknown>
  readonly giveUp: () => void
}

// An app need not serve its users through other steps.
const harmless: ReadonlySet<string> = new Set(["Consent", "Deny", "Call", "Disconnect", "Act", "Wait", "Restart"])

const isTrouble = <A>(step: Step<A>): boolean =>
  step._tag === "Together" ? step.steps.some(isTrouble) : !harmless.has(step._tag)

const needsReconnect = (error: unknown) => isZapierAuthError(error) && error.needsReconnect

const errorOf = (exit: Exit.Exit<unknown, unknown> | undefined): unknown =>
  exit?._tag === "Failure" ? exit.cause.reasons.find(Cause.isFailReason)?.error : undefined

export const make = Effect.fnUntraced(function* <R, S, A>(app: App<R, S, A>, options: Options) {
  const seed = String(options.seed ?? 1)
  const timeline = Timeline.make()
  const zapier = FakeZapier.make({
    seed,
    apps: [{ name: "Acme", ...credentials }],
    users: subjects.map((subject) => ({
      email: ScenarioNetwork.emailOf(subject),
      firstName: subject,
      lastName: "Example"
    })),
    knobs: { rateLimits: false, ...options.knobs }
  })
  const latency = Seeded.make(seed, "latency")
  const network = ScenarioNetwork.make(zapier, latency, timeline)
  const random = Seeded.make(seed, "app")
  const turn = options.turn ?? Effect.yieldNow
  const asksToReconnect = app.asksToReconnect ?? needsReconnect
  const results: Array<Result> = []
  const outer = yield* Effect.context()
  let isTroubled = false
  let index = 0

  // ---------------------------------------------------------------------------
  // Time
  // ---------------------------------------------------------------------------

  const inRoom = (room: Timeline.Room) => Context.merge(outer, Timeline.contextOf(room, random))

  // Where users, and what outlives the app, have their time.
  const ground = timeline.room()
  const onGround = inRoom(ground)
  const atOnce = <B, E>(effect: Effect.Effect<B, E>): B =>
    Effect.runSyncWith(Context.make(Clock.Clock, ground.clock))(effect)

  // Runs what is ready, and gives the platform its turns, until nothing happens any more.
  const rest = Effect.gen(function* () {
    let quiet = 0
    while (quiet < quietTurns) {
      const before = network.activity()
      timeline.runUntil(timeline.now())
      yield* turn
      quiet = timeline.isReady() || network.activity() !== before ? 0 : quiet + 1
    }
  })

  const runUntil = Effect.fnUntraced(function* (end: number, isOver: () => boolean = () => false) {
    while (true) {
      yield* rest
      if (isOver()) return
      const next = timeline.nextAt()
      if (next === undefined || next > end) break
      timeline.runUntil(next)
    }
    timeline.runUntil(end)
    yield* rest
  })

  const until = (fibers: ReadonlyArray<Fiber.Fiber<unknown, unknown>>) =>
    runUntil(timeline.now() + patience, () => fibers.every((fiber) => fiber.pollUnsafe() !== undefined))

  // ---------------------------------------------------------------------------
  // The app
  // ---------------------------------------------------------------------------

  let configured = { ...credentials, ...atOnce(zapier.regenerateSecret(credentials.clientId)) }

  const provided = (host: ScenarioNetwork.Host): Context.Context<Provided> =>
    Context.make(HttpClient.HttpClient, network.client(host)).pipe(
      Context.add(Digest.Digest, Seeded.digest),
      Context.add(SecureRandom.SecureRandom, Seeded.secureRandom(random)),
      Context.add(ClientApplication.ClientApplication, {
        get: Effect.suspend(() => Effect.orDie(Effect.fromResult(ClientApplication.make(configured))))
      })
    )

  const build = Effect.fnUntraced(function* <B>(
    room: Timeline.Room,
    layer: Layer.Layer<B, Anything>,
    scope: Scope.Scope
  ) {
    const fiber = Effect.runForkWith(inRoom(room))(Effect.orDie(Layer.buildWithScope(layer, scope)))
    yield* until([fiber])
    return yield* fiber.pollUnsafe() ?? Effect.die(new Error("A layer of the app is never built."))
  })

  const stores = app.stores === undefined ? undefined : yield* build(ground, app.stores, yield* Effect.scope)

  const begin = Effect.gen(function* (): Effect.fn.Return<Process<R>> {
    const room = timeline.room()
    const host: ScenarioNetwork.Host = { isGone: false }
    const scope = Scope.makeUnsafe()
    // Without stores there is nothing to ask for.
    const below = Context.merge(stores ?? (Context.empty() as Context.Context<S>), provided(host))
    const built = yield* build(room, Layer.provide(app.layer, Layer.succeedContext(below)), scope)
    // The network knows the app by this very object.
    return Object.assign(host, { room, scope, context: Context.merge(inRoom(room), built), doings: new Set<Doing>() })
  })

  let current = yield* begin

  // Does something in the app as it is now. There is no exit if the app ends before it does.
  const inApp = <B>(subject: Subject | undefined, effect: () => Effect.Effect<B, Anything, R>) =>
    Effect.callback<Exit.Exit<B, Anything> | undefined>((resume) => {
      const process = current
      const context = Context.add(process.context, ScenarioNetwork.CurrentSubject, subject)
      const fiber = Effect.runForkWith(context)(Effect.suspend(effect))
      const end = (exit: Exit.Exit<B, Anything> | undefined) => {
        if (process.doings.delete(doing)) resume(Effect.succeed(exit))
      }
      const doing = { fiber, end: end as Doing["end"] }
      process.doings.add(doing)
      fiber.addObserver(end)
    })

  const abandon = ({ doings }: Process<R>) => {
    const fibers = [...doings].map(({ fiber }) => fiber)
    for (const { end } of doings) end(undefined)
    return fibers
  }

  const close = Effect.fnUntraced(function* (process: Process<R>) {
    for (const fiber of abandon(process)) fiber.interruptUnsafe()
    yield* until([Effect.runForkWith(process.context)(Scope.close(process.scope, Exit.void))])
  })

  const kill = (process: Process<R>) => {
    process.room.suspend()
    network.kill(process)
    abandon(process)
  }

  // ---------------------------------------------------------------------------
  // Steps
  // ---------------------------------------------------------------------------

  const act = (
    action: Result["action"],
    subject: Subject | undefined,
    doing: Effect.Effect<Exit.Exit<unknown, unknown> | undefined>
  ): Deed => {
    const step = index
    const connection = () => (subject === undefined ? "None" : network.connectionOf(subject))
    const before = connection()
    // From the moment when it is asked for: calls that are under way may find that the connection is gone.
    const leaving = action === "Disconnect" ? subject : undefined
    if (leaving !== undefined) network.disconnect(leaving)
    let isNoted = false
    const note = (end: Result["end"], exit: Result["exit"]) => {
      if (isNoted) return
      isNoted = true
      const asks = exit?._tag === "Failure" && asksToReconnect(errorOf(exit))
      results.push({ step, action, subject, end, exit, asksToReconnect: asks, before, after: connection() })
      if (leaving === undefined) return
      if (exit?._tag === "Success") network.disconnect(leaving)
      else if (before !== "None") network.stay(leaving)
    }
    const fiber = Effect.runForkWith(onGround)(doing)
    fiber.addObserver((exit) => {
      if (exit._tag === "Failure") note("Done", exit)
      else note(exit.value === undefined ? "Killed" : "Done", exit.value)
    })
    return { fiber, giveUp: () => note("Waiting", undefined) }
  }

  const visitConsentPage = Effect.fnUntraced(function* (subject: Subject, answer: "approve" | "deny") {
    const begun = yield* inApp(subject, () => app.logIn(subject))
    if (begun === undefined || begun._tag === "Failure") return begun
    yield* Effect.sleep(thought)
    const back = yield* Effect.exit(zapier[answer](begun.value, { user: ScenarioNetwork.emailOf(subject) }))
    if (back._tag === "Failure") return back
    network.sentBack(subject, back.value)
    return yield* inApp(subject, () => app.comeBack(back.value, subject))
  })

  const doingOf = (step: Action<A>) => {
    switch (step._tag) {
      case "Consent":
        return visitConsentPage(step.subject, "approve")
      case "Deny":
        return visitConsentPage(step.subject, "deny")
      case "Call":
        return inApp(step.subject, () => app.call(step.subject))
      case "Disconnect":
        return inApp(step.subject, () => app.disconnect(step.subject))
      case "Act":
        return inApp(undefined, () => app.actions?.run(step.action) ?? Effect.void)
    }
  }

  const whileAtWork = Effect.suspend(() => runUntil(timeline.now() + latency.below(atWork)))

  // Begins a step. What its users do goes on after it.
  const take = Effect.fnUntraced(function* (step: Step<A>, deeds: Array<Deed>): Effect.fn.Return<void> {
    switch (step._tag) {
      case "Consent":
      case "Deny":
      case "Call":
      case "Disconnect":
      case "Act": {
        const subject = step._tag === "Act" ? undefined : step.subject
        return void deeds.push(act(step._tag, subject, doingOf(step)))
      }
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

  const happen = Effect.fnUntraced(function* (step: Happening) {
    switch (step._tag) {
      case "Restart":
        yield* close(current)
        current = yield* begin
        return
      case "Crash":
        kill(current)
        current = yield* begin
        return
      case "Arm":
        return atOnce(zapier.addFault(step.rule))
      case "Revoke":
        network.revoke(step.subject)
        return atOnce(zapier.revoke({ clientId: credentials.clientId, user: ScenarioNetwork.emailOf(step.subject) }))
      case "EndAccessToken":
        return atOnce(zapier.endAccessToken(network.accessTokenOf(step.subject) ?? ""))
      case "RegenerateSecret": {
        const renewed = atOnce(zapier.regenerateSecret(credentials.clientId))
        timeline.after(noticed, () => {
          configured = { ...credentials, ...renewed }
        })
        return
      }
      case "SetKnobs":
        return atOnce(zapier.setKnobs(step.knobs))
    }
  })

  const perform = Effect.fnUntraced(function* (step: Step<A>) {
    network.enter(index)
    isTroubled ||= isTrouble(step)
    const deeds: Array<Deed> = []
    yield* take(step, deeds)
    yield* until(deeds.map(({ fiber }) => fiber))
    for (const { giveUp } of deeds) giveUp()
    index++
  })

  return {
    /** Carries a step out, and everything that comes of it. */
    perform,

    /** Whoever is connected calls once more, when the access token has ended and nothing gets in the way. */
    audit: Effect.gen(function* () {
      atOnce(zapier.setFaults([]))
      const { knobs } = atOnce(zapier.state)
      yield* runUntil(timeline.now() + noticed + knobs.accessTokenLifetime * 1_000)
      for (const subject of subjects) {
        if (network.connectionOf(subject) !== "None") yield* perform({ _tag: "Call", subject })
      }
    }),

    close: Effect.suspend(() => close(current)),

    seen: (): Seen => ({
      now: timeline.now(),
      isTroubled,
      results,
      exchanges: network.exchanges,
      lives: network.lives,
      fake: atOnce(zapier.state)
    })
  }
})
