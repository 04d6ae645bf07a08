/**
 * "Connect Zapier" in a web app: the routes by which a signed-in user connects, comes back, looks and disconnects.
 *
 * | route | what it does |
 * |---|---|
 * | `GET /zapier/connect?return=/settings` | sends the browser to Zapier's consent page |
 * | `GET /zapier/callback` | takes it back, and goes to where `return` said |
 * | `POST /zapier/disconnect?return=/settings` | removes the grant |
 * | `GET /zapier/status` | says as JSON whether the user is connected |
 *
 * They are where the redirect URI says: it ends with `/callback`, and the others are beside it. Who is signed in, the app
 * says (`SignedIn`), and every route but the callback asks it first.
 *
 * **What is defended.** A callback is taken only in the browser that began the attempt, of which it has a cookie, and only
 * for the user who began it: a link that an attacker has prepared connects nobody to the attacker's account. A page of
 * another site, or of a host beside the app's, that sends the browser to `connect` is answered with a page that asks; the
 * consent page alone would not do, because a browser may be signed in to the attacker's Zapier account. Return addresses
 * stay at the app, or go to origins that it names. A request that changes something must come from the app's own pages, by
 * `Origin` or `Sec-Fetch-Site`. Nothing is kept by caches, and nothing that is loaded from a callback's page would be told
 * its address, which holds a code. The server's spans have the code and `state` masked (`hideCallback` says what else may
 * show them).
 *
 * Sources: RFC 6749 section 10.12 and RFC 9700 section 4.7 (CSRF), RFC 9700 sections 4.2 (referrer) and 4.11 (open
 * redirects).
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
import * as AttemptStore from "@zapier-workflow-auth/core/store/AttemptStore"
import * as AuthorizationCallback from "@zapier-workflow-auth/core/oauth/AuthorizationCallback"
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
import {
  type AuthorizationOptions,
  type Disconnected,
  type Status,
  ZapierAuth
} from "@zapier-workflow-auth/core/ZapierAuth"
import { from, InvalidConfig, StateMismatch, type ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Cookies from "./internal/connect/cookies.ts"
import * as Failures from "./internal/connect/failures.ts"
import * as Origin from "./internal/connect/origin.ts"
import * as Quiet from "./internal/connect/quiet.ts"
import * as ReturnUrl from "./internal/connect/returnUrl.ts"
import * as WebHandler from "./internal/connect/webHandler.ts"
import * as Page from "./internal/page.ts"
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
     * The app's own name for the user whose session a request belongs to; none if nobody is signed in. If it fails, the
     * routes answer with 503 and log the name of the error: the outcome is `Failed`, by `StoreFailed` unless it failed with
     * a `ZapierAuthError`.
     */
    readonly subject: (request: HttpServerRequest.HttpServerRequest) => Effect.Effect<Option.Option<string>, unknown>
  }
>()("@zapier-workflow-auth/node-adapter/ZapierConnect/SignedIn") {}

/**
 * What came of a request, for an app that answers in its own words.
 *
 * - `Connected`: the user came back from the consent page, and the grant is stored.
 * - `Disconnected`: the grant was removed. `revocation` says what the user can do at Zapier.
 * - `Failed`: neither. `error.reason` says why; `connect` is where to try again.
 * - `SignedOut`: nobody is signed in.
 *
 * `returnTo` is where the user wanted to go from there: a path of the app, or an address that is allowed.
 *
 * @since 0.1.0
 */
export type Outcome =
  | { readonly _tag: "Connected"; readonly status: Status; readonly returnTo: string }
  | ({ readonly _tag: "Disconnected"; readonly returnTo: string } & Disconnected)
  | { readonly _tag: "Failed"; readonly error: ZapierAuthError; readonly returnTo: string; readonly connect: string }
  | { readonly _tag: "SignedOut" }

/**
 * Where the routes are, what is asked for, and how the app answers. `R` is what `respond` needs.
 *
 * @since 0.1.0
 */
export interface Options<R = never> extends Pick<
  AuthorizationOptions,
  "incremental" | "pkce" | "signUp" | "campaign" | "page"
> {
  /**
   * One of the application's redirect URIs. It ends with `/callback`, and is where the browser sees this app: behind a proxy,
   * the proxy's address.
   */
  readonly redirectUri: string
  /** What to ask for. */
  readonly scopes: ReadonlyArray<Scopes.Scope>
  /** The path that the routes have here. Default: that of the redirect URI, without `/callback`. */
  readonly path?: `/${string}` | undefined
  /** Where users go who did not say where to. A path of the app. Default: `/`. */
  readonly returnTo?: `/${string}` | undefined
  /** More origins of the app, such as `https://www.acme.example`: their pages may connect and disconnect, and be returned to. */
  readonly origins?: ReadonlyArray<string> | undefined
  /**
   * Answers in the app's own words, where it has any. Headers that keep caches and other sites out are added to its answer.
   * Default: `respond`, which goes to `returnTo` when it worked, and else shows a page.
   */
  readonly respond?: ((outcome: Outcome) => Effect.Effect<HttpServerResponse.HttpServerResponse, never, R>) | undefined
}

const callbackPath = "/callback"

const publicPathOf = (redirectUri: string) => new URL(redirectUri).pathname.slice(0, -callbackPath.length)

// What is no redirect URI, `make` refuses.
const pathOf = ({ path, redirectUri }: Pick<Options, "path" | "redirectUri">) =>
  path ?? (ClientApplication.isRedirectUri(redirectUri) ? publicPathOf(redirectUri) : "")

const invalid = (setting: string, problem: string) => from(new InvalidConfig({ setting, problem }))

/**
 * The answer that is given unless an app has one of its own.
 *
 * @since 0.1.0
 */
export const respond = (outcome: Outcome): HttpServerResponse.HttpServerResponse => {
  switch (outcome._tag) {
    case "Connected":
    case "Disconnected":
      return HttpServerResponse.redirect(outcome.returnTo, { status: 303 })
    case "SignedOut":
      return Page.respond(401, {
        title: "You are not signed in",
        words: "Sign in first, and connect Zapier then.",
        link: { url: "/", text: "Back to the start" }
      })
    case "Failed": {
      const { reason } = outcome.error
      const { status, title, words } = Failures.told(reason)
      const seconds = Failures.retryAfter(reason)
      const answer = Page.respond(status, { title, words, link: { url: outcome.connect, text: "Connect Zapier" } })
      return seconds === undefined ? answer : HttpServerResponse.setHeader(answer, "Retry-After", `${seconds}`)
    }
  }
}

// A program that asks gets data, a browser a page.
const wantsJson = ({ headers }: HttpServerRequest.HttpServerRequest) => {
  const accept = headers["accept"] ?? ""
  return accept.includes("application/json") && !accept.includes("text/html")
}

const json = (body: object, status: number) => HttpServerResponse.jsonUnsafe(body, { status })

const statusJson = (status: Status) => ({
  ...status,
  connected: status.state === "Active" || status.state === "Refreshing",
  needsReconnect: status.state === "ReconnectRequired"
})

const respondJson = (outcome: Outcome): HttpServerResponse.HttpServerResponse => {
  switch (outcome._tag) {
    case "Connected":
      return json(statusJson(outcome.status), 200)
    case "Disconnected":
      return json({ wasConnected: outcome.wasConnected, revocation: outcome.revocation }, 200)
    case "SignedOut":
      return json({ error: "SignedOut" }, 401)
    case "Failed": {
      const { isRetryable, needsReconnect, reason } = outcome.error
      const seconds = Failures.retryAfter(reason)
      const { status, words } = Failures.told(reason)
      const answer = json({ error: reason._tag, message: words, isRetryable, needsReconnect }, status)
      return seconds === undefined ? answer : HttpServerResponse.setHeader(answer, "Retry-After", `${seconds}`)
    }
  }
}

const queryOf = (request: HttpServerRequest.HttpServerRequest): URLSearchParams => {
  const start = request.url.indexOf("?")
  return new URLSearchParams(start === -1 ? "" : request.url.slice(start + 1))
}

const answerWith = <R>(
  { respond: own }: Pick<Options<R>, "respond">,
  request: HttpServerRequest.HttpServerRequest,
  outcome: Outcome
): Effect.Effect<HttpServerResponse.HttpServerResponse, never, R> => {
  const given: Effect.Effect<HttpServerResponse.HttpServerResponse, never, R> = wantsJson(request)
    ? Effect.succeed(respondJson(outcome))
    : (own?.(outcome) ?? Effect.succeed(respond(outcome)))
  return Effect.map(given, HttpServerResponse.setHeaders(Page.guards))
}

// What `respond` needs is what there is when the layer is built, and what each request has.
type Given<R> = Exclude<R, HttpRouter.Provided>

const make = Effect.fnUntraced(function* <R>(options: Options<R>) {
  const given = yield* Effect.context<Given<R>>()
  const auth = yield* ZapierAuth
  const signedIn = yield* SignedIn
  const digest = yield* Digest.Digest
  const { redirectUri, scopes } = options
  if (!ClientApplication.isRedirectUri(redirectUri) || !new URL(redirectUri).pathname.endsWith(callbackPath)) {
    return yield* invalid(
      "redirectUri",
      `give one of the application's redirect URIs that ends with ${callbackPath}, with https unless it is on this machine`
    )
  }
  const { origin, protocol } = new URL(redirectUri)
  const isSecure = protocol === "https:"
  const publicPath = publicPathOf(redirectUri)
  const others = options.origins ?? []
  const own = [origin, ...others]
  const home = options.returnTo ?? "/"
  if (!Array.isArray(scopes) || scopes.length === 0 || !scopes.every(Scopes.isToken)) {
    return yield* invalid("scopes", "give a list of at least one scope, each by itself")
  }
  const odd = others.find((other) => !URL.canParse(other) || new URL(other).origin !== other)
  if (odd !== undefined) {
    return yield* invalid("origins", `${JSON.stringify(odd)} is no origin: give one such as https://www.acme.example`)
  }
  if (ReturnUrl.parse(home, origin, []) === undefined) {
    return yield* invalid("returnTo", "give a path of the app, such as /settings")
  }

  const connectUrl = (returnTo: string) =>
    `${publicPath}/connect${returnTo === home ? "" : `?${new URLSearchParams({ return: returnTo })}`}`

  const answer = (request: HttpServerRequest.HttpServerRequest, outcome: Outcome) =>
    Effect.updateContext(
      answerWith(options, request, outcome),
      (own: Context.Context<HttpRouter.Provided>) => Context.merge(given, own) as Context.Context<R>
    )

  const refuse = (request: HttpServerRequest.HttpServerRequest, status: number, words: string) =>
    wantsJson(request)
      ? HttpServerResponse.setHeaders(json({ error: "Refused", message: words }, status), Page.guards)
      : Page.respond(status, { title: "That is not possible", words })

  const failed = (error: ZapierAuthError, returnTo: string): Outcome => ({
    _tag: "Failed",
    error,
    returnTo,
    connect: connectUrl(returnTo)
  })

  // The app's owner has to know what its users are told in other words.
  const unable = (error: ZapierAuthError, returnTo: string) =>
    Effect.as(Effect.logError(error.message), failed(error, returnTo))

  type Handler = (
    request: HttpServerRequest.HttpServerRequest,
    subject: string,
    returnTo: string
  ) => Effect.Effect<HttpServerResponse.HttpServerResponse, never, HttpRouter.Provided>

  const subjectOf = (request: HttpServerRequest.HttpServerRequest) =>
    // How an app's own service fails is the app's. @effect-diagnostics-next-line anyUnknownInErrorContext:off
    Effect.result(Effect.mapError(signedIn.subject(request), Failures.unknownUser))

  /** For a user who is signed in, and an address to return to that is allowed. */
  const forUser = (handler: Handler) =>
    Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest) {
      const asked = queryOf(request).get("return")
      const returnTo = asked === null ? home : ReturnUrl.parse(asked, origin, others)
      if (returnTo === undefined) return refuse(request, 400, "The address to return to is none of the app's.")
      const subject = yield* subjectOf(request)
      if (Result.isFailure(subject)) return yield* answer(request, yield* unable(subject.failure, returnTo))
      if (Option.isNone(subject.success)) return yield* answer(request, { _tag: "SignedOut" })
      return yield* handler(request, subject.success.value, returnTo)
    })

  const connect: Handler = Effect.fnUntraced(function* (request, subject, returnTo) {
    if (Origin.isFromElsewhere(request, own)) {
      return Page.respond(200, {
        title: "Connect Zapier?",
        words: "Another page has sent you here. Go on if it is you who wants to connect Zapier.",
        link: { url: connectUrl(returnTo), text: "Connect Zapier" }
      })
    }
    const { campaign, incremental, page, pkce, signUp } = options
    const begun = yield* Effect.result(
      auth.authorizationUrl({ subject, scopes, redirectUri, campaign, incremental, page, pkce, signUp })
    )
    if (Result.isFailure(begun)) return yield* answer(request, failed(begun.failure, returnTo))
    const { attempt, expiresAt, url } = begun.success
    const lifetime = expiresAt - (yield* Clock.currentTimeMillis)
    return HttpServerResponse.redirect(Redacted.value(url), { status: 303 }).pipe(
      Cookies.set(attempt, returnTo, isSecure, lifetime),
      HttpServerResponse.setHeaders(Page.guards)
    )
  })

  const callback = Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest) {
    const query = yield* Quiet.queryOf(request)
    const parsed = AuthorizationCallback.parse(query)
    if (Result.isFailure(parsed)) return yield* answer(request, failed(from(parsed.failure), home))
    const attempt = yield* Effect.provideService(AttemptStore.keyOf(parsed.success.state), Digest.Digest, digest)
    const begunHere = request.cookies[Cookies.nameOf(attempt, isSecure)]
    // The attempt is not used up by who is refused here: the right browser and user still can come back.
    if (begunHere === undefined) {
      return yield* answer(request, failed(from(new StateMismatch({ why: "OtherBrowser" })), home))
    }
    const subject = yield* subjectOf(request)
    if (Result.isFailure(subject)) return yield* answer(request, yield* unable(subject.failure, home))
    if (Option.isNone(subject.success)) return yield* answer(request, { _tag: "SignedOut" })
    // It was allowed when it was put there, and anybody may have changed it since.
    const returnTo = ReturnUrl.parse(begunHere, origin, others) ?? home
    const outcome = yield* Effect.match(auth.handleCallback(query, { subject: subject.success.value }), {
      onFailure: (error) => failed(error, returnTo),
      onSuccess: (status): Outcome => ({ _tag: "Connected", status, returnTo })
    })
    return Cookies.expire(attempt, isSecure)(yield* answer(request, outcome))
  })

  const disconnect: Handler = Effect.fnUntraced(function* (request, subject, returnTo) {
    if (!Origin.isOwnPost(request, own)) {
      return refuse(request, 403, "Only the app's own pages can disconnect.")
    }
    const outcome = yield* Effect.match(auth.disconnect(subject), {
      onFailure: (error) => failed(error, returnTo),
      onSuccess: (disconnected): Outcome => ({ _tag: "Disconnected", returnTo, ...disconnected })
    })
    return yield* answer(request, outcome)
  })

  const status: Handler = Effect.fnUntraced(function* (_, subject, returnTo) {
    const found = yield* Effect.match(auth.status(subject), {
      onFailure: (error) => respondJson(failed(error, returnTo)),
      onSuccess: (found) => json(statusJson(found), 200)
    })
    return HttpServerResponse.setHeaders(found, Page.guards)
  })

  const at = (route: `/${string}`) => `${options.path ?? publicPath}${route}` as `/${string}`
  return [
    HttpRouter.route("GET", at("/connect"), Quiet.handler(forUser(connect))),
    HttpRouter.route("GET", at(callbackPath), Quiet.handler(callback)),
    HttpRouter.route("POST", at("/disconnect"), Quiet.handler(forUser(disconnect))),
    HttpRouter.route("GET", at("/status"), Quiet.handler(forUser(status)))
  ]
})

/**
 * The routes, to be merged with those of the app.
 *
 * Fails with `InvalidConfig` when the redirect URI, the scopes, `origins` or `returnTo` are not usable. That the redirect URI is one of the
 * application's is seen when somebody connects.
 *
 * @since 0.1.0
 */
export const layer = <R = never>(
  options: Options<R>
): Layer.Layer<
  never,
  ZapierAuthError,
  HttpRouter.HttpRouter | ZapierAuth | SignedIn | Exclude<R, HttpRouter.Provided>
> =>
  HttpRouter.use(
    Effect.fnUntraced(function* (router) {
      yield* router.addAll(yield* make(options))
      yield* router.addGlobalMiddleware(Quiet.router(pathOf(options)))
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
  Quiet.hide(`${pathOf(options)}${callbackPath}`)

/**
 * As `Options`, for an app that is not on Effect's router.
 *
 * @since 0.1.0
 */
export interface WebOptions extends Options {
  /**
   * The app's own name for the user whose session a request belongs to; `undefined` if nobody is signed in. If it throws,
   * the routes answer with 503.
   */
  readonly subject: (request: Request) => string | undefined | PromiseLike<string | undefined>
  /**
   * Where users' grants are: `ZapierNode.layer()`, for example, or the `layer` of a `ZapierPromise`, whose users these then
   * are.
   */
  readonly zapier: Layer.Layer<ZapierAuth, ZapierAuthError>
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
export const toWebHandler = ({
  subject,
  zapier,
  ...options
}: WebOptions): {
  readonly handler: (request: Request) => Promise<Response>
  readonly dispose: () => Promise<void>
} => {
  const signedIn = Layer.succeed(SignedIn, {
    subject: (request) =>
      // A request that came as a `Request` can be had as one.
      Effect.map(
        Effect.tryPromise({
          try: async () => subject(Result.getOrThrow(HttpServerRequest.toWebResult(request))),
          catch: Failures.unknownUser
        }),
        Option.fromUndefinedOr
      )
  })
  const routes = Layer.provide(layer(options), signedIn)
  const app = Effect.flatMap(SharedLayer.of(zapier).context, (services) =>
    HttpRouter.toHttpEffect(Layer.provide(routes, Layer.succeedContext(services)))
  )
  const { redirectUri, returnTo = "/" } = options
  const connect = ClientApplication.isRedirectUri(redirectUri) ? `${publicPathOf(redirectUri)}/connect` : returnTo
  return WebHandler.make(app, (request, error) =>
    answerWith(options, request, { _tag: "Failed", error, returnTo, connect })
  )
}
