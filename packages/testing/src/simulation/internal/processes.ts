/** The processes: they begin, work for users, crash, stand still, and are shut down in good order. */
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
  /** How many there are at a time. */
  readonly processes: number
  /** How the grant store is to be broken. */
  readonly store?: SimStores.Change | undefined
  /** What happens to a token request that nothing was armed for. */
  readonly fault?: (() => TokenRequestFault | undefined) | undefined
  /** How an operation of a store of tokens fails that nothing was armed for. */
  readonly storeFailure?: ((isWrite: boolean) => StoreFailure | undefined) | undefined
  /** Whether processes are functions, which are frozen once they have responded. Default: no. */
  readonly frozen?: Frozen | undefined
  /** Whether a frozen process is killed instead of going on. */
  readonly isKilled?: (() => boolean) | undefined
  /** Is told what happens. */
  readonly trace?: SimTrace.Trace | undefined
}

/** When a function is frozen: as soon as it has responded, or once it has nothing under way any more. */
export type Frozen = "AtOnce" | "WhenSettled"

/** Where they live. */
export type Place = Pick<Hub, "app" | "server" | "settings" | "timeline"> & {
  readonly record: SimRecord
  readonly subjects: ReadonlyArray<Subject>
}

/** How long a process stands still: for longer than callers wait, than it listens, or than its lease. */
export type Pause = "Short" | "Middle" | "Long"
const pauses: ReadonlyArray<Pause> = ["Short", "Middle", "Long"]

/** How long nothing has happened when nothing is under way: longer than a pause. */
export const quiet = 300_000

// How long a platform takes to freeze a function that has responded, in milliseconds.
const freezing = 5

// How an outage fails reads and writes. It may begin between a write and its response, and end likewise.
const readsFail: ReadonlyArray<StoreFailure> = ["ReadFails", "ReadFails", "ReadHangs"]
const writesFail: ReadonlyArray<StoreFailure> = ["WriteFails", "WriteFails", "WriteFailsDone", "WriteHangs"]

export const make = (options: Options, place: Place) => {
  const { app, record, server, settings, subjects, timeline } = place
  const { seed, trace = SimTrace.none } = options
  const { broken, counts, observe, recoveries } = record
  const parties: ReadonlyArray<Caller> = [app, ...subjects]
  const stores = SimStores.make(options.store)
  const processes: Array<Process> = []
  // Those that are being shut down.
  const leaving = new Set<Process>()
  // Those that stand still until something is asked of them.
  const frozen = new Set<Process>()
  let isCalm = false

  const faultOf = (host: Host) => {
    if (isCalm) return undefined
    const armed = host.armed.findIndex((fault) => !isAtClaim(fault))
    const fault = armed === -1 ? options.fault?.() : host.armed.splice(armed, 1)[0]
    // The claim of this request is over: it happens to the next.
    if (fault !== undefined && isAtClaim(fault)) return void host.armed.push(fault)
    if (fault === undefined) return undefined
    record.count(counts.faults, fault)
    trace({ _tag: "Struck", owner: host.owner, fault })
    return fault
  }

  let awayUntil = 0

  const pick = <A>(all: ReadonlyArray<A>) => all[hub.latency.below(all.length)]

  const failureOf = (host: Host, isWrite: boolean, isOfTokens: boolean): StoreFailure | undefined => {
    if (timeline.now() < awayUntil) {
      const failure = pick(isWrite ? writesFail : readsFail)
      if (failure !== undefined) trace({ _tag: "Struck", owner: host.owner, fault: failure })
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
    trace({ _tag: "Struck", owner: host.owner, fault: failure })
    return failure
  }

  const end = (process: Process) => {
    process.isGone = true
    frozen.delete(process)
    process.room.end()
    leaving.delete(process)
    for (const call of process.calls) call.end()
    // What it has sent to the store is not lost with it.
    if (process.pending === 0) forget(process)
  }

  // Those whose history speaks of the process.
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
    // A caller that asks again at once finds the one that takes its place.
    if (!leaving.has(process)) begin(process.slot)
    end(process)
  }

  const standStill = (host: Host) => {
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
    standStill(host)
    const { answerTimeout, requestTimeout } = settings
    const least = { Short: requestTimeout, Middle: answerTimeout, Long: answerTimeout + Lease.margin }[length ?? "Long"]
    timeline.after(least + 1 + hub.latency.below(least), () => {
      if (!host.isGone) goOn(host)
    })
  }

  // A function that has responded to all that it was asked.
  const freeze = (process: Process) => {
    const isBusy = process.calls.size > 0 || process.isGone || process.room.isSuspended() || leaving.has(process)
    if (isCalm || isBusy) return
    const auth = Context.get(process.context, ZapierAuth)
    if (options.frozen === "WhenSettled" && !auth.isSettled()) {
      Effect.runForkWith(process.context)(auth.settled).addObserver(() => freezeSoon(process))
      return
    }
    record.count(counts.faults, "Freeze")
    standStill(process)
    frozen.add(process)
  }

  // What is never frozen draws nothing for it: a seed gives the same run as before.
  function freezeSoon(process: Process) {
    if (options.frozen === undefined) return
    timeline.after(hub.latency.below(freezing), () => freeze(process))
  }

  const thaw = (process: Process) => {
    if (frozen.delete(process)) goOn(process)
  }

  // The function that takes the next request: the one that is frozen, or another in its place.
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
      trace({ _tag: "Struck", owner: host.owner, fault })
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
    if (process === undefined) throw new Error(`there is no process ${slot}`)
    return process
  }

  const closed = new WeakSet<Process>()

  // A process that has nothing to do any more ends.
  const leave = (process: Process) => {
    if (process.isGone || process.calls.size > 0 || !closed.has(process)) return
    // A process that is shut down cannot wait until the store is back.
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
        const seen = "a call waited until its process was restarted"
        broken(caller.name, { rule: "Everybody is answered", seen })
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

    /** Sets the clock of a process to so many milliseconds ahead. */
    setClock: (host: Host, ahead: number) => {
      host.ahead = ahead
      host.room.setClock(ahead)
      if (Math.abs(ahead) < Lease.margin / 2) return
      host.isAstray = true
      for (const caller of concerned(host)) observe(caller, { _tag: "ClocksDisagree" })
    },

    /** Runs something in a process, for somebody; `done` is told how it ended. */
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
          // A process that is gone tells nobody.
          if (!process.isGone) finish(exit)
        })
      })
    },

    /** Another process takes over, and what is under way is brought to its end. */
    restart: (slot: number) => {
      const process = at(slot)
      thaw(process)
      leaving.add(process)
      begin(slot)
      process.room.enter(() => shutDown(process))
    },

    /** The calls for somebody that are under way in a process are interrupted. */
    interrupt: (slot: number, caller: Caller) => {
      const { calls, room } = at(slot)
      room.enter(() => {
        for (const call of calls) if (call.caller === caller) call.fiber?.interruptUnsafe()
      })
    },

    /** All that are frozen go on. */
    thawAll: () => frozen.forEach(thaw),

    /** The store is away for so many milliseconds. */
    outage: (millis: number) => {
      awayUntil = Math.max(awayUntil, timeline.now() + millis)
    },

    /** Whether nothing that a process holds is kept back by a pause or by the store. */
    areFree: () =>
      [...processes, ...leaving].every(
        ({ failedAt, room }) => !room.isSuspended() && timeline.now() - failedAt > quiet
      ),

    /** How many calls for somebody wait for their response. */
    waiting: (caller: Caller) =>
      [...processes, ...leaving].flatMap(({ calls }) => [...calls]).filter((call) => call.caller === caller).length,

    /** From now on nothing is done to anybody. */
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
