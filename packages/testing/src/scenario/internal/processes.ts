/**
 * The processes of an app: starts, restarts and kills them over stores that survive, and runs users' actions in them.
 */
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Seeded from "../../internal/seeded.ts"
import * as Timeline from "../../internal/timeline.ts"
import type { Anything, App, Provided } from "../ScenarioApp.ts"
import type { Browsing, Subject, PublishedEvent, Visit, Write } from "../ScenarioHistory.ts"
import { CurrentNote } from "./browsing.ts"
import * as ScenarioLog from "./log.ts"
import * as ScenarioNetwork from "./network.ts"
import * as ScenarioStores from "./stores.ts"
import type * as ScenarioTime from "./time.ts"

// How far the clocks of instances are ahead, in milliseconds.
const skews = [0, 12_000, -12_000]

// How often to search for I/O that a layer waits for: a failed build is not tried again.
const layerSearches = 50

// An action under way in an app, with its fiber.
interface Doing {
  readonly actionId: number
  readonly subject: Subject | undefined
  readonly fiber: Fiber.Fiber<unknown, unknown>
  readonly end: (ended: Ended) => void
}

/** The end of an action. */
export type Ended<B = unknown> = Exit.Exit<B, unknown> | "Killed" | "HungUp" | "NoWay"

interface Process<R> extends ScenarioNetwork.Host {
  readonly room: Timeline.Room
  readonly scope: Scope.Closeable
  readonly context: Context.Context<R>
  readonly doings: Set<Doing>
}

/** The surroundings of the processes. */
interface World {
  readonly timeline: Timeline.Timeline
  readonly until: ReturnType<typeof ScenarioTime.make>["until"]
  readonly network: ReturnType<typeof ScenarioNetwork.make>
  readonly random: Seeded.Seeded
  readonly outer: Context.Context<never>
  /** The room of everything that survives the processes. */
  readonly ground: Timeline.Room
  readonly configured: () => ClientApplication.Options
  readonly step: () => number
  readonly visits: Array<Visit>
  readonly browsings: Array<Browsing>
  readonly writes: Array<Write>
  readonly events: Array<PublishedEvent>
  readonly logs: Array<string>
}

export const make = Effect.fnUntraced(function* <R, S, A>(app: App<R, S, A>, world: World) {
  const { browsings, configured, events, ground, logs, network, outer, random, step, timeline, until, visits, writes } =
    world
  let starts = 0

  const inRoom = (room: Timeline.Room) => Context.merge(outer, Timeline.contextOf(room, random))

  const logging = ScenarioLog.contextOf((text) => void logs.push(text))

  const provided = (host: ScenarioNetwork.Host): Context.Context<Provided> =>
    Context.make(HttpClient.HttpClient, network.client(host)).pipe(
      Context.add(Digest.Digest, Seeded.digest),
      Context.add(SecureRandom.SecureRandom, Seeded.secureRandom(random)),
      Context.add(ClientApplication.ClientApplication, {
        get: Effect.suspend(() => Effect.orDie(Effect.fromResult(ClientApplication.make(configured()))))
      })
    )

  const build = Effect.fnUntraced(function* <B>(
    room: Timeline.Room,
    layer: Layer.Layer<B, Anything>,
    scope: Scope.Scope
  ) {
    const fiber = Effect.runForkWith(Context.merge(inRoom(room), logging))(
      Effect.orDie(Layer.buildWithScope(layer, scope))
    )
    yield* until([fiber], layerSearches)
    return yield* fiber.pollUnsafe() ?? Effect.die(new Error("A layer of the app is never built."))
  })

  // Without stores nothing is needed.
  const stores =
    app.stores === undefined
      ? (Context.empty() as Context.Context<S>)
      : yield* build(ground, app.stores, yield* Effect.scope)

  const begin = Effect.fnUntraced(function* (
    number: number,
    version: App<R, S, A>["layer"]
  ): Effect.fn.Return<Process<R>> {
    const room = timeline.room()
    room.setClock(skews[number % skews.length] ?? 0)
    const host: ScenarioNetwork.Host = { instance: number, isGone: false, isClosing: false }
    const scope = Scope.makeUnsafe()
    const seenStores = ScenarioStores.watched(stores, (write) =>
      writes.push({ ...write, step: step(), instance: number, at: timeline.now() })
    )
    const below = Context.merge(seenStores, provided(host))
    const built = yield* build(room, Layer.provide(version, Layer.succeedContext(below)), scope)
    // The subscription ends with the app.
    Option.map(Context.getOption(built as Context.Context<unknown>, ZapierAuth), (auth) =>
      Effect.runForkWith(inRoom(room))(
        Stream.runForEach(auth.events, (event) =>
          Effect.sync(() => events.push({ step: step(), instance: number, at: timeline.now(), event }))
        )
      )
    )
    // The network identifies the app by this object.
    const context = Context.merge(Context.merge(inRoom(room), built), logging)
    return Object.assign(host, { room, scope, context, doings: new Set<Doing>() })
  })

  // The instances take turns.
  const processes = yield* Effect.forEach(
    Array.from({ length: app.instances ?? 1 }, (_, number) => number),
    (number) => begin(number, app.before ?? app.layer)
  )
  let turns = 0
  const inTurn = (): Process<R> => {
    const process = processes[turns++ % processes.length]
    if (process === undefined) throw new Error("An app has at least one instance.")
    return process
  }

  // Runs an action in the instance whose turn it is.
  const inApp = <B>(
    does: Visit["does"],
    actionId: number,
    subject: Subject | undefined,
    effect: () => Effect.Effect<B, Anything, R>
  ) =>
    Effect.callback<Ended<B>>((resume) => {
      const process = inTurn()
      const { instance } = process
      const begun: Visit = {
        step: step(),
        actionId,
        subject,
        does,
        instance,
        beganAt: timeline.now(),
        endedAt: undefined
      }
      const visit = visits.push(begun) - 1
      let isOver = false
      const context = process.context.pipe(
        Context.add(ScenarioNetwork.CurrentSubject, subject),
        Context.add(ScenarioNetwork.CurrentActionId, actionId),
        Context.add(CurrentNote, (request) => {
          const open = { endedAt: undefined, status: undefined, leadsTo: undefined, headers: [] }
          const sent = { step: begun.step, actionId, subject, instance, ...request, beganAt: timeline.now(), ...open }
          const index = browsings.push(sent) - 1
          return (response) => {
            // A killed app's fibers no longer reach the browser.
            if (!isOver) browsings[index] = { ...sent, ...response, endedAt: timeline.now() }
          }
        })
      )
      const fiber = Effect.runForkWith(context)(Effect.suspend(effect))
      const end = (ended: Ended<B>) => {
        if (!process.doings.delete(doing)) return
        isOver = true
        visits[visit] = { ...begun, endedAt: timeline.now() }
        resume(Effect.succeed(ended))
      }
      const doing = { actionId, subject, fiber, end: end as Doing["end"] }
      process.doings.add(doing)
      fiber.addObserver(end)
    })

  const abandon = ({ doings }: Process<R>) => {
    const fibers = [...doings].map(({ fiber }) => fiber)
    for (const { end } of doings) end("Killed")
    return fibers
  }

  const hangUp = (subject: Subject) => {
    for (const doing of processes.flatMap(({ doings }) => [...doings])) {
      if (doing.subject !== subject) continue
      doing.end("HungUp")
      doing.fiber.interruptUnsafe()
    }
  }

  const close = Effect.fnUntraced(function* (process: Process<R>) {
    network.close(process, new Set([...process.doings].map(({ actionId }) => actionId)))
    for (const fiber of abandon(process)) fiber.interruptUnsafe()
    yield* until([Effect.runForkWith(process.context)(Scope.close(process.scope, Exit.void))])
  })

  const kill = (process: Process<R>) => {
    process.room.suspend()
    network.trouble("the app was killed", 0)
    network.kill(process)
    abandon(process)
  }

  // Ends the instance whose turn it is, and starts another in its place.
  const replace = Effect.fnUntraced(function* (end: (process: Process<R>) => Effect.Effect<void>) {
    const process = inTurn()
    const number = processes.indexOf(process)
    yield* end(process)
    processes[number] = yield* begin(number, app.layer)
    starts++
  })

  return {
    inApp,
    hangUp,
    stores,
    restart: Effect.suspend(() => replace(close)),
    restartAll: Effect.suspend(() => Effect.forEach(processes, () => replace(close), { discard: true })),
    crash: Effect.suspend(() => replace((process) => Effect.sync(() => kill(process)))),
    close: Effect.suspend(() => Effect.forEach(processes, close, { discard: true })),
    /** How often an instance was started again. */
    starts: () => starts
  }
})

/** The processes of an app. */
export type Processes<R> = Effect.Success<ReturnType<typeof make<R, never, never>>>
