/**
 * Models a user's grant, or the app's own token, for the `Explorer`: several processes drive it over one store and the
 * fake, in every order, with faults at every point. A process runs the core's own `Driver`, as applications do; the
 * model stands in for the core's runtime.
 *
 * **Events**: callers ask for access tokens and call the API with them; a request or its response is lost, late, slow
 * or never arrives; the server rejects a request, or acts and responds 503; a process crashes, is closed, or is paused
 * past its timeouts or its lease; a store operation fails, whether or not it was carried out, or is slow; a clock
 * jumps; a caller is interrupted; the user allows the app again, with a callback that arrives twice, or revokes its
 * access at Zapier; the app disconnects the user; an access token expires, or the server ends it.
 *
 * **Reductions, and why they lose nothing**
 *
 * - Processes are interchangeable, and so are the callers of one process.
 * - A read happens in the same move as its cause: an event in between could as well have come before. A read that fails
 *   or is slow is a fault.
 * - Polling a record that has not changed is one move with the time that passes. Worlds that differ only in the time of
 *   a waiter's next poll, or by a few seconds in a deadline, are the same.
 * - A pause, a late response and a hanging write begin when time passes, and a clock jumps when its process does
 *   something: they have no effect before.
 * - A crash loses every request or write under way; one that was carried out could have been so before the crash.
 * - Once no fault is left, a call whose token nothing can end succeeds at once, and the server acts when its response
 *   is read, if it no longer accepts the old access token.
 * - An attempt that only one process works on affects no other: once no fault is left, it is written at once.
 * - An overdue driver lets I/O go first at once: an earlier event could as well have come before the deadline.
 * - A callback for a finished attempt changes nothing, so it is left out. The first consent's callback arrives twice, a
 *   later one's once, together with the consent, which has no effect before.
 *
 * **Not modelled**: an operation takes no time unless a fault says so. Only one access token expires by itself. A
 * process is not paused again in the moment in which it reads its socket after a deadline.
 *
 * @since 0.1.0
 */
import * as AppCredentialDriver from "@zapier-workflow-auth/core/machine/AppCredentialDriver"
import * as ConsentAttemptDriver from "@zapier-workflow-auth/core/machine/ConsentAttemptDriver"
import * as Driver from "@zapier-workflow-auth/core/machine/Driver"
import * as UserGrantDriver from "@zapier-workflow-auth/core/machine/UserGrantDriver"
import * as Settings from "@zapier-workflow-auth/core/Settings"
import * as Result from "effect/Result"
import type * as Explorer from "../Explorer.ts"
import type * as DiagramPage from "../Diagram.ts"
import type { Settings as FakeSettings } from "../fake/FakeState.ts"
import * as Faults from "./internal/faults.ts"
import * as ExplorerDiagram from "./internal/diagram.ts"
import * as Key from "./internal/key.ts"
import * as Moves from "./internal/moves.ts"
import * as Retrace from "./internal/retrace.ts"
import * as Beginnings from "./internal/beginnings.ts"
import * as Server from "./internal/server.ts"
import type * as World from "./internal/world.ts"

/**
 * @since 0.1.0
 */
export type { AnyDriver, Client, World } from "./internal/world.ts"

/**
 * A kind of fault of the processes, their stores, the network, or Zapier.
 *
 * @since 0.1.0
 */
export type FaultKind = Faults.Kind

/**
 * The kind of token: a user's, or the app's own.
 *
 * @since 0.1.0
 */
export type Mode = World.Client["mode"]

/**
 * The start of an exploration: the access token has expired, is about to, or was ended by the server; or there is none
 * yet.
 *
 * @since 0.1.0
 */
export type Beginning = Beginnings.Beginning

/**
 * All beginnings.
 *
 * @since 0.1.0
 */
export const beginnings: ReadonlyArray<Beginning> = Beginnings.beginnings

/**
 * Servers that differ where Zapier's behavior is not documented.
 *
 * @since 0.1.0
 */
export const servers = {
  /** A second use of a refresh token revokes the grant. */
  strict: { reuseRevokesGrant: true, graceMillis: 0 },
  /** A second use is rejected without other consequences. */
  lenient: { reuseRevokesGrant: false, graceMillis: 0 },
  /** A second use within a minute returns the same new tokens. */
  graceful: { reuseRevokesGrant: true, graceMillis: 60_000 }
} as const satisfies { readonly [name: string]: Partial<FakeSettings> }

/**
 * All kinds of faults, for each mode.
 *
 * @since 0.1.0
 */
export const kinds: { readonly [mode in Mode]: ReadonlyArray<FaultKind> } = Faults.kinds

type Change<Make extends (...args: never) => unknown> = (driven: ReturnType<Make>) => ReturnType<Make>

/**
 * Parts of a client that replace the library's.
 *
 * - `settings`: the settings of its drivers; the rules use the library's
 * - `grants`, `apps`, `attempts`: changes how a driver drives its machine
 * - `step`: changes the step of a driver of the grant, or of the app's token
 *
 * @since 0.1.0
 */
export interface Parts extends Partial<Pick<World.Client, "comparesVersions" | "countsFromStart">> {
  readonly settings?: Partial<Settings.Settings>
  readonly grants?: Change<typeof UserGrantDriver.driven>
  readonly apps?: Change<typeof AppCredentialDriver.driven>
  readonly attempts?: Change<typeof ConsentAttemptDriver.driven>
  readonly step?: (step: World.AnyDriver["step"]) => World.AnyDriver["step"]
}

const defaults = Result.getOrThrow(Settings.make())

const same = <A>(a: A): A => a

// The machines have different types; a driver's key says which one it drives.
const ofAny = (driver: unknown) => driver as World.AnyDriver

const onceEach = <A>(make: (owner: string) => A): ((owner: string) => A) => {
  const made = new Map<string, A>()
  return (owner) => {
    const found = made.get(owner) ?? make(owner)
    made.set(owner, found)
    return found
  }
}

/**
 * The library with its default settings, or with some of its parts replaced.
 *
 * @since 0.1.0
 */
export const library = (mode: Mode = "user", parts: Parts = {}): World.Client => {
  const { apps = same, attempts = same, grants = same, step = same } = parts
  const settings = { ...defaults, ...parts.settings }
  const drivenApp = apps(AppCredentialDriver.driven(Server.scopes.app, settings))
  const drivenGrant = grants(UserGrantDriver.driven(settings))
  const drivenAttempt = attempts(ConsentAttemptDriver.driven(settings))
  return {
    mode,
    settings: defaults,
    shared: onceEach((owner) => {
      const owned = { ...settings, owner }
      const driver = ofAny(mode === "user" ? Driver.make(drivenGrant, owned) : Driver.make(drivenApp, owned))
      return { ...driver, step: step(driver.step) }
    }),
    attempts: onceEach((owner) => ofAny(Driver.make(drivenAttempt, { ...settings, owner }))),
    comparesVersions: parts.comparesVersions ?? (() => true),
    countsFromStart: parts.countsFromStart ?? true
  }
}

/**
 * The size of the world.
 *
 * @since 0.1.0
 */
export interface Options {
  /** The number of callers of each process: `[2, 1]` means two processes, one of which has two callers. */
  readonly callers: ReadonlyArray<number>
  /** The largest number of faults. */
  readonly faults: number
  /** The kinds of faults. Default: all. */
  readonly kinds?: ReadonlyArray<FaultKind> | undefined
  /** Default: all of them. */
  readonly beginnings?: ReadonlyArray<Beginning> | undefined
  /** The fake's settings. Default: the strictest. There are no rate limits in any case. */
  readonly server?: Partial<FakeSettings> | undefined
  /** Default: the library, for a user. */
  readonly client?: World.Client | undefined
}

/**
 * Makes a model.
 *
 * @example
 * ```ts
 * import * as Explorer from "@zapier-workflow-auth/testing/Explorer"
 * import * as Model from "@zapier-workflow-auth/testing/explorer/Model"
 *
 * const report = Explorer.explore(Model.make({ callers: [1, 1], faults: 0 }))
 *
 * report.findings // => []
 * ```
 *
 * @since 0.1.0
 */
export const make = (options: Options): Explorer.Model<World.World> => {
  const { callers, faults, server = servers.strict } = options
  const client = options.client ?? library()
  const begin = Beginnings.begin(client, { callers, faults, server })
  return {
    initial: (options.beginnings ?? beginnings).map((beginning) => begin[beginning]),
    moves: Moves.moves(client, new Set(options.kinds ?? kinds[client.mode])),
    ending: Moves.ending(client, faults),
    key: Key.keys(client, faults)
  }
}

/**
 * A finding of the explorer as a page for `Diagram.html`: the messages between callers, processes, the store and
 * Zapier. `options` must be those of the explored model; for another model nothing is drawn.
 *
 * @example
 * ```ts
 * import * as Diagram from "@zapier-workflow-auth/testing/Diagram"
 * import * as Explorer from "@zapier-workflow-auth/testing/Explorer"
 * import * as Model from "@zapier-workflow-auth/testing/explorer/Model"
 * import * as Mutants from "@zapier-workflow-auth/testing/explorer/Mutants"
 *
 * // A broken client, and the shortest trace to its violation.
 * const [mutant] = Mutants.all
 * const [finding] = mutant === undefined ? [] : Explorer.explore(Model.make(mutant)).findings
 * const page = mutant && finding && Model.page(mutant, finding)
 *
 * page && Diagram.html(page).includes("Rule broken") // => true
 * ```
 *
 * @since 0.1.0
 */
export const page = (options: Options, finding: Explorer.Finding): DiagramPage.Page => {
  const { trace, violation } = finding
  return {
    violation,
    diagram: ExplorerDiagram.of(Retrace.retrace(make(options), finding), violation),
    again: [{ title: "The trace, move by move", code: trace.join("\n") }]
  }
}
