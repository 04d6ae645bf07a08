/**
 * The token of the app itself as a model for the `Explorer`: workers of several processes run the machine over one store
 * and the fake, in every order, while faults happen at every point.
 *
 * **What may happen**: a process crashes or stands still for longer than its lease, before or after anything that it
 * does; a request or its answer is lost, or takes too long; the server refuses with 429, 503 or `invalid_client`, or ends
 * an access token before its time; the lease or the token ends.
 *
 * **What is left out**: what `GrantModel` leaves out, and that a request is sent again within its lease, which is one
 * request that takes longer. A request that reaches the server after its sender has given up is no move of its own: it
 * makes a token that nobody holds.
 *
 * @since 0.1.0
 */
import * as AppCredential from "@zapier-workflow-auth/core/machine/AppCredential"
import type * as Explorer from "./Explorer.ts"
import * as AppKey from "./internal/appKey.ts"
import * as AppMoves from "./internal/appMoves.ts"
import * as AppWorld from "./internal/appWorld.ts"
import type { Violation } from "./Invariants.ts"

export type { Client, FaultKind, World } from "./internal/appWorld.ts"

/**
 * The library as it is: its machine, with timeouts of the default proportions.
 *
 * @since 0.1.0
 */
export const library: AppWorld.Client = {
  machine: AppCredential.machine({ leaseDuration: 30_000, expiryMargin: 300_000 }),
  requestTimeout: 20_000,
  expiryMargin: 300_000,
  claimsFirst: true,
  comparesVersions: true,
  heedsDeadlines: true,
  looksAgain: true,
  countsFromStart: true
}

/**
 * All kinds of faults.
 *
 * @since 0.1.0
 */
export const kinds: ReadonlyArray<AppWorld.FaultKind> = ["crash", "loss", "refusal", "standstill", "endedToken"]

/**
 * How large the world is.
 *
 * @since 0.1.0
 */
export interface Options {
  /** Of how many processes. */
  readonly workers: number
  /** How many calls each of them makes. Default: 1. */
  readonly calls?: number | undefined
  /** How many faults happen at most. */
  readonly faults: number
  /** Which faults. Default: all kinds. */
  readonly kinds?: ReadonlyArray<AppWorld.FaultKind> | undefined
  /** Default: the library. */
  readonly client?: AppWorld.Client | undefined
}

/**
 * The model.
 *
 * @example
 * ```ts
 * import * as AppModel from "@zapier-workflow-auth/testing/AppModel"
 * import * as Explorer from "@zapier-workflow-auth/testing/Explorer"
 *
 * const report = Explorer.explore(AppModel.make({ workers: 2, faults: 1 }))
 *
 * report.findings // => []
 * ```
 *
 * @since 0.1.0
 */
export const make = (options: Options): Explorer.Model<AppWorld.World, Violation> => {
  const client = options.client ?? library
  const size = { workers: options.workers, calls: options.calls ?? 1, faults: options.faults }
  return {
    initial: AppWorld.beginnings(client, size),
    moves: AppMoves.moves(client, new Set(options.kinds ?? kinds)),
    ending: AppMoves.ending(client, options.faults),
    key: AppKey.make()
  }
}
