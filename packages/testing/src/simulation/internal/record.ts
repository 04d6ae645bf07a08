/** Records the users and their grants: broken rules, the recoverability of each grant, and counts. */
import type * as Settings from "@zapier-workflow-auth/core/Settings"
import type * as AppCredential from "@zapier-workflow-auth/core/machine/AppCredential"
import type * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import * as Invariants from "../../Invariants.ts"
import type { Violation } from "../../Violation.ts"
import * as Recoverability from "./recoverability.ts"
import * as SimServer from "./server.ts"
import * as SimTrace from "./trace.ts"
import type { App, Caller, Host, Subject } from "./types.ts"
import * as Timeline from "../../internal/timeline.ts"

// Further violations are counted, but not kept.
const keptViolations = 50

// Per user.
const keptSecrets = 16

const party = (name: string, since: number) => ({ name, underWay: 0, activeAt: since, servedUntil: 0 })

/** The users of an app. */
export const users = (size: number, since: number): ReadonlyArray<Subject> =>
  Array.from({ length: size }, (_, index) => ({
    _tag: "User",
    ...party(`user-${index}`, since),
    email: `user-${index}@example.com`,
    userId: 1_001 + index,
    secrets: [],
    history: Invariants.empty,
    recoverability: Recoverability.unscathed()
  }))

/** The app. */
export const app = (since: number): App => ({
  _tag: "App",
  ...party("app", since),
  history: Invariants.emptyOfApp
})

export const make = (options: {
  readonly timeline: Timeline.Timeline
  readonly settings: Settings.Settings
  readonly server: SimServer.Server
  readonly subjects: ReadonlyArray<Subject>
  readonly app: App
  readonly trace?: SimTrace.Trace | undefined
}) => {
  const { app, server, settings, subjects, timeline, trace = SimTrace.none } = options
  const counts = {
    calls: 0,
    failedCalls: 0,
    /** Failed calls, by the name of the failure. */
    failures: {} as Record<string, number>,
    tokenRequests: 0,
    leastTokenRequests: 0,
    /** The app's own among them. */
    appTokenRequests: 0,
    leastAppTokenRequests: 0,
    unauthorized: 0,
    consents: 0,
    rulesBroken: 0,
    faults: {} as Record<string, number>
  }
  const violations: Array<Violation> = []
  const byName = new Map(subjects.map((subject) => [subject.name, subject]))
  const bySecret = new Map<string, Subject>()
  const recoveries = Recoverability.make(timeline, server)

  const broken = (subject: string, found: Violation) => {
    const violation = { ...found, subject, after: timeline.now() - Timeline.start }
    trace({ _tag: "Broken", violation })
    counts.rulesBroken++
    if (violations.length < keptViolations) violations.push(violation)
  }

  const take = <S extends Invariants.State>(
    party: { readonly name: string; history: Invariants.History<S>; activeAt: number },
    observation: Invariants.Observation<S>
  ) => {
    // An app's and a user's observations differ only in the stored state.
    trace({ _tag: "Observed", who: party.name, observation: observation as Invariants.Observation<never> })
    const { history, violations } = Invariants.observe(party.history, observation, settings)
    party.history = history
    if (observation._tag !== "Settled") party.activeAt = timeline.now()
    for (const violation of violations) broken(party.name, violation)
  }

  // Recent secrets of a user. A token that was just sent may have been replaced since.
  const known = (subject: Subject, secret: string) => {
    if (bySecret.has(secret)) return
    bySecret.set(secret, subject)
    const oldest = subject.secrets.push(secret) > keptSecrets ? subject.secrets.shift() : undefined
    if (oldest !== undefined) bySecret.delete(oldest)
  }

  const forgive = <S extends Invariants.State>(party: { history: Invariants.History<S> }) => {
    if (party.history.isAstray) party.history = { ...party.history, isAstray: false }
  }

  // The oracle requests a token, and then none while that one lives.
  const serve = (caller: Caller) => {
    counts.leastTokenRequests++
    caller.servedUntil = timeline.now() + server.settings().accessTokenLifetime * 1000
  }

  return {
    counts,
    violations,
    recoveries,
    broken,

    observe: (caller: Caller, observation: Invariants.Observation<never>) =>
      caller._tag === "User" ? take(caller, observation) : take(caller, observation),

    /** Nothing is under way, so earlier clock errors no longer matter. */
    forgive: (caller: Caller) => (caller._tag === "User" ? forgive(caller) : forgive(caller)),

    count: (group: Record<string, number>, name: string) => {
      group[name] = (group[name] ?? 0) + 1
    },

    known,

    subjectOf: (secret: string) => {
      const subject = bySecret.get(secret)
      if (subject === undefined) throw new Error("a code or a refresh token was sent that belongs to no user")
      return subject
    },

    /** The store has a new state of a user's grant. */
    written: (name: string, state: UserGrant.State, { ahead, isAstray, owner }: Host) => {
      const subject = byName.get(name)
      if (subject === undefined) throw new Error(`no user is called ${name}`)
      const before = subject.history.record
      const token = SimServer.refreshTokenOf(state)
      if (token !== undefined) known(subject, token)
      recoveries.stored(subject.recoverability, before, state)
      const at = timeline.now() + ahead
      if (isAstray) take(subject, { _tag: "ClocksDisagree" })
      take(subject, { _tag: "Stored", state, isAlive: server.isAlive(state), at, owner })
      const isConsent = state._tag !== "Absent" && (before._tag === "Absent" || before.family !== state.family)
      if (!isConsent) return
      counts.consents++
      counts.leastTokenRequests++
      subject.servedUntil = state.tokens.expiresAt
    },

    /** The store has a new state of the app's token. */
    appWritten: (state: AppCredential.State, { ahead, isAstray, owner }: Host) => {
      if (isAstray) take(app, { _tag: "ClocksDisagree" })
      take(app, { _tag: "Stored", state, isAlive: true, at: timeline.now() + ahead, owner })
    },

    /** The oracle serves a call of the app. */
    serveApp: () => {
      if (timeline.now() < app.servedUntil) return
      counts.leastAppTokenRequests++
      serve(app)
    },

    /** The oracle serves a call for a user. */
    serve: (subject: Subject) => {
      const { history, recoverability } = subject
      const { record } = history
      const refreshToken = SimServer.refreshTokenOf(record)
      const isConnected = record._tag === "Active" || record._tag === "Refreshing"
      if (!isConnected || recoverability.isUnrecoverable || refreshToken === undefined) return
      if (recoveries.wasRevoked(recoverability, refreshToken) || timeline.now() < subject.servedUntil) return
      serve(subject)
    }
  }
}

export type SimRecord = ReturnType<typeof make>
