/**
 * The checker, checked: clients that break one rule each, as people write them. The explorer has to find what is wrong
 * with every one of them, and call it by the rule's name.
 *
 * @since 0.1.0
 */
import * as AppCredential from "@zapier-workflow-auth/core/machine/AppCredential"
import type * as ConsentAttempt from "@zapier-workflow-auth/core/machine/ConsentAttempt"
import * as DriverState from "@zapier-workflow-auth/core/machine/DriverState"
import type * as Lease from "@zapier-workflow-auth/core/machine/Lease"
import type * as Machine from "@zapier-workflow-auth/core/machine/Machine"
import type * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import type { Rule } from "../Invariants.ts"
import * as Model from "./Model.ts"

/**
 * A client that breaks a rule.
 *
 * - `callers`, `faults`, `kinds`: how large a world is needed for it
 *
 * @since 0.1.0
 */
export interface Mutant {
  readonly name: string
  /** The rule whose violation has to be found. */
  readonly breaks: Rule
  readonly client: Model.Client
  readonly callers: ReadonlyArray<number>
  readonly faults: number
  readonly kinds: ReadonlyArray<Model.FaultKind>
}

type Size = Pick<Mutant, "callers" | "faults" | "kinds">

const one = { callers: [1], faults: 0, kinds: [] } satisfies Size
const two = { callers: [1, 1], faults: 0, kinds: [] } satisfies Size
const couple = { callers: [2], faults: 0, kinds: [] } satisfies Size

const after = (size: Size, ...kinds: ReadonlyArray<Model.FaultKind>): Size => ({
  ...size,
  faults: kinds.length,
  kinds
})

// -----------------------------------------------------------------------------
// Machines that are shown another state or event than there is
// -----------------------------------------------------------------------------

type AnyMachine<S extends Machine.Tagged, E extends Machine.Tagged, C extends Machine.Tagged> = Machine.Machine<S, E, C>

const shown =
  <S extends Machine.Tagged, E extends Machine.Tagged>(deceive: (state: S, event: E, now: number) => readonly [S, E]) =>
  <C extends Machine.Tagged>(machine: AnyMachine<S, E, C>): AnyMachine<S, E, C> => ({
    ...machine,
    step: (state, event, now) => {
      const next = machine.step(...deceive(state, event, now), now)
      return next
    }
  })

type Grants = (
  state: UserGrant.State,
  event: UserGrant.Event,
  now: number
) => readonly [UserGrant.State, UserGrant.Event]

const grants = (deceive: Grants): Model.Parts => ({
  grants: (driven) => ({ ...driven, machine: shown(deceive)(driven.machine) })
})

type Apps = (
  state: AppCredential.State,
  event: AppCredential.Event,
  now: number
) => readonly [AppCredential.State, AppCredential.Event]

const apps = (deceive: Apps): Model.Parts => ({
  apps: (driven) => ({ ...driven, machine: shown(deceive)(driven.machine) })
})

const isDemand = ({ _tag }: Machine.Tagged) => _tag === "AccessTokenRequested" || _tag === "AccessTokenRejected"

// A lease that is not believed.
const ended = <S extends { readonly lease: Lease.Lease }>(state: S, now: number): S => ({
  ...state,
  lease: { ...state.lease, deadline: Math.min(state.lease.deadline, now) }
})

// The event, as if it had been caused by the generation that is there now, and by the owner of the lease.
const asCurrent = (state: UserGrant.State, event: UserGrant.Event): UserGrant.Event => {
  if (state._tag === "Absent" || !("generation" in event)) return event
  const { family, generation } = state
  return { ...event, family, generation, owner: state._tag === "Refreshing" ? state.lease.owner : event.owner }
}

// -----------------------------------------------------------------------------
// Drivers that do something else
// -----------------------------------------------------------------------------

type Step = Model.AnyDriver["step"]
type State = Parameters<Step>[0]
type Input = Parameters<Step>[1]

// A driver that is shown another state or input than there is.
const misled = (
  mislead: (state: State, input: Input, now: DriverState.Now) => readonly [State, Input]
): Model.Parts => ({
  step: (step) => (state, input, now) => step(...mislead(state, input, now), now)
})

// A driver whose next state is another.
const changed = (change: (next: State, before: State, input: Input) => State): Model.Parts => ({
  step: (step) => (state, input, now) => {
    const next = step(state, input, now)
    return { ...next, state: change(next.state, state, input) }
  }
})

const sendsFirst: Model.Parts = {
  step: (step) => (state, input, now) => {
    const next = step(state, input, now)
    const { store } = next.state
    if (input._tag !== "Loaded" || store._tag !== "Saving" || store.task._tag !== "Demand") return next
    const saved = step(next.state, { _tag: "Saved", id: store.id }, now)
    return { state: saved.state, outputs: [...saved.outputs, ...next.outputs] }
  }
}

const neverWoken = changed((next) => ({ ...next, pollAt: next.pollAt === undefined ? undefined : Infinity }))

const forgetsOnClosing = changed((next, _, input) => (input._tag === "Closing" ? { ...next, callers: [] } : next))

const forgetsOthers = changed((next, _, input) => (input._tag === "Left" ? { ...next, callers: [] } : next))

const hasNoGrace = misled((state, input, { elapsed }) => [
  input._tag === "Woken" && DriverState.nextDeadline(state) <= elapsed
    ? { ...state, grace: state.grace ?? elapsed }
    : state,
  input
])

const ignoresTimers: Model.Parts = {
  step: (step) => (state, input, now) => (input._tag === "Woken" ? { state, outputs: [] } : step(state, input, now))
}

// A write whose outcome is unknown is taken for one that was not done.
const keepsClaims = misled((state, input) => {
  const { store } = state
  const isLost = input._tag === "StoreFailed" && store._tag === "Saving"
  return [isLost ? { ...state, store: { ...store, next: { ...store.next, commands: [] } } } : state, input]
})

const savesOnce = misled((state, input) => {
  const { store } = state
  const isOnce = input._tag === "StoreFailed" && store._tag === "Saving" && store.task._tag === "Delivery"
  if (!isOnce || store.task._tag !== "Delivery") return [state, input]
  return [{ ...state, store: { ...store, task: { ...store.task, isRetried: false } } }, input]
})

const handsOutAgain = misled((state, input) => [
  state,
  input._tag === "Asked" ? { _tag: "Asked", caller: input.caller } : input
])

const believesEach401 = misled((state, input) => {
  if (input._tag !== "Asked" || input.unusable === undefined) return [state, input]
  const { replacedAt: _, ...unusable } = input.unusable
  return [state, { ...input, unusable }]
})

const forgetsAfterSuccess = changed((next, { memory }, input) =>
  input._tag === "Brought" && input.isRemoval ? { ...next, memory } : next
)

// A request that takes longer than its callers wait is given up, and still open.
const givesUpEarly: Model.Parts = {
  step: (step) => (state, input, now) => {
    const { callers, request } = state
    const isLate = input._tag === "Woken" && callers.some(({ until }) => until <= now.elapsed)
    if (!isLate || request === undefined) return step(state, input, now)
    const given = step(state, { _tag: "Responded", id: request.id, outcome: { _tag: "NoResponse" } }, now)
    const next = step(given.state, input, now)
    return { state: next.state, outputs: [...given.outputs, ...next.outputs] }
  }
}

// How long it listens does not depend on the lease.
const listensFor = (milliseconds: number): Model.Parts => {
  const prolonged =
    <C, R>(order: (command: C, now: number) => DriverState.Order<R>) =>
    (command: C, now: number): DriverState.Order<R> => {
      const given = order(command, now)
      return given._tag === "Send" && given.deadline !== Infinity
        ? { ...given, deadline: now + milliseconds, completes: true }
        : given
    }
  return {
    grants: (driven) => ({ ...driven, order: prolonged(driven.order) }),
    apps: (driven) => ({ ...driven, order: prolonged(driven.order) }),
    attempts: (driven) => ({ ...driven, order: prolonged(driven.order) })
  }
}

const endsGrant = (tag: "InvalidClient" | "RateLimited"): Model.Parts => ({
  grants: (driven) => ({
    ...driven,
    conclude: (about, outcome, isAwaited) =>
      driven.conclude(about, outcome._tag === tag ? { _tag: "InvalidGrant" } : outcome, isAwaited)
  })
})

// Which generation a 401 is about is not looked at.
const nameless = <R>(order: DriverState.Order<R>): DriverState.Order<R> =>
  order._tag === "Use" ? { ...order, access: { ...order.access, generation: 0 } } : order

const renewsForOld401s: Model.Parts = {
  grants: (driven) => ({
    ...driven,
    idOf: (state) => (state._tag === "Absent" ? undefined : { family: state.family, generation: 0 }),
    order: (command, now) => nameless(driven.order(command, now)),
    machine: shown<UserGrant.State, UserGrant.Event>((state, event) => [
      state,
      event._tag === "AccessTokenRejected" ? asCurrent(state, event) : event
    ])(driven.machine)
  }),
  apps: (driven) => ({
    ...driven,
    idOf: () => ({ family: AppCredential.family, generation: 0 }),
    order: (command, now) => nameless(driven.order(command, now)),
    machine: shown<AppCredential.State, AppCredential.Event>((state, event) => [
      state,
      event._tag === "AccessTokenRejected" && state._tag !== "Absent"
        ? { ...event, generation: state.generation }
        : event
    ])(driven.machine)
  })
}

// -----------------------------------------------------------------------------
// All of them
// -----------------------------------------------------------------------------

/** Which rule, how, in how large a world, and by what. */
type Definition = readonly [breaks: Rule, name: string, size: Size, parts: Model.Parts]

const pending = ({
  expiresAt,
  redirectUri,
  scopes,
  startedAt,
  stateDigest,
  subject
}: Extract<ConsentAttempt.State, { readonly _tag: "Exchanging" }>): ConsentAttempt.State => ({
  _tag: "Pending",
  expiresAt,
  redirectUri,
  scopes,
  startedAt,
  stateDigest,
  subject
})

// Whatever the tokens are.
const both: ReadonlyArray<Definition> = [
  ["R1 one refresher", "the request leaves before the claim is stored", one, sendsFirst],
  ["R1 one refresher", "the last write wins, whatever it was based on", two, { comparesVersions: () => false }],
  ["R2 patience", "the lease ends before the listening does", one, listensFor(80_000)],
  [
    "R2 patience",
    "a request is sent although the process has slept through its lease",
    after(one, "pause"),
    listensFor(60_000)
  ],
  [
    "R2 patience",
    "a request that takes longer than its callers wait is given up, and sent again",
    after(two, "loss"),
    givesUpEarly
  ],
  ["R3 success always wins", "a timer that is late drops a response that is there", after(one, "pause"), hasNoGrace],
  ["R7 401 means look again", "every 401 renews the token, also that to an older one", two, renewsForOld401s],
  ["R8 refresh when used", "a token's time counts from the response", after(one, "loss"), { countsFromStart: false }],
  ["R10 no dead token", "a rejected token is handed out again from memory", one, handsOutAgain],
  [
    "R12 a fresh token is believed",
    "every 401 renews the token, however fresh it is",
    after(couple, "rejection"),
    believesEach401
  ],
  [
    "Claims are given back",
    "a claim is kept when nobody knows whether it was stored",
    after(one, "store"),
    keepsClaims
  ],
  ["Everybody is answered", "whoever waits is woken by nothing", two, neverWoken],
  [
    "Everybody is answered",
    "whoever waits when the process is closed is not answered",
    after(one, "close"),
    forgetsOnClosing
  ],
  [
    "Everybody is answered",
    "whoever waits beside one who is interrupted is not answered",
    after(couple, "leave"),
    forgetsOthers
  ],
  [
    "Everybody is answered",
    "callers wait for as long as the server is silent",
    after(one, "loss"),
    { settings: { requestTimeout: 50_000 } }
  ],
  ["The table holds", "a driver that is woken does nothing", after(one, "loss"), ignoresTimers]
]

const ofUser: ReadonlyArray<Definition> = [
  [
    "R1 one refresher",
    "no lease: whoever finds a refresh under way sends another",
    two,
    grants((state, event, now) => [state._tag === "Refreshing" && isDemand(event) ? ended(state, now) : state, event])
  ],
  [
    "R3 success always wins",
    "new tokens are dropped when the lease has passed to another",
    after(two, "pause"),
    grants((state, event) => {
      const isLate =
        event._tag === "RefreshSucceeded" && (state._tag !== "Refreshing" || state.lease.owner !== event.owner)
      return [state, isLate ? { ...event, generation: 0 } : event]
    })
  ],
  [
    "R3 success always wins",
    "new tokens do not bring back a grant that was given up",
    after(two, "pause"),
    grants((state, event) => [
      state,
      state._tag === "ReconnectRequired" && event._tag === "RefreshSucceeded" ? { ...event, generation: 0 } : event
    ])
  ],
  ["R3 success always wins", "a response that could not be stored is not stored again", after(one, "store"), savesOnce],
  [
    "R4 never overwrite newer",
    "new tokens are stored without a look at the generation",
    after(two, "consent"),
    grants((state, event) => [state, event._tag === "RefreshSucceeded" ? asCurrent(state, event) : event])
  ],
  [
    "R4 never overwrite newer",
    "a removal expects no version",
    after(two, "disconnect"),
    { comparesVersions: ({ _tag }) => _tag !== "Absent" }
  ],
  [
    "R5 unknown is not failed",
    "a response that was lost is taken for a refusal",
    after(one, "loss"),
    grants((state, event) => [
      state,
      event._tag === "RefreshOutcomeUnknown" ? { ...event, _tag: "RefreshRefused" } : event
    ])
  ],
  [
    "R5 unknown is not failed",
    "invalid_grant is believed at once, whatever the store says meanwhile",
    after(two, "pause"),
    grants((state, event) => {
      if (event._tag !== "RefreshRefused" || state._tag !== "Active" || state.tokens.refreshToken === undefined) {
        return [state, event]
      }
      const tokens = { ...state.tokens, refreshToken: state.tokens.refreshToken }
      const lease = { owner: event.owner, deadline: 0 }
      return [{ ...state, _tag: "Refreshing", tokens, lease, attempt: 1 }, asCurrent(state, event)]
    })
  ],
  [
    "R5 unknown is not failed",
    "a grant that was given up is tried again",
    after(two, "revocation"),
    grants((state, event) => {
      if (state._tag !== "ReconnectRequired" || !isDemand(event)) return [state, event]
      const { family, generation, tokens } = state
      return [{ _tag: "Active", family, generation, tokens, responseLost: false }, event]
    })
  ],
  [
    "R5 unknown is not failed",
    "the user is blamed for a response that was lost",
    after(one, "loss"),
    grants((state, event) => [
      state._tag === "Refreshing" && event._tag === "RefreshRefused" ? { ...state, responseLost: false } : state,
      event
    ])
  ],
  ["R6 the right thing is blamed", "invalid_client ends the grant", after(one, "refusal"), endsGrant("InvalidClient")],
  ["R6 the right thing is blamed", "a rate limit ends the grant", after(one, "refusal"), endsGrant("RateLimited")],
  [
    "R8 refresh when used",
    "each use renews the token",
    two,
    grants((state, event, now) => [
      state._tag === "Active" && event._tag === "AccessTokenRequested"
        ? { ...state, tokens: { ...state.tokens, expiresAt: now } }
        : state,
      event
    ])
  ],
  [
    "R9 a code is exchanged once",
    "a callback that comes twice is exchanged twice",
    two,
    {
      attempts: (driven) => ({
        ...driven,
        machine: shown<ConsentAttempt.State, ConsentAttempt.Event>((state, event) => [
          state._tag === "Exchanging" && event._tag === "CodeReceived" ? pending(state) : state,
          event
        ])(driven.machine)
      })
    }
  ],
  [
    "R9 a code is exchanged once",
    "a code is sent although its two minutes are over",
    after(one, "pause"),
    listensFor(60_000)
  ],
  [
    "R10 no dead token",
    "nothing is known of a pause that the server asked for",
    after(two, "refusal"),
    grants((state, event) => {
      if (state._tag !== "Active" || !isDemand(event)) return [state, event]
      const { pause: _, ...others } = state
      return [others, event]
    })
  ],
  [
    "R10 no dead token",
    "a grant is forgotten only when its removal has succeeded",
    after(couple, "disconnect", "store"),
    forgetsAfterSuccess
  ],
  [
    "Disconnect holds",
    "a response that comes late brings a disconnected grant back",
    after(two, "disconnect"),
    grants((state, event) => [
      state,
      state._tag === "Absent" && event._tag === "RefreshSucceeded"
        ? { _tag: "ConsentGranted", family: event.family, tokens: event.tokens }
        : event
    ])
  ]
]

const ofApp: ReadonlyArray<Definition> = [
  [
    "R1 one refresher",
    "no lease: whoever finds a request under way sends another",
    two,
    apps((state, event, now) => [state._tag === "Requesting" && isDemand(event) ? ended(state, now) : state, event])
  ],
  [
    "R4 never overwrite newer",
    "an older response replaces a newer token",
    after(two, "pause"),
    apps((state, event) => [
      state,
      state._tag !== "Absent" && event._tag === "TokenGranted" ? { ...event, generation: state.generation } : event
    ])
  ],
  [
    "R8 refresh when used",
    "each use asks for a token",
    two,
    apps((state, event, now) => [
      state._tag === "Active" && event._tag === "AccessTokenRequested"
        ? { ...state, access: { ...state.access, expiresAt: now } }
        : state,
      event
    ])
  ]
]

const mutant =
  (mode: Model.Mode) =>
  ([breaks, name, size, parts]: Definition): Mutant => ({
    ...size,
    name: mode === "user" ? name : `for the app, ${name}`,
    breaks,
    client: Model.library(mode, parts)
  })

/**
 * The mutants, those of a user's grant first.
 *
 * @since 0.1.0
 */
export const all: ReadonlyArray<Mutant> = [
  ...[...ofUser, ...both].map(mutant("user")),
  ...[...ofApp, ...both].map(mutant("app"))
]
