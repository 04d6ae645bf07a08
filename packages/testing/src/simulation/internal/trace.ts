/** The events of a simulation, in their order. */
import type { TokenRequestFault, StoreFailure } from "../TokenRequestFault.ts"
import type { Issued } from "../../fake/FakeOutcome.ts"
import type * as Invariants from "../../Invariants.ts"
import type { Violation } from "../../Violation.ts"

/**
 * - `Began`: a process has started in a slot. `owner` is its name in leases.
 * - `Called`, `Returned`: a user, or the app, calls a process, and gets a result.
 * - `FaultInjected`: a fault is injected into the next token request, or an operation of the store, of a process.
 * - `Acted`: the server has issued new tokens.
 * - `Observed`: an observation for `Invariants`.
 * - `Broken`: a rule was broken.
 */
export type Event =
  | { readonly _tag: "Step"; readonly text: string }
  | { readonly _tag: "Began"; readonly owner: string; readonly slot: number }
  | { readonly _tag: "Called"; readonly who: string; readonly slot: number; readonly what: string }
  | {
      readonly _tag: "Returned"
      readonly who: string
      readonly slot: number
      readonly what: string
      readonly isGood: boolean
    }
  | { readonly _tag: "FaultInjected"; readonly owner: string; readonly fault: TokenRequestFault | StoreFailure }
  | { readonly _tag: "Acted"; readonly issued: Issued }
  | { readonly _tag: "Observed"; readonly who: string; readonly observation: Invariants.Observation<never> }
  | { readonly _tag: "Broken"; readonly violation: Violation }

/** Records an event at the current time. */
export type Trace = (event: Event) => void

export const none: Trace = () => undefined
