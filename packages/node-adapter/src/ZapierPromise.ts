/**
 * The library for programs without Effect: promises of plain values and errors.
 *
 * Failures are returned, not thrown: `{ ok: false, error }`, where `error._tag` is one of the reasons of `ZapierAuthError`.
 * A promise rejects only because of a bug, or with the reason of an aborted `signal`.
 *
 * A client starts at its first use: it opens its stores and reads the application. If that fails, all waiting calls get the
 * failure, and the next call starts again.
 *
 * @example
 * ```ts
 * import * as ZapierPromise from "@zapier-workflow-auth/node-adapter/ZapierPromise"
 *
 * const zapier = ZapierPromise.make({
 *   application: { clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/zapier/callback"] }
 * })
 *
 * const zaps = await zapier.fetch("/v2/zaps", { subject: "ada" })
 * if (zaps.ok) {
 *   console.log(await zaps.value.json())
 * } else if (zaps.error.needsReconnect) {
 *   const consent = await zapier.authorizationUrl({ subject: "ada", scopes: ["zap"] })
 *   console.log(consent.ok ? `Go to ${consent.value.url}` : consent.error.message)
 * } else {
 *   console.error(zaps.error.message)
 * }
 * await zapier.close()
 * ```
 *
 * @since 0.1.0
 */
import type { AuthEvent } from "@zapier-workflow-auth/core/AuthEvent"
import type * as AuthorizationCallback from "@zapier-workflow-auth/core/oauth/AuthorizationCallback"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import * as ProblemDetails from "@zapier-workflow-auth/core/ProblemDetails"
import type * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
import type * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import {
  type AuthorizationOptions,
  type AuthorizationRequest,
  type Connected,
  type Disconnected,
  type Status,
  ZapierAuth
} from "@zapier-workflow-auth/core/ZapierAuth"
import { Closed, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import { type CallError, ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import type { HttpMethod } from "effect/http/HttpMethod"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as EffectResult from "effect/Result"
import * as Stream from "effect/Stream"
import * as Paths from "./internal/connect/paths.ts"
import * as Environment from "./internal/environment.ts"
import * as Lifetime from "./internal/lifetime.ts"
import * as Listeners from "./internal/listeners.ts"
import type * as Adoption from "./internal/promise/adoption.ts"
import * as Application from "./internal/promise/application.ts"
import * as Connect from "./internal/promise/connect.ts"
import * as Endpoints from "./internal/promise/endpoints.ts"
import type { ConnectOptions, Subject } from "./internal/promise/connect.ts"
import * as Failure from "./internal/promise/failure.ts"
import type { Result } from "./internal/promise/failure.ts"
import * as Frozen from "./internal/promise/frozen.ts"
import * as Input from "./internal/promise/input.ts"
import * as ClientOptions from "./internal/promise/options.ts"
import type { Options, ProcessOptions } from "./internal/promise/options.ts"
import * as Retry from "./internal/promise/retry.ts"
import type * as Routes from "./internal/promise/routes.ts"
import * as Stores from "./internal/promise/stores.ts"
import * as WhiteLabel from "./internal/promise/whiteLabel.ts"
import * as WaitUntil from "./internal/promise/waitUntil.ts"
import * as SharedLayer from "./internal/sharedLayer.ts"
import * as WhiteLabelLayer from "./internal/whiteLabelLayer.ts"
import * as ZapierNode from "./ZapierNode.ts"

export type { Adopted, AdoptRow, RefusedRow } from "./internal/promise/adoption.ts"

export type { ConnectOptions, ConnectOutcome, Subject } from "./internal/promise/connect.ts"

export {
  type Endpoint,
  type EndpointRequest,
  type EndpointResponse,
  type Endpoints,
  IterationError,
  type PagedEndpoint
} from "./internal/promise/endpoints.ts"

export type { WhiteLabelCalls, WhiteLabelOptions } from "./internal/promise/whiteLabel.ts"

export type { ApiFailure, Failure, Result } from "./internal/promise/failure.ts"

export type {
  CustomStores,
  Encryption,
  Options,
  PostgresStores,
  ProcessOptions,
  RedisStores,
  Stores
} from "./internal/promise/options.ts"

/**
 * A valid access token. `expiresAt` is in milliseconds since the epoch.
 *
 * @since 0.1.0
 */
export interface Token {
  readonly accessToken: string
  readonly scopes: ReadonlyArray<Scopes.Scope>
  readonly expiresAt: number
}

/**
 * Options of every call.
 *
 * @since 0.1.0
 */
export interface SignalOptions {
  /**
   * Aborts the call: its promise rejects with the signal's reason. Work that others wait for continues, and so does the
   * exchange of a code or the removal of a grant once it has begun.
   */
  readonly signal?: AbortSignal | undefined
}

/**
 * The options of a request.
 *
 * @since 0.1.0
 */
export interface CallOptions {
  /** The HTTP method. Default: `GET`. */
  readonly method?: HttpMethod | undefined
  /** Additional headers. The credential is added to them. */
  readonly headers?: { readonly [name: string]: string } | undefined
  /** The body: text or bytes, which can be sent again after a 401. */
  readonly body?: string | Uint8Array | undefined
  /** A value to send as JSON, instead of `body`. */
  readonly json?: unknown
  /** The user, for endpoints that take a user's token. */
  readonly subject?: string | undefined
  /** The tenant of a White Label user. */
  readonly tenant?: string | undefined
  /** The credential, overriding the endpoint table, and for endpoints that it does not have. */
  readonly credential?: Credential.Credential | undefined
  /** Aborts the call and its body: the promise or the body rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/**
 * The options of `handler`.
 *
 * @since 0.1.0
 */
export interface HandlerOptions {
  /** Returns the signed-in user, overriding `connect.subject`. Called only for requests to the routes. */
  readonly subject?: ((request: Request) => Subject | PromiseLike<Subject>) | undefined
}

/**
 * The operations of `ZapierAuth` and `ZapierHttpClient`, and each endpoint by group and name, such as `zaps.list`.
 *
 * The failures are those of the operations there.
 *
 * @since 0.1.0
 */
export interface ZapierPromise extends Endpoints.Endpoints {
  /** Begins a consent. Redirect the user's browser to `url`, and do not log it: it contains `state`. */
  readonly authorizationUrl: (
    options: AuthorizationOptions & SignalOptions
  ) => Promise<Result<Omit<AuthorizationRequest, "url"> & { readonly url: string }>>
  /**
   * Handles the redirect from the consent page, for the user who is signed in there. `missingScopes` lists the requested
   * scopes that were not granted.
   */
  readonly handleCallback: (
    input: AuthorizationCallback.Input,
    options: { readonly subject: string } & SignalOptions
  ) => Promise<Result<Connected>>
  /** Returns a user's access token, renewed if necessary. */
  readonly accessToken: (subject: string, options?: SignalOptions) => Promise<Result<Token>>
  /** Returns an access token of the app itself. */
  readonly appToken: (scopes: ReadonlyArray<Scopes.Scope>, options?: SignalOptions) => Promise<Result<Token>>
  /** Connect URLs and tokens for White Label partners. Needs the option `whiteLabel`. */
  readonly whiteLabel: WhiteLabel.WhiteLabelCalls
  /**
   * Calls the API at a path such as `/v2/zaps?limit=5`, or at an absolute URL of the API, with the endpoint's credential.
   * Any response is a success, even with status 404: check `response.ok`.
   */
  readonly fetch: (path: string, options?: CallOptions) => Promise<Result<Response>>
  /** Returns the status of a user's connection, without asking Zapier. */
  readonly status: (subject: string, options?: SignalOptions) => Promise<Result<Status>>
  /** Removes a user's grant. `revocation` is a text for the user. */
  readonly disconnect: (subject: string, options?: SignalOptions) => Promise<Result<Disconnected>>
  /**
   * Takes over the tokens of users whom the app connected without this library, so that they need not reconnect.
   *
   * Users with a grant keep it, so after a failure call it again. Sends nothing to Zapier. From now on, no other program may
   * refresh these tokens. Invalid rows are returned in `refused`. Fails with `StoreFailed`, and with `AppCodeFailed` if the
   * rows cannot be read; earlier rows are adopted.
   *
   * @example
   * ```ts
   * import * as ZapierPromise from "@zapier-workflow-auth/node-adapter/ZapierPromise"
   *
   * const zapier = ZapierPromise.make({
   *   application: { clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/zapier/callback"] },
   *   stores: "memory"
   * })
   *
   * await zapier.adopt([{ subject: "ada", refreshToken: "r", scopes: ["zap"] }])
   * // => { ok: true, value: { adopted: 1, alreadyConnected: 0, refused: [] } }
   * await zapier.close()
   * ```
   */
  readonly adopt: (
    rows: Iterable<Adoption.AdoptRow> | AsyncIterable<Adoption.AdoptRow>,
    options?: SignalOptions
  ) => Promise<Result<Adoption.Adopted>>
  /**
   * Responds to requests to the routes of `connect`; `undefined` for any other request. The redirect URI determines the
   * paths, for example `/zapier/connect`, `/zapier/connect.js`, `/zapier/callback`, `/zapier/disconnect` and
   * `/zapier/status`. Routes and calls share their users: a disconnect there takes effect here at once.
   *
   * If the stores are unavailable, the response is 503 with `Retry-After`, and the next request tries again. If the options
   * are invalid, every response is 500, and the cause is logged. Throws only if the argument is not a `Request`.
   */
  readonly handler: (request: Request, options?: HandlerOptions) => Promise<Response | undefined>
  /**
   * Calls a listener for all events from now on. Returns a function that stops it. If a listener throws or rejects, that is
   * logged, and the next event still comes. No operation waits for a listener.
   */
  readonly subscribe: (listener: (event: AuthEvent) => void | PromiseLike<void>) => () => void
  /**
   * Resolves when everything that calls have begun has ended and is stored, such as early renewals. Await it before the
   * response in functions that are frozen after it, on platforms without `waitUntil`.
   */
  readonly settled: () => Promise<void>
  /**
   * Closes the client: begins nothing new, and lets work in progress finish and be stored. That takes up to
   * `requestTimeout`, or up to `responseTimeout` while a token request is open, or 20 seconds for a start that cannot be
   * interrupted. Later calls, those that would have to begin something, and those that take longer fail with `Closed`.
   *
   * A process that ends without closing loses the response to an open request.
   */
  readonly close: () => Promise<void>
  /** The same as `close`, for `await using`. */
  readonly [Symbol.asyncDispose]: () => Promise<void>
  /**
   * The client's layer, whose errors are `ZapierAuthError`s. Pass it to `ZapierConnect.toWebHandler` to share users: the
   * layer is built once, and closed with its last user.
   */
  readonly layer: Layer.Layer<ZapierAuth | ZapierHttpClient, ZapierAuthError>
}

const tokenOf = ({ accessToken, expiresAt, scopes }: Tokens.UsableAccess): Token => ({
  accessToken: Redacted.value(accessToken),
  scopes,
  expiresAt
})

// Responses with these statuses must not have a body.
const bodiless = new Set([204, 205, 304])

const at = (response: Response, url: string): Response => Object.defineProperty(response, "url", { value: url })

// Aborting the signal also ends a body that is still incomplete.
const endedBy = (response: Response, signal: AbortSignal | undefined): Response => {
  if (signal === undefined || response.body === null) return response
  const body = response.body.pipeThrough(new TransformStream(), { signal })
  return at(new Response(body, response), response.url)
}

const toWeb = (response: HttpClientResponse.HttpClientResponse, signal: AbortSignal | undefined): Response => {
  const web = Option.getOrElse(HttpClientResponse.toWeb(response), () => {
    const { headers, status, url } = response
    const body = bodiless.has(status) ? null : Stream.toReadableStream(response.stream)
    return at(new Response(body, { status, headers }), url)
  })
  return endedBy(web, signal)
}

const closed = ZapierAuthError.make(new Closed({}))

const notRequest = Input.invalid(
  "request",
  "pass a Request, as in fetch; for requests of Node use ZapierExpress or ZapierFastify"
)

const noRoutes = Input.invalid("connect", "pass { scopes, subject } to ZapierPromise.make: the routes need them")

const call = Effect.fnUntraced(function* (path: string, options: CallOptions) {
  const zapier = yield* ZapierHttpClient
  const request = yield* Effect.fromResult(Input.request(path, { ...options }))
  const { credential, signal, subject, tenant } = options
  // The endpoint table decides if the user is needed.
  const user = tenant === undefined ? (subject as string) : Credential.whiteLabel(subject as string, tenant)
  const client = credential === undefined ? zapier.forUser(user) : zapier.as(credential)
  return toWeb(yield* client.execute(request), signal)
})

/**
 * The options of `fromLayer`: routes, retries and `waitUntil`.
 *
 * @since 0.1.0
 */
export interface LayerOptions extends ProcessOptions {
  /** Configures the routes with which users connect and disconnect. The redirect URI is needed, because the layer hides it. */
  readonly connect?: (ConnectOptions & { readonly redirectUri: string }) | undefined
  /** Configures retries of typed calls: see `retry` of `make`. */
  readonly retry?: Options["retry"]
}

/**
 * Makes a client over any Effect layer with the two services.
 *
 * Clients over the same layer share what it builds, including grants and tokens. The environment is read when this function
 * is called.
 *
 * The layer may fail with any error: calls get `InvalidConfig` for a configuration that cannot be read, and `StartFailed`
 * with the error's name for any other. It must have no requirements.
 *
 * @since 0.1.0
 */
export const fromLayer = <E>(
  layer: Layer.Layer<ZapierAuth | ZapierHttpClient, E>,
  { connect, retry, waitUntil }: LayerOptions = {}
): ZapierPromise => {
  const wrong = Retry.problem(retry)
  return clientOf<E | ZapierAuthError>(
    wrong === undefined ? layer : Layer.effectContext(Effect.fail(wrong)),
    EffectResult.flatMap(Input.read([connect]), ([connect]) => Connect.check(connect, [])),
    { retry, waitUntil }
  )
}

const clientOf = <E>(
  layer: Layer.Layer<ZapierAuth | ZapierHttpClient, E>,
  connect: EffectResult.Result<Connect.Checked | undefined, ZapierAuthError>,
  { retry, waitUntil }: Pick<Options, "retry" | "waitUntil"> = {}
): ZapierPromise => {
  const listeners = Listeners.make()
  const shared = SharedLayer.of(layer)
  let auth: ZapierAuth["Service"] | undefined
  const lifetime = Lifetime.make(
    Effect.tap(shared.context, (context) => Effect.sync(() => (auth = Context.get(context, ZapierAuth)))),
    SharedLayer.patienceOf
  )

  const run = async <A>(
    effect: Effect.Effect<A, CallError, ZapierAuth | ZapierHttpClient>,
    signal: AbortSignal | undefined
  ): Promise<Result<A>> => {
    signal?.throwIfAborted()
    const exit = await lifetime.use((context) => Effect.provideContext(effect, context), signal)
    WaitUntil.keepGoing(auth, waitUntil)
    if (Option.isNone(exit)) return { ok: false, error: Failure.ofError(closed) }
    if (Exit.isSuccess(exit.value)) return { ok: true, value: exit.value.value }
    signal?.throwIfAborted()
    const failure = exit.value.cause.reasons.find(Cause.isFailReason)
    if (failure !== undefined) return { ok: false, error: Failure.ofError(failure.error) }
    throw Cause.squash(exit.value.cause)
  }

  const runUntil = async <A>(
    options: SignalOptions | undefined,
    effect: Effect.Effect<A, CallError, ZapierAuth | ZapierHttpClient>
  ): Promise<Result<A>> => {
    const signal = Input.signal(options)
    return EffectResult.isFailure(signal)
      ? { ok: false, error: Failure.ofError(signal.failure) }
      : run(effect, signal.success)
  }

  const taking =
    <Args extends ReadonlyArray<unknown>, A>(then: (...args: Args) => Promise<Result<A>>) =>
    async (...args: Args): Promise<Result<A>> => {
      const given = Input.read(args)
      return EffectResult.isFailure(given)
        ? { ok: false, error: Failure.ofError(given.failure) }
        : then(...given.success)
    }

  let routes: Promise<ReturnType<typeof Routes.make>> | undefined
  let isClosed = false
  const close = () => {
    isClosed = true
    // Work in progress causes events until it has ended.
    return lifetime.close().finally(() => shared.listeners.delete(listeners.tell))
  }

  return {
    ...Endpoints.make(run, retry),
    authorizationUrl: taking((options) =>
      runUntil(
        // The core refuses anything but an object.
        Input.isRecord(options) ? options : undefined,
        Effect.map(
          ZapierAuth.use((auth) => auth.authorizationUrl(options)),
          (begun) => ({ ...begun, url: Redacted.value(begun.url) })
        )
      )
    ),
    handleCallback: taking((input, options) =>
      runUntil(
        Input.isRecord(options) ? options : undefined,
        ZapierAuth.use((auth) => auth.handleCallback(input, options))
      )
    ),
    accessToken: taking((subject, options) =>
      runUntil(
        options,
        Effect.map(
          ZapierAuth.use((auth) => auth.accessToken(subject)),
          tokenOf
        )
      )
    ),
    appToken: taking((scopes, options) =>
      runUntil(
        options,
        Effect.map(
          ZapierAuth.use((auth) => auth.appToken(scopes)),
          tokenOf
        )
      )
    ),
    whiteLabel: WhiteLabel.make((options, effect) => runUntil(options, effect)),
    fetch: taking((path, options = {}) => runUntil(options, call(path, options))),
    status: taking((subject, options) =>
      runUntil(
        options,
        ZapierAuth.use((auth) => auth.status(subject))
      )
    ),
    disconnect: taking((subject, options) =>
      runUntil(
        options,
        ZapierAuth.use((auth) => auth.disconnect(subject))
      )
    ),
    // Each row is read when its turn comes.
    adopt: (rows, options) =>
      taking((options?: SignalOptions) =>
        runUntil(
          options,
          Effect.flatMap(
            Effect.promise(() => import("./internal/promise/adoption.ts")),
            ({ all }) => all(rows)
          )
        )
      )(options),
    subscribe: (listener) => {
      if (typeof listener !== "function") throw Input.invalid("listener", "pass a function")
      if (!isClosed) shared.listeners.add(listeners.tell)
      return listeners.add(listener)
    },
    handler: async (request, options) => {
      if (!Input.isRequest(request)) throw notRequest
      const checked = EffectResult.filterOrFail(
        connect,
        (found) => found !== undefined,
        () => noRoutes
      )
      if (EffectResult.isSuccess(checked) && !Paths.isRoute(checked.success.config, request)) return undefined
      routes ??= import("./internal/promise/routes.ts").then(({ make }) => make(lifetime, checked))
      const response = await (await routes)(request, options?.subject)
      WaitUntil.keepGoing(auth, waitUntil)
      return response
    },
    settled: () => (auth === undefined ? Promise.resolve() : Effect.runPromise(auth.settled)),
    close,
    [Symbol.asyncDispose]: close,
    layer: shared.layer
  }
}

const fetchAtFirst = globalThis.fetch

// Test runners may replace `fetch`.
const replacedFetch = () => (globalThis.fetch === fetchAtFirst ? undefined : globalThis.fetch)

const text = (redirectUris: unknown): ReadonlyArray<string> =>
  Array.isArray(redirectUris) ? redirectUris.filter((uri) => typeof uri === "string") : []

/** The redirect URIs of the options or the environment. Those from a function or layer become known later. */
const redirectUrisOf = (application: Options["application"]): ReadonlyArray<string> => {
  if (Input.isRecord(application)) return Layer.isLayer(application) ? [] : text(application["redirectUris"])
  if (application !== undefined) return []
  const found = Effect.runSyncExit(
    Effect.provideService(Environment.redirectUris, ConfigProvider.ConfigProvider, ConfigProvider.fromEnv())
  )
  return Exit.isSuccess(found) ? Option.getOrElse(found.value, () => []) : []
}

const applicationOf = (application: Options["application"]) => {
  if (application === undefined) return Application.environment
  return typeof application === "function" ? Application.ofFunction(application) : application
}

const layerOf = ({
  application,
  checkScopes,
  fetch = replacedFetch(),
  settings,
  urls,
  whiteLabel,
  ...where
}: Options) => {
  const httpClient =
    fetch === undefined ? undefined : Layer.provide(FetchHttpClient.layer, Layer.succeed(FetchHttpClient.Fetch, fetch))
  return Layer.unwrap(
    Effect.gen(function* () {
      const fake = urls === undefined ? yield* Environment.fake : Option.none<string>()
      const isFake = Option.isSome(fake)
      const at = isFake ? ZapierUrls.at(yield* Environment.fakeOrigin("ZAPIER_FAKE", fake.value)) : urls
      // The errors of layers are distinguished later. @effect-diagnostics-next-line anyUnknownInErrorContext:off
      return ZapierNode.layerWithoutStores({
        application: applicationOf(application),
        checkScopes,
        httpClient,
        settings,
        urls: at,
        whiteLabel: WhiteLabelLayer.layer(whiteLabel)
      }).pipe(Layer.provide(Stores.layer(where, isFake)))
    })
  )
}

/**
 * Makes a client from plain options, or from the environment where they are omitted.
 *
 * The client opens its stores at the first call or the first request to a route, which also reports invalid options. The
 * environment and `globalThis.fetch` are read when this function is called.
 *
 * @example
 * ```ts
 * import * as ZapierPromise from "@zapier-workflow-auth/node-adapter/ZapierPromise"
 *
 * declare const userOf: (request: Request) => Promise<string | undefined>
 *
 * export const zapier = ZapierPromise.make({
 *   application: { clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/zapier/callback"] },
 *   stores: { postgres: "postgres://app:a-password@db.example.com/app?sslmode=require" },
 *   encryption: "jnZ2eN4vJdQxEcdEAGKIdOSrKcGyE8ZrLEkwKTqGRcI=",
 *   connect: { scopes: ["zap"], subject: (request) => userOf(request) }
 * })
 *
 * export const handle = async (request: Request) =>
 *   (await zapier.handler(request)) ?? new Response("Not found", { status: 404 })
 * ```
 *
 * On AWS Lambda, Vercel and Cloud Run a process may be frozen after its response. There, tokens are not renewed early unless
 * `waitUntil` or `settings.expiryMargin` is set: the first call after expiry renews. Without `waitUntil`, await `settled`
 * before the response, because an aborted or timed out call leaves its request open.
 *
 * @since 0.1.0
 */
export const make = (given: Options = {}): ZapierPromise => {
  const made = EffectResult.gen(function* () {
    const [read] = yield* Input.read<readonly [Options]>([given])
    const { connect, ...options } = yield* ClientOptions.check(read)
    return { options, connect: yield* Connect.check(connect, redirectUrisOf(options.application)) }
  })
  if (EffectResult.isFailure(made)) {
    return clientOf(Layer.effectContext(Effect.fail(made.failure)), EffectResult.fail(made.failure))
  }
  const { connect, options } = made.success
  const { retry, waitUntil, ...rest } = options
  const settings = Frozen.settings(rest.settings, waitUntil !== undefined, process.env)
  // As above. @effect-diagnostics-next-line anyUnknownInErrorContext:off
  return clientOf(layerOf({ ...rest, settings }), EffectResult.succeed(connect), { retry, waitUntil })
}

/**
 * Makes a response from a failure, for the app's own clients: status, `Retry-After`, and problem details as JSON (RFC 9457).
 *
 * `reason` is the failure's `_tag`. The message is left out if only the app's owner can act on it.
 *
 * @example
 * ```ts
 * import * as ZapierPromise from "@zapier-workflow-auth/node-adapter/ZapierPromise"
 *
 * const zapier = ZapierPromise.make({
 *   application: { clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/zapier/callback"] },
 *   stores: "memory"
 * })
 *
 * const zaps = await zapier.fetch("/v2/zaps", { subject: "ada" })
 * const response = zaps.ok ? zaps.value : ZapierPromise.toResponse(zaps.error)
 *
 * response.status // => 409
 * await zapier.close()
 * ```
 *
 * @since 0.1.0
 */
export const toResponse = (error: Failure.ApiFailure): Response => {
  const retryAfter = ProblemDetails.retryAfter(error)
  const { detail, ...problem } = ProblemDetails.make(error)
  // Zapier's messages about a call are for its developer.
  const isOfCall = error._tag === "ZapierApiError" || error._tag === "UnexpectedResponse"
  return new Response(JSON.stringify(isOfCall || detail === undefined ? problem : { ...problem, detail }), {
    status: error.httpStatus,
    headers: {
      "content-type": ProblemDetails.mediaType,
      "cache-control": "no-store",
      ...(retryAfter !== undefined && { "retry-after": `${retryAfter}` })
    }
  })
}
