/** What the interpreters of the machines share. */
import type * as Scope from "effect/Scope"
import type { Settings } from "../Settings.ts"
import type { TokenEndpoint } from "../TokenEndpoint.ts"
import type { Publish } from "./stepper.ts"

export interface Dependencies {
  readonly clientId: string
  /** Names this process in leases. */
  readonly owner: string
  readonly settings: Settings
  readonly tokenEndpoint: TokenEndpoint["Service"]
  readonly publish: Publish
  /** Ends with the library's layer. */
  readonly scope: Scope.Scope
}
