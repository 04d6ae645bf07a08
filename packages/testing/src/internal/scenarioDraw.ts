/** Steps of an app, to be drawn. */
import * as Arbitrary from "effect/Arbitrary"
import * as FakeFault from "../FakeFault.ts"
import type { Knobs } from "../FakeState.ts"
import type { Action, Actions, Happening, Step } from "../Scenario.ts"
import { type Subject, subjects } from "../ScenarioSeen.ts"
import * as Draw from "./draw.ts"

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

const waitTimes = ["second", "moment", "timeout", "lease", "minutes", "untilDue", "lifetime"] as const

const anyOf = <B>(all: ReadonlyArray<B>, otherwise: B) =>
  Arbitrary.map(Draw.int(0, Math.max(0, all.length - 1)), (index) => all[index] ?? otherwise)

// What goes wrong goes wrong between things that are done for the same user.
const subject = Draw.choose<Subject>([Arbitrary.Constant(subjects[0]), Draw.oneOf(subjects)])

const forSubject = <const Tag extends string>(_tag: Tag) => Arbitrary.map(subject, (subject) => ({ _tag, subject }))

const alone = <const Tag extends string>(_tag: Tag) => Arbitrary.Constant({ _tag })

const arm: Arbitrary.Arbitrary<Happening> = Arbitrary.map(
  Arbitrary.all({ fault: anyOf(faults, { _tag: "ResponseLost" }), match: anyOf(matches, {}) }),
  (rule) => ({ _tag: "Arm", rule })
)

const happening: Arbitrary.Arbitrary<Happening> = Draw.choose<Happening>([
  alone("Restart"),
  alone("Crash"),
  forSubject("EndAccessToken"),
  forSubject("Revoke"),
  alone("RegenerateSecret"),
  Arbitrary.map(anyOf(knobs, {}), (knobs) => ({ _tag: "SetKnobs", knobs }))
])

const actionOf = <A>(actions: Pick<Actions<never, A>, "schema"> | undefined): Arbitrary.Arbitrary<Action<A>> => {
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

const stepOf = <A>(actions: Pick<Actions<never, A>, "schema"> | undefined): Arbitrary.Arbitrary<Step<A>> => {
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

export const make = <A>(
  actions: Pick<Actions<never, A>, "schema"> | undefined,
  longest: number
): Arbitrary.Arbitrary<ReadonlyArray<Step<A>>> =>
  Arbitrary.map(
    // What comes first is shrunk first, and then no more: who has to be connected is seen in the end.
    Arbitrary.all([Arbitrary.array(stepOf(actions), { maxLength: longest }), opening]),
    ([steps, opening]) => [...opening, ...steps]
  )
