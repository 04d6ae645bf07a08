/**
 * The steps of a scenario, as data that can be drawn, shrunk, written down and replayed.
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import type * as Schema from "effect/Schema"
import * as FakeFault from "../fake/FakeFault.ts"
import type { Settings } from "../fake/FakeState.ts"
import * as Draw from "../internal/draw.ts"
import type { WaitTime } from "../internal/waits.ts"
import { type Account, type Subject, subjects } from "./ScenarioHistory.ts"

interface For {
  readonly subject: Subject
}

/**
 * An action of a user or the app. It is carried out to its end before the next step begins, however long that takes.
 *
 * - `Consent`: begins to connect, allows, and comes back; with `account: "other"` for another account at Zapier.
 * - `Deny`: begins to connect, denies, and comes back.
 * - `LogIn`: begins to connect, and allows. The callback is kept for a `ComeBack`.
 * - `ComeBack`: comes back to the app: with `Own`, the user's last unused callback; `Again`, the last used one; the
 *   `Other` user's; or a `Forged` one, which holds a stranger's code. With `browser: "Other"`, in the user's second
 *   browser, if the app distinguishes browsers. Without such a callback nothing happens.
 * - `Call`, `Disconnect`: the app's own functions. With `browser: "Other"` a call in the second browser, as above.
 * - `Act`: one of the app's own actions.
 *
 * @since 0.1.0
 */
export type Action<A = never> =
  | ({ readonly _tag: "Deny" | "LogIn" | "Disconnect" } & For)
  | ({ readonly _tag: "Call"; readonly browser?: "Other" } & For)
  | ({ readonly _tag: "Consent"; readonly account?: Account } & For)
  | ({
      readonly _tag: "ComeBack"
      readonly with: "Own" | "Again" | "Other" | "Forged"
      readonly browser?: "Other"
    } & For)
  | { readonly _tag: "Act"; readonly action: A }

/**
 * An event of the app or its surroundings.
 *
 * - `Restart`: the app is closed properly, and started again. Everything that its users wait for is interrupted.
 * - `Crash`: the app is killed, and started again. It closes nothing, and responses on their way to it are lost.
 * - `Arm`: injects a fault into a request.
 * - `HangUp`: a user stops waiting: the app's function is interrupted.
 * - `Revoke`: a user revokes the app's access at Zapier.
 * - `EndAccessToken`: Zapier ends a user's access token before it expires.
 * - `RevokeAll`: Zapier ends the app's access to all accounts.
 * - `RegenerateSecret`: the app gets a new secret, and is configured with it five minutes later.
 * - `Outage`: Zapier responds 503 to everything for this time.
 * - `ChangeSettings`: changes how Zapier behaves.
 *
 * @since 0.1.0
 */
export type Happening =
  | { readonly _tag: "Restart" | "Crash" | "RegenerateSecret" | "RevokeAll" }
  | ({ readonly _tag: "Revoke" | "EndAccessToken" | "HangUp" } & For)
  | { readonly _tag: "Arm"; readonly rule: FakeFault.Rule }
  | { readonly _tag: "Outage"; readonly time: "minutes" | "hour" }
  | { readonly _tag: "ChangeSettings"; readonly settings: Partial<Settings> }

/**
 * Time passes.
 *
 * @since 0.1.0
 */
export interface Wait {
  readonly _tag: "Wait"
  readonly time: WaitTime
}

/**
 * A step. `Together`: all its members begin at once, unless a `Wait` comes between; an event happens while the members
 * before it are under way. `chance` is the seed of the durations within it, independent of earlier steps. Default: 0.
 *
 * @since 0.1.0
 */
export type Step<A = never> =
  | Action<A>
  | Happening
  | Wait
  | {
      readonly _tag: "Together"
      readonly steps: ReadonlyArray<Action<A> | Happening | Wait>
      readonly chance?: number | undefined
    }

// The faults to draw from.
const faults: ReadonlyArray<FakeFault.Fault> = [
  ...FakeFault.ofEachKind,
  { _tag: "ConnectionReset", afterActing: true },
  { _tag: "ServerError", status: 502, afterActing: true },
  { _tag: "Unavailable", retryAfter: 5, afterActing: true },
  // A temporary error without effect, so that the client may retry.
  { _tag: "Unavailable", retryAfter: 5 },
  { _tag: "RateLimited" },
  // Responses that claim success, but are malformed.
  { _tag: "MalformedJson" },
  { _tag: "WrongTypes" },
  { _tag: "TruncatedBody" }
]

const tokenRequests: ReadonlyArray<FakeFault.Match> = [
  { endpoint: "token" },
  { endpoint: "token", grantType: "refresh_token" }
]

// The next request of any kind.
const next: ReadonlyArray<FakeFault.Match> = [{}]

const settings: ReadonlyArray<Partial<Settings>> = [
  { reuseRevokesGrant: false },
  { refreshEndsAccessToken: false },
  { rotateRefreshTokens: false },
  { graceMillis: 60_000 },
  { accessTokenLifetime: 600 }
]

const waitTimes = [
  "second",
  "moment",
  "timeout",
  "listening",
  "lease",
  "minutes",
  "recovery",
  "hour",
  "untilDue",
  "lifetime"
] as const

// Mostly the same user, because most bugs need several steps of one.
const subject = Draw.choose<Subject>([Arbitrary.Constant(subjects[0]), Draw.oneOf(subjects)])

const forSubject = <const Tag extends string>(_tag: Tag) => Arbitrary.map(subject, (subject) => ({ _tag, subject }))

// A user who logs in, and then does this step.
const forSubjectWith = <S extends object>(step: S) =>
  Arbitrary.map(subject, (subject) => [
    { _tag: "LogIn" as const, subject },
    { ...step, subject }
  ])

const alone = <const Tag extends string>(_tag: Tag) => Arbitrary.Constant({ _tag })

const armFor = (matches: ReadonlyArray<FakeFault.Match>): Arbitrary.Arbitrary<Happening> =>
  Arbitrary.map(
    Arbitrary.all({ fault: Draw.oneOf(faults), match: Draw.oneOf(matches), times: Draw.oneOf([1, 1, 3, 20]) }),
    ({ times, ...rule }) => ({ _tag: "Arm", rule: times === 1 ? rule : { ...rule, times } })
  )

const arm = armFor([...tokenRequests, ...next, ...next])

const outage: Arbitrary.Arbitrary<Happening> = Arbitrary.map(Draw.oneOf(["minutes", "hour"] as const), (time) => ({
  _tag: "Outage",
  time
}))

const restarts = [alone("Restart"), alone("Crash")] as const

const happening: Arbitrary.Arbitrary<Happening> = Draw.choose<Happening>([
  ...restarts,
  forSubject("EndAccessToken"),
  forSubject("HangUp"),
  forSubject("Revoke"),
  alone("RegenerateSecret"),
  alone("RegenerateSecret"),
  alone("RevokeAll"),
  Arbitrary.map(Draw.oneOf(settings), (settings) => ({ _tag: "ChangeSettings", settings }))
])

const switching = Arbitrary.map(subject, (subject) => ({
  _tag: "Consent" as const,
  subject,
  account: "other" as const
}))

const comeBack = Arbitrary.map(
  Arbitrary.all({ subject, with: Draw.oneOf(["Own", "Forged", "Other", "Again"] as const) }),
  (way) => ({ _tag: "ComeBack" as const, ...way })
)

const ownOf = <A>({ schema }: { readonly schema: Schema.Schema<A> }): Arbitrary.Arbitrary<Action<A>> =>
  Arbitrary.map(Arbitrary.schema(schema), (action) => ({ _tag: "Act" as const, action }))

const actionOf = <A>(actions: Drawn<A>): Arbitrary.Arbitrary<Action<A>> => {
  const call = forSubject("Call")
  const others = [
    forSubject("Consent"),
    switching,
    forSubject("Disconnect"),
    forSubject("Deny"),
    forSubject("LogIn"),
    comeBack
  ] as const
  if (actions === undefined) return Draw.choose<Action<A>>([call, call, call, ...others])
  const own = ownOf(actions)
  return Draw.choose<Action<A>>([call, call, call, ...others, own, own, own, own])
}

const consentOf = (subject: Subject): Step => ({ _tag: "Consent", subject })

// The seed of durations.
const chance = Draw.int(0, 999)

const connect = (...who: ReadonlyArray<Subject>): Arbitrary.Arbitrary<ReadonlyArray<Step>> =>
  Arbitrary.Constant(who.map(consentOf))

// Mostly users who are already connected.
const opening = Draw.choose([connect(), connect("ada"), connect("ada"), connect("ada", "bob"), connect("ada", "bob")])

// Steps that only matter together are drawn together: by chance they would seldom meet.
const episodeOf = <A>(app: DrawnFor<A>): Arbitrary.Arbitrary<ReadonlyArray<Step<A>>> => {
  const { actions, before, callElsewhere, comeBackElsewhere, instances = 1 } = app
  const action = actionOf(actions)
  const wait = Arbitrary.map(Draw.oneOf(waitTimes), (time) => ({ _tag: "Wait" as const, time }))
  const expiry = Arbitrary.Constant({ _tag: "Wait", time: "lifetime" } as const)
  const pause = Arbitrary.Constant({ _tag: "Wait", time: "moment" } as const)
  const member = Draw.choose<Action<A> | Happening | Wait>([action, action, action, happening, pause])
  const together = <M extends Action<A> | Happening | Wait>(members: Arbitrary.Arbitrary<ReadonlyArray<M>>) =>
    Arbitrary.map(Arbitrary.all([members, chance]), ([[only, ...more], chance]): Step<A> =>
      only !== undefined && more.length === 0
        ? only
        : { _tag: "Together", steps: only ? [only, ...more] : more, ...(chance === 0 ? {} : { chance }) }
    )
  const some = <M>(members: Arbitrary.Arbitrary<M>) => Arbitrary.array(members, { minLength: 1, maxLength: 4 })
  const call = forSubject("Call")
  const consent = forSubject("Consent")
  const disconnect = forSubject("Disconnect")
  const anything = together(some(member))
  const storm = together(some(Draw.choose<Action<A>>([call, call, call, disconnect])))
  const alone = (step: Arbitrary.Arbitrary<Step<A>>) => Arbitrary.map(step, (step): ReadonlyArray<Step<A>> => [step])
  const row = (...steps: ReadonlyArray<Arbitrary.Arbitrary<Step<A>>>) => Arbitrary.all(steps)
  // The call of a user who has just connected.
  const freshFor = (subject: Subject) =>
    row(Arbitrary.Constant(consentOf(subject)), armFor(next), Arbitrary.Constant({ _tag: "Call", subject }))
  // Faults for calls whose token has expired or is valid.
  const faulty = Draw.choose([
    row(arm, call),
    row(arm, action),
    row(expiry, armFor(tokenRequests), storm),
    row(arm, call, call),
    freshFor("ada"),
    freshFor("bob")
  ])
  // During a refresh, its user leaves, or the app ends, or something else happens.
  const overtakenFor = (subject: Subject) => {
    const its = <const Tag extends string>(_tag: Tag) => Arbitrary.Constant({ _tag, subject })
    const call = its("Call")
    return together<Action<A> | Happening | Wait>(
      Draw.choose<ReadonlyArray<Action<A> | Happening | Wait>>([
        Arbitrary.all([call, its("HangUp")]),
        Arbitrary.all([call, its("HangUp")]),
        Arbitrary.all([call, its("HangUp")]),
        Arbitrary.all([call, happening]),
        ...restarts.map((restart) => Arbitrary.all([call, restart])),
        Arbitrary.all([call, pause, its("Disconnect")]),
        Arbitrary.all([call, pause, its("Disconnect")]),
        Arbitrary.all([call, its("Disconnect")]),
        Arbitrary.all([call, pause, action])
      ])
    )
  }
  const overtaken = Draw.choose<Step<A>>([overtakenFor("ada"), overtakenFor("ada"), overtakenFor("bob")])
  const connectedFor = (subject: Subject) => row(Arbitrary.Constant(consentOf(subject)), expiry, overtakenFor(subject))
  // Users who call at the same time.
  const crowd = together(
    Arbitrary.Constant<ReadonlyArray<Action<A>>>(subjects.map((subject) => ({ _tag: "Call", subject })))
  )
  // Ada begins, and a user comes back.
  const begun = Arbitrary.Constant<Step<A>>({ _tag: "LogIn", subject: "ada" })
  const stranger = Arbitrary.Constant<Step<A>>({ _tag: "ComeBack", subject: "bob", with: "Other" })
  const back = Draw.choose([row(forSubject("LogIn"), comeBack), row(begun, stranger)])
  // A user takes the callback from one browser to another.
  const moved = forSubjectWith({ _tag: "ComeBack", with: "Own", browser: "Other" } as const)
  const elsewhere = comeBackElsewhere === undefined ? [] : [moved]
  // The second browser shows what the user did in the first.
  const there = Arbitrary.map(subject, (subject) => ({ _tag: "Call" as const, subject, browser: "Other" as const }))
  const both = callElsewhere === undefined ? [] : [row(consent, there)]
  const single = [expiry, expiry, expiry, storm, storm, storm, action, action, anything, anything, arm, wait] as const
  // An app with a rolling deployment is restarted more often.
  const deployed = Draw.choose(restarts.map((step) => row(step, call)) as [ReturnType<typeof row>])
  const recovery = Arbitrary.Constant({ _tag: "Wait", time: "recovery" } as const)
  // Background work of the app must stop for users who disconnected.
  const owned = actions === undefined ? [] : [ownOf(actions)].map((own) => row(disconnect, recovery, own))
  return Draw.choose<ReadonlyArray<Step<A>>>([
    alone(happening),
    row(happening, call),
    row(expiry, happening, call),
    ...single.map(alone),
    back,
    back,
    Draw.choose([row(outage, call), row(outage, call, call), row(outage, call, call, recovery, call)]),
    row(consent, call),
    faulty,
    faulty,
    faulty,
    faulty,
    faulty,
    faulty,
    Draw.choose([connectedFor("ada"), connectedFor("ada"), connectedFor("bob")]),
    row(expiry, overtaken),
    Arbitrary.map(crowd, (crowd): ReadonlyArray<Step<A>> => [...subjects.map(consentOf), crowd]),
    alone(crowd),
    ...owned,
    ...owned,
    ...elsewhere,
    ...elsewhere,
    ...both,
    ...(before === undefined && instances === 1 ? [] : [deployed, deployed, deployed])
  ])
}

/**
 * The largest number of episodes in a scenario, of one to three steps each, besides those that connect its users.
 *
 * @internal
 */
export const longest = 20

// Shorter scenarios find little. Unnecessary steps are removed by shrinking.
const shortest = 4

type Drawn<A> = { readonly schema: Schema.Schema<A> } | undefined

/** The parts of an app that decide what is drawn for it. */
interface DrawnFor<A> {
  readonly actions?: Drawn<A>
  readonly before?: unknown
  readonly callElsewhere?: unknown
  readonly comeBackElsewhere?: unknown
  readonly instances?: number | undefined
}

/**
 * Generates steps: mostly of users whose tokens have expired, with faults.
 *
 * @since 0.1.0
 */
export const arbitrary = <A = never>(app: DrawnFor<A> = {}): Arbitrary.Arbitrary<ReadonlyArray<Step<A>>> =>
  Arbitrary.map(
    // The first part shrinks first, and only once: which users have to be connected is decided last.
    Arbitrary.all([Arbitrary.array(episodeOf(app), { minLength: shortest, maxLength: longest }), opening]),
    ([episodes, opening]) => [...opening, ...episodes.flat()]
  )
