/**
 * `Scenario` for web apps without Effect: "whatever its users do, whatever goes wrong, and whenever: my app never …". It
 * starts the app, visits it with its users' browsers, lets time pass, has Zapier or the network fail, and restarts or kills
 * the app. It says in which few steps a rule is broken.
 *
 * The app is any function from `Request` to `Response`, as Hono's `app.fetch` is; `ScenarioNode` makes one of an app for
 * Node's server, such as Express's. It finds Zapier at its real URLs, by the global `fetch` or by `given.fetch`.
 *
 * **Time** is the scenario's: while the app runs, `Date`, timers (`node:timers/promises`, too), `performance.now`,
 * `AbortSignal.timeout`, `Math.random`, `fetch` and `console` are replaced for the app's own code alone, and put back in the
 * end. What a module has taken from a global when it was loaded stays the real one. Without fake timers of a test runner.
 *
 * @example
 * ```ts
 * import * as ScenarioPromise from "@zapier-workflow-auth/testing/ScenarioPromise"
 *
 * const app: ScenarioPromise.App = {
 *   // Yours: a handler, made of what is given.
 *   start: () => async (request) => new Response("Connect Zapier", { status: request.url.endsWith("/zaps") ? 409 : 404 }),
 *   routes: { connect: "/connect", page: "/zaps", disconnect: { method: "POST", path: "/disconnect" } }
 * }
 *
 * const failed = await ScenarioPromise.check(app, { runs: 20 }).catch((error) => error)
 * failed.rule // => "Users connect and disconnect while nothing goes wrong"
 * ```
 *
 * @since 0.1.0
 */
import { ClientApplication } from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scenario from "./Scenario.ts"
import * as ClientFetch from "./scenario/internal/clientFetch.ts"
import * as Globals from "./scenario/internal/globals.ts"
import type { Options as RoutesOptions, RouteAction, Routes } from "./scenario/ScenarioRoutes.ts"
import type { Seen } from "./scenario/ScenarioSeen.ts"
import type { Step } from "./scenario/ScenarioStep.ts"

/**
 * What an app is given when it starts.
 *
 * @since 0.1.0
 */
export interface Given<Stores = undefined> {
  /** The application at Zapier. */
  readonly clientId: string
  /** Its secret as it is now; an app that starts after it was regenerated has the new one. */
  readonly clientSecret: string
  /** Where Zapier sends the browser back to. */
  readonly redirectUri: string
  /** Where the app is. */
  readonly origin: string
  /** Zapier's API and its site: the real URLs, which lead to the fake. */
  readonly zapier: { readonly api: string; readonly site: string }
  /** Sends requests to the fake, in the scenario's time. The global `fetch` does so, too. */
  readonly fetch: typeof globalThis.fetch
  /** What `stores` has made: it outlives a restart. */
  readonly stores: Stores
}

/**
 * A function that answers requests. The request's `signal` is aborted when the user hangs up.
 *
 * @since 0.1.0
 */
export type Fetch = (request: Request) => Response | Promise<Response>

/**
 * An app with routes.
 *
 * @since 0.1.0
 */
export interface App<Stores = undefined> extends Pick<
  RoutesOptions,
  "cookies" | "origin" | "instances" | "shows" | "expects"
> {
  /**
   * Starts the app: at first, and after it was restarted or killed. `close` is called before a restart, and not when it is
   * killed.
   */
  readonly start: (given: Given<Stores>) => Started | Promise<Started>
  /** Which requests do what. */
  readonly routes: Routes
  /** Makes what outlives a restart, such as the app's database in memory. Called once for each scenario. */
  readonly stores?: (() => Stores | Promise<Stores>) | undefined
  /** Shows what is in the stores, where that must hold no secret in clear. Called in the end of a scenario. */
  readonly stored?: ((stores: Stores) => unknown) | undefined
  /** Whether the app asks `given.clientSecret` each time. Default: false, and it is restarted when there is a new one. */
  readonly asksForSecret?: boolean | undefined
}

/**
 * An app that runs.
 *
 * @since 0.1.0
 */
export type Started = Fetch | { readonly fetch: Fetch; readonly close?: (() => unknown) | undefined }

/**
 * How one scenario is carried out: as `Scenario.Options`. `turn` waits for something real.
 *
 * @since 0.1.0
 */
export interface Options extends Omit<Scenario.Options, "turn"> {
  /** Lets what the app waits for in reality come, before time goes on. */
  readonly turn?: (() => Promise<unknown>) | undefined
}

/**
 * How scenarios are drawn, and carried out as `Options` say.
 *
 * @since 0.1.0
 */
export interface CheckOptions extends Options, Omit<Scenario.CheckOptions, keyof Scenario.Options> {}

const callbackOf = ({ origin = "https://acme.example", routes }: Pick<App, "origin" | "routes">) =>
  new URL(routes.callback ?? "/callback", origin).href

// What the app's own code fails with is its own affair: a defect.
const promised = <A>(code: () => A | Promise<A>): Effect.Effect<A> => Effect.promise(async () => code())

const startOf = <Stores>(app: App<Stores>, stores: Effect.Effect<Stores, never, Kept>) =>
  Effect.gen(function* () {
    const application = yield* ClientApplication
    const client = yield* HttpClient.HttpClient
    const started = yield* Effect.context()
    const kept = yield* stores
    const process = Globals.makeProcess()
    // A request that is sent for a user knows the user by where it is sent from.
    const fetch: typeof globalThis.fetch = ClientFetch.make(client, () => Globals.current() ?? room)
    const room: Globals.Room = { process, context: started, fetch }
    const { clientId } = yield* Effect.orDie(application.get)
    const given: Given<Stores> = {
      clientId,
      get clientSecret() {
        // A getter has no effect to be a part of. @effect-diagnostics-next-line runEffectInsideEffect:off
        const { clientSecret } = Effect.runSync(Effect.orDie(application.get))
        return clientSecret === undefined ? "" : Redacted.value(clientSecret)
      },
      redirectUri: callbackOf(app),
      origin: app.origin ?? "https://acme.example",
      zapier: { api: "https://api.zapier.com", site: "https://zapier.com" },
      fetch,
      stores: kept
    }
    const running = yield* promised(() => Globals.run(room, () => app.start(given)))
    const { close, fetch: answer } = typeof running === "function" ? { fetch: running, close: undefined } : running
    yield* Effect.addFinalizer(() =>
      promised(() => Globals.run(room, () => close?.())).pipe(Effect.ensuring(Effect.sync(process.end)))
    )
    return (request: Request) =>
      Effect.flatMap(Effect.context(), (context) =>
        promised(() => Globals.run({ ...room, context }, () => answer(request)))
      )
  })

/** What outlives a restart. */
class Kept extends Context.Service<Kept, { readonly stores: unknown }>()(
  "@zapier-workflow-auth/testing/ScenarioPromise/Kept"
) {}

const toScenario = <Stores>(app: App<Stores>) => {
  const stores = Effect.map(Kept, ({ stores }) => stores as Stores)
  const { asksForSecret = false, cookies, expects, instances, origin, routes, shows, stored } = app
  return Scenario.fromRoutes<Kept>({
    cookies,
    expects,
    instances,
    origin,
    routes,
    shows,
    restartsForSecret: !asksForSecret,
    stores: Layer.effect(
      Kept,
      Effect.map(
        promised(async () => app.stores?.()),
        (stores) => ({ stores })
      )
    ),
    stored: stored && Effect.flatMap(stores, (stores) => promised(() => stored(stores))),
    start: startOf(app, stores)
  })
}

const toOptions = <O extends Options>({ turn, ...options }: O) => ({
  ...options,
  turn: turn === undefined ? undefined : promised(async () => void (await turn()))
})

const carriedOut = <A>(effect: Effect.Effect<A, Scenario.ScenarioFailed>): Promise<A> =>
  Effect.runPromise(Effect.scoped(Effect.andThen(Globals.installed, effect)))

/**
 * Draws scenarios and carries them out. Rejects with a `Scenario.ScenarioFailed`, whose message is the report, if one breaks a
 * rule, or if no call of any user ever succeeded.
 *
 * @since 0.1.0
 */
export const check = <Stores = undefined>(app: App<Stores>, options: CheckOptions = {}): Promise<Scenario.Checked> =>
  carriedOut(Scenario.check(toScenario(app), toOptions(options)))

/**
 * Carries out one scenario, and gives what was seen. Rejects with a `Scenario.ScenarioFailed` if it breaks a rule.
 *
 * @since 0.1.0
 */
export const run = <Stores = undefined>(
  app: App<Stores>,
  steps: ReadonlyArray<Step<RouteAction>>,
  options: Options = {}
): Promise<Seen> => carriedOut(Scenario.run(toScenario(app), steps, toOptions(options)))
