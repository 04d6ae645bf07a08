/**
 * "Connect Zapier" in a web app: the routes by which a signed-in user connects, comes back, looks and disconnects.
 *
 * | route | what it does |
 * |---|---|
 * | `GET /zapier/connect?return=/settings` | sends the browser to Zapier's consent page |
 * | `GET /zapier/connect.js` | a script for the app's pages, which connects in a popup |
 * | `GET /zapier/callback` | takes it back, and goes to where `return` said |
 * | `POST /zapier/disconnect?return=/settings` | removes the grant |
 * | `GET /zapier/status` | says as JSON whether the user is connected |
 *
 * They are where the redirect URI says: it ends with `/callback`, and the others are beside it. Who is signed in, the app
 * says (`SignedIn`), and every route but the callback asks it first.
 *
 * **What is defended.** A callback is taken only in the browser that began the attempt, of which it has a cookie, and only
 * for the user who began it: a link that an attacker has prepared connects nobody to the attacker's account. A link that
 * leads to `connect` from elsewhere than the app's own pages is answered with a page that asks; the consent page alone would
 * not do, because a browser may be signed in to the attacker's Zapier account. Return addresses stay at the app, or go to
 * origins that it names. A request that changes something must come from the app's own pages, by `Origin` or
 * `Sec-Fetch-Site`. `HEAD` and what a browser fetches ahead of a visit have no effect, and a callback that comes again changes
 * nothing. Unfinished visits leave at most five cookies, of less than 4 kB together. Nothing is kept by caches, and nothing
 * that is loaded from a callback's page would be told its address, which holds a code. The server's spans have the code and
 * `state` masked (`hideCallback` says what else may show them).
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
import * as Answers from "./internal/connect/answers.ts"
import * as AsWeb from "./internal/connect/asWeb.ts"
import * as Config from "./internal/connect/config.ts"
import type { Outcome } from "./internal/connect/outcome.ts"
import { callbackPath } from "./internal/connect/paths.ts"
import * as Quiet from "./internal/connect/quiet.ts"
import * as Routes from "./internal/connect/routes.ts"
import * as Subject from "./internal/connect/subject.ts"
import * as Visit from "./internal/connect/visit.ts"
import * as WebHandler from "./internal/connect/webHandler.ts"
import * as Lifetime from "./internal/lifetime.ts"
import * as SharedLayer from "./internal/sharedLayer.ts"

/**
 * Who is signed in to the app.
 *
 * @since 0.1.0
 */
export class SignedIn extends Context.Service<
  SignedIn,
  {
    /**
     * The app's own name for the user whose session a request belongs to; none if nobody is signed in, for which an empty
     * text stands, too. If it fails or gives what is no text, the routes answer with 503 and log why: the outcome is `Failed`,
     * by `StoreFailed` unless it failed with a `ZapierAuthError`.
     */
    readonly subject: (request: HttpServerRequest.HttpServerRequest) => Effect.Effect<Option.Option<string>, unknown>
  }
>()("@zapier-workflow-auth/node-adapter/ZapierConnect/SignedIn") {}

/**
 * `SignedIn` out of the app's own session service, which the layer needs in its place.
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

export type { Asked } from "./internal/connect/answers.ts"

export type { PopupResult, PopupScript } from "./internal/connect/popup.ts"

export type { Outcome, Popup, Ways } from "./internal/connect/outcome.ts"

/**
 * Where the routes are, what is asked for, and how the app answers. `R` is what `respond` needs, and `S` what
 * `scopes` does.
 *
 * @since 0.1.0
 */
export interface Options<R = never, S = never> extends Pick<
  AuthorizationOptions,
  "incremental" | "pkce" | "signUp" | "campaign" | "page"
> {
  /**
   * One of the application's redirect URIs. It ends with `/callback`, and is where the browser sees this app: behind a proxy,
   * the proxy's address.
   */
  readonly redirectUri: string
  /**
   * What to ask for: a list, or a function that chooses one for each request to `connect`, by its query for example. The app
   * decides, so choose among lists of the app's own, and never ask for what a query holds: anybody can write a link. If the
   * function fails or gives what is no such list, the outcome is `Failed`, and why is logged.
   */
  readonly scopes:
    | ReadonlyArray<Scopes.Scope>
    | ((
        request: HttpServerRequest.HttpServerRequest,
        subject: string
      ) => Effect.Effect<ReadonlyArray<Scopes.Scope>, unknown, S>)
  /**
   * The path that the routes have here. Default: that of the redirect URI, without `/callback`. It has no percent sign, star or
   * semicolon: where the redirect URI has one, give another path here.
   */
  readonly path?: `/${string}` | undefined
  /** Where users go who did not say where to, or whose address has more than 500 characters. A path of the app. Default: `/`. */
  readonly returnTo?: `/${string}` | undefined
  /** Where users sign in: a path of the app, or an address at one of its origins. Who is signed out is offered a link to it. */
  readonly signIn?: string | undefined
  /** More origins of the app, such as `https://www.acme.example`: their pages may connect and disconnect, and be returned to. */
  readonly origins?: ReadonlyArray<string> | undefined
  /**
   * The app's name, and its own texts for the pages: the same for everybody, or those for one reader
   * (`ConnectTexts.byLanguage`). Those left out are English.
   */
  readonly texts?: Given | undefined
  /**
   * Answers in the app's own words, where it has any; `undefined` leaves the outcome to the library, and so does a function
   * that throws, which is logged. Headers that keep caches and other sites out are added to its answer. Default: `respond`,
   * which goes to `returnTo` when it worked, and else shows a page; programs are given JSON.
   */
  readonly respond?:
    | ((
        outcome: Outcome,
        asked: Answers.Asked
      ) => Effect.Effect<HttpServerResponse.HttpServerResponse | undefined, never, R>)
    | undefined
}

/**
 * The answer that is given unless an app has one of its own.
 *
 * @param asked whether data or a page is asked for. Default: a page
 * @since 0.1.0
 */
export const respond = (
  outcome: Outcome,
  asked: Answers.Asked = { format: "page" }
): HttpServerResponse.HttpServerResponse => Answers.respond(outcome, asked)

const make = Effect.fnUntraced(function* <R, S>(options: Options<R, S>) {
  // What the app's functions need is what there is when the layer is built, and what each request has.
  const given = yield* Effect.context<Exclude<R | S, HttpRouter.Provided>>()
  const provide = <A, E, Needed extends R | S>(effect: Effect.Effect<A, E, Needed>) =>
    Effect.updateContext(
      effect,
      (own: Context.Context<HttpRouter.Provided>) => Context.merge(given, own) as Context.Context<Needed>
    )
  const config = yield* Effect.fromResult(Config.parse(options))
  const signedIn = yield* SignedIn
  const answer = Answers.make(options.respond, config.texts)
  return Routes.make(
    { ...config, scopes: (request, subject) => provide(config.scopes(request, subject)) },
    {
      auth: yield* ZapierAuth,
      digest: yield* Digest.Digest,
      // @effect-diagnostics-next-line anyUnknownInErrorContext:off
      subject: (request) => Subject.parse(() => signedIn.subject(request)),
      answer: (outcome, asking) => provide(answer(outcome, asking))
    }
  )
})

/**
 * The routes, to be merged with those of the app.
 *
 * Fails with `InvalidConfig` when an option is not usable. That the redirect URI is one of the application's is seen when
 * somebody connects, and so are `pkce`, `incremental`, `page`, `signUp` and `campaign`.
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
 * A middleware that keeps code and `state` of a callback from everything inside of it, but for the routes: an access log of
 * the app's own sees a URL in which they are masked. Effect's own span and access log need it only where an app has put
 * another tracing middleware around its server; for those the routes see themselves.
 *
 * @param options those of `layer`. Behind a router with a prefix, `path` has the prefix, too.
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
  Quiet.hide(`${Config.mountPath(options)}${callbackPath}`)

/**
 * As `Options`, for an app that is not on Effect's router. `E` is what the layer fails with, which may be anything.
 *
 * @since 0.1.0
 */
export interface WebOptions<E = ZapierAuthError> extends Omit<Options, "scopes"> {
  /** What to ask for: a list, or a function that chooses one for each request to `connect`, as in `Options`. */
  readonly scopes:
    | ReadonlyArray<Scopes.Scope>
    | ((request: Request, subject: string) => ReadonlyArray<Scopes.Scope> | PromiseLike<ReadonlyArray<Scopes.Scope>>)
  /**
   * The app's own name for the user whose session a request belongs to; `undefined`, `null` or an empty text if nobody is
   * signed in. If it throws or gives what is no text, the routes answer with 503 and log why.
   */
  readonly subject: (request: Request) => string | null | undefined | PromiseLike<string | null | undefined>
  /**
   * Where users' grants are: `ZapierNode.layer()`, for example, or the `layer` of a `ZapierPromise`, whose users these then
   * are.
   */
  readonly zapier: Layer.Layer<ZapierAuth, E>
}

/**
 * The same routes as a function from a `Request` to a `Response`, for apps that are not on Effect's router. A request that is
 * for none of the routes is answered with 404.
 *
 * The layers are built at the first request. If that fails, the request is answered with 503 and `Retry-After`, or with 500
 * if trying again cannot help; what is wrong is logged, and the next request builds them again. A layer that a
 * `ZapierPromise` was made over, or another handler, is built once for both. The environment is read as it is now.
 *
 * `dispose` lets requests that are under way finish, and closes the layers. Later requests are answered with 503.
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
    const { scopes, subject, zapier, ...rest } = options
    const chosen: Options = {
      ...rest,
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
      answer: Answers.make(chosen.respond, config.texts),
      app: Effect.flatMap(SharedLayer.of(zapier).context, (services) =>
        Effect.map(HttpRouter.toHttpEffect(Layer.provide(routes, Layer.succeedContext(services))), (app) => ({
          handle: WebHandler.handleOf(app),
          patience: SharedLayer.patienceOf(services)
        }))
      )
    }))
  })
  const { answer, app, ways } = Result.getOrElse(made, (error) => ({
    ways: Visit.plain({ home: "/", publicPath: "" }),
    answer: Answers.make<never>(undefined, () => Result.succeed({})),
    app: Effect.fail(error)
  }))
  const lifetime = Lifetime.make(app, ({ patience }) => patience)
  const handler = WebHandler.make(
    lifetime,
    ({ handle }) => Effect.succeed(handle),
    (request, error) => answer({ _tag: "Failed", error, ...ways }, Answers.askedBy(request))
  )
  return { handler: (request) => handler(request), dispose: lifetime.close }
}
