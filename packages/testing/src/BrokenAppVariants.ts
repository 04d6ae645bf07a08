/**
 * The checker of the app's token, checked: clients that break one rule each, as people write them. The explorer has to
 * find what is wrong with every one of them, and call it by the rule's name.
 *
 * @since 0.1.0
 */
import * as AppCredential from "@zapier-workflow-auth/core/machine/AppCredential"
import type { Client } from "./AppModel.ts"
import { library } from "./AppModel.ts"
import type * as BrokenVariants from "./BrokenVariants.ts"

/**
 * A client that breaks one rule of the app's token: see `BrokenVariants` for what it is made of.
 *
 * @since 0.1.0
 */
export interface BrokenVariant extends Omit<BrokenVariants.BrokenVariant, "client"> {
  readonly client: Client
}

type State = AppCredential.State

type Event = AppCredential.Event

const leaseDuration = 30_000

// The library's machine, which is shown another state or event than there is.
const deceived = (deceive: (state: State, event: Event, now: number) => readonly [State, Event]): Client => ({
  ...library,
  machine: {
    ...library.machine,
    step: (state, event, now) => {
      const [shownState, shownEvent] = deceive(state, event, now)
      return library.machine.step(shownState, shownEvent, now)
    }
  }
})

const isDemand = ({ _tag }: Event) => _tag === "AccessTokenRequested" || _tag === "AccessTokenRejected"

// Takes such an event for one about whatever is there now.
const ofAnyGeneration = (tag: Event["_tag"]): Client =>
  deceived((state, event) => [
    state,
    state._tag !== "Absent" && event._tag === tag && "generation" in event
      ? { ...event, generation: state.generation }
      : event
  ])

/** Whether the lease was given out after the request for these tokens began. */
const hasPassedOn = (state: State, event: Extract<Event, { readonly _tag: "TokenGranted" }>) =>
  state._tag === "Requesting" && state.lease.deadline - leaseDuration > event.tokens.obtainedAt

/**
 * Clients of the app credential that each break one rule, in the order of the rules.
 *
 * @since 0.1.0
 */
export const all: ReadonlyArray<BrokenVariant> = [
  {
    name: "no lease: whoever finds a request under way sends another",
    breaks: "R1 one refresher",
    workers: 2,
    faults: 0,
    client: deceived((state, event, now) =>
      state._tag === "Requesting" && isDemand(event)
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
      machine: AppCredential.machine({ leaseDuration: 10_000, expiryMargin: library.expiryMargin })
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
    name: "a new token is dropped when the lease has passed to another",
    breaks: "R3 success always wins",
    workers: 2,
    faults: 2,
    client: deceived((state, event) =>
      event._tag === "TokenGranted" && hasPassedOn(state, event)
        ? [state, { ...event, generation: -1 }]
        : [state, event]
    )
  },
  {
    name: "a new token is dropped when the lease was given back",
    breaks: "R3 success always wins",
    workers: 2,
    faults: 2,
    client: deceived((state, event) =>
      event._tag === "TokenGranted" && state._tag === "Active" ? [state, { ...event, generation: -1 }] : [state, event]
    )
  },
  {
    name: "an older answer replaces a newer token",
    breaks: "R4 never overwrite newer",
    workers: 2,
    faults: 1,
    client: ofAnyGeneration("TokenGranted")
  },
  {
    name: "every 401 asks for a token, also that to an older one",
    breaks: "R7 401 means look again",
    workers: 2,
    faults: 0,
    client: ofAnyGeneration("AccessTokenRejected")
  },
  {
    name: "each use asks for a token",
    breaks: "R8 refresh when used",
    workers: 1,
    faults: 0,
    client: deceived((state, event, now) =>
      state._tag === "Active" && event._tag === "AccessTokenRequested"
        ? [{ ...state, access: { ...state.access, expiresAt: now } }, event]
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
    name: "a rejected token is handed out again",
    breaks: "Everybody is answered",
    workers: 1,
    faults: 0,
    client: deceived((state, event) =>
      event._tag === "AccessTokenRejected"
        ? [state, { _tag: "AccessTokenRequested", owner: event.owner }]
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
