/**
 * Checks the checker: clients with one typical mistake each. The explorer has to find the violation of every one, under
 * the name of its rule.
 *
 * @since 0.1.0
 */
import * as DriverState from "@zapier-workflow-auth/core/machine/DriverState"
import * as Struct from "effect/Struct"
import type { Rule } from "../Invariants.ts"
import * as Model from "./Model.ts"
import {
  apps,
  asCurrent,
  changed,
  drivers,
  ended,
  endsGrant,
  forgetsCallers,
  givesUpEarly,
  grants,
  isDemand,
  listensFor,
  renewsForOld401s,
  sendsFirst,
  shown
} from "./internal/mutations.ts"

/**
 * A client that breaks a rule.
 *
 * - `callers`, `faults`, `kinds`: the size of the world that shows it
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

/** Mutants by the rule that they break: a name, the size of the world, and the changed parts. */
type Table = { readonly [rule in Rule]?: { readonly [name: string]: readonly [Size, Model.Parts] } }

// For both kinds of token.
const both: Table = {
  "R1 one refresher": {
    "the request leaves before the claim is stored": [one, sendsFirst],
    "writes ignore the expected version": [two, { comparesVersions: () => false }]
  },
  "R2 patience": {
    "the lease ends before the wait for the response": [one, listensFor(80_000)],
    "a process sends a request after it was paused past its lease": [after(one, "pause"), listensFor(60_000)],
    "a request that outlasts its callers is abandoned and sent again": [after(two, "loss"), givesUpEarly]
  },
  "R3 success always wins": {
    "an overdue timer drops a response that has arrived": [
      after(one, "pause"),
      drivers(
        (state, input, { elapsed }) =>
          input._tag === "Woken" &&
          DriverState.nextDeadline(state) <= elapsed && { state: { ...state, grace: state.grace ?? elapsed } }
      )
    ]
  },
  "R7 401 means look again": {
    "every 401 refreshes, even one for an older token": [two, renewsForOld401s]
  },
  "R8 refresh when used": {
    "a token's lifetime counts from the response": [after(one, "loss"), { countsFromStart: false }]
  },
  "R10 no dead token": {
    "a rejected token is handed out again from memory": [
      one,
      drivers((_, input) => input._tag === "Asked" && { input: { _tag: "Asked", caller: input.caller } })
    ]
  },
  "R12 a fresh token is believed": {
    "every 401 refreshes, however fresh the token is": [
      after(couple, "rejection"),
      drivers((_, input) => {
        if (input._tag !== "Asked" || input.unusable === undefined) return false
        const { replacedAt: _at, ...unusable } = input.unusable
        return { input: { ...input, unusable } }
      })
    ]
  },
  "Leases are released": {
    // Treats a write with an unknown outcome as not done.
    "a claim with an unknown outcome is kept": [
      after(one, "store"),
      drivers((state, input) => {
        const { store } = state
        if (input._tag !== "StoreFailed" || store._tag !== "Saving") return false
        return { state: { ...state, store: { ...store, next: { ...store.next, commands: [] } } } }
      })
    ]
  },
  "Every caller gets a result": {
    "waiting callers are never woken": [
      two,
      changed((next) => ({ ...next, pollAt: next.pollAt === undefined ? undefined : Infinity }))
    ],
    "callers get no result when the process closes": [after(one, "close"), forgetsCallers("Closing")],
    "callers get no result when another is interrupted": [after(couple, "leave"), forgetsCallers("Left")],
    "callers wait as long as the server is silent": [after(one, "loss"), { settings: { requestTimeout: 50_000 } }]
  },
  "Drivers follow their table": {
    "a driver ignores its deadline": [
      after(one, "loss"),
      {
        step: (step) => (state, input, now) =>
          input._tag === "Woken" ? { state, outputs: [] } : step(state, input, now)
      }
    ]
  }
}

const ofUser: Table = {
  "R1 one refresher": {
    "no lease: a caller that finds a refresh under way sends another": [
      two,
      grants((state, event, now) => state._tag === "Refreshing" && isDemand(event) && { state: ended(state, now) })
    ]
  },
  "R3 success always wins": {
    "new tokens are dropped when another process has the lease": [
      after(two, "pause"),
      grants(
        (state, event) =>
          event._tag === "RefreshSucceeded" &&
          (state._tag !== "Refreshing" || state.lease.owner !== event.owner) && { input: { ...event, generation: 0 } }
      )
    ],
    "new tokens do not revive a grant that was given up": [
      after(two, "pause"),
      grants(
        (state, event) =>
          state._tag === "ReconnectRequired" &&
          event._tag === "RefreshSucceeded" && { input: { ...event, generation: 0 } }
      )
    ],
    "a response that could not be stored is not stored again": [
      after(one, "store"),
      drivers((state, input) => {
        const { store } = state
        if (input._tag !== "StoreFailed" || store._tag !== "Saving" || store.task._tag !== "Delivery") return false
        return { state: { ...state, store: { ...store, task: { ...store.task, isRetried: false } } } }
      })
    ],
    "tokens of a consent are dropped when its attempt was given up": [
      after(one, "store"),
      {
        attempts: shown(
          (state, event) =>
            state._tag === "Failed" &&
            event._tag === "TokensGranted" && { input: { _tag: "ExchangeFailed", why: "NotExchanged" } }
        )
      }
    ],
    "tokens of a consent are dropped while the process closes": [
      after(one, "close"),
      drivers(
        (state, input) =>
          input._tag === "Brought" && state.closingSince !== undefined && { input: { ...input, isRetried: false } }
      )
    ]
  },
  "R4 never overwrite newer": {
    "new tokens are stored regardless of the generation": [
      after(two, "consent"),
      grants((state, event) => event._tag === "RefreshSucceeded" && { input: asCurrent(state, event) })
    ],
    "a removal expects no version": [after(two, "disconnect"), { comparesVersions: ({ _tag }) => _tag !== "Absent" }]
  },
  "R5 unknown is not failed": {
    "a lost response counts as a rejection": [
      after(one, "loss"),
      grants((_, event) => event._tag === "RefreshOutcomeUnknown" && { input: { ...event, _tag: "RefreshRefused" } })
    ],
    "invalid_grant is believed although the store has newer tokens": [
      after(two, "pause"),
      grants((state, event) => {
        if (event._tag !== "RefreshRefused" || state._tag !== "Active") return false
        const { refreshToken } = state.tokens
        if (refreshToken === undefined) return false
        const tokens = { ...state.tokens, refreshToken }
        const lease = { owner: event.owner, deadline: 0 }
        return { state: { ...state, _tag: "Refreshing", tokens, lease, attempt: 1 }, input: asCurrent(state, event) }
      })
    ],
    "a grant that was given up is refreshed again": [
      after(two, "revocation"),
      grants((state, event) => {
        if (state._tag !== "ReconnectRequired" || !isDemand(event)) return false
        const { family, generation, tokens } = state
        return { state: { _tag: "Active", family, generation, tokens, responseLost: false } }
      })
    ],
    "a lost response is reported as a revocation": [
      after(one, "loss"),
      grants(
        (state, event) =>
          state._tag === "Refreshing" && event._tag === "RefreshRefused" && { state: { ...state, responseLost: false } }
      )
    ]
  },
  "R6 the right thing is blamed": {
    "invalid_client ends the grant": [after(one, "refusal"), endsGrant("InvalidClient")],
    "a rate limit ends the grant": [after(one, "refusal"), endsGrant("RateLimited")]
  },
  "R8 refresh when used": {
    "each use refreshes the token": [
      two,
      grants(
        (state, event, now) =>
          state._tag === "Active" &&
          event._tag === "AccessTokenRequested" && {
            state: { ...state, tokens: { ...state.tokens, expiresAt: now } }
          }
      )
    ]
  },
  "R9 a code is exchanged once": {
    "a repeated callback exchanges its code again": [
      two,
      {
        attempts: shown((state, event) => {
          if (state._tag !== "Exchanging" || event._tag !== "CodeReceived") return false
          const { receivedAt: _, ...attempt } = state
          return { state: { ...attempt, _tag: "Pending" } }
        })
      }
    ],
    "a code is sent after its two minutes": [after(one, "pause"), listensFor(60_000)]
  },
  "R10 no dead token": {
    "a pause that the server requested is ignored": [
      after(two, "refusal"),
      grants((state, event) => {
        if (state._tag !== "Active" || !isDemand(event)) return false
        const { pause: _, ...others } = state
        return { state: others }
      })
    ],
    "a grant is forgotten only after its removal succeeded": [
      after(couple, "disconnect", "store"),
      changed((next, { memory }, input) => (input._tag === "Brought" && input.isRemoval ? { ...next, memory } : next))
    ]
  },
  "A disconnect is final": {
    "a late response restores a disconnected grant": [
      after(two, "disconnect"),
      grants(
        (state, event) =>
          state._tag === "Absent" &&
          event._tag === "RefreshSucceeded" && {
            input: { _tag: "ConsentGranted", family: event.family, tokens: event.tokens }
          }
      )
    ]
  }
}

const ofApp: Table = {
  "R1 one refresher": {
    "no lease: a caller that finds a request under way sends another": [
      two,
      apps((state, event, now) => state._tag === "Requesting" && isDemand(event) && { state: ended(state, now) })
    ]
  },
  "R4 never overwrite newer": {
    "an older response replaces a newer token": [
      after(two, "pause"),
      apps(
        (state, event) =>
          state._tag !== "Absent" &&
          event._tag === "TokenGranted" && { input: { ...event, generation: state.generation } }
      )
    ]
  },
  "R8 refresh when used": {
    "each use requests a token": [
      two,
      apps(
        (state, event, now) =>
          state._tag === "Active" &&
          event._tag === "AccessTokenRequested" && {
            state: { ...state, access: { ...state.access, expiresAt: now } }
          }
      )
    ]
  }
}

const mutants = (mode: Model.Mode, table: Table): ReadonlyArray<Mutant> =>
  Struct.keys(table).flatMap((breaks) =>
    Object.entries(table[breaks] ?? {}).map(([name, [size, parts]]) => ({
      ...size,
      name: mode === "user" ? name : `for the app, ${name}`,
      breaks,
      client: Model.library(mode, parts)
    }))
  )

/**
 * All mutants, those of a user's grant first.
 *
 * @since 0.1.0
 */
export const all: ReadonlyArray<Mutant> = [
  ...mutants("user", ofUser),
  ...mutants("user", both),
  ...mutants("app", ofApp),
  ...mutants("app", both)
]
