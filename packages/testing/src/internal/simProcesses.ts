/** Those who live: processes begin, work for users, crash, and are shut down in good order. */
import type * as Settings from "@zapier-workflow-auth/core/Settings"
import type { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import type { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Fault from "../Fault.ts"
import * as Fates from "./fates.ts"
import * as Seeded from "./seeded.ts"
import type { Host, StoreFailure } from "./simHost.ts"
import * as SimProcess from "./simProcess.ts"
import type { SimRecord } from "./simRecord.ts"
import type { Server } from "./simServer.ts"
import * as SimStores from "./simStores.ts"
import {
  type App,
  type Call,
  type Caller,
  CurrentCaller,
  type Hub,
  type Outcome,
  type Process,
  type Subject
} from "./simTypes.ts"
import type { Timeline } from "./timeline.ts"

export interface Options {
  readonly seed: string
  /** How many there are at a time. */
  readonly processes: number
  /** How the grant store is to be broken. */
  readonly store?: SimStores.Change | undefined
  /** What happens to a token request that nothing was armed for. */
  readonly fault?: (() => Fault.Fault | undefined) | undefined
  /** How an operation of a store of tokens fails that nothing was armed for. */
  readonly storeFailure?: (() => StoreFailure | undefined) | undefined
}

/** Where they live. */
export interface Place {
  readonly settings: Settings.Settings
  readonly timeline: Timeline
  readonly server: Server
  readonly record: SimRecord
  readonly subjects: ReadonlyArray<Subject>
  readonly app: App
}

/** How long nothing has happened when nothing is under way. */
export const quiet = 120_000

export const make = (options: Options, { app, record, server, settings, subjects, timeline }: Place) => {
  const { seed } = options
  const { breach, counts, fates, observe, observeApp } = record
  const stores = SimStores.make(options.store)
  const processes: Array<Process> = []
  // Those that are being shut down.
  const leaving = new Set<Process>()

  let isCalm = false
  const faultOf = (host: Host) => {
    if (isCalm) return undefined
    const armed = host.armed.findIndex((fault) => !Fault.isAtClaim(fault))
    const fault = armed === -1 ? options.fault?.() : host.armed.splice(armed, 1)[0]
    // The claim of this request is over: it happens to the next.
    if (fault !== undefined && Fault.isAtClaim(fault)) return void host.armed.push(fault)
    if (fault !== undefined) record.count(counts.faults, fault)
    return fault
  }

  const strike = (host: Host, fault: Fault.Fault) => {
    host.armed.splice(host.armed.indexOf(fault), 1)
    record.count(counts.faults, fault)
  }

  let awayUntil = 0
  const failureOf = (host: Host, isOfTokens: boolean): StoreFailure | undefined => {
    // An outage may begin between an operation and its answer, and end likewise.
    if (timeline.now() < awayUntil) return hub.latency.chance(0.2) ? "Done" : "NotDone"
    if (isCalm || !isOfTokens) return undefined
    const failure = host.failures.shift() ?? options.storeFailure?.()
    if (failure !== undefined) record.count(counts.faults, `Store${failure}`)
    return failure
  }

  const end = (process: Process) => {
    process.isGone = true
    process.room.end()
    leaving.delete(process)
    for (const call of process.calls) call.end()
    // What it has sent to the store is not lost with it.
    if (process.pending === 0) forget(process)
    else timeline.after(SimStores.slowest, () => forget(process))
  }

  const forget = (process: Process) => {
    for (const subject of subjects) {
      fates.ended(subject.fate, process)
      const { deliveries, rejections, requests } = subject.ledger
      const isKnown = [...requests, ...deliveries, ...rejections].some(({ owner }) => owner === process.owner)
      if (isKnown) observe(subject, { _tag: "ProcessEnded", owner: process.owner })
    }
    observeApp({ _tag: "ProcessEnded", owner: process.owner })
  }

  const hub: Hub = {
    timeline,
    latency: Seeded.make(seed, "latency"),
    fates,
    observe,
    observeApp,
    server,
    faultOf,
    isArmed: (host, fault) => host.armed.find(Fault.isAtClaim) === fault,
    failureOf,
    strike,
    crash: (host) => crash(host),
    suspend: (host) => suspend(host),
    counts,
    requestTimeout: settings.requestTimeout
  }

  const starter = SimProcess.make({
    hub,
    seed,
    settings,
    application: server.application,
    view: (host) => SimStores.view(hub, stores, host, record)
  })

  const begin = (slot: number) => {
    processes[slot] = starter(slot)
  }

  const crash = (host: Host) => {
    const process = [...processes, ...leaving].find((one) => one === host)
    if (process === undefined || process.isGone) return
    // Whoever calls again at once finds the one that takes its place.
    if (!leaving.has(process)) begin(process.slot)
    end(process)
  }

  const suspend = (host: Host) => {
    const { owner, room } = host
    if (host.isGone || room.isSuspended()) return
    room.suspend()
    host.standstills++
    const concerned = () =>
      subjects.filter(({ ledger }) => [...ledger.requests, ...ledger.deliveries].some((one) => one.owner === owner))
    for (const subject of concerned()) observe(subject, { _tag: "ProcessPaused", owner })
    observeApp({ _tag: "ProcessPaused", owner })
    const { leaseDuration } = settings
    timeline.after(leaseDuration + 1 + hub.latency.below(leaseDuration), () => {
      if (host.isGone) return
      host.awakeSince = timeline.now()
      for (const caller of [app, ...concerned()]) caller.activeAt = timeline.now()
      room.goOn(hub.latency.chance(0.5) ? "Due" : "Come")
    })
  }

  for (let slot = 0; slot < options.processes; slot++) begin(slot)

  const at = (slot: number): Process => {
    const process = processes[slot]
    if (process === undefined) throw new Error(`there is no process ${slot}`)
    return process
  }

  const closed = new WeakSet<Process>()

  // A process that has nothing to do any more ends.
  const leave = (process: Process) => {
    if (process.isGone || process.calls.size > 0 || !closed.has(process)) return
    // Whoever is sent away cannot wait until the store is back.
    if (!Fates.isKeptOut(process, timeline.now())) {
      const holds = ({ owner }: { readonly owner: string }) => owner === process.owner
      for (const subject of subjects) {
        if (subject.ledger.deliveries.some(holds)) observe(subject, { _tag: "Settled", waiting: 0 })
      }
      if (app.ledger.deliveries.some(holds)) observeApp({ _tag: "Settled", waiting: 0 })
    }
    end(process)
  }

  const shutDown = (process: Process) => {
    for (const { caller, fiber, since } of process.calls) {
      if (timeline.now() - Math.max(since, process.awakeSince) > quiet) {
        const what = "a call waited until its process was restarted"
        breach(caller.name, { rule: "Everybody is answered", what })
      }
      fiber?.interruptUnsafe()
    }
    const closing = Effect.runForkWith(process.context)(Effect.exit(Scope.close(process.scope, Exit.void)))
    closing.addObserver(() => {
      closed.add(process)
      leave(process)
    })
  }

  return {
    at,
    crash,
    suspend,

    /** Runs something in a process, for somebody; `done` is told how it ended. */
    run: <A, E>(
      slot: number,
      caller: Caller,
      effect: Effect.Effect<A, E, ZapierAuth | ZapierHttpClient>,
      done: (outcome: Outcome<A>) => void
    ) => {
      const process = at(slot)
      caller.underWay++
      caller.activeAt = timeline.now()
      let isOver = false
      const finish = (outcome: Outcome<A>) => {
        if (isOver) return
        isOver = true
        process.calls.delete(call)
        caller.underWay--
        caller.activeAt = timeline.now()
        done(outcome)
        if (leaving.has(process)) leave(process)
      }
      const call: Call = { caller, fiber: undefined, since: timeline.now(), end: () => finish({ _tag: "Ended" }) }
      process.calls.add(call)
      process.room.enter(() => {
        const fiber = Effect.runForkWith(Context.add(process.context, CurrentCaller, caller))(effect)
        call.fiber = fiber
        fiber.addObserver((exit) => {
          // Whoever is gone tells nobody.
          if (!process.isGone) finish(exit)
        })
      })
    },

    /** Another process takes over; whoever still waits is sent away, and what is under way is brought to its end. */
    restart: (slot: number) => {
      const process = at(slot)
      leaving.add(process)
      begin(slot)
      process.room.enter(() => shutDown(process))
    },

    /** The store is away for so many milliseconds. */
    outage: (millis: number) => {
      awayUntil = Math.max(awayUntil, timeline.now() + millis)
    },

    /** How many calls for somebody wait for their answer. */
    waiting: (caller: Caller) =>
      [...processes, ...leaving].flatMap(({ calls }) => [...calls]).filter((call) => call.caller === caller).length,

    /** From now on nothing is done to anybody. */
    calm: () => {
      isCalm = true
      for (const process of processes) {
        process.armed.length = 0
        process.endsAfterWrite = false
        process.standsAtStore = false
        process.failures.length = 0
      }
    }
  }
}
