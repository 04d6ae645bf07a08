/**
 * Several processes of the library, one store, one fake and the network between them, in a time of their own. Everything
 * that a user, an operator or bad luck may do is a function; whatever it sets off happens as the time goes on.
 */
import * as Settings from "@zapier-workflow-auth/core/Settings"
import type * as UserGrant from "@zapier-workflow-auth/core/UserGrant"
import * as Credential from "@zapier-workflow-auth/core/Credential"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as FakeState from "../FakeState.ts"
import type { Fault } from "../Fault.ts"
import * as Invariants from "../Invariants.ts"
import * as Fates from "./fates.ts"
import * as Seeded from "./seeded.ts"
import * as SimProcess from "./simProcess.ts"
import * as SimServer from "./simServer.ts"
import * as SimStores from "./simStores.ts"
import { type Call, CurrentSubject, type Host, type Hub, type Outcome, type Process, type Subject } from "./simTypes.ts"
import * as Timeline from "./timeline.ts"

export interface Options {
  readonly seed: string
  readonly subjects: number
  readonly processes: number
  readonly knobs?: Partial<FakeState.Knobs> | undefined
  readonly settings?: Settings.Options | undefined
  /** How the grant store is to be broken. */
  readonly store?: SimStores.Change | undefined
  /** What happens to a token request that nothing was armed for. */
  readonly fault?: (() => Fault | undefined) | undefined
}

/** A rule that was broken, for whom and when. */
export interface Breach extends Invariants.Violation {
  readonly subject: string
  readonly at: number
}

// Times of the epoch, not near zero: a time that is zero means something.
export const start = Date.UTC(2026, 0, 1)

// More are counted, but not kept.
const keptBreaches = 50

const endpoint = "GET /v1/profiles/me"
const scopes = ["profile"]

// How long nothing has happened when nothing is under way.
const quiet = 120_000

export const make = (options: Options) => {
  const settings = Result.getOrThrow(Settings.make(options.settings))
  const timeline = Timeline.make(start)
  const counts = {
    calls: 0,
    failedCalls: 0,
    /** Calls that failed, by what they failed with. */
    failures: {} as Record<string, number>,
    tokenRequests: 0,
    leastTokenRequests: 0,
    unauthorized: 0,
    consents: 0,
    violations: 0,
    faults: {} as Record<string, number>
  }
  const breaches: Array<Breach> = []

  const count = (group: Record<string, number>, name: string) => {
    group[name] = (group[name] ?? 0) + 1
  }

  // ---------------------------------------------------------------------------
  // What is seen
  // ---------------------------------------------------------------------------

  const subjects = Array.from({ length: options.subjects }, (_, index): Subject => ({
    name: `user-${index}`,
    email: `user-${index}@example.com`,
    userId: 1_001 + index,
    ledger: Invariants.empty,
    fate: Fates.unscathed(),
    underWay: 0,
    activeAt: start,
    servedUntil: 0
  }))
  const { knobs, seed } = options
  const server = SimServer.make(timeline, { seed, knobs, users: subjects })
  const byName = new Map(subjects.map((subject) => [subject.name, subject]))
  const subjectOf = (name: string) => {
    const subject = byName.get(name)
    if (subject === undefined) throw new Error(`nobody is called ${name}`)
    return subject
  }

  const breach = (subject: Subject, violation: Invariants.Violation) => {
    counts.violations++
    if (breaches.length < keptBreaches) breaches.push({ ...violation, subject: subject.name, at: timeline.now() })
  }

  const observe = (subject: Subject, observation: Invariants.Observation) => {
    const { ledger, violations } = Invariants.observe(subject.ledger, observation, settings)
    subject.ledger = ledger
    for (const violation of violations) breach(subject, violation)
  }

  const fates = Fates.make(timeline, () => server.knobs().graceMillis)

  const written = (name: string, state: UserGrant.State) => {
    const subject = subjectOf(name)
    const before = subject.ledger.grant
    fates.stored(subject.fate, before, state)
    observe(subject, { _tag: "GrantStored", state, isAlive: server.isAlive(state) })
    subject.activeAt = timeline.now()
    const isConsent = state._tag !== "Absent" && (before._tag === "Absent" || before.lineage !== state.lineage)
    if (!isConsent) return
    counts.consents++
    counts.leastTokenRequests++
    subject.servedUntil = state.tokens.expiresAt
  }

  // ---------------------------------------------------------------------------
  // Processes
  // ---------------------------------------------------------------------------

  const stores = SimStores.make(options.store)
  const processes: Array<Process> = []
  // Those that are being shut down.
  const leaving = new Set<Process>()

  let isCalm = false
  const faultOf = (host: Host) => {
    if (isCalm) return undefined
    const fault = host.armed.shift() ?? options.fault?.()
    if (fault !== undefined) count(counts.faults, fault)
    return fault
  }

  const end = (process: Process) => {
    process.isGone = true
    leaving.delete(process)
    for (const call of process.calls) call.end()
    // What it has sent to the store is not lost with it.
    if (process.pending === 0) forget(process)
    else timeline.after(SimStores.slowest, () => forget(process))
  }

  const forget = (process: Process) => {
    for (const subject of subjects) {
      fates.ended(subject.fate, process)
      const { deliveries, presentations, rejections } = subject.ledger
      const isKnown = [...presentations, ...deliveries, ...rejections].some(({ owner }) => owner === process.owner)
      if (isKnown) observe(subject, { _tag: "ProcessEnded", owner: process.owner })
    }
  }

  const hub: Hub = {
    timeline,
    latency: Seeded.make(options.seed, "latency"),
    fates,
    subjectOf,
    observe,
    handle: server.handle,
    faultOf,
    crash: (host) => crash(host),
    counts,
    requestTimeout: settings.requestTimeout
  }

  const starter = SimProcess.make({
    hub,
    seed: options.seed,
    settings: options.settings,
    application: server.application,
    view: (host) => SimStores.view(hub, stores, host, written)
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

  for (let slot = 0; slot < options.processes; slot++) begin(slot)

  const processAt = (slot: number): Process => {
    const process = processes[slot]
    if (process === undefined) throw new Error(`there is no process ${slot}`)
    return process
  }

  /** Runs something in a process, for a user; `done` is told how it ended. */
  const inProcess = <A, E>(
    slot: number,
    subject: Subject,
    effect: Effect.Effect<A, E, ZapierAuth | ZapierHttpClient>,
    done: (outcome: Outcome<A>) => void
  ) => {
    const process = processAt(slot)
    const fiber = Effect.runForkWith(Context.add(process.context, CurrentSubject, subject))(effect)
    subject.underWay++
    subject.activeAt = timeline.now()
    let isOver = false
    const finish = (outcome: Outcome<A>) => {
      if (isOver) return
      isOver = true
      process.calls.delete(call)
      subject.underWay--
      subject.activeAt = timeline.now()
      done(outcome)
      if (leaving.has(process)) leave(process)
    }
    const call: Call = { subject, fiber, since: timeline.now(), end: () => finish({ _tag: "Ended" }) }
    process.calls.add(call)
    fiber.addObserver((exit) => {
      // Whoever is gone tells nobody.
      if (!process.isGone) finish(exit)
    })
  }

  const closed = new WeakSet<Process>()

  // A process that has nothing to do any more ends.
  const leave = (process: Process) => {
    if (process.isGone || process.calls.size > 0 || !closed.has(process)) return
    for (const subject of subjects) {
      if (subject.ledger.deliveries.some(({ owner }) => owner === process.owner)) {
        observe(subject, { _tag: "Settled", waiting: 0 })
      }
    }
    end(process)
  }

  // ---------------------------------------------------------------------------
  // What happens
  // ---------------------------------------------------------------------------

  // The oracle asks for a token when a call needs one, and then no more while it lives.
  const serve = (subject: Subject) => {
    const { fate, ledger } = subject
    const now = timeline.now()
    const { grant } = ledger
    const refreshToken = SimServer.refreshTokenOf(grant)
    const isConnected = grant._tag === "Active" || grant._tag === "Refreshing"
    if (!isConnected || fate.isDoomed || refreshToken === undefined || fate.revoked.has(refreshToken)) return
    if (now < subject.servedUntil) return
    counts.leastTokenRequests++
    subject.servedUntil = now + server.knobs().accessTokenLifetime * 1000
  }

  const requestFor = ({ name }: Subject) =>
    ZapierHttpClient.use((zapier) => zapier.call(endpoint, { credential: Credential.user(name) }))

  const settle = (subject: Subject) => {
    const living = [...processes, ...leaving].flatMap(({ calls }) => [...calls])
    observe(subject, { _tag: "Settled", waiting: living.filter((call) => call.subject === subject).length })
  }

  return {
    timeline,
    counts,
    fates: fates.counts,
    breaches,
    subjects,
    processes,

    /** A call of the API for a user. `done` is told what came of it: the status, or what it failed with. */
    call: (slot: number, subject: Subject, done: (result: string) => void = () => undefined) => {
      if (subject.underWay === 0 && timeline.now() - subject.activeAt > quiet) settle(subject)
      counts.calls++
      serve(subject)
      inProcess(slot, subject, requestFor(subject), (outcome) => {
        const result = SimProcess.resultOf(outcome)
        if (result !== "200") {
          counts.failedCalls++
          count(counts.failures, result)
        }
        done(result)
      })
    },

    /** The user allows the app, and comes back after a minute. `done` is told whether that was of use. */
    consent: (slot: number, subject: Subject, done: (isConnected: boolean) => void = () => undefined) => {
      const begun = ZapierAuth.use((auth) => auth.authorizationUrl({ subject: subject.name, scopes }))
      inProcess(slot, subject, begun, (outcome) => {
        if (outcome._tag !== "Success") return done(false)
        const { url } = outcome.value
        timeline.after(60_000, () => {
          const { callback, code } = server.approve(Redacted.value(url), subject.email)
          observe(subject, { _tag: "CodeArrived", code, at: timeline.now() })
          const handled = ZapierAuth.use((auth) => auth.handleCallback(callback, { subject: subject.name }))
          inProcess(slot, subject, handled, (outcome) => done(outcome._tag === "Success"))
        })
      })
    },

    /** The app gives the user's grant away. */
    disconnect: (slot: number, subject: Subject) => {
      count(counts.faults, "Disconnect")
      const disconnected = ZapierAuth.use((auth) => auth.disconnect(subject.name))
      inProcess(slot, subject, disconnected, () => undefined)
    },

    /** The user ends the app's access at Zapier. */
    revoke: (subject: Subject) => {
      count(counts.faults, "Revoke")
      fates.revoked(subject.fate, subject.userId, server.state(), subject.ledger.grant)
      server.revoke(subject.email)
    },

    /** The server ends the user's access token before its time. */
    endAccessToken: (subject: Subject) => {
      count(counts.faults, "EndAccessToken")
      const { grant } = subject.ledger
      if (grant._tag === "Absent") return
      server.endAccessToken(Redacted.value(grant.tokens.accessToken))
      subject.servedUntil = Math.min(subject.servedUntil, timeline.now())
    },

    /** The app gets a new secret, and is configured with it so many milliseconds later. */
    regenerateSecret: (noticed: number) => {
      count(counts.faults, "RegenerateSecret")
      server.regenerateSecret(noticed)
    },

    arm: (slot: number, fault: Fault) => void processAt(slot).armed.push(fault),

    crash: (slot: number) => {
      count(counts.faults, "Crash")
      crash(processAt(slot))
    },

    /** Another process takes over; whoever still waits is sent away, and what is under way is brought to its end. */
    restart: (slot: number) => {
      count(counts.faults, "Restart")
      const process = processAt(slot)
      leaving.add(process)
      begin(slot)
      for (const { fiber, since, subject } of process.calls) {
        if (timeline.now() - since > quiet) {
          breach(subject, { rule: "Everybody is answered", what: "a call waited until its process was restarted" })
        }
        fiber.interruptUnsafe()
      }
      const closing = Effect.runForkWith(starter.context)(Effect.exit(SimProcess.close(process.scope)))
      closing.addObserver(() => {
        closed.add(process)
        leave(process)
      })
    },

    settle: () => subjects.forEach(settle),

    /** Whoever still has a grant uses it, when its access token has ended and nothing gets in the way. */
    audit: (): number => {
      for (const process of processes) {
        process.armed.length = 0
        process.endsAfterWrite = false
      }
      isCalm = true
      timeline.runUntil(timeline.now() + server.knobs().accessTokenLifetime * 1000)
      let failed = 0
      for (const subject of subjects) {
        const { grant } = subject.ledger
        if (grant._tag !== "Active" && grant._tag !== "Refreshing") continue
        inProcess(0, subject, requestFor(subject), (outcome) => {
          if (SimProcess.resultOf(outcome) !== "200") failed++
        })
      }
      timeline.runToEnd()
      subjects.forEach(settle)
      return failed
    }
  }
}

export type World = ReturnType<typeof make>
