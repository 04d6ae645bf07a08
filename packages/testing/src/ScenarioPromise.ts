/**
 * `Scenario` for web apps without Effect: checks that an app keeps its rules whatever its users do and whatever fails.
 * It starts the app, visits it with its users' browsers, lets time pass, makes Zapier or the network fail, and restarts
 * or kills the app. It reports the fewest steps that break a rule.
 *
 * The app is any function from `Request` to `Response`, such as Hono's `app.fetch`; `ScenarioNode` makes one from an
 * app for Node's server, such as an Express app. It reaches Zapier at the real URLs, through the global `fetch` or
 * `given.fetch`.
 *
 * **Time** is virtual: while the app runs, `Date`, timers (also `node:timers/promises`), `performance.now`,
 * `AbortSignal.timeout`, `Math.random`, `fetch` and `console` are replaced for the app's own code only, and restored at
 * the end. A module that captured a global when it was loaded keeps the real one. Do not combine it with a test
 * runner's fake timers.
 *
 * @example
 * ```ts
 * import * as ScenarioPromise from "@zapier-workflow-auth/testing/ScenarioPromise"
 *
 * const app: ScenarioPromise.App = {
 *   // Your app: makes a request handler from what it is given.
 *   start: () => async (request) => new Response("Connect Zapier", { status: request.url.endsWith("/zaps") ? 409 : 404 }),
 *   routes: { connect: "/connect", page: "/zaps", disconnect: { method: "POST", path: "/disconnect" } }
 * }
 *
 * const failed = await ScenarioPromise.check(app, { runs: 20 }).catch((error) => error)
 * failed.rule // => "Users can connect and disconnect"
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
import type { History } from "./scenario/ScenarioHistory.ts"
import type { Step } from "./scenario/ScenarioStep.ts"

/**
 * The values that an app gets when it starts.
 *
 * @since 0.1.0
 */
export interface Given<Stores = undefined> {
  /** The application's client id at Zapier. */
  readonly clientId: string
  /** Its current secret; an app that starts after the secret was regenerated gets the new one. */
  readonly clientSecret: string
  /** Where Zapier redirects the browser. */
  readonly redirectUri: string
  /** The app's own origin. */
  readonly origin: string
  /** Zapier's API and site: the real URLs, which lead to the fake. */
  readonly zapier: { readonly api: string; readonly site: string }
  /** Sends requests to the fake, in virtual time. The global `fetch` does so, too. */
  readonly fetch: typeof globalThis.fetch
  /** The value made by `stores`: it survives a restart. */
  readonly stores: Stores
}

/**
 * Handles a request. The request's `signal` is aborted when the user hangs up.
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
   * Starts the app: at first, and again after it was restarted or killed. `close` is called before a restart, but not
   * before a kill.
   */
  readonly start: (given: Given<Stores>) => Started | Promise<Started>
  /** The requests for each action. */
  readonly routes: Routes
  /** Makes what survives a restart, such as the app's database in memory. Called once per scenario. */
  readonly stores?: (() => Stores | Promise<Stores>) | undefined
  /** Returns the contents of the stores, which must hold no secret in clear. Called at the end of a scenario. */
  readonly stored?: ((stores: Stores) => unknown) | undefined
  /** True if the app reads `given.clientSecret` each time. Default: false; it is restarted when the secret changes. */
  readonly asksForSecret?: boolean | undefined
}

/**
 * A running app.
 *
 * @since 0.1.0
 */
export type Started = Fetch | { readonly fetch: Fetch; readonly close?: (() => unknown) | undefined }

/**
 * How one scenario is carried out: as in `Scenario.Options`. `turn` waits for real I/O.
 *
 * @since 0.1.0
 */
export interface Options extends Omit<Scenario.Options, "turn"> {
  /** Waits for the app's real I/O before time passes. */
  readonly turn?: (() => Promise<unknown>) | undefined
}

/**
 * How scenarios are drawn; `Options` say how they are carried out.
 *
 * @since 0.1.0
 */
export interface CheckOptions extends Options, Omit<Scenario.CheckOptions, keyof Scenario.Options> {}

const callbackOf = ({ origin = "https://acme.example", routes }: Pick<App, "origin" | "routes">) =>
  new URL(routes.callback ?? "/callback", origin).href

// An error of the app's own code is a defect.
const promised = <A>(code: () => A | Promise<A>): Effect.Effect<A> => Effect.promise(async () => code())

const startOf = <Stores>(app: App<Stores>, stores: Effect.Effect<Stores, never, Kept>) =>
  Effect.gen(function* () {
    const application = yield* ClientApplication
    const client = yield* HttpClient.HttpClient
    const started = yield* Effect.context()
    const kept = yield* stores
    const process = Globals.makeProcess()
    // A request that is sent for a user finds the user in the context of the calling code.
    const fetch: typeof globalThis.fetch = ClientFetch.make(client, () => Globals.current() ?? room)
    const room: Globals.Room = { process, context: started, fetch }
    const { clientId } = yield* Effect.orDie(application.get)
    const given: Given<Stores> = {
      clientId,
      get clientSecret() {
        // A getter cannot run inside an effect. @effect-diagnostics-next-line runEffectInsideEffect:off
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
    const { close, fetch: handle } = typeof running === "function" ? { fetch: running, close: undefined } : running
    yield* Effect.addFinalizer(() =>
      promised(() => Globals.run(room, () => close?.())).pipe(Effect.ensuring(Effect.sync(process.end)))
    )
    return (request: Request) =>
      Effect.flatMap(Effect.context(), (context) =>
        promised(() => Globals.run({ ...room, context }, () => handle(request)))
      )
  })

/** Survives a restart. */
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
 * Draws scenarios and carries them out. Rejects with a `Scenario.ScenarioFailed`, whose message is the report, if one
 * breaks a rule, or if no call of any user ever succeeded.
 *
 * @since 0.1.0
 */
export const check = <Stores = undefined>(app: App<Stores>, options: CheckOptions = {}): Promise<Scenario.Checked> =>
  carriedOut(Scenario.check(toScenario(app), toOptions(options)))

/**
 * Carries out one scenario, and returns its history. Rejects with a `Scenario.ScenarioFailed` if it breaks a rule.
 *
 * @since 0.1.0
 */
export const run = <Stores = undefined>(
  app: App<Stores>,
  steps: ReadonlyArray<Step<RouteAction>>,
  options: Options = {}
): Promise<History> => carriedOut(Scenario.run(toScenario(app), steps, toOptions(options)))
