/**
 * What may happen to the users of an app, as a list of steps: data that can be drawn, shrunk and read. `run` carries it
 * out with several processes of the real library over one store and one fake, in virtual time, and says which rules of
 * `Invariants` were broken.
 *
 * The users are connected before the first step. Steps follow each other without waiting for what they set off, so that
 * everything between two waits happens at once. After the last step all ends, and then each user's grant is put to the
 * test: once its access token has ended, it serves a call, or it was beyond saving.
 *
 * @since 0.1.0
 */
import type * as GrantStore from "@zapier-workflow-auth/core/store/GrantStore"
import type * as Settings from "@zapier-workflow-auth/core/Settings"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Knobs } from "./FakeState.ts"
import { Fault } from "./Fault.ts"
import * as SimWorld from "./internal/simWorld.ts"
import type * as Invariants from "./Invariants.ts"

/**
 * How many processes and users there are.
 *
 * @since 0.1.0
 */
export const size = { processes: 3, subjects: 2 } as const

const process = Schema.Literals([0, 1, 2])
const subject = Schema.Literals([0, 1])

/**
 * Times to wait, in milliseconds.
 *
 * @since 0.1.0
 */
export const waits = {
  moment: 250,
  second: 1_000,
  seconds: 8_000,
  timeout: 20_500,
  lease: 31_000,
  minutes: 300_000,
  untilDue: 35_700_000,
  lifetime: 36_000_000
} as const

/**
 * - `Call`: a process calls the API for a user.
 * - `CallAsApp`, `CallWithClientId`: a process calls it with the app's own token, or with the client id.
 * - `Wait`: time passes.
 * - `Arm`: a fault is to happen to the next token request of a process.
 * - `Crash`, `Restart`: a process ends at once, or in good order; another takes its place.
 * - `Suspend`: a process stands still for longer than its lease, and then goes on.
 * - `FailStore`: the next operation that a process sends to a store of tokens fails, whether it was carried out or not.
 * - `Outage`: no store answers for a while.
 * - `Consent`: the user allows the app again.
 * - `Disconnect`: the app removes the user's grant.
 * - `Revoke`: the user ends the app's access at Zapier.
 * - `EndAccessToken`: the server ends the access token before its time.
 * - `EndAppToken`: it does so with the app's own.
 * - `RegenerateSecret`: the app has a new secret, and learns of it five minutes later.
 *
 * @since 0.1.0
 */
export const Step = Schema.TaggedUnion({
  Call: { process, subject },
  CallAsApp: { process },
  CallWithClientId: { process },
  Wait: { time: Schema.Literals(["moment", "second", "timeout", "lease", "minutes", "untilDue", "lifetime"]) },
  Arm: { process, fault: Fault },
  Crash: { process },
  Restart: { process },
  Suspend: { process },
  FailStore: { process, failure: Schema.Literals(["Done", "NotDone"]) },
  Outage: { time: Schema.Literals(["second", "seconds", "timeout", "lease"]) },
  Consent: { process, subject },
  Disconnect: { process, subject },
  Revoke: { subject },
  EndAccessToken: { subject },
  EndAppToken: {},
  RegenerateSecret: {}
})

/**
 * @since 0.1.0
 */
export type Step = typeof Step.Type

/**
 * A list of steps. `seed` is that of the network's delays.
 *
 * @since 0.1.0
 */
export const Program = Schema.Struct({ seed: Schema.Int, steps: Schema.Array(Step) })

/**
 * @since 0.1.0
 */
export type Program = typeof Program.Type

// What goes wrong goes wrong with calls whose token has ended: steps of all kinds alike would seldom come to that.
const { Arm, Call, CallAsApp, Wait, ...others } = Step.cases
const Expiry = Wait.mapFields(() => ({ _tag: Wait.fields._tag, time: Schema.Literal("lifetime") }))
const Other = Schema.Union(Object.values(others))
const Weighted = Schema.Union([Call, Call, Call, Call, CallAsApp, Arm, Arm, Wait, Expiry, Expiry, Other])

/**
 * Programs to be drawn: mostly calls whose token has ended, with faults.
 *
 * @since 0.1.0
 */
export const arbitrary: Arbitrary.Arbitrary<Program> = Arbitrary.all({
  seed: Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 999 }))),
  steps: Arbitrary.array(Arbitrary.schema(Weighted), { maxLength: 40 })
})

/**
 * How a program is run: with which server, clients and settings.
 *
 * @since 0.1.0
 */
export interface Options {
  /** Default: the strictest, without rate limits. */
  readonly server?: Partial<Knobs> | undefined
  /** Those of the library. Default: its own. */
  readonly settings?: Settings.Options | undefined
  /** Puts a store of one's own in the place of the one in memory, to see what becomes of the rules. */
  readonly store?: ((store: GrantStore.GrantStore["Service"]) => GrantStore.GrantStore["Service"]) | undefined
}

/**
 * A rule that was broken, for whom and when.
 *
 * @since 0.1.0
 */
export interface Breach extends Invariants.Violation {
  /** The name of a user, or `app`. */
  readonly subject: string
  /** Milliseconds since the users were connected. */
  readonly after: number
}

/**
 * What a program came to.
 *
 * @since 0.1.0
 */
export interface Report {
  /** The rules that were broken. */
  readonly breaches: ReadonlyArray<Breach>
  /** What came of the calls, in the order in which they ended: a status, or the name of a failure. */
  readonly results: ReadonlyArray<string>
  /** Grants that were given up and not by their users. */
  readonly lost: number
  /** Grants that nobody could have kept, as the server and the network tell it. */
  readonly unsaveable: number
  /** Grants that are among the lost, and not among the unsaveable. */
  readonly needless: number
}

const harmless: ReadonlyArray<Step["_tag"]> = ["Call", "CallAsApp", "CallWithClientId", "Wait"]

const isHarmless = ({ _tag }: Step) => harmless.includes(_tag)

const take = (world: SimWorld.World, step: Step, results: Array<string>) => {
  const who = (index: number) => {
    const found = world.subjects[index]
    if (found === undefined) throw new Error("a program speaks of users that there are")
    return found
  }
  switch (step._tag) {
    case "Call":
      return world.call(step.process, who(step.subject), (result) => results.push(result))
    case "CallAsApp":
      return world.callAsApp(step.process, (result) => results.push(result))
    case "CallWithClientId":
      return world.callWithClientId(step.process, (result) => results.push(result))
    case "Wait":
      return world.timeline.runUntil(world.timeline.now() + waits[step.time])
    case "Arm":
      return world.arm(step.process, step.fault)
    case "Crash":
      return world.crash(step.process)
    case "Restart":
      return world.restart(step.process)
    case "Suspend":
      return world.suspend(step.process)
    case "FailStore":
      return world.failStore(step.process, step.failure)
    case "Outage":
      return world.outage(waits[step.time])
    case "Consent":
      return world.consent(step.process, who(step.subject))
    case "Disconnect":
      return world.disconnect(step.process, who(step.subject))
    case "Revoke":
      return world.revoke(who(step.subject))
    case "EndAccessToken":
      return world.endAccessToken(who(step.subject))
    case "EndAppToken":
      return world.endAppToken()
    case "RegenerateSecret":
      return world.regenerateSecret(waits.minutes)
  }
}

/**
 * Carries a program out.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Program from "@zapier-workflow-auth/testing/Program"
 *
 * // A process ends when the answer to its refresh is there and not stored: nobody has the new tokens.
 * const report = Effect.runSync(
 *   Program.run({
 *     seed: 1,
 *     steps: [
 *       { _tag: "Wait", time: "lifetime" },
 *       { _tag: "Arm", process: 0, fault: "CrashBeforeCommit" },
 *       { _tag: "Call", process: 0, subject: 0 }
 *     ]
 *   })
 * )
 *
 * report // => { breaches: [], results: ["ProcessEnded"], lost: 1, unsaveable: 1, needless: 0 }
 * ```
 *
 * @since 0.1.0
 */
export const run = (program: Program, options: Options = {}): Effect.Effect<Report> =>
  Effect.sync(() => {
    const world = SimWorld.make({
      ...size,
      seed: String(program.seed),
      knobs: options.server,
      settings: options.settings,
      store: options.store
    })
    const { timeline } = world
    for (const subject of world.subjects) world.consent(0, subject)
    timeline.runToEnd()
    const begun = timeline.now()
    const results: Array<string> = []
    for (const step of program.steps) take(world, step, results)
    timeline.runToEnd()
    world.settle()
    const ended = timeline.now()
    world.audit()
    const isHarmed = !program.steps.every(isHarmless)
    const failed = results.filter((result) => !SimWorld.isAnswer(result)).length
    const breaches: Array<Breach> = world.breaches.map(({ at, ...breach }) => ({ ...breach, after: at - begun }))
    if (!isHarmed && failed > 0) {
      const what = `${failed} calls failed although nothing had happened`
      breaches.push({ rule: "Everybody is answered", what, subject: "", after: ended - begun })
    }
    return { breaches, results, ...world.fates }
  })
