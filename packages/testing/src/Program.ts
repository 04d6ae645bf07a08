/**
 * Runs several processes of the real library through a list of steps, in virtual time. A program is data that can be
 * drawn, shrunk and read. `run` carries it out over one store and one fake, and reports the broken rules of
 * `Invariants`.
 *
 * The users are connected before the first step. A step does not wait for the effects of the one before, so everything
 * between two waits happens at once. At the end, each grant is checked: once its access token has expired, it serves a
 * call, or it was lost for good.
 *
 * @since 0.1.0
 */
import type * as GrantStore from "@zapier-workflow-auth/core/store/GrantStore"
import type * as Settings from "@zapier-workflow-auth/core/Settings"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import type * as DiagramPage from "./Diagram.ts"
import type { Settings as FakeSettings } from "./fake/FakeState.ts"
import { TokenRequestFault, StoreFailure } from "./simulation/TokenRequestFault.ts"
import * as ProgramDiagram from "./simulation/internal/diagram.ts"
import * as Source from "./internal/source.ts"
import type * as SimTrace from "./simulation/internal/trace.ts"
import * as SimWorld from "./simulation/internal/world.ts"
import * as Timeline from "./internal/timeline.ts"
import type { Violation } from "./Violation.ts"
import { waits } from "./internal/waits.ts"

export { waits } from "./internal/waits.ts"

/**
 * The number of processes and users.
 *
 * @since 0.1.0
 */
export const size = { processes: 3, subjects: 2 } as const

const process = Schema.Literals([0, 1, 2])
const subject = Schema.Literals([0, 1])

/**
 * A step. The names are those of a `Scenario` where both mean the same.
 *
 * - `Call`: a process calls the API for a user.
 * - `CallAsApp`, `CallWithClientId`: a process calls it with the app's own token, or with the client id.
 * - `HangUp`: a user stops waiting: everything that a process does for them is interrupted.
 * - `Wait`: time passes.
 * - `Arm`: injects a fault into the next token request of a process.
 * - `Crash`, `Restart`: a process dies, or shuts down properly; another takes its place.
 * - `Pause`: a process is paused for longer than callers wait, than it waits for a response, or than its lease.
 * - `SetClock`: sets the clock of a process wrong: by less than a lease allows for, by more, or right again.
 * - `FailStore`: a read or write of a process on a token store fails: the next, or one soon after it.
 * - `Outage`: every store fails or hangs for a while.
 * - `Consent`: the user allows the app again.
 * - `Disconnect`: the app removes the user's grant.
 * - `Revoke`: the user revokes the app's access at Zapier.
 * - `EndAccessToken`: the server ends the access token before it expires.
 * - `EndAppToken`: the server ends the app's own access token.
 * - `RegenerateSecret`: the app gets a new secret, and is configured with it five minutes later.
 *
 * @since 0.1.0
 */
export const Step = Schema.TaggedUnion({
  Call: { process, subject },
  CallAsApp: { process },
  CallWithClientId: { process },
  HangUp: { process, subject },
  Wait: { time: Schema.Literals(Struct.keys(waits)) },
  Arm: { process, fault: TokenRequestFault },
  Crash: { process },
  Restart: { process },
  Pause: { process, length: Schema.Literals(["Short", "Middle", "Long"]) },
  SetClock: { process, ahead: Schema.Literals([-300_000, -12_000, 0, 12_000, 300_000]) },
  FailStore: { process, failure: StoreFailure, spared: Schema.Literals([0, 1, 2]) },
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
 * A list of steps. `seed` is the seed of the network's delays.
 *
 * @since 0.1.0
 */
export const Program = Schema.Struct({ seed: Schema.Int, steps: Schema.Array(Step) })

/**
 * @since 0.1.0
 */
export type Program = typeof Program.Type

// Faults matter only to calls whose token has expired, and uniform steps would seldom produce those.
const { Arm, Call, CallAsApp, Consent, Disconnect, FailStore, Wait, ...others } = Step.cases
const Expiry = Wait.mapFields(() => ({ _tag: Wait.fields._tag, time: Schema.Literal("lifetime") }))
const Coming = Schema.Union([Consent, Disconnect])
const Other = Schema.Union(Object.values(others))
const Weighted = Schema.Union([
  Call,
  Call,
  Call,
  Call,
  CallAsApp,
  Arm,
  Arm,
  FailStore,
  Coming,
  Wait,
  Expiry,
  Expiry,
  Other
])

/**
 * Generates programs: mostly calls whose token has expired, with faults.
 *
 * @since 0.1.0
 */
export const arbitrary: Arbitrary.Arbitrary<Program> = Arbitrary.all({
  seed: Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 999 }))),
  steps: Arbitrary.array(Arbitrary.schema(Weighted), { maxLength: 40 })
})

/**
 * The server, clients and settings of a run.
 *
 * @since 0.1.0
 */
export interface Options {
  /** The fake's settings. Default: the strictest, without rate limits. */
  readonly server?: Partial<FakeSettings> | undefined
  /** The library's settings. Default: its own. */
  readonly settings?: Settings.Options | undefined
  /** Wraps the store in memory, to see which rules break. */
  readonly store?: ((store: GrantStore.GrantStore["Service"]) => GrantStore.GrantStore["Service"]) | undefined
}

/**
 * The result of a run.
 *
 * @since 0.1.0
 */
export interface Report {
  /** The broken rules, for whom, and when, counted from the moment the users were connected. */
  readonly violations: ReadonlyArray<Violation>
  /** The results of the calls, in the order in which they ended: a status, or the name of a failure. */
  readonly results: ReadonlyArray<string>
  /** The number of token requests before the grants are checked at the end. */
  readonly tokenRequests: number
  /** Grants that were given up, other than by their users. */
  readonly lost: number
  /** Grants that no client could have kept, as judged from the server and the network. */
  readonly unrecoverable: number
  /** Lost grants that were recoverable. */
  readonly needless: number
}

const harmless: ReadonlyArray<Step["_tag"]> = ["Call", "CallAsApp", "CallWithClientId", "Wait"]

const isHarmless = ({ _tag }: Step) => harmless.includes(_tag)

const take = (world: SimWorld.World, step: Step, results: Array<string>) => {
  const who = (index: number) => {
    const found = world.subjects[index]
    if (found === undefined) throw new Error("the program names a user that does not exist")
    return found
  }
  const done = (result: string) => void results.push(result)
  Step.match(step, {
    Call: ({ process, subject }) => world.call(process, who(subject), done),
    CallAsApp: ({ process }) => world.callAsApp(process, done),
    CallWithClientId: ({ process }) => world.callWithClientId(process, done),
    Wait: ({ time }) => world.timeline.runUntil(world.timeline.now() + waits[time]),
    Arm: ({ fault, process }) => world.arm(process, fault),
    Crash: ({ process }) => world.crash(process),
    Restart: ({ process }) => world.restart(process),
    Pause: ({ length, process }) => world.pause(process, length),
    SetClock: ({ ahead, process }) => world.setClock(process, ahead),
    HangUp: ({ process, subject }) => world.interrupt(process, who(subject)),
    FailStore: ({ failure, process, spared }) => world.failStore(process, failure, spared),
    Outage: ({ time }) => world.outage(waits[time]),
    Consent: ({ process, subject }) => world.consent(process, who(subject)),
    Disconnect: ({ process, subject }) => world.disconnect(process, who(subject)),
    Revoke: ({ subject }) => world.revoke(who(subject)),
    EndAccessToken: ({ subject }) => world.endAccessToken(who(subject)),
    EndAppToken: () => world.endAppToken(),
    RegenerateSecret: () => world.regenerateSecret(waits.minutes)
  })
}

// Describes a step.
const lineOf = ({ _tag, ...members }: Step): string => {
  const details = Object.entries(members).map(([name, value]) => `${name} ${String(value)}`)
  return details.length === 0 ? _tag : `${_tag}: ${details.join(", ")}`
}

const sourceOf = ({ seed, steps }: Program): string =>
  [
    `Program.run({`,
    `  seed: ${seed},`,
    `  steps: [`,
    steps.map((step) => `    ${Source.of(step)}`).join(",\n"),
    `  ]`,
    `})`
  ].join("\n")

const carryOut = (
  program: Program,
  options: Options,
  onEvent?: (at: number, event: SimTrace.Event) => void
): Report => {
  const world: SimWorld.World = SimWorld.make({
    ...size,
    seed: String(program.seed),
    server: options.server,
    settings: options.settings,
    store: options.store,
    onEvent
  })
  const { timeline } = world
  const begin = (text: string) => onEvent?.(timeline.now() - Timeline.start, { _tag: "Step", text })
  begin("The users are connected")
  for (const subject of world.subjects) world.consent(0, subject)
  timeline.runToEnd()
  const begun = timeline.now()
  const { tokenRequests: before } = world.counts
  const results: Array<string> = []
  for (const [index, step] of program.steps.entries()) {
    begin(`${index + 1}. ${lineOf(step)}`)
    take(world, step, results)
  }
  timeline.runToEnd()
  world.settle()
  const ended = timeline.now()
  const tokenRequests = world.counts.tokenRequests - before
  begin("At the end, every connected user calls once more")
  world.audit()
  const isHarmed = !program.steps.every(isHarmless)
  const failed = results.filter((result) => !SimWorld.isSuccess(result)).length
  const since = begun - Timeline.start
  const violations: Array<Violation> = world.violations.map(({ after = 0, ...violation }) => ({
    ...violation,
    after: after - since
  }))
  if (!isHarmed && failed > 0) {
    const observed = `${failed} calls failed although no fault was injected`
    violations.push({ rule: "Every caller gets a result", observed, after: ended - begun })
  }
  return { violations, results, tokenRequests, ...world.losses }
}

/**
 * Carries a program out.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Program from "@zapier-workflow-auth/testing/Program"
 *
 * // A process dies after the response to its refresh arrived and before it is stored: the new tokens are lost.
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
 * report // => { violations: [], results: ["ProcessEnded"], tokenRequests: 1, lost: 1, unrecoverable: 1, needless: 0 }
 * ```
 *
 * @since 0.1.0
 */
export const run = (program: Program, options: Options = {}): Effect.Effect<Report> =>
  Effect.sync(() => carryOut(program, options))

/**
 * Carries a program out, and returns a page for `Diagram.html`: the messages between callers, each process, the store
 * and Zapier, below the first broken rule, if there is one.
 *
 * @example
 * ```ts
 * import * as Diagram from "@zapier-workflow-auth/testing/Diagram"
 * import * as Program from "@zapier-workflow-auth/testing/Program"
 * import * as Effect from "effect/Effect"
 *
 * const page = Effect.runSync(Program.page({ seed: 1, steps: [{ _tag: "Call", process: 0, subject: 0 }] }))
 *
 * page.violation // => undefined
 * Diagram.html(page).includes("process 0 to Zapier") // => true
 * ```
 *
 * @since 0.1.0
 */
export const page = (program: Program, options: Options = {}): Effect.Effect<DiagramPage.Page> =>
  Effect.sync(() => {
    const events: Array<readonly [at: number, event: SimTrace.Event]> = []
    const { violations } = carryOut(program, options, (at, event) => void events.push([at, event]))
    return {
      violation: violations[0],
      diagram: ProgramDiagram.of(events),
      again: [{ title: "As a program", code: sourceOf(program) }]
    }
  })
