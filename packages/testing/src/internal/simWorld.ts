/**
 * Several processes of the library, one store, one fake and the network between them, in a time of their own. Everything
 * that a user, an operator or bad luck may do is a function; whatever it sets off happens as the time goes on.
 */
import * as Settings from "@zapier-workflow-auth/core/Settings"
import * as Credential from "@zapier-workflow-auth/core/Credential"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as FakeState from "../FakeState.ts"
import type { Fault } from "../Fault.ts"
import * as SimProcess from "./simProcess.ts"
import * as SimProcesses from "./simProcesses.ts"
import * as SimRecord from "./simRecord.ts"
import * as SimServer from "./simServer.ts"
import type * as SimStores from "./simStores.ts"
import type { StoreFailure, Subject } from "./simTypes.ts"
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
  /** How an operation of a store of tokens fails that nothing was armed for. */
  readonly storeFailure?: (() => StoreFailure | undefined) | undefined
}

// Times of the epoch, not near zero: a time that is zero means something.
export const start = Date.UTC(2026, 0, 1)

const endpoint = "GET /v1/profiles/me"
const scopes = ["profile"]

export const make = (options: Options) => {
  const { knobs, seed } = options
  const settings = Result.getOrThrow(Settings.make(options.settings))
  const timeline = Timeline.make(start)
  const subjects = SimRecord.users(options.subjects, start)
  const server = SimServer.make(timeline, { seed, knobs, users: subjects })
  const record = SimRecord.make({ timeline, settings, server, subjects })
  const { breaches, count, counts, fates, observe, serve } = record
  const { fault, processes: size, store, storeFailure } = options
  const processes = SimProcesses.make({
    seed,
    processes: size,
    settings,
    timeline,
    server,
    record,
    subjects,
    store,
    fault,
    storeFailure
  })

  const requestFor = ({ name }: Subject) =>
    ZapierHttpClient.use((zapier) => zapier.call(endpoint, { credential: Credential.user(name) }))

  const settle = (subject: Subject) => {
    observe(subject, { _tag: "Settled", waiting: processes.waiting(subject) })
  }

  return {
    timeline,
    counts,
    fates: fates.counts,
    breaches,
    subjects,

    /** A call of the API for a user. `done` is told what came of it: the status, or what it failed with. */
    call: (slot: number, subject: Subject, done: (result: string) => void = () => undefined) => {
      if (subject.underWay === 0 && timeline.now() - subject.activeAt > SimProcesses.quiet) settle(subject)
      counts.calls++
      serve(subject)
      processes.run(slot, subject, requestFor(subject), (outcome) => {
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
      processes.run(slot, subject, begun, (outcome) => {
        if (outcome._tag !== "Success") return done(false)
        const { url } = outcome.value
        timeline.after(60_000, () => {
          const { callback, code } = server.approve(Redacted.value(url), subject.email)
          observe(subject, { _tag: "CodeArrived", code, at: timeline.now() })
          const handled = ZapierAuth.use((auth) => auth.handleCallback(callback, { subject: subject.name }))
          processes.run(slot, subject, handled, (outcome) => done(outcome._tag === "Success"))
        })
      })
    },

    /** The app gives the user's grant away. */
    disconnect: (slot: number, subject: Subject) => {
      count(counts.faults, "Disconnect")
      const disconnected = ZapierAuth.use((auth) => auth.disconnect(subject.name))
      processes.run(slot, subject, disconnected, () => undefined)
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

    arm: (slot: number, fault: Fault) => void processes.at(slot).armed.push(fault),

    /** The next operation that the process sends to a store of tokens fails. */
    failStore: (slot: number, failure: StoreFailure) => void processes.at(slot).failures.push(failure),

    /** No store answers for so many milliseconds. */
    outage: (millis: number) => {
      count(counts.faults, "Outage")
      processes.outage(millis)
    },

    crash: (slot: number) => {
      count(counts.faults, "Crash")
      processes.crash(processes.at(slot))
    },

    /** It stands still for longer than its lease, and then goes on. */
    suspend: (slot: number) => {
      count(counts.faults, "Standstill")
      processes.suspend(processes.at(slot))
    },

    /** Another process takes over; whoever still waits is sent away, and what is under way is brought to its end. */
    restart: (slot: number) => {
      count(counts.faults, "Restart")
      processes.restart(slot)
    },

    settle: () => subjects.forEach(settle),

    /** Whoever still has a grant uses it, when its access token has ended and nothing gets in the way. */
    audit: (): number => {
      processes.calm()
      timeline.runUntil(timeline.now() + server.knobs().accessTokenLifetime * 1000)
      let failed = 0
      for (const subject of subjects) {
        const { grant } = subject.ledger
        if (grant._tag !== "Active" && grant._tag !== "Refreshing") continue
        processes.run(0, subject, requestFor(subject), (outcome) => {
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
