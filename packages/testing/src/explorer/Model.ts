/**
 * A user's grant, or the app's own token, as a model for the `Explorer`: several processes drive it over one store and the
 * fake, in every order, while faults happen at every point. What a process does is the `Driver` of the core, which is what
 * applications run; the model does for it what the core's runtime does.
 *
 * **What may happen**: callers ask for access tokens and call the API with them; a request or its response is lost, late,
 * comes slowly or never; the server refuses, or acts and says 503; a process crashes, is closed, or stands still past its
 * timeouts or its lease, and goes on; an operation of the store fails, whether it was done or not, or takes long; a clock
 * jumps; a caller is interrupted; the user allows the app again, with a callback that arrives twice, or ends its access at
 * Zapier; the app disconnects the user; an access token ends by itself, or is ended by the server.
 *
 * **What is merged, and why nothing is lost by it**
 *
 * - Processes are interchangeable, and so are the callers of one process.
 * - A read is made in the same move as what asks for it: what happens in between could as well have happened before. A read
 *   that fails or takes long is a fault.
 * - Looks at a record that has not changed are made in one move with the time that passes. Worlds that differ in when a
 *   waiter looks next, or by a few seconds in when something ends, are one.
 * - A pause, a late response and a write that hangs begin when time passes, and the jump of a clock when its process does
 *   something: they show no sooner.
 * - A crash loses a request or a write that is under way; had it been carried out, it could have been so before the crash.
 * - Once no fault is left, a call whose token nothing can end succeeds at once, and the server acts when its response is
 *   read, if it takes the old access token no longer.
 * - An attempt that a single process works on concerns nobody else: once no fault is left, it is written at once.
 * - A driver that is late gives I/O its turn at once: what comes before could as well have come before it was late.
 * - A callback for an attempt that is over changes nothing, and does not come. The first consent's comes twice. A later one's
 *   comes once, and with the consent, which nobody sees before.
 *
 * **What is left out**: an operation takes no time unless a fault says so. One access token ends by itself. A process does
 * not stand still again in the moment in which it reads its socket after a deadline.
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
import type { Knobs } from "../fake/FakeState.ts"
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
 * A kind of fault that may happen to the processes, their stores, the network, or Zapier.
 *
 * @since 0.1.0
 */
export type FaultKind = Faults.Kind

/**
 * Whose tokens they are: a user's, or the app's own.
 *
 * @since 0.1.0
 */
export type Mode = World.Client["mode"]

/**
 * How an exploration begins: the access token has expired, is about to, or was ended by the server; or there is none yet.
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
 * All kinds of faults, for each mode.
 *
 * @since 0.1.0
 */
export const kinds: { readonly [mode in Mode]: ReadonlyArray<FaultKind> } = Faults.kinds

type Change<Make extends (...args: never) => unknown> = (driven: ReturnType<Make>) => ReturnType<Make>

/**
 * What a client may have that is not the library's.
 *
 * - `settings`: what its drivers go by; the rules go by the library's
 * - `grants`, `apps`, `attempts`: how a driver drives its machine
 * - `step`: what a driver of the grant, or of the app's token, does
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

// The machines differ in their types; which of them a driver is of, its key says.
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
 * The library as it is, with its default settings; or with something else in the place of some of its parts.
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
 * How large the world is.
 *
 * @since 0.1.0
 */
export interface Options {
  /** How many callers each process has: `[2, 1]` are two processes, one of which has two callers. */
  readonly callers: ReadonlyArray<number>
  /** How many faults happen at most. */
  readonly faults: number
  /** Which faults. Default: all kinds. */
  readonly kinds?: ReadonlyArray<FaultKind> | undefined
  /** Default: all of them. */
  readonly beginnings?: ReadonlyArray<Beginning> | undefined
  /** Default: the strictest. There are no rate limits, whatever it says. */
  readonly server?: Partial<Knobs> | undefined
  /** Default: the library, for a user. */
  readonly client?: World.Client | undefined
}

/**
 * The model.
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
 * What the explorer has found as a page to look at, for `Diagram.html`: what was sent between callers, processes, the store
 * and Zapier. `options` are those of the model that was explored; of another one nothing is drawn.
 *
 * @example
 * ```ts
 * import * as Diagram from "@zapier-workflow-auth/testing/Diagram"
 * import * as Explorer from "@zapier-workflow-auth/testing/Explorer"
 * import * as Model from "@zapier-workflow-auth/testing/explorer/Model"
 * import * as Mutants from "@zapier-workflow-auth/testing/explorer/Mutants"
 *
 * // A client that is wrong, and the shortest way to what it does.
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
