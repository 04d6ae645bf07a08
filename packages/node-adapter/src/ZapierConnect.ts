/**
 * "Connect Zapier" in a web app: routes to connect, return from Zapier, check the status and disconnect.
 *
 * | route | purpose |
 * |---|---|
 * | `GET /zapier/connect?return=/settings` | redirects the browser to Zapier's consent page |
 * | `GET /zapier/connect.js` | a script for the app's pages that connects in a popup |
 * | `GET /zapier/callback` | handles the redirect from Zapier, and redirects to the address in `return` |
 * | `POST /zapier/disconnect?return=/settings` | removes the grant |
 * | `GET /zapier/status` | returns as JSON if the user is connected |
 * | `GET /zapier/connections/connect?app=SlackCLIAPI&return=/settings` | White Label: redirects to Zapier's Connect UI |
 * | `GET /zapier/connections/callback` | White Label: handles the redirect from the Connect UI |
 *
 * The redirect URI determines the paths: it ends with `/callback`, and the other routes are beside it. The app identifies
 * the signed-in user (`SignedIn`); every route but the script asks it.
 *
 * **Security.** A callback is accepted only in the browser that began the attempt, by its cookie, and only for the user who
 * began it, so a link prepared by an attacker connects no user to the attacker's account. A visit to `connect` from outside
 * the app's own pages gets a page that asks for confirmation; the consent page alone is not enough, because the browser may
 * be signed in to the attacker's Zapier account. Return addresses must be the app's, or at origins that it lists. A request
 * that changes something must come from the app's own pages, by `Origin` or `Sec-Fetch-Site`. `HEAD` and speculative
 * requests of browsers have no effect, and repeating a callback changes nothing. Unfinished visits leave at most five
 * cookies, of less than 4 kB together. Responses are not cached, and nothing that a callback's page loads learns its
 * address, which contains a code. The server's spans mask the code and `state` (`hideCallback` covers other places).
 *
 * Sources: RFC 6749 section 10.12 and RFC 9700 section 4.7 (CSRF), RFC 9700 sections 4.2 (referrer) and 4.11 (open
 * redirects), RFC 6265bis section 4.1.3.2 (`__Host-`), W3C Fetch Metadata, HTML standard section 7.6 (speculative loading).
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as Option from "effect/Option"
 * import * as ZapierConnect from "@zapier-workflow-auth/node-adapter/ZapierConnect"
 * import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
 *
 * declare const sessions: Map<string, { readonly user: string }>
 *
 * const signedIn = Layer.succeed(ZapierConnect.SignedIn, {
 *   subject: (request) =>
 *     Effect.sync(() => Option.map(Option.fromNullishOr(sessions.get(request.cookies["session"] ?? "")), (_) => _.user))
 * })
 *
 * // A part of the app's routes, beside the others.
 * const routes = ZapierConnect.layer({
 *   redirectUri: "https://acme.example/zapier/callback",
 *   scopes: ["zap"]
 * }).pipe(Layer.provide([signedIn, ZapierNode.layer()]))
 * ```
 *
 * @since 0.1.0
 */
import type * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
import { type AuthorizationOptions, ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Given } from "./ConnectTexts.ts"
import * as Responses from "./internal/connect/responses.ts"
import * as AsWeb from "./internal/connect/asWeb.ts"
import * as Config from "./internal/connect/config.ts"
import type { Outcome } from "./internal/connect/outcome.ts"
import { callbackPath, connections } from "./internal/connect/paths.ts"
import * as Quiet from "./internal/connect/quiet.ts"
import * as Routes from "./internal/connect/routes.ts"
import * as Subject from "./internal/connect/subject.ts"
import * as Visit from "./internal/connect/visit.ts"
import * as WebHandler from "./internal/connect/webHandler.ts"
import * as Lifetime from "./internal/lifetime.ts"
import * as SharedLayer from "./internal/sharedLayer.ts"

/**
 * Identifies the user who is signed in to the app.
 *
 * @since 0.1.0
 */
export class SignedIn extends Context.Service<
  SignedIn,
  {
    /**
     * Returns the app's own id of the user whose session a request belongs to; none or an empty text if the user is signed
     * out. If it fails, or returns something else, the routes respond with 503 and log the cause; the outcome is `Failed`,
     * with its `ZapierAuthError` or else `StoreFailed`.
     */
    readonly subject: (request: HttpServerRequest.HttpServerRequest) => Effect.Effect<Option.Option<string>, unknown>
  }
>()("@zapier-workflow-auth/node-adapter/ZapierConnect/SignedIn") {}

/**
 * Provides `SignedIn` from the app's own session service, which the layer then requires.
 *
 * @example
 * ```ts
 * import * as ZapierConnect from "@zapier-workflow-auth/node-adapter/ZapierConnect"
 * import * as Context from "effect/Context"
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 *
 * class Sessions extends Context.Service<
 *   Sessions,
 *   { readonly userOf: (cookie: string) => Effect.Effect<Option.Option<string>, "the sessions are away"> }
 * >()("acme/Sessions") {}
 *
 * // Needs Sessions.
 * ZapierConnect.layerSignedIn(({ cookies }) => Sessions.use(({ userOf }) => userOf(cookies["session"] ?? "")))
 * ```
 *
 * @since 0.1.0
 */
export const layerSignedIn = <E = never, R = never>(
  subject: (request: HttpServerRequest.HttpServerRequest) => Effect.Effect<Option.Option<string>, E, R>
): Layer.Layer<SignedIn, never, R> =>
  Layer.effect(
    SignedIn,
    Effect.map(Effect.context<R>(), (services) => ({
      subject: (request) => Effect.updateContext(subject(request), (own) => Context.merge(services, own))
    }))
  )

export type { Asked } from "./internal/connect/responses.ts"

export type { AppConnection } from "./internal/connect/connectionCallback.ts"

export type { PopupResult, PopupScript } from "./internal/connect/popup.ts"

export type { Outcome, Popup, Ways } from "./internal/connect/outcome.ts"

/**
 * The options of the routes. `R` is what `respond` requires, and `S` what `scopes` and `whiteLabel.tenant` require.
 *
 * @since 0.1.0
 */
export interface Options<R = never, S = never> extends Pick<
  AuthorizationOptions,
  "incremental" | "pkce" | "signUp" | "campaign" | "page"
> {
  /**
   * One of the application's redirect URIs. It ends with `/callback`, and is the address that browsers use: behind a proxy,
   * the proxy's.
   */
  readonly redirectUri: string
  /**
   * The scopes to request: a list, or a function of the request to `connect`. Choose among the app's own lists, and never
   * request scopes from the query, because anyone can write a link. If the function fails or returns no such list, the
   * outcome is `Failed`, and the cause is logged.
   */
  readonly scopes:
    | ReadonlyArray<Scopes.Scope>
    | ((
        request: HttpServerRequest.HttpServerRequest,
        subject: string
      ) => Effect.Effect<ReadonlyArray<Scopes.Scope>, unknown, S>)
  /**
   * The path of the routes in this server. Default: that of the redirect URI, without `/callback`. It must not contain a
   * percent sign, star or semicolon; if the redirect URI does, set another path here.
   */
  readonly path?: `/${string}` | undefined
  /** The return address if none is given, or it is longer than 500 characters: a path of the app. Default: `/`. */
  readonly returnTo?: `/${string}` | undefined
  /** The sign-in page, linked for signed-out users: a path of the app, or an address at one of its origins. */
  readonly signIn?: string | undefined
  /** More origins of the app, such as `https://www.acme.example`, that may connect, disconnect and be returned to. */
  readonly origins?: ReadonlyArray<string> | undefined
  /**
   * The app's name and texts for the pages: the same for all readers, or a function of the reader
   * (`ConnectTexts.byLanguage`). Omitted texts are in English.
   */
  readonly texts?: Given | undefined
  /**
   * Adds the routes with which White Label users connect apps: register `connections/callback`, beside the redirect URI, with
   * Zapier. `tenant` returns the app's own id of the signed-in user's workspace or organization; if it fails, the outcome is
   * `Failed`. `theme` is the partner's theme for the Connect UI. Default: no such routes.
   */
  readonly whiteLabel?:
    | {
        readonly tenant: (
          request: HttpServerRequest.HttpServerRequest,
          subject: string
        ) => Effect.Effect<string, unknown, S>
        readonly theme?: string | undefined
      }
    | undefined
  /**
   * Makes the app's own response to an outcome; `undefined` for the default one. If it throws, the error is logged and the
   * default applies. Headers that prevent caching and embedding are added. Default: `respond`, which redirects to `returnTo`
   * after a success and shows a page otherwise; programs get JSON.
   */
  readonly respond?:
    | ((
        outcome: Outcome,
        asked: Responses.Asked
      ) => Effect.Effect<HttpServerResponse.HttpServerResponse | undefined, never, R>)
    | undefined
}

/**
 * Makes the default response to an outcome.
 *
 * @param asked the requested format: data or a page. Default: a page
 * @since 0.1.0
 */
export const respond = (
  outcome: Outcome,
  asked: Responses.Asked = { format: "page" }
): HttpServerResponse.HttpServerResponse => Responses.respond(outcome, asked)

const make = Effect.fnUntraced(function* <R, S>(options: Options<R, S>) {
  // The app's functions get the services of the layer's context and of each request.
  const given = yield* Effect.context<Exclude<R | S, HttpRouter.Provided>>()
  const provide = <A, E, Needed extends R | S>(effect: Effect.Effect<A, E, Needed>) =>
    Effect.updateContext(
      effect,
      (own: Context.Context<HttpRouter.Provided>) => Context.merge(given, own) as Context.Context<Needed>
    )
  const config = yield* Effect.fromResult(Config.parse(options))
  const signedIn = yield* SignedIn
  const respond = Responses.make(options.respond, config.texts)
  const { scopes, whiteLabel, ...rest } = config
  const provided = {
    ...rest,
    scopes: (request: HttpServerRequest.HttpServerRequest, subject: string) => provide(scopes(request, subject)),
    whiteLabel: whiteLabel && {
      ...whiteLabel,
      tenant: (request: HttpServerRequest.HttpServerRequest, subject: string) =>
        provide(whiteLabel.tenant(request, subject))
    }
  }
  const services = {
    auth: yield* ZapierAuth,
    digest: yield* Digest.Digest,
    // @effect-diagnostics-next-line anyUnknownInErrorContext:off
    subject: (request: HttpServerRequest.HttpServerRequest) => Subject.parse(() => signedIn.subject(request)),
    respond: (outcome: Outcome, asking: Responses.Asking) => provide(respond(outcome, asking))
  }
  const routes = Routes.make(provided, services)
  if (provided.whiteLabel === undefined) return routes
  const Connections = yield* Effect.promise(() => import("./internal/connect/connections.ts"))
  return [...routes, ...Connections.make(provided, provided.whiteLabel, services)]
})

/**
 * Provides the routes, to be merged with the app's own.
 *
 * Fails with `InvalidConfig` for an invalid option. The redirect URI is compared with the application's only when a user
 * connects; `pkce`, `incremental`, `page`, `signUp` and `campaign` are checked then too.
 *
 * @since 0.1.0
 */
export const layer = <R = never, S = never>(
  options: Options<R, S>
): Layer.Layer<
  never,
  ZapierAuthError,
  HttpRouter.HttpRouter | ZapierAuth | SignedIn | Exclude<R | S, HttpRouter.Provided>
> =>
  HttpRouter.use(
    Effect.fnUntraced(function* (router) {
      yield* router.addAll(yield* make(options))
      yield* router.addGlobalMiddleware(Quiet.router(Config.mountPath(options)))
    })
  ).pipe(Layer.provide(Digest.layerWebCrypto))

/**
 * Makes a middleware that masks code and `state` of a callback for everything inside it, except the routes.
 *
 * Put it around the app's own access log, for example. Effect's own span and access log need it only if the app has another
 * tracing middleware around its server. Otherwise the routes mask them.
 *
 * @param options those of `layer`. Behind a router with a prefix, `path` includes the prefix.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpMiddleware from "effect/http/HttpMiddleware"
 * import * as HttpServerRequest from "effect/http/HttpServerRequest"
 * import * as ZapierConnect from "@zapier-workflow-auth/node-adapter/ZapierConnect"
 *
 * const accessLog = HttpMiddleware.make((app) =>
 *   Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ url }) => Effect.ensuring(app, Effect.log(url)))
 * )
 *
 * const hideCallback = ZapierConnect.hideCallback({ redirectUri: "https://acme.example/zapier/callback" })
 *
 * // For `HttpRouter.serve(routes, { middleware })`.
 * const middleware = HttpMiddleware.make((app) => hideCallback(accessLog(app)))
 * ```
 *
 * @since 0.1.0
 */
export const hideCallback = (
  options: Pick<Options, "path" | "redirectUri">
): (<E, R>(
  app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
) => Effect.Effect<HttpServerResponse.HttpServerResponse, E, R | HttpServerRequest.HttpServerRequest>) =>
  Quiet.hide([callbackPath, `${connections}${callbackPath}`].map((path) => `${Config.mountPath(options)}${path}`))

/**
 * Like `Options`, for apps without Effect's router. `E` is the error of the layer, of any type.
 *
 * @since 0.1.0
 */
export interface WebOptions<E = ZapierAuthError> extends Omit<Options, "scopes" | "whiteLabel"> {
  /** The scopes to request: a list, or a function of the request to `connect`, as in `Options`. */
  readonly scopes:
    | ReadonlyArray<Scopes.Scope>
    | ((request: Request, subject: string) => ReadonlyArray<Scopes.Scope> | PromiseLike<ReadonlyArray<Scopes.Scope>>)
  /** The options of the routes for White Label users, as in `Options`. */
  readonly whiteLabel?:
    | {
        readonly tenant: (request: Request, subject: string) => string | PromiseLike<string>
        readonly theme?: string | undefined
      }
    | undefined
  /**
   * Returns the app's own id of the user whose session a request belongs to; `undefined`, `null` or an empty text if the
   * user is signed out. If it throws, or returns something else, the routes respond with 503 and log the cause.
   */
  readonly subject: (request: Request) => string | null | undefined | PromiseLike<string | null | undefined>
  /**
   * The layer with users' grants, for example `ZapierNode.layer()`, or the `layer` of a `ZapierPromise`, which then share
   * their users.
   */
  readonly zapier: Layer.Layer<ZapierAuth, E>
}

/**
 * Makes the same routes as a function from `Request` to `Response`, for apps without Effect's router. Requests to other
 * paths get 404.
 *
 * The layers are built at the first request. If that fails, the response is 503 with `Retry-After`, or 500 if a retry cannot
 * help; the cause is logged, and the next request builds them again. A layer shared with a `ZapierPromise` or another
 * handler is built once for both. The environment is read when this function is called.
 *
 * `dispose` lets requests in progress finish and closes the layers. Later requests get 503.
 *
 * @example
 * ```ts
 * import * as ZapierConnect from "@zapier-workflow-auth/node-adapter/ZapierConnect"
 * import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
 *
 * declare const userOf: (request: Request) => Promise<string | undefined>
 *
 * const zapier = ZapierConnect.toWebHandler({
 *   redirectUri: "https://acme.example/zapier/callback",
 *   scopes: ["zap"],
 *   subject: (request) => userOf(request),
 *   zapier: ZapierNode.layer()
 * })
 *
 * export const handle = (request: Request) => zapier.handler(request)
 * ```
 *
 * @since 0.1.0
 */
export const toWebHandler = <E = ZapierAuthError>(
  options: WebOptions<E>
): {
  readonly handler: (request: Request) => Promise<Response>
  readonly dispose: () => Promise<void>
} => {
  const made = Result.flatMap(Config.parseWeb(options), () => {
    const { scopes, subject, whiteLabel, zapier, ...rest } = options
    const chosen: Options = {
      ...rest,
      whiteLabel: AsWeb.whiteLabel(whiteLabel),
      scopes:
        typeof scopes === "function"
          ? (request, user) => AsWeb.ask(request, (asked) => scopes(asked, user), Config.scopesFailed)
          : scopes
    }
    const signedIn = Layer.succeed(SignedIn, {
      subject: (request) => Effect.map(AsWeb.ask(request, subject, Subject.failed), Option.fromNullishOr)
    })
    const routes = Layer.provide(layer(chosen), signedIn)
    return Result.map(Config.parse(chosen), (config) => ({
      ways: Visit.plain(config),
      respond: Responses.make(chosen.respond, config.texts),
      app: Effect.flatMap(SharedLayer.of(zapier).context, (services) =>
        Effect.map(HttpRouter.toHttpEffect(Layer.provide(routes, Layer.succeedContext(services))), (app) => ({
          handle: WebHandler.handleOf(app),
          patience: SharedLayer.patienceOf(services)
        }))
      )
    }))
  })
  const { respond, app, ways } = Result.getOrElse(made, (error) => ({
    ways: Visit.plain({ home: "/", publicPath: "" }),
    respond: Responses.make<never>(undefined, () => Result.succeed({})),
    app: Effect.fail(error)
  }))
  const lifetime = Lifetime.make(app, ({ patience }) => patience)
  const handler = WebHandler.make(
    lifetime,
    ({ handle }) => Effect.succeed(handle),
    (request, error) => respond({ _tag: "Failed", error, ...ways }, Responses.askedBy(request))
  )
  return { handler: (request) => handler(request), dispose: lifetime.close }
}
