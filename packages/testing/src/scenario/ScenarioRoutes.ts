/**
 * Tests an app that responds to HTTP requests, as its users' browsers see it: `Scenario.fromRoutes` makes an app for
 * scenarios from it.
 *
 * Each user has two browsers, each with its own cookies. A browser follows the app's redirects; one to Zapier's
 * authorization page is the login, after which it returns from another site, without cookies that are
 * `SameSite=Strict`.
 *
 * @example
 * ```ts
 * import * as Scenario from "@zapier-workflow-auth/testing/Scenario"
 * import * as Effect from "effect/Effect"
 *
 * const app = Scenario.fromRoutes({
 *   // Your handler: an Effect router, or any other function of a request.
 *   start: Effect.succeed((request) => new Response("Connect Zapier", { status: request.url.endsWith("/zaps") ? 409 : 404 })),
 *   routes: { connect: "/connect", page: "/zaps", disconnect: { method: "POST", path: "/disconnect" } }
 * })
 *
 * const failed = await Effect.runPromise(Effect.flip(Scenario.check(app, { runs: 20 })))
 * failed.rule // => "Users can connect and disconnect"
 * ```
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Anything, App, Expects, Provided } from "./ScenarioApp.ts"
import { type Shown, type Subject, subjects } from "./ScenarioHistory.ts"
import * as Browser from "./internal/browser.ts"
import { CurrentNote } from "./internal/browsing.ts"
import * as ScenarioPage from "./ScenarioPage.ts"

/**
 * Responds to a request: with a response, a promise or an effect of one. The request's `signal` is aborted when the
 * user hangs up.
 *
 * @since 0.1.0
 */
export type Handler = (request: Request) => Response | Promise<Response> | Effect.Effect<Response, Anything>

/**
 * A request of a browser: a path to `GET`, or more.
 *
 * @since 0.1.0
 */
export type RouteRequest =
  | string
  | {
      /** Default: `GET`. */
      readonly method?: string | undefined
      /** From the root of the app, with its query: `/zaps?sort=title`. */
      readonly path: string
      readonly headers?: { readonly [name: string]: string } | undefined
      /** Fields of a form, sent as one. */
      readonly form?: { readonly [name: string]: string } | undefined
      /** A value that is sent as JSON. */
      readonly json?: unknown
    }

/**
 * A request, or a function that returns one for each user.
 *
 * @since 0.1.0
 */
export type Route = RouteRequest | ((subject: Subject) => RouteRequest)

/**
 * The requests for each action. The browser returns to the redirect URI, whose path is `/callback` unless `callback`
 * differs.
 *
 * @since 0.1.0
 */
export interface Routes {
  /** Redirects the browser to Zapier. */
  readonly connect: Route
  /** Shows something of Zapier's for the user: the user's Zaps, for example. */
  readonly page: Route
  /** Ends the connection. */
  readonly disconnect: Route
  /**
   * Signs the user in: sent first by each browser, and again after a 401 or a redirect to it. Default: `cookies` are
   * enough.
   */
  readonly signIn?: Route | undefined
  /** The path that Zapier redirects the browser to. Default: `/callback`. */
  readonly callback?: string | undefined
  /** Other actions of users: drawn for any of them. */
  readonly actions?: { readonly [name: string]: Route } | undefined
}

/**
 * An app with routes.
 *
 * @since 0.1.0
 */
export interface Options<S = never> {
  /** Starts the app: at first, and again after it was restarted or killed. */
  readonly start: Effect.Effect<Handler, Anything, S | Provided | Scope.Scope>
  /** The requests for each action. */
  readonly routes: Routes
  /** Makes what survives a restart, such as the app's database. Built once for each run. */
  readonly stores?: Layer.Layer<S, Anything> | undefined
  /** The contents of the stores, which must hold no secret in clear. Read at the end. */
  readonly stored?: Effect.Effect<unknown, Anything, NoInfer<S>> | undefined
  /** Cookies that a user's browsers have from the start, which sign the user in. */
  readonly cookies?: ((subject: Subject) => { readonly [name: string]: string }) | undefined
  /** The app's origin. Default: `https://acme.example`. */
  readonly origin?: string | undefined
  /** How many instances run over the same stores, and serve in turn. Default: 1. */
  readonly instances?: number | undefined
  /**
   * True if the app reads its secret only at its start, so that it is restarted when the secret changes. Default:
   * false.
   */
  readonly restartsForSecret?: boolean | undefined
  /** Classifies a page if the default is wrong. Default, also if it returns undefined: as in `docs/testing.md`. */
  readonly shows?: ((page: ScenarioPage.Page, subject: Subject | undefined) => Shown | undefined) | undefined
  /** Limits that the app may choose. */
  readonly expects?: Expects | undefined
}

/**
 * Another action of a user: one of `actions`, by its name.
 *
 * @since 0.1.0
 */
export interface RouteAction {
  readonly name: string
  readonly subject: Subject
}

/** The running app. */
class Front extends Context.Service<Front, Handler>()("@zapier-workflow-auth/testing/ScenarioRoutes/Front") {}

/** The browsers of all users: they survive the app, and their clock is right. */
class Browsers extends Context.Service<
  Browsers,
  { readonly of: (subject: Subject, which: string) => Browser.Browser }
>()("@zapier-workflow-auth/testing/ScenarioRoutes/Browsers") {}

/**
 * The services of an app with routes, besides its own stores: its handler, and the browsers of its users.
 *
 * @since 0.1.0
 */
export type Made = Front | Browsers

// A page other than the one that the user wanted.
class Elsewhere extends Data.TaggedError("Elsewhere")<{ readonly page: ScenarioPage.Page; readonly subject: Subject }> {
  override get message(): string {
    return this.page.toString()
  }
}

// More redirects in a row are a loop.
const mostRedirects = 20

const zapierHosts: ReadonlySet<string> = new Set(["api.zapier.com", "zapier.com"])

const isAuthorizePage = ({ hostname, pathname }: URL) => zapierHosts.has(hostname) && /\/authorize\/?$/.test(pathname)

const requestOf = (route: Route, subject: Subject): Exclude<RouteRequest, string> => {
  const request = typeof route === "function" ? route(subject) : route
  return typeof request === "string" ? { path: request } : request
}

const pathOf = (route: Route, subject: Subject) =>
  new URL(requestOf(route, subject).path, "https://app.example").pathname

const sentOf = (origin: string, route: Route, subject: Subject): Browser.Sent => {
  const { form, headers = {}, json, method = "GET", path } = requestOf(route, subject)
  const sent = { method: method.toUpperCase(), url: new URL(path, origin).href }
  if (form !== undefined) {
    const type = "application/x-www-form-urlencoded"
    return { ...sent, headers: { "content-type": type, ...headers }, body: `${new URLSearchParams(form)}` }
  }
  return json === undefined
    ? { ...sent, headers }
    : { ...sent, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(json) }
}

// Queries hold codes and states.
const leadsTo = (home: string, sent: Browser.Sent, response: Response) => {
  const next = Browser.redirected(sent, response)
  if (next === undefined) return undefined
  const { host, origin, pathname, protocol } = new URL(next.url)
  return origin === home ? pathname : `${protocol}//${host}${pathname}`
}

// A longer path is another one.
const linksTo = (text: string, path: string) =>
  text
    .split(path)
    .slice(1)
    .some((after) => !/^[\w./-]/.test(after))

// Texts of a router's responses, known without a promise. Time passes only after promises have settled.
const texts = new WeakMap<Response, string>()

const toWeb = (response: HttpServerResponse.HttpServerResponse, context: Context.Context<never>) => {
  const webResponse = HttpServerResponse.toWeb(response, { context })
  const { body } = response
  if (body._tag === "Empty") texts.set(webResponse, "")
  if (body._tag === "Uint8Array") texts.set(webResponse, new TextDecoder().decode(body.body))
  return webResponse
}

const isResponse = (value: unknown): value is Response => value instanceof Response

// An error that the app throws is a defect, of which every framework makes a 500.
const responseOf = (handler: Handler, toRequest: (signal: AbortSignal) => Request): Effect.Effect<Response> =>
  Effect.gen(function* () {
    // A request with a response is not aborted. @effect-diagnostics-next-line abortControllerInEffect:off
    const hangUp = new AbortController()
    const given = yield* Effect.sync(() => handler(toRequest(hangUp.signal)))
    const waiting = isResponse(given)
      ? Effect.succeed(given)
      : Effect.isEffect(given)
        ? Effect.orDie(given)
        : Effect.promise(() => given)
    return yield* Effect.onInterrupt(waiting, () => Effect.sync(() => hangUp.abort()))
  })

/** The end of a visit: a page, or the URL of Zapier's page. */
type Visited = { readonly page: ScenarioPage.Page; readonly authorize: string | undefined }

const visits = <S>({ origin = "https://acme.example", routes }: Options<S>) => {
  const visit = Effect.fnUntraced(function* (
    action: ScenarioPage.Page["action"],
    subject: Subject,
    which: string,
    first: Browser.Sent,
    initiator: Browser.Initiator = "same-origin"
  ): Effect.fn.Return<Visited, never, Made> {
    const handler = yield* Front
    const browser = (yield* Browsers).of(subject, which)
    const connect = pathOf(routes.connect, subject)

    const note = yield* CurrentNote
    const isElsewhere = which !== "first"

    const send = Effect.fnUntraced(function* (sent: Browser.Sent, initiator: Browser.Initiator) {
      const noteResponse = note({ method: sent.method, path: new URL(sent.url).pathname, isElsewhere })
      const response = yield* responseOf(handler, (signal) => browser.request(sent, initiator, signal))
      noteResponse({
        status: response.status,
        leadsTo: leadsTo(origin, sent, response),
        headers: [...response.headers]
      })
      browser.keep(sent.url, response.headers)
      return response
    })

    const signIn = Effect.fnUntraced(function* () {
      browser.isSignedIn = true
      if (routes.signIn === undefined) return
      const sent = sentOf(origin, routes.signIn, subject)
      const { status } = yield* send(sent, "same-origin")
      if (status >= 400) {
        return yield* Effect.die(
          new Error(`${subject} cannot sign in: ${sent.method} ${pathOf(routes.signIn, subject)} -> ${status}`)
        )
      }
    })

    const pageOf = Effect.fnUntraced(function* (sent: Browser.Sent, response: Response, leadsToConnect: boolean) {
      const text = texts.get(response) ?? (yield* Effect.promise(() => response.text()))
      return new ScenarioPage.Page({
        action,
        method: sent.method,
        path: new URL(sent.url).pathname,
        status: response.status,
        type: (response.headers.get("content-type") ?? "").split(";", 1)[0] ?? "",
        text,
        leadsToConnect,
        linksToConnect: linksTo(text, connect)
      })
    })

    if (!browser.isSignedIn) yield* signIn()
    let isSignedInAnew = routes.signIn === undefined
    let sent = first
    for (let redirects = 0; redirects < mostRedirects; redirects++) {
      const response = yield* send(sent, initiator)
      const next = Browser.redirected(sent, response)
      const to = next && new URL(next.url)
      const isLost =
        response.status === 401 ||
        (to !== undefined && routes.signIn !== undefined && to.pathname === pathOf(routes.signIn, subject))
      if (isLost && !isSignedInAnew) {
        const page = yield* pageOf(sent, response, false)
        // Some apps respond 401 to users who have to connect.
        if (page.linksToConnect) return { page, authorize: undefined }
        isSignedInAnew = true
        yield* signIn()
        sent = first
        continue
      }
      if (next === undefined || to === undefined)
        return { page: yield* pageOf(sent, response, false), authorize: undefined }
      if (to.origin !== origin) {
        const isLogin = isAuthorizePage(to)
        return { page: yield* pageOf(sent, response, isLogin), authorize: isLogin ? to.href : undefined }
      }
      if (to.pathname === connect && new URL(first.url).pathname !== connect) {
        return { page: yield* pageOf(sent, response, true), authorize: undefined }
      }
      sent = next
    }
    return yield* Effect.die(
      new Error(`${first.method} ${new URL(first.url).pathname} leads from page to page without end`)
    )
  })

  const open = (action: ScenarioPage.Page["action"], subject: Subject, route: Route, which = "first") =>
    visit(action, subject, which, sentOf(origin, route, subject))

  const pageFor = (action: ScenarioPage.Page["action"], subject: Subject, route: Route, which?: string) =>
    Effect.map(open(action, subject, route, which), ({ page }) => page)

  const comeBackIn = (which: string) => (callback: string, subject: Subject) =>
    Effect.map(visit("ComeBack", subject, which, { method: "GET", url: callback }, "cross-site"), ({ page }) => page)

  return { comeBackIn, pageFor, open }
}

const browsersOf = <S>({ cookies, origin = "https://acme.example" }: Options<S>) =>
  Layer.effect(
    Browsers,
    Effect.map(Clock.Clock, (clock) => {
      const all = new Map<string, Browser.Browser>()
      return {
        of: (subject, which) => {
          const key = `${subject} ${which}`
          const known = all.get(key)
          if (known !== undefined) return known
          const browser = Browser.make(() => clock.currentTimeMillisUnsafe())
          const headers = new Headers()
          for (const [name, value] of Object.entries(cookies?.(subject) ?? {})) {
            headers.append("set-cookie", `${name}=${value}; Path=/; Secure; HttpOnly; SameSite=Lax`)
          }
          browser.keep(origin, headers)
          all.set(key, browser)
          return browser
        }
      }
    })
  )

const pageOfExit = (exit: Exit.Exit<unknown, unknown>): ScenarioPage.Page | undefined => {
  if (exit._tag === "Success") return exit.value instanceof ScenarioPage.Page ? exit.value : undefined
  const error = exit.cause.reasons.find(Cause.isFailReason)?.error
  return error instanceof Elsewhere ? error.page : undefined
}

/** The requirements of routes, when they are built and when they handle requests. */
type Needed<R> =
  | Exclude<HttpRouter.Request.Without<R>, HttpRouter.HttpRouter>
  | Exclude<
      HttpRouter.Request.Only<"Requires", R> | HttpRouter.Request.Only<"GlobalRequires", R>,
      HttpServerRequest.HttpServerRequest | Scope.Scope
    >

/**
 * Makes the handler of an app that has its routes in an Effect router, for `start`.
 *
 * @param routes layers of `HttpRouter`, together with what they need
 *
 * @since 0.1.0
 */
export const fromRouter = <E extends Anything, R>(
  routes: Layer.Layer<never, E, R>
): Effect.Effect<Handler, Anything, Needed<R> | Scope.Scope> => {
  const handler: Effect.Effect<Handler, Anything, unknown> = Effect.gen(function* () {
    const app = yield* HttpRouter.toHttpEffect(routes)
    const services = yield* Effect.context()
    return (request: Request) =>
      app.pipe(
        Effect.provideService(HttpServerRequest.HttpServerRequest, HttpServerRequest.fromWeb(request)),
        Effect.provideContext(services as Context.Context<unknown>),
        Effect.map((response) => toWeb(response, services)),
        Effect.scoped
      ) as Effect.Effect<Response, Anything>
  })
  // The router's types say what is needed when; the context has all of it.
  // @effect-diagnostics-next-line unsafeEffectTypeAssertion:off anyUnknownInErrorContext:off
  return handler as Effect.Effect<Handler, Anything, Needed<R> | Scope.Scope>
}

/**
 * Makes an app for scenarios from an app with routes.
 *
 * @since 0.1.0
 */
export const fromRoutes = <S = never>(options: Options<S>): App<Made, S | Browsers, RouteAction> => {
  const { expects, instances, restartsForSecret, routes, stored, stores, start } = options
  const { comeBackIn, open, pageFor } = visits(options)
  const browsers = browsersOf(options)
  const actions = routes.actions ?? {}
  const names = Object.keys(actions)
  const shown = (page: ScenarioPage.Page, subject?: Subject): Shown => {
    const shows = options.shows?.(page, subject) ?? ScenarioPage.byDefault(page, subject)
    // A user who disconnected may be asked to connect.
    return shows === "Connect" && page.action === "Disconnect" ? "Data" : shows
  }
  return {
    stores: stores === undefined ? (browsers as Layer.Layer<S | Browsers>) : Layer.merge(stores, browsers),
    stored,
    layer: Layer.merge(Layer.effect(Front, start), Layer.effect(Browsers, Browsers)),
    instances,
    restartsForSecret,
    redirectUri: new URL(routes.callback ?? "/callback", options.origin ?? "https://acme.example").href,
    logIn: (subject) =>
      Effect.flatMap(open("LogIn", subject, routes.connect), ({ authorize, page }) =>
        authorize === undefined ? Effect.fail(new Elsewhere({ page, subject })) : Effect.succeed(authorize)
      ),
    comeBack: comeBackIn("first"),
    comeBackElsewhere: comeBackIn("second"),
    call: (subject) => pageFor("Call", subject, routes.page),
    callElsewhere: (subject) => pageFor("Call", subject, routes.page, "second"),
    disconnect: (subject) => pageFor("Disconnect", subject, routes.disconnect),
    actions:
      names.length === 0
        ? undefined
        : {
            schema: Schema.Struct({ name: Schema.Literals(names), subject: Schema.Literals(subjects) }),
            subject: ({ subject }) => subject,
            run: ({ name, subject }) => pageFor("Act", subject, actions[name] ?? "/")
          },
    shows: (exit, subject) => {
      const page = pageOfExit(exit)
      if (page !== undefined) return exit._tag === "Failure" && page.status < 400 ? "TryLater" : shown(page, subject)
      return exit._tag === "Success" ? "Data" : "Broken"
    },
    expects
  }
}
