/**
 * The world of a simulation: several processes of the library, one store, one fake and the network between them, in
 * virtual time. Each possible event is a function; its effects follow as time passes.
 */
import type * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import * as Settings from "@zapier-workflow-auth/core/Settings"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import { type CallError, ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import type * as Effect from "effect/Effect"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as FakeState from "../../fake/FakeState.ts"
import type { TokenRequestFault, StoreFailure } from "../TokenRequestFault.ts"
import * as Seeded from "../../internal/seeded.ts"
import * as SimProcess from "./process.ts"
import * as SimProcesses from "./processes.ts"
import * as SimRecord from "./record.ts"
import * as SimServer from "./server.ts"
import * as SimTrace from "./trace.ts"
import type { Caller, Outcome, Subject } from "./types.ts"
import * as Timeline from "../../internal/timeline.ts"

export interface Options extends SimProcesses.Options {
  readonly subjects: number
  /** The fake's settings. */
  readonly server?: Partial<FakeState.Settings> | undefined
  readonly settings?: Settings.Options | undefined
  /** Gets each event and its time, in milliseconds since the beginning. */
  readonly onEvent?: ((at: number, event: SimTrace.Event) => void) | undefined
}

const endpoint = "GET /v1/profiles/me"
const appEndpoint = "DELETE /v2/promotions/{enrollment_id}"
const publicEndpoint = "GET /v1/apps"
const scopes = ["profile"]

// How long a user takes on the consent page, in milliseconds.
const thought = 2_000

/** True if the API accepted the credential. */
export const isSuccess = (result: string): boolean => result === "200" || result === "204"

export const make = (options: Options) => {
  const { seed } = options
  const settings = Result.getOrThrow(Settings.make(options.settings))
  const timeline = Timeline.make()
  const subjects = SimRecord.users(options.subjects, Timeline.start)
  const { onEvent } = options
  const trace: SimTrace.Trace =
    onEvent === undefined ? SimTrace.none : (event) => onEvent(timeline.now() - Timeline.start, event)
  const server = SimServer.make(timeline, { seed, settings: options.server, users: subjects, trace })
  const app = SimRecord.app(Timeline.start)
  const record = SimRecord.make({ timeline, settings, server, subjects, app, trace })
  const { violations, count, counts, observe, recoveries } = record
  const processes = SimProcesses.make({ ...options, trace }, { settings, timeline, server, record, subjects, app })

  const requestFor = ({ name }: Subject) =>
    ZapierHttpClient.use((zapier) => zapier.call(endpoint, { credential: Credential.user(name) }))

  const thinking = Seeded.make(seed, "users")

  const settle = (caller: Caller) => observe(caller, { _tag: "Settled", waiting: processes.waiting(caller) })

  const settleAll = () => [...subjects, app].forEach(settle)

  const isQuiet = ({ activeAt, underWay }: Caller) =>
    underWay === 0 && timeline.now() - activeAt > SimProcesses.quiet && processes.areFree()

  const settleIfQuiet = (caller: Caller) => {
    if (!isQuiet(caller)) return
    settle(caller)
    record.forgive(caller)
  }

  type CallEffect = Effect.Effect<HttpClientResponse, CallError, ZapierHttpClient>

  // `done` gets the status, or the name of the failure.
  const call = (slot: number, caller: Caller, request: CallEffect, done: (result: string) => void) => {
    counts.calls++
    const finish = (outcome: Outcome<HttpClientResponse>) => {
      const result = SimProcess.resultOf(outcome)
      if (!isSuccess(result)) {
        counts.failedCalls++
        count(counts.failures, result)
      }
      trace({ _tag: "Returned", who: caller.name, slot, what: result, isGood: isSuccess(result) })
      done(result)
    }
    trace({ _tag: "Called", who: caller.name, slot, what: "calls" })
    processes.run(slot, caller, request, finish, true)
  }

  const requestAsApp = () =>
    ZapierHttpClient.use((zapier) => zapier.call(appEndpoint, { path: { enrollment_id: server.enroll() } }))

  const nobody = () => undefined

  const counted =
    <Args extends ReadonlyArray<unknown>>(fault: string, happen: (...args: Args) => void) =>
    (...args: Args): void => {
      count(counts.faults, fault)
      happen(...args)
    }

  const endToken = (caller: Caller, { accessToken }: Tokens.Access) => {
    server.endAccessToken(Redacted.value(accessToken))
    caller.servedUntil = Math.min(caller.servedUntil, timeline.now())
  }

  return {
    timeline,
    counts,
    losses: recoveries.counts,
    violations,
    subjects,

    /** Calls the API for a user. */
    call: (slot: number, subject: Subject, done: (result: string) => void = nobody) => {
      settleIfQuiet(subject)
      record.serve(subject)
      call(slot, subject, requestFor(subject), done)
    },

    /** Calls the API as the app. */
    callAsApp: (slot: number, done: (result: string) => void = nobody) => {
      settleIfQuiet(app)
      record.serveApp()
      call(slot, app, requestAsApp(), done)
    },

    /** Calls the API with the client id. */
    callWithClientId: (slot: number, done: (result: string) => void = nobody) =>
      call(
        slot,
        app,
        ZapierHttpClient.use((zapier) => zapier.call(publicEndpoint)),
        done
      ),

    /** The user allows the app, and comes back soon. `done` gets true if that connected the user. */
    consent: (slot: number, subject: Subject, done: (isConnected: boolean) => void = nobody) => {
      const begun = ZapierAuth.use((auth) => auth.authorizationUrl({ subject: subject.name, scopes }))
      processes.run(slot, subject, begun, (outcome) => {
        if (outcome._tag !== "Success") return done(false)
        const { url } = outcome.value
        timeline.after(thinking.below(thought), () => {
          const { callback, code } = server.approve(Redacted.value(url), subject.email)
          record.known(subject, code)
          const handled = ZapierAuth.use((auth) => {
            observe(subject, { _tag: "CodeArrived", code, at: timeline.now() })
            return auth.handleCallback(callback, { subject: subject.name })
          })
          trace({ _tag: "Called", who: subject.name, slot, what: "comes back with a code" })
          processes.run(slot, subject, handled, (outcome) => {
            const isGood = outcome._tag === "Success"
            trace({ _tag: "Returned", who: subject.name, slot, what: isGood ? "connected" : "not connected", isGood })
            done(isGood)
          })
        })
      })
    },

    /** The app removes the user's grant. */
    disconnect: counted("Disconnect", (slot: number, subject: Subject) => {
      const disconnected = ZapierAuth.use((auth) => auth.disconnect(subject.name))
      trace({ _tag: "Called", who: subject.name, slot, what: "disconnects" })
      processes.run(slot, subject, disconnected, (outcome) => {
        const isGood = outcome._tag === "Success"
        trace({ _tag: "Returned", who: subject.name, slot, what: isGood ? "disconnected" : "not disconnected", isGood })
      })
    }),

    /** The user revokes the app's access at Zapier. */
    revoke: counted("Revoke", (subject: Subject) => {
      const stored = SimServer.refreshTokenOf(subject.history.record)
      recoveries.revoked(subject.recoverability, subject.userId, stored)
      server.revoke(subject.email)
    }),

    /** The server ends the user's access token before it expires. */
    endAccessToken: counted("EndAccessToken", (subject: Subject) => {
      const { record } = subject.history
      if (record._tag !== "Absent") endToken(subject, record.tokens)
    }),

    /** The server ends the app's own access token before it expires. */
    endAppToken: counted("EndAppToken", () => {
      const { record } = app.history
      if (record._tag !== "Absent" && record.access !== undefined) endToken(app, record.access)
    }),

    /** The app gets a new secret, and is configured with it this many milliseconds later. */
    regenerateSecret: counted("RegenerateSecret", server.regenerateSecret),

    arm: (slot: number, fault: TokenRequestFault) => void processes.at(slot).armed.push(fault),

    /** Fails an operation of the process on a token store: the next of its kind after `spared` others. */
    failStore: (slot: number, failure: StoreFailure, spared: number) => {
      const process = processes.at(slot)
      process.failures = [...process.failures, { failure, spared }]
    },

    /** Makes every store fail or hang for this many milliseconds. */
    outage: counted("Outage", processes.outage),

    crash: counted("Crash", (slot: number) => processes.crash(processes.at(slot))),

    /** Pauses a process, and resumes it later. */
    pause: counted("Pause", (slot: number, length?: SimProcesses.Pause) => processes.pause(processes.at(slot), length)),

    /** Sets the clock of a process this many milliseconds ahead. */
    setClock: counted("ClockJump", (slot: number, ahead: number) => processes.setClock(processes.at(slot), ahead)),

    /** Replaces a process, and lets the old one finish what is under way. */
    restart: counted("Restart", processes.restart),

    /** Interrupts a user's calls in a process. */
    interrupt: counted("HangUp", processes.interrupt),

    settle: settleAll,

    /** Resumes all frozen functions. */
    thaw: processes.thawAll,

    /** Every user who still has a grant uses it, after its access token has expired, with no fault. */
    audit: (): number => {
      processes.calm()
      timeline.runUntil(timeline.now() + server.settings().accessTokenLifetime * 1000)
      let failed = 0
      for (const subject of subjects) {
        const { record: state } = subject.history
        if (state._tag !== "Active" && state._tag !== "Refreshing") continue
        processes.run(0, subject, requestFor(subject), (outcome) => {
          if (SimProcess.resultOf(outcome) !== "200") failed++
        })
      }
      processes.run(0, app, requestAsApp(), (outcome) => {
        if (isSuccess(SimProcess.resultOf(outcome))) return
        record.broken(app.name, {
          rule: "Every caller gets a result",
          observed: "the app has no access although nothing failed"
        })
      })
      timeline.runToEnd()
      settleAll()
      return failed
    }
  }
}

export type World = ReturnType<typeof make>
