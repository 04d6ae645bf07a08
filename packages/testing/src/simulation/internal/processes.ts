/** The processes: they start, work for users, crash, are paused, and shut down. */
import * as Lease from "@zapier-workflow-auth/core/machine/Lease"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import type { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { isAtClaim, type StoreFailure, type TokenRequestFault } from "../TokenRequestFault.ts"
import * as Recoverability from "./recoverability.ts"
import * as Seeded from "../../internal/seeded.ts"
import * as SimProcess from "./process.ts"
import type { SimRecord } from "./record.ts"
import * as SimStores from "./stores.ts"
import * as SimTrace from "./trace.ts"
import {
  type Call,
  type Caller,
  CurrentCaller,
  type Host,
  type Hub,
  type Outcome,
  type Process,
  type Subject
} from "./types.ts"

export interface Options {
  readonly seed: string
  /** How many run at a time. */
  readonly processes: number
  /** Breaks the grant store on purpose. */
  readonly store?: SimStores.Change | undefined
  /** The fault of a token request without an injected one. */
  readonly fault?: (() => TokenRequestFault | undefined) | undefined
  /** The failure of a token store's operation without an injected one. */
  readonly storeFailure?: ((isWrite: boolean) => StoreFailure | undefined) | undefined
  /** Set if processes are functions, which are frozen once they have responded. */
  readonly frozen?: Frozen | undefined
  /** Returns true if a frozen process is killed instead of resumed. */
  readonly isKilled?: (() => boolean) | undefined
  /** Gets the events. */
  readonly trace?: SimTrace.Trace | undefined
}

/** When a function is frozen: as soon as it has responded, or once it has nothing under way. */
export type Frozen = "AtOnce" | "WhenSettled"

/** The surroundings of the processes. */
export type Place = Pick<Hub, "app" | "server" | "settings" | "timeline"> & {
  readonly record: SimRecord
  readonly subjects: ReadonlyArray<Subject>
}

/** How long a process is paused: longer than callers wait, than it waits for a response, or than its lease. */
export type Pause = "Short" | "Middle" | "Long"
const pauses: ReadonlyArray<Pause> = ["Short", "Middle", "Long"]

/** How long nothing happens before nothing counts as under way: longer than a pause. */
export const quiet = 300_000

// How long a platform takes to freeze a function that has responded, in milliseconds.
const freezing = 5

// How an outage fails reads and writes. It may begin or end between a write and its result.
const readsFail: ReadonlyArray<StoreFailure> = ["ReadFails", "ReadFails", "ReadHangs"]
const writesFail: ReadonlyArray<StoreFailure> = ["WriteFails", "WriteFails", "WriteFailsDone", "WriteHangs"]

export const make = (options: Options, place: Place) => {
  const { app, record, server, settings, subjects, timeline } = place
  const { seed, trace = SimTrace.none } = options
  const { broken, counts, observe, recoveries } = record
  const parties: ReadonlyArray<Caller> = [app, ...subjects]
  const stores = SimStores.make(options.store)
  const processes: Array<Process> = []
  // The processes that are shutting down.
  const leaving = new Set<Process>()
  // The frozen processes.
  const frozen = new Set<Process>()
  let isCalm = false

  const faultOf = (host: Host) => {
    if (isCalm) return undefined
    const armed = host.armed.findIndex((fault) => !isAtClaim(fault))
    const fault = armed === -1 ? options.fault?.() : host.armed.splice(armed, 1)[0]
    // The claim of this request is over, so the fault applies to the next.
    if (fault !== undefined && isAtClaim(fault)) return void host.armed.push(fault)
    if (fault === undefined) return undefined
    record.count(counts.faults, fault)
    trace({ _tag: "FaultInjected", owner: host.owner, fault })
    return fault
  }

  let awayUntil = 0

  const pick = <A>(all: ReadonlyArray<A>) => all[hub.latency.below(all.length)]

  const failureOf = (host: Host, isWrite: boolean, isOfTokens: boolean): StoreFailure | undefined => {
    if (timeline.now() < awayUntil) {
      const failure = pick(isWrite ? writesFail : readsFail)
      if (failure !== undefined) trace({ _tag: "FaultInjected", owner: host.owner, fault: failure })
      return failure
    }
    if (isCalm || !isOfTokens) return undefined
    const index = host.failures.findIndex(({ failure }) => failure.startsWith(isWrite ? "Write" : "Read"))
    const armed = host.failures[index]
    if (armed !== undefined && armed.spared > 0) {
      host.failures = host.failures.with(index, { ...armed, spared: armed.spared - 1 })
      return undefined
    }
    if (armed !== undefined) host.failures = host.failures.toSpliced(index, 1)
    const failure = armed?.failure ?? options.storeFailure?.(isWrite)
    if (failure === undefined) return undefined
    record.count(counts.faults, failure)
    trace({ _tag: "FaultInjected", owner: host.owner, fault: failure })
    return failure
  }

  const end = (process: Process) => {
    process.isGone = true
    frozen.delete(process)
    process.room.end()
    leaving.delete(process)
    for (const call of process.calls) call.end()
    // Its writes that are under way are still carried out.
    if (process.pending === 0) forget(process)
  }

  // The parties whose history names the process.
  const concerned = ({ owner }: Host) =>
    parties.filter(({ history: { accepted, claims, deliveries, exchanged, left, rejections, requests } }) =>
      [requests, deliveries, exchanged, rejections, accepted, claims, left].some((all) =>
        all.some((one) => one.owner === owner)
      )
    )

  const forget = (host: Host) => {
    const { owner } = host
    for (const { recoverability } of subjects) recoveries.ended(recoverability, host)
    for (const caller of concerned(host)) observe(caller, { _tag: "ProcessEnded", owner })
  }

  const crash = (host: Host) => {
    const process = [...processes, ...leaving].find((one) => one === host)
    if (process === undefined || process.isGone) return
    // A caller that retries at once finds the replacement.
    if (!leaving.has(process)) begin(process.slot)
    end(process)
  }

  const suspend = (host: Host) => {
    const { owner, room } = host
    room.suspend()
    host.pauses++
    for (const caller of concerned(host)) observe(caller, { _tag: "ProcessPaused", owner })
  }

  const goOn = (host: Host) => {
    host.awakeSince = timeline.now()
    for (const caller of concerned(host)) caller.activeAt = timeline.now()
    host.room.goOn(hub.latency.chance(0.5) ? "Due" : "Come")
  }

  const pause = (host: Host, length: Pause | undefined = pick(pauses)) => {
    const { room } = host
    if (host.isGone || room.isSuspended()) return
    suspend(host)
    const { responseTimeout, requestTimeout } = settings
    const least = { Short: requestTimeout, Middle: responseTimeout, Long: responseTimeout + Lease.margin }[
      length ?? "Long"
    ]
    timeline.after(least + 1 + hub.latency.below(least), () => {
      if (!host.isGone) goOn(host)
    })
  }

  // Freezes a function that has responded to all its requests.
  const freeze = (process: Process) => {
    const isBusy = process.calls.size > 0 || process.isGone || process.room.isSuspended() || leaving.has(process)
    if (isCalm || isBusy) return
    const auth = Context.get(process.context, ZapierAuth)
    if (options.frozen === "WhenSettled" && !auth.isSettled()) {
      Effect.runForkWith(process.context)(auth.settled).addObserver(() => freezeSoon(process))
      return
    }
    record.count(counts.faults, "Freeze")
    suspend(process)
    frozen.add(process)
  }

  // Without freezing nothing is drawn, so that a seed gives the same run as before.
  function freezeSoon(process: Process) {
    if (options.frozen === undefined) return
    timeline.after(hub.latency.below(freezing), () => freeze(process))
  }

  const thaw = (process: Process) => {
    if (frozen.delete(process)) goOn(process)
  }

  // The function for the next request: the frozen one, or its replacement.
  const woken = (slot: number): Process => {
    const process = at(slot)
    if (!frozen.has(process)) return process
    if (!isCalm && options.isKilled?.() === true) {
      record.count(counts.faults, "KillFrozen")
      crash(process)
      return at(slot)
    }
    thaw(process)
    return process
  }

  const hub: Hub = {
    timeline,
    latency: Seeded.make(seed, "latency"),
    settings,
    recoveries,
    observe,
    app,
    subjectOf: record.subjectOf,
    written: record.written,
    appWritten: record.appWritten,
    server,
    faultOf,
    isArmed: (host, fault) => host.armed.find(isAtClaim) === fault,
    failureOf,
    pauseFor: (host, fault) => {
      host.armed.splice(host.armed.indexOf(fault), 1)
      record.count(counts.faults, fault)
      trace({ _tag: "FaultInjected", owner: host.owner, fault })
      pause(host)
    },
    crash,
    pause,
    forget,
    counts
  }
  const starter = SimProcess.make({
    hub,
    seed,
    settings,
    application: server.application,
    view: (host) => SimStores.view(hub, stores, host)
  })

  function begin(slot: number) {
    const process = starter(slot)
    processes[slot] = process
    trace({ _tag: "Began", owner: process.owner, slot })
  }

  for (let slot = 0; slot < options.processes; slot++) begin(slot)

  const at = (slot: number): Process => {
    const process = processes[slot]
    if (process === undefined) throw new Error(`no process has the slot ${slot}`)
    return process
  }

  const closed = new WeakSet<Process>()

  // Ends a process that has nothing left to do.
  const leave = (process: Process) => {
    if (process.isGone || process.calls.size > 0 || !closed.has(process)) return
    // A process that shuts down cannot wait until the store is back.
    if (!Recoverability.isKeptOut(process, timeline.now())) {
      for (const caller of parties) {
        if (caller.history.deliveries.some(({ owner }) => owner === process.owner))
          observe(caller, { _tag: "Settled", waiting: 0 })
      }
    }
    end(process)
  }

  const shutDown = (process: Process) => {
    for (const { caller, since } of process.calls) {
      if (timeline.now() - Math.max(since, process.awakeSince) > quiet) {
        const observed = "a call waited until its process was restarted"
        broken(caller.name, { rule: "Every caller gets a result", observed })
      }
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
    pause,

    /** Sets the clock of a process this many milliseconds ahead. */
    setClock: (host: Host, ahead: number) => {
      host.ahead = ahead
      host.room.setClock(ahead)
      if (Math.abs(ahead) < Lease.margin / 2) return
      host.isAstray = true
      for (const caller of concerned(host)) observe(caller, { _tag: "ClocksDisagree" })
    },

    /** Runs an effect in a process for a caller; `done` gets its outcome. */
    run: <A, E>(
      slot: number,
      caller: Caller,
      effect: Effect.Effect<A, E, ZapierAuth | ZapierHttpClient>,
      done: (outcome: Outcome<A>) => void,
      wantsAccess = false
    ) => {
      const process = woken(slot)
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
        else freezeSoon(process)
      }
      const call: Call = {
        caller,
        wantsAccess,
        fiber: undefined,
        since: timeline.now(),
        end: () => finish({ _tag: "Ended" })
      }
      process.calls.add(call)
      process.room.enter(() => {
        const fiber = Effect.runForkWith(Context.add(process.context, CurrentCaller, caller))(effect)
        call.fiber = fiber
        fiber.addObserver((exit) => {
          // A process that has ended gives no results.
          if (!process.isGone) finish(exit)
        })
      })
    },

    /** Replaces a process, and lets the old one finish what is under way. */
    restart: (slot: number) => {
      const process = at(slot)
      thaw(process)
      leaving.add(process)
      begin(slot)
      process.room.enter(() => shutDown(process))
    },

    /** Interrupts a caller's calls in a process. */
    interrupt: (slot: number, caller: Caller) => {
      const { calls, room } = at(slot)
      room.enter(() => {
        for (const call of calls) if (call.caller === caller) call.fiber?.interruptUnsafe()
      })
    },

    /** Resumes all frozen processes. */
    thawAll: () => frozen.forEach(thaw),

    /** Makes every store unavailable for this many milliseconds. */
    outage: (millis: number) => {
      awayUntil = Math.max(awayUntil, timeline.now() + millis)
    },

    /** True if neither a pause nor the store holds a process back. */
    areFree: () =>
      [...processes, ...leaving].every(
        ({ failedAt, room }) => !room.isSuspended() && timeline.now() - failedAt > quiet
      ),

    /** How many calls of a caller wait for their response. */
    waiting: (caller: Caller) =>
      [...processes, ...leaving].flatMap(({ calls }) => [...calls]).filter((call) => call.caller === caller).length,

    /** Stops injecting faults. */
    calm: () => {
      isCalm = true
      frozen.forEach(thaw)
      for (const process of processes) {
        process.armed.length = 0
        process.endsAfterWrite = false
        process.pausesAtStore = false
        process.failures = []
        process.ahead = 0
        process.room.setClock(0)
      }
    }
  }
}
