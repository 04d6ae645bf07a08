/** What is seen of the users and their grants: the rules that are broken, what becomes of each grant, and what is counted. */
import type * as Settings from "@zapier-workflow-auth/core/Settings"
import type * as AppCredential from "@zapier-workflow-auth/core/machine/AppCredential"
import type * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import * as Invariants from "../Invariants.ts"
import * as Fates from "./fates.ts"
import * as SimServer from "./simServer.ts"
import type { App, Subject } from "./simTypes.ts"
import type { Timeline } from "./timeline.ts"

/** A rule that was broken, for whom and when. */
export interface Breach extends Invariants.Violation {
  readonly subject: string
  readonly at: number
}

// More are counted, but not kept.
const keptBreaches = 50

/** The users of an app. */
export const users = (size: number, since: number): ReadonlyArray<Subject> =>
  Array.from({ length: size }, (_, index) => ({
    _tag: "User",
    name: `user-${index}`,
    email: `user-${index}@example.com`,
    userId: 1_001 + index,
    ledger: Invariants.empty,
    fate: Fates.unscathed(),
    underWay: 0,
    activeAt: since,
    servedUntil: 0
  }))

/** The app. */
export const app = (since: number): App => ({
  _tag: "App",
  name: "app",
  ledger: Invariants.emptyOfApp,
  underWay: 0,
  activeAt: since,
  servedUntil: 0
})

export const make = (options: {
  readonly timeline: Timeline
  readonly settings: Settings.Settings
  readonly server: SimServer.Server
  readonly subjects: ReadonlyArray<Subject>
  readonly app: App
}) => {
  const { app, server, settings, subjects, timeline } = options
  const counts = {
    calls: 0,
    failedCalls: 0,
    /** Calls that failed, by what they failed with. */
    failures: {} as Record<string, number>,
    tokenRequests: 0,
    leastTokenRequests: 0,
    /** Of these, the app's own. */
    appTokenRequests: 0,
    leastAppTokenRequests: 0,
    unauthorized: 0,
    consents: 0,
    violations: 0,
    faults: {} as Record<string, number>
  }
  const breaches: Array<Breach> = []
  const byName = new Map(subjects.map((subject) => [subject.name, subject]))
  const fates = Fates.make(timeline, server)

  const breach = (name: string, violation: Invariants.Violation) => {
    counts.violations++
    if (breaches.length < keptBreaches) breaches.push({ ...violation, subject: name, at: timeline.now() })
  }

  const observe = (subject: Subject, observation: Invariants.Observation<UserGrant.State>) => {
    const { history, violations } = Invariants.observe(subject.ledger, observation, settings)
    subject.ledger = history
    for (const violation of violations) breach(subject.name, violation)
  }

  const observeApp = (observation: Invariants.Observation<AppCredential.State>) => {
    const { history, violations } = Invariants.observe(app.ledger, observation, settings)
    app.ledger = history
    for (const violation of violations) breach(app.name, violation)
  }

  return {
    counts,
    breaches,
    fates,
    breach,
    observe,
    observeApp,

    count: (group: Record<string, number>, name: string) => {
      group[name] = (group[name] ?? 0) + 1
    },

    /** The store has another state of a user's grant now. */
    written: (name: string, state: UserGrant.State) => {
      const subject = byName.get(name)
      if (subject === undefined) throw new Error(`nobody is called ${name}`)
      const before = subject.ledger.record
      fates.stored(subject.fate, before, state)
      observe(subject, { _tag: "Stored", state, isAlive: server.isAlive(state), at: timeline.now() })
      subject.activeAt = timeline.now()
      const isConsent = state._tag !== "Absent" && (before._tag === "Absent" || before.family !== state.family)
      if (!isConsent) return
      counts.consents++
      counts.leastTokenRequests++
      subject.servedUntil = state.tokens.expiresAt
    },

    /** The store has another state of the app's token now. */
    appWritten: (state: AppCredential.State) => {
      observeApp({ _tag: "Stored", state, isAlive: true, at: timeline.now() })
      app.activeAt = timeline.now()
    },

    /** The same oracle asks for a token of the app. */
    serveApp: () => {
      const now = timeline.now()
      if (now < app.servedUntil) return
      counts.leastTokenRequests++
      counts.leastAppTokenRequests++
      app.servedUntil = now + server.knobs().accessTokenLifetime * 1000
    },

    /** The oracle asks for a token when a call needs one, and then no more while it lives. */
    serve: (subject: Subject) => {
      const { fate, ledger } = subject
      const now = timeline.now()
      const { record: grant } = ledger
      const refreshToken = SimServer.refreshTokenOf(grant)
      const isConnected = grant._tag === "Active" || grant._tag === "Refreshing"
      if (!isConnected || fate.isDoomed || refreshToken === undefined || fates.wasRevoked(fate, refreshToken)) return
      if (now < subject.servedUntil) return
      counts.leastTokenRequests++
      subject.servedUntil = now + server.knobs().accessTokenLifetime * 1000
    }
  }
}

export type SimRecord = ReturnType<typeof make>
