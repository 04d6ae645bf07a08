/**
 * Simulates years of an app's life in minutes. Many users call at random through several processes of the real library,
 * which share one store and one fake, while processes crash and restart, responses are lost, the server refuses
 * requests, secrets change, and users come and go. Time is virtual, everything is drawn from one seed, and every rule
 * of `Invariants` is checked after each observation.
 *
 * **The oracle.** `leastTokenRequests` counts what a client that knows the future would have sent: one request for each
 * stored consent, and one for each call that finds no access token. A token serves from the moment it was requested
 * until it expires or the server ends it early. Requests that faults made fruitless count as requests, but not here.
 *
 * **Losses.** `grantsLost` is counted in the store: grants that became `ReconnectRequired` although their users had not
 * revoked them. `grantsUnrecoverable` is judged from the server and the network: the server had rotated the refresh
 * token, and the response with the only valid one never arrived, arrived after the process stopped waiting for it, or
 * was lost in a crash before it was being stored. A loss that had not been noticed when the user revoked the grant,
 * allowed the app again, or was disconnected counts as neither. At the end every grant is used once more, so that every
 * loss is noticed. `grantsLostNeedlessly` are the lost grants that were recoverable when they were given up. It is 0 if
 * the library loses no grant that could have been kept; then the other two numbers are equal.
 *
 * @since 0.1.0
 */
import type * as Settings from "@zapier-workflow-auth/core/Settings"
import * as Effect from "effect/Effect"
import type { Settings as FakeSettings } from "./fake/FakeState.ts"
import { TokenRequestFault, StoreFailure } from "./simulation/TokenRequestFault.ts"
import * as Seeded from "./internal/seeded.ts"
import type { Subject } from "./simulation/internal/types.ts"
import * as SimWorld from "./simulation/internal/world.ts"
import type { Violation } from "./Violation.ts"

/**
 * How often each event happens: more trouble than most apps will see. Shares are of all token requests, from 0 to 1.
 *
 * @since 0.1.0
 */
export const rates = {
  /** Calls for each grant and day. */
  calls: 2,
  /** Calls as the app, for each process and day. */
  appCalls: 4,
  /** Calls with the client id, for each process and day. */
  clientIdCalls: 2,
  /** The share of occasions on which several calls come at once for one grant, or as the app. */
  bursts: 0.1,
  /** The share whose request or response is lost or too late, or that cannot connect. */
  lost: 0.002,
  /** The share whose response is late, but not too late. */
  slow: 0.002,
  /** The share that gets 429 or 503, whether or not the server has acted. */
  refused: 0.002,
  /** The share during which the process crashes. */
  crashing: 0.0005,
  /** The share during which the process is paused. */
  pausing: 0.0005,
  /** Crashes at any other time, for each process and day. */
  crashes: 0.02,
  /** Pauses at any other time, for each process and day. */
  pauses: 0.02,
  /** Clock changes, for each process and day: mostly by less than a lease allows for. */
  clockJumps: 0.01,
  /** The share of calls that are interrupted. */
  interrupts: 0.002,
  /** The share of operations on the token stores that fail or hang, whether or not they were carried out. */
  storeFailures: 0.0002,
  /** Outages a year in which every store fails or hangs, for up to a minute. */
  outages: 12,
  /** Rolling restarts of all processes, for each day. */
  restarts: 0.5,
  /** New secrets a year; the app is configured with one some minutes later. */
  secrets: 4,
  /** How often a year a user revokes the app's access at Zapier. */
  revocations: 0.5,
  /** How often a year the app disconnects a user. */
  disconnects: 0.2,
  /** How often a year a connected user allows the app again. */
  consents: 0.5,
  /** How often a year the server ends an access token early: a user's, or the app's own. */
  endedTokens: 1,
  /** The share of frozen processes that are killed instead of resumed, if processes are frozen. */
  frozenKills: 0.1
} as const

/**
 * How often each event happens, like `rates`.
 *
 * @since 0.1.0
 */
export type Rates = { readonly [name in keyof typeof rates]: number }

/**
 * The options of a simulation: the number of grants, the duration, and the rates of faults.
 *
 * @since 0.1.0
 */
export interface Options {
  /** The seed of everything. */
  readonly seed: number | string
  /** How many users there are, with one grant each. */
  readonly grants: number
  /** How many days of virtual time. */
  readonly days: number
  /** How many processes share the store. */
  readonly processes: number
  /** Default: `rates`. */
  readonly rates?: Partial<Rates> | undefined
  /** The fake's settings. Default: the strictest, without rate limits. */
  readonly server?: Partial<FakeSettings> | undefined
  /** The library's settings. Default: its own. */
  readonly settings?: Settings.Options | undefined
  /**
   * Freezes processes like functions: each stops once it has responded to all its requests, until the next one, minutes
   * or days later. `"AtOnce"`: whatever is under way; `"WhenSettled"`: once `ZapierAuth.settled` has ended, as with a
   * platform's `waitUntil`. Default: they are not frozen.
   */
  readonly frozen?: "AtOnce" | "WhenSettled" | undefined
  /** Called after each day. */
  readonly onDay?: ((day: number) => void) | undefined
}

/**
 * The result of a simulation. The same options give the same report.
 *
 * - `appTokenRequests`, `leastAppTokenRequests`: the token requests for the app's own token
 *
 * @since 0.1.0
 */
export interface Report {
  readonly calls: number
  readonly failedCalls: number
  /** The failed calls, by status or by the name of the failure. */
  readonly failures: { readonly [reason: string]: number }
  readonly tokenRequests: number
  readonly leastTokenRequests: number
  readonly appTokenRequests: number
  readonly leastAppTokenRequests: number
  readonly consents: number
  /** How often the API responded 401, including calls whose replay succeeded. */
  readonly unauthorized: number
  readonly grantsLost: number
  readonly grantsUnrecoverable: number
  readonly grantsLostNeedlessly: number
  /** How often a rule was broken. */
  readonly rulesBroken: number
  /** The first violations, for whom, and when, counted from the beginning. */
  readonly violations: ReadonlyArray<Violation>
  /** How often each fault was injected. */
  readonly faults: { readonly [fault: string]: number }
}

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour
const year = 365 * day

const lost: ReadonlyArray<TokenRequestFault> = [
  "RequestLost",
  "RequestSilent",
  "RequestLate",
  "ResponseLost",
  "ResponseSilent",
  "ResponseLate",
  "NotSent"
]
const refused: ReadonlyArray<TokenRequestFault> = ["RateLimited", "Unavailable", "UnavailableAfterActing"]
const crashing = TokenRequestFault.literals.filter((fault) => fault.startsWith("Crash"))
const pausing = TokenRequestFault.literals.filter((fault) => fault.startsWith("Pause"))
const reads = StoreFailure.literals.filter((failure) => failure.startsWith("Read"))
const writes = StoreFailure.literals.filter((failure) => failure.startsWith("Write"))

// How far clocks are ahead. Two that are off by 12 s in opposite directions are still within a lease's margin.
const clocks = [-300_000, -12_000, -12_000, -4_000, 0, 0, 4_000, 12_000, 12_000, 300_000]

// The number of calls in a burst, and how long it lasts in milliseconds.
const burst = { least: 2, most: 5, within: 100 }

const sorted = (counts: { readonly [name: string]: number }) =>
  Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)))

/**
 * Runs the simulation.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Simulation from "@zapier-workflow-auth/testing/Simulation"
 *
 * const program = Effect.gen(function* () {
 *   const report = yield* Simulation.run({ seed: 1, grants: 5, days: 10, processes: 3 })
 *   return report.violations // => []
 * })
 * ```
 *
 * @since 0.1.0
 */
export const run = Effect.fnUntraced(function* (options: Options): Effect.fn.Return<Report> {
  const rate = { ...rates, ...options.rates }
  const seed = String(options.seed)
  const chance = Seeded.make(seed, "life")
  const luck = Seeded.make(seed, "faults")
  const storeLuck = Seeded.make(seed, "stores")
  const frost = Seeded.make(seed, "frost")
  const pick = <A>(from: Seeded.Seeded, all: ReadonlyArray<A>) => all[from.below(all.length)]

  const world = SimWorld.make({
    seed,
    subjects: options.grants,
    processes: options.processes,
    server: options.server,
    settings: options.settings,
    frozen: options.frozen,
    isKilled: () => frost.chance(rate.frozenKills),
    fault: () => {
      if (luck.chance(rate.lost)) return pick(luck, lost)
      if (luck.chance(rate.slow)) return "ResponseSlow"
      if (luck.chance(rate.refused)) return pick(luck, refused)
      if (luck.chance(rate.crashing)) return pick(luck, crashing)
      return luck.chance(rate.pausing) ? pick(luck, pausing) : undefined
    },
    storeFailure: (isWrite) =>
      storeLuck.chance(rate.storeFailures) ? pick(storeLuck, isWrite ? writes : reads) : undefined
  })
  const { subjects, timeline } = world
  const end = timeline.now() + options.days * day
  const slot = () => chance.below(options.processes)

  // Repeats an event, once in `mean` on average, until the end.
  const often = (mean: number, happen: () => void) => {
    if (!Number.isFinite(mean)) return
    const next = () => {
      timeline.after(chance.wait(mean), () => {
        if (timeline.now() >= end) return
        happen()
        next()
      })
    }
    next()
  }

  // Users without a grant: they do not call until they have connected again.
  const away = new Set<Subject>()

  const comeBack = (subject: Subject, after: number) => {
    away.add(subject)
    timeline.after(after, () => {
      if (timeline.now() >= end) return
      world.consent(slot(), subject, (isConnected) => {
        if (isConnected) away.delete(subject)
        else comeBack(subject, chance.wait(hour))
      })
    })
  }

  const call = (subject: Subject, by: number) => {
    if (away.has(subject)) return
    world.call(by, subject, (result) => {
      if (result === "ReconnectRequired" && !away.has(subject)) comeBack(subject, chance.wait(day))
    })
    if (chance.chance(rate.interrupts)) timeline.after(chance.below(second), () => world.interrupt(by, subject))
  }

  // Half of the bursts go to one process, the others to any.
  const occasion = (call: (by: number) => void) => {
    if (!chance.chance(rate.bursts)) return call(slot())
    const calls = burst.least + chance.below(burst.most - burst.least + 1)
    const one = chance.chance(0.5) ? slot() : undefined
    for (let i = 0; i < calls; i++) timeline.after(chance.below(burst.within), () => call(one ?? slot()))
  }

  const toAnyone = (mean: number, happen: (subject: Subject) => void) =>
    often(mean / options.grants, () => {
      const subject = pick(chance, subjects)
      if (subject !== undefined && !away.has(subject)) happen(subject)
    })

  const callsAtOnce = 1 + rate.bursts * ((burst.least + burst.most) / 2 - 1)
  for (const subject of subjects) {
    comeBack(subject, chance.next() * day)
    often((day * callsAtOnce) / rate.calls, () => occasion((by) => call(subject, by)))
  }
  often((day * callsAtOnce) / rate.appCalls / options.processes, () => occasion((by) => world.callAsApp(by)))
  often(day / rate.clientIdCalls / options.processes, () => world.callWithClientId(slot()))
  toAnyone(year / rate.revocations, world.revoke)
  toAnyone(year / rate.endedTokens, world.endAccessToken)
  often(year / rate.endedTokens, world.endAppToken)
  toAnyone(year / rate.consents, (subject) => world.consent(slot(), subject))
  toAnyone(year / rate.disconnects, (subject) => {
    world.disconnect(slot(), subject)
    comeBack(subject, chance.wait(day))
  })
  often(year / rate.secrets, () => world.regenerateSecret(chance.wait(5 * minute)))
  often(day / rate.crashes / options.processes, () => world.crash(slot()))
  often(day / rate.pauses / options.processes, () => world.pause(slot()))
  often(day / rate.clockJumps / options.processes, () => world.setClock(slot(), pick(chance, clocks) ?? 0))
  often(year / rate.outages, () => world.outage(chance.below(minute)))
  often(day / rate.restarts, () => {
    for (let index = 0; index < options.processes; index++) timeline.after(index * minute, () => world.restart(index))
  })

  for (let passed = 1; passed <= options.days; passed++) {
    timeline.runUntil(end - (options.days - passed) * day)
    options.onDay?.(passed)
    // A long run has to yield, so that its program can do other work or stop it.
    yield* Effect.yieldNow
  }
  timeline.runToEnd()
  world.thaw()
  timeline.runToEnd()
  world.settle()
  // The last use of every grant is not counted.
  const counts = { ...world.counts }
  world.audit()

  const { losses, violations } = world
  return {
    ...counts,
    failures: sorted(counts.failures),
    grantsLost: losses.lost,
    grantsUnrecoverable: losses.unrecoverable,
    grantsLostNeedlessly: losses.needless,
    rulesBroken: world.counts.rulesBroken,
    violations,
    faults: sorted(counts.faults)
  }
})
