/**
 * What may happen to an app and its users, as data: steps that can be drawn, shrunk, written down and replayed.
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import type * as Schema from "effect/Schema"
import * as FakeFault from "./FakeFault.ts"
import type { Knobs } from "./FakeState.ts"
import * as Draw from "./internal/draw.ts"
import type { waits } from "./Program.ts"
import { type Subject, subjects } from "./ScenarioSeen.ts"

/**
 * Times to wait, as in `Program`.
 *
 * @since 0.1.0
 */
export type WaitTime = Exclude<keyof typeof waits, "seconds">

interface For {
  readonly subject: Subject
}

/**
 * What a user or the app does. It is carried out to its end before the next step begins, however much time that takes.
 *
 * - `Consent`: begins to connect, allows, and comes back.
 * - `Deny`: begins to connect, denies, and comes back.
 * - `Call`, `Disconnect`: as the app has it.
 * - `Act`: one of the app's own actions.
 *
 * @since 0.1.0
 */
export type Action<A = never> =
  | ({ readonly _tag: "Consent" | "Deny" | "Call" | "Disconnect" } & For)
  | { readonly _tag: "Act"; readonly action: A }

/**
 * What happens to the app.
 *
 * - `Restart`: it is closed in good order, and started again. What its users wait for is interrupted.
 * - `Crash`: it is killed, and started again. It closes nothing, and what is on its way to it is lost.
 * - `Arm`: something is to go wrong with a request.
 * - `Revoke`: a user ends the app's access at Zapier.
 * - `EndAccessToken`: Zapier ends a user's access token before its time.
 * - `RegenerateSecret`: the app has a new secret, and learns of it five minutes later.
 * - `SetKnobs`: Zapier behaves differently from now on.
 *
 * @since 0.1.0
 */
export type Happening =
  | { readonly _tag: "Restart" | "Crash" | "RegenerateSecret" }
  | ({ readonly _tag: "Revoke" | "EndAccessToken" } & For)
  | { readonly _tag: "Arm"; readonly rule: FakeFault.Rule }
  | { readonly _tag: "SetKnobs"; readonly knobs: Partial<Knobs> }

/**
 * `Together`: all of it begins at once; what happens to the app, happens while what comes before it is under way.
 *
 * @since 0.1.0
 */
export type Step<A = never> =
  | Action<A>
  | Happening
  | { readonly _tag: "Wait"; readonly time: WaitTime }
  | { readonly _tag: "Together"; readonly steps: ReadonlyArray<Action<A> | Happening> }

// What is to go wrong.
const faults: ReadonlyArray<FakeFault.Fault> = [
  ...FakeFault.ofEachKind,
  { _tag: "ConnectionReset", afterActing: true },
  { _tag: "ServerError", status: 502, afterActing: true },
  { _tag: "Unavailable", retryAfter: 5, afterActing: true }
]

const matches: ReadonlyArray<FakeFault.Match> = [
  { endpoint: "token" },
  { endpoint: "token", grantType: "refresh_token" },
  {}
]

const knobs: ReadonlyArray<Partial<Knobs>> = [
  { reuseRevokesGrant: false },
  { refreshEndsAccessToken: false },
  { rotateRefreshTokens: false },
  { graceMillis: 60_000 },
  { accessTokenLifetime: 600 }
]

const waitTimes = ["second", "moment", "timeout", "listening", "lease", "minutes", "untilDue", "lifetime"] as const

// What goes wrong goes wrong between things that are done for the same user.
const subject = Draw.choose<Subject>([Arbitrary.Constant(subjects[0]), Draw.oneOf(subjects)])

const forSubject = <const Tag extends string>(_tag: Tag) => Arbitrary.map(subject, (subject) => ({ _tag, subject }))

const alone = <const Tag extends string>(_tag: Tag) => Arbitrary.Constant({ _tag })

const arm: Arbitrary.Arbitrary<Happening> = Arbitrary.map(
  Arbitrary.all({ fault: Draw.oneOf(faults), match: Draw.oneOf(matches) }),
  (rule) => ({ _tag: "Arm", rule })
)

const happening: Arbitrary.Arbitrary<Happening> = Draw.choose<Happening>([
  alone("Restart"),
  alone("Crash"),
  forSubject("EndAccessToken"),
  forSubject("Revoke"),
  alone("RegenerateSecret"),
  Arbitrary.map(Draw.oneOf(knobs), (knobs) => ({ _tag: "SetKnobs", knobs }))
])

const actionOf = <A>(actions: Drawn<A>): Arbitrary.Arbitrary<Action<A>> => {
  const call = forSubject("Call")
  const others = [forSubject("Consent"), forSubject("Disconnect"), forSubject("Deny")] as const
  if (actions === undefined) return Draw.choose<Action<A>>([call, call, call, ...others])
  const own = Arbitrary.map(Arbitrary.schema(actions.schema), (action) => ({ _tag: "Act" as const, action }))
  return Draw.choose<Action<A>>([call, call, call, ...others, own, own, own, own])
}

const connect = (...who: ReadonlyArray<Subject>): Arbitrary.Arbitrary<ReadonlyArray<Step>> =>
  Arbitrary.Constant(who.map((subject) => ({ _tag: "Consent", subject })))

// Most have users who are connected.
const opening = Draw.choose([connect(), connect("ada"), connect("ada"), connect("ada", "bob"), connect("ada", "bob")])

const stepOf = <A>(actions: Drawn<A>): Arbitrary.Arbitrary<Step<A>> => {
  const action = actionOf(actions)
  const wait = Arbitrary.map(Draw.oneOf(waitTimes), (time) => ({ _tag: "Wait" as const, time }))
  const expiry = Arbitrary.Constant({ _tag: "Wait", time: "lifetime" } as const)
  const member = Draw.choose<Action<A> | Happening>([action, action, action, happening])
  const together = <M extends Action<A> | Happening>(members: Arbitrary.Arbitrary<M>) =>
    Arbitrary.map(Arbitrary.array(members, { minLength: 1, maxLength: 4 }), ([only, ...more]): Step<A> =>
      only !== undefined && more.length === 0 ? only : { _tag: "Together", steps: only ? [only, ...more] : more }
    )
  const anything = together(member)
  const call = forSubject("Call")
  const storm = together(Draw.choose<Action<A>>([call, call, call, forSubject("Disconnect")]))
  // What goes wrong goes wrong with calls whose token has ended: steps of all kinds alike would seldom come to that.
  const kinds = [
    expiry,
    expiry,
    expiry,
    storm,
    storm,
    storm,
    action,
    action,
    anything,
    anything,
    arm,
    arm,
    wait
  ] as const
  return Draw.choose<Step<A>>([happening, ...kinds])
}

/**
 * How many steps a scenario has at most, besides those that connect its users.
 *
 * @since 0.1.0
 */
export const longest = 20

type Drawn<A> = { readonly schema: Schema.Schema<A> } | undefined

/**
 * Steps to be drawn: mostly of users whose tokens have ended, with faults.
 *
 * @since 0.1.0
 */
export const arbitrary = <A = never>({ actions }: { readonly actions?: Drawn<A> } = {}): Arbitrary.Arbitrary<
  ReadonlyArray<Step<A>>
> =>
  Arbitrary.map(
    // What comes first is shrunk first, and then no more: who has to be connected is seen in the end.
    Arbitrary.all([Arbitrary.array(stepOf(actions), { maxLength: longest }), opening]),
    ([steps, opening]) => [...opening, ...steps]
  )
