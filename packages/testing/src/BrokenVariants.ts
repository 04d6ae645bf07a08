/**
 * The checker, checked: clients that break one rule each, as people write them. The explorer has to find what is wrong
 * with every one of them, and call it by the rule's name.
 *
 * @since 0.1.0
 */
import type * as ConsentAttempt from "@zapier-workflow-auth/core/machine/ConsentAttempt"
import * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import type { Client } from "./GrantModel.ts"
import { library } from "./GrantModel.ts"
import type { Rule } from "./Invariants.ts"

/**
 * A client that breaks a rule.
 *
 * - `workers`, `faults`: how large a world is needed for it
 *
 * @since 0.1.0
 */
export interface BrokenVariant {
  readonly name: string
  /** The rule whose violation has to be found. */
  readonly breaks: Rule
  readonly client: Client
  readonly workers: number
  readonly faults: number
}

type Held = Exclude<UserGrant.State, { readonly _tag: "Absent" }>

type Situation = readonly [state: UserGrant.State, event: UserGrant.Event]

// The library's machine, which is shown another state or event than there is.
const deceived = (
  deceive: (state: UserGrant.State, event: UserGrant.Event, now: number) => Situation,
  machine: Client["grants"] = library.grants
): Client => ({
  ...library,
  grants: {
    ...machine,
    step: (state, event, now) => {
      const [shownState, shownEvent] = deceive(state, event, now)
      return machine.step(shownState, shownEvent, now)
    }
  }
})

const isDemand = ({ _tag }: UserGrant.Event) => _tag === "AccessTokenRequested" || _tag === "AccessTokenRejected"

/** The event, as if it had been caused by the generation that is there now. */
const asCurrent = (state: Held, event: UserGrant.Event): UserGrant.Event =>
  "generation" in event ? { ...event, generation: state.generation, family: state.family } : event

// Takes such an event for one about whatever is there now.
const ofAnyGeneration = (tag: UserGrant.Event["_tag"]): Client =>
  deceived((state, event) => [state, state._tag !== "Absent" && event._tag === tag ? asCurrent(state, event) : event])

const attempts = (
  deceive: (state: ConsentAttempt.State, event: ConsentAttempt.Event) => ConsentAttempt.State
): Client["attempts"] => ({
  ...library.attempts,
  step: (state, event, now) => library.attempts.step(deceive(state, event), event, now)
})

const eventOfOutcome =
  (
    change: (event: UserGrant.Event, outcome: Parameters<Client["eventOfOutcome"]>[0]) => UserGrant.Event
  ): Client["eventOfOutcome"] =>
  (outcome, presented, now) =>
    change(UserGrant.eventOfOutcome(outcome, presented, now), outcome)

const refused = (event: UserGrant.Event): UserGrant.Event =>
  "owner" in event && "generation" in event
    ? { _tag: "RefreshRefused", family: event.family, generation: event.generation, owner: event.owner }
    : event

/**
 * Clients of the user grant that each break one rule, in the order of the rules.
 *
 * @since 0.1.0
 */
export const all: ReadonlyArray<BrokenVariant> = [
  {
    name: "no lease: whoever finds a refresh under way sends another",
    breaks: "R1 one refresher",
    workers: 2,
    faults: 0,
    client: deceived((state, event, now) =>
      state._tag === "Refreshing" && isDemand(event)
        ? [{ ...state, lease: { ...state.lease, deadline: Math.min(state.lease.deadline, now) } }, event]
        : [state, event]
    )
  },
  {
    name: "the request leaves before the claim is stored",
    breaks: "R1 one refresher",
    workers: 1,
    faults: 0,
    client: { ...library, claimsFirst: false }
  },
  {
    name: "the last write wins, whatever it was based on",
    breaks: "R1 one refresher",
    workers: 2,
    faults: 0,
    client: { ...library, comparesVersions: false }
  },
  {
    name: "the lease is shorter than the request",
    breaks: "R2 the lease outlives the request",
    workers: 1,
    faults: 0,
    client: {
      ...library,
      heedsDeadlines: false,
      grants: UserGrant.machine({ leaseDuration: 10_000, expiryMargin: library.expiryMargin })
    }
  },
  {
    name: "a request is sent although the process has slept through its lease",
    breaks: "R2 the lease outlives the request",
    workers: 1,
    faults: 1,
    client: { ...library, heedsDeadlines: false }
  },
  {
    name: "new tokens are dropped when the lease has passed to another",
    breaks: "R3 success always wins",
    workers: 2,
    faults: 1,
    client: deceived((state, event) => {
      const isLate =
        event._tag === "RefreshSucceeded" && (state._tag !== "Refreshing" || state.lease.owner !== event.owner)
      return [state, isLate ? { ...event, generation: 0 } : event]
    })
  },
  {
    name: "new tokens do not bring back a grant that was given up",
    breaks: "R3 success always wins",
    workers: 2,
    faults: 1,
    client: deceived((state, event) =>
      state._tag === "ReconnectRequired" && event._tag === "RefreshSucceeded"
        ? [state, { ...event, generation: 0 }]
        : [state, event]
    )
  },
  {
    name: "new tokens are stored without a look at the generation",
    breaks: "R4 never overwrite newer",
    workers: 2,
    faults: 1,
    client: ofAnyGeneration("RefreshSucceeded")
  },
  {
    name: "an answer that was lost is taken for a refusal",
    breaks: "R5 unknown is not failed",
    workers: 1,
    faults: 1,
    client: deceived((state, event) =>
      event._tag === "RefreshOutcomeUnknown" ? [state, { ...event, _tag: "RefreshRefused" }] : [state, event]
    )
  },
  {
    name: "invalid_grant is believed at once, whatever the store says meanwhile",
    breaks: "R5 unknown is not failed",
    workers: 2,
    faults: 1,
    client: ofAnyGeneration("RefreshRefused")
  },
  {
    name: "a grant that was given up is tried again",
    breaks: "R5 unknown is not failed",
    workers: 2,
    faults: 1,
    client: deceived((state, event) => {
      if (state._tag !== "ReconnectRequired" || !isDemand(event)) return [state, event]
      const { generation, family, tokens } = state
      return [{ _tag: "Active", generation, family, tokens, responseLost: false, notBefore: 0 }, event]
    })
  },
  {
    name: "the user is blamed for an answer that was lost",
    breaks: "R5 unknown is not failed",
    workers: 1,
    faults: 1,
    client: deceived((state, event) =>
      state._tag === "Refreshing" && event._tag === "RefreshRefused"
        ? [{ ...state, responseLost: false }, event]
        : [state, event]
    )
  },
  {
    name: "invalid_client ends the grant",
    breaks: "R6 the right thing is blamed",
    workers: 1,
    faults: 1,
    client: {
      ...library,
      eventOfOutcome: eventOfOutcome((event, outcome) => (outcome._tag === "InvalidClient" ? refused(event) : event))
    }
  },
  {
    name: "a rate limit ends the grant",
    breaks: "R6 the right thing is blamed",
    workers: 1,
    faults: 1,
    client: {
      ...library,
      eventOfOutcome: eventOfOutcome((event, outcome) => (outcome._tag === "RateLimited" ? refused(event) : event))
    }
  },
  {
    name: "every 401 leads to a refresh, also that to an older token",
    breaks: "R7 401 means look again",
    workers: 2,
    faults: 0,
    client: ofAnyGeneration("AccessTokenRejected")
  },
  {
    name: "each use renews the token",
    breaks: "R8 refresh when used",
    workers: 1,
    faults: 0,
    client: deceived((state, event, now) =>
      state._tag === "Active" && event._tag === "AccessTokenRequested"
        ? [{ ...state, tokens: { ...state.tokens, expiresAt: now } }, event]
        : [state, event]
    )
  },
  {
    name: "a token's time counts from the answer",
    breaks: "R8 refresh when used",
    workers: 1,
    faults: 1,
    client: { ...library, countsFromStart: false }
  },
  {
    name: "a callback that comes twice is exchanged twice",
    breaks: "R9 a code is exchanged once",
    workers: 2,
    faults: 0,
    client: {
      ...library,
      attempts: attempts((state, event) => {
        if (state._tag !== "Exchanging" || event._tag !== "CodeReceived") return state
        const { expiresAt, redirectUri, scopes, startedAt, stateDigest, subject } = state
        return { _tag: "Pending", expiresAt, redirectUri, scopes, startedAt, stateDigest, subject }
      })
    }
  },
  {
    name: "a code is sent although its two minutes are over",
    breaks: "R9 a code is exchanged once",
    workers: 1,
    faults: 1,
    client: { ...library, heedsDeadlines: false }
  },
  {
    name: "an answer that comes late brings a disconnected grant back",
    breaks: "Disconnect holds",
    workers: 1,
    faults: 1,
    client: deceived((state, event) =>
      state._tag === "Absent" && event._tag === "RefreshSucceeded"
        ? [state, { _tag: "ConsentGranted", family: event.family, tokens: event.tokens }]
        : [state, event]
    )
  },
  {
    name: "whoever waits is woken by the process that it waits for, and by nothing else",
    breaks: "Everybody is answered",
    workers: 2,
    faults: 1,
    client: { ...library, looksAgain: false }
  }
]
