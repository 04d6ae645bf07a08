/** What the interpreters of the machines share. */
import type * as Scope from "effect/Scope"
import type { Settings } from "../Settings.ts"
import type { Publish } from "./stepper.ts"
import type { TokenRequests } from "./tokenRequests.ts"

export interface Dependencies {
  readonly clientId: string
  /** Names this process in leases. */
  readonly owner: string
  readonly settings: Settings
  readonly request: TokenRequests
  readonly publish: Publish
  /** Ends with the library's layer. */
  readonly scope: Scope.Scope
}
