/**
 * The grant of one user as a model for the `Explorer`: workers of several processes run the machines over one store and
 * the fake, in every order, while faults happen at every point.
 *
 * **What may happen**: a process crashes or stands still for longer than its lease, before or after anything that it
 * does; a request or its answer is lost, late, or takes too long; the server refuses with 429, 503 or `invalid_client`, or
 * acts and says 503; the user allows the app again, with a callback that arrives twice, or ends its access at Zapier; the
 * app disconnects the user; the lease or the access token ends.
 *
 * **What is left out**: the memory of a process (each call asks the store), several callers in one process, a caller that
 * is served while its process refreshes ahead, stores that fail, and clocks that disagree: `Program` and the tests of the
 * core have those. Steps of a process that runs take no time, requests take less than their timeout unless a fault says
 * otherwise, and one access token comes to its end by itself.
 *
 * @since 0.1.0
 */
import * as ConsentAttempt from "@zapier-workflow-auth/core/machine/ConsentAttempt"
import * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import type * as Explorer from "./Explorer.ts"
import type { Knobs } from "./FakeState.ts"
import * as GrantKey from "./internal/grantKey.ts"
import * as GrantMoves from "./internal/grantMoves.ts"
import * as GrantWorld from "./internal/grantWorld.ts"
import type { Violation } from "./Invariants.ts"

export type { Client, FaultKind, World } from "./internal/grantWorld.ts"

/**
 * The library as it is: its machines, with timeouts of the default proportions.
 *
 * @since 0.1.0
 */
export const library: GrantWorld.Client = {
  grants: UserGrant.machine({ leaseDuration: 30_000, expiryMargin: 300_000 }),
  attempts: ConsentAttempt.machine,
  eventOfOutcome: UserGrant.eventOfOutcome,
  requestTimeout: 20_000,
  expiryMargin: 300_000,
  claimsFirst: true,
  comparesVersions: true,
  heedsDeadlines: true,
  looksAgain: true,
  countsFromStart: true
}

/**
 * Servers that differ in what is unknown of Zapier.
 *
 * @since 0.1.0
 */
export const servers = {
  /** A second use of a refresh token ends the grant. */
  strict: { reuseRevokesGrant: true, graceMillis: 0 },
  /** A second use is refused, and nothing else. */
  lenient: { reuseRevokesGrant: false, graceMillis: 0 },
  /** A second use within a minute gets the same new tokens. */
  graceful: { reuseRevokesGrant: true, graceMillis: 60_000 }
} as const satisfies { readonly [name: string]: Partial<Knobs> }

/**
 * All kinds of faults.
 *
 * @since 0.1.0
 */
export const kinds: ReadonlyArray<GrantWorld.FaultKind> = [
  "crash",
  "loss",
  "refusal",
  "standstill",
  "consent",
  "revocation",
  "disconnect"
]

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
  readonly kinds?: ReadonlyArray<GrantWorld.FaultKind> | undefined
  /** Default: the strictest. There are no rate limits, whatever it says. */
  readonly server?: Partial<Knobs> | undefined
  /** Default: the library. */
  readonly client?: GrantWorld.Client | undefined
}

/**
 * The model.
 *
 * @example
 * ```ts
 * import * as Explorer from "@zapier-workflow-auth/testing/Explorer"
 * import * as GrantModel from "@zapier-workflow-auth/testing/GrantModel"
 *
 * const report = Explorer.explore(GrantModel.make({ workers: 2, faults: 1 }))
 *
 * report.findings // => []
 * ```
 *
 * @since 0.1.0
 */
export const make = (options: Options): Explorer.Model<GrantWorld.World, Violation> => {
  const client = options.client ?? library
  const size = { workers: options.workers, calls: options.calls ?? 1, faults: options.faults }
  return {
    initial: GrantWorld.beginnings(client, size, options.server ?? servers.strict),
    moves: GrantMoves.moves(client, new Set(options.kinds ?? kinds)),
    ending: GrantMoves.ending(client, options.faults),
    key: GrantKey.make()
  }
}
