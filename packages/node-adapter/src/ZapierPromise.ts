/**
 * The library for programs without Effect: promises of plain values, and of errors to switch over.
 *
 * What can go wrong is returned, and not thrown: `{ ok: false, error }`, where `error._tag` is one of the reasons of
 * `ZapierAuthError` and says what else is in it. What is thrown is a bug, or the reason of an aborted `signal`.
 *
 * A client starts when it is first used: it opens its stores and reads the application. A start that failed is told to all
 * calls that waited for it, and the next call starts again.
 *
 * @example
 * ```ts
 * import * as ZapierPromise from "@zapier-workflow-auth/node-adapter/ZapierPromise"
 *
 * const zapier = ZapierPromise.make({
 *   application: { clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/zapier/callback"] }
 * })
 *
 * const answer = await zapier.fetch("/v2/zaps", { subject: "ada" })
 * if (answer.ok) {
 *   console.log(await answer.value.json())
 * } else if (answer.error.needsReconnect) {
 *   const consent = await zapier.authorizationUrl({ subject: "ada", scopes: ["zap"] })
 *   console.log(consent.ok ? `Go to ${consent.value.url}` : consent.error.message)
 * } else {
 *   console.error(answer.error.message)
 * }
 * await zapier.close()
 * ```
 *
 * @since 0.1.0
 */
import type { AuthEvent } from "@zapier-workflow-auth/core/AuthEvent"
import type * as AuthorizationCallback from "@zapier-workflow-auth/core/oauth/AuthorizationCallback"
import type * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
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
import * as WaitUntil from "./internal/promise/waitUntil.ts"
import * as SharedLayer from "./internal/sharedLayer.ts"
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
 * A token that is valid now. `expiresAt` is in milliseconds since the epoch.
 *
 * @since 0.1.0
 */
export interface Token {
  readonly accessToken: string
  readonly scopes: ReadonlyArray<Scopes.Scope>
  readonly expiresAt: number
}

/**
 * How long a call waits, as every call can be told.
 *
 * @since 0.1.0
 */
export interface SignalOptions {
  /**
   * Ends the call when it is aborted: the promise is rejected with its reason. What others wait for as well goes on, and so
   * does the exchange of a code or the removal of a grant that has begun.
   */
  readonly signal?: AbortSignal | undefined
}

/**
 * A request, and for whom it is.
 *
 * @since 0.1.0
 */
export interface CallOptions {
  /** Default: `GET`. */
  readonly method?: HttpMethod | undefined
  /** More headers, by name. The credential is added. */
  readonly headers?: { readonly [name: string]: string } | undefined
  /** A text or bytes, which can be sent once more after a 401. */
  readonly body?: string | Uint8Array | undefined
  /** Anything, sent as JSON in the place of `body`. */
  readonly json?: unknown
  /** For whom, where the endpoint takes a user's grant. */
  readonly subject?: string | undefined
  /** Which credential, whatever the endpoint table says, and for endpoints that it does not have. */
  readonly credential?: Credential.Credential | undefined
  /** Ends the call when it is aborted, its body included; the promise, or the body, is rejected with its reason. */
  readonly signal?: AbortSignal | undefined
}

/**
 * What is told with a request for the routes.
 *
 * @since 0.1.0
 */
export interface HandlerOptions {
  /** Who is signed in, as `connect.subject` says it; it goes before that. It is called for requests to the routes only. */
  readonly subject?: ((request: Request) => Subject | PromiseLike<Subject>) | undefined
}

/**
 * The operations of `ZapierAuth` and `ZapierHttpClient`, and each endpoint of the API by its group and name: `zaps.list`,
 * `actions.inputs`. See there for what each fails with.
 *
 * @since 0.1.0
 */
export interface ZapierPromise extends Endpoints.Endpoints {
  /** Begins a consent. Send the user's browser to `url`, which holds `state`: it belongs in no log. */
  readonly authorizationUrl: (
    options: AuthorizationOptions & SignalOptions
  ) => Promise<Result<Omit<AuthorizationRequest, "url"> & { readonly url: string }>>
  /**
   * Takes the redirect back from the consent page, for the user who is signed in there. `missingScopes` are those that were
   * asked for and not granted.
   */
  readonly handleCallback: (
    input: AuthorizationCallback.Input,
    options: { readonly subject: string } & SignalOptions
  ) => Promise<Result<Connected>>
  /** An access token of a user, renewed if it has to be. */
  readonly accessToken: (subject: string, options?: SignalOptions) => Promise<Result<Token>>
  /** An access token of the app itself. */
  readonly appToken: (scopes: ReadonlyArray<Scopes.Scope>, options?: SignalOptions) => Promise<Result<Token>>
  /**
   * Calls the API at a path such as `/v2/zaps?limit=5`, or at a whole URL of the API, with the credential that the endpoint
   * takes. Any answer is a success, also one of status 404: ask `response.ok`.
   */
  readonly fetch: (path: string, options?: CallOptions) => Promise<Result<Response>>
  /** What is known of a user's grant, without asking Zapier. */
  readonly status: (subject: string, options?: SignalOptions) => Promise<Result<Status>>
  /** Removes a user's grant. `revocation` is what to tell the user. */
  readonly disconnect: (subject: string, options?: SignalOptions) => Promise<Result<Disconnected>>
  /**
   * Takes over the tokens of users whom the app connected without this library, so that nobody has to connect again. Users who
   * have a grant already keep it: call it again after a failure. Nothing is sent to Zapier, and nothing else may refresh
   * these tokens from now on.
   *
   * Rows that are no use are in `refused`. Fails with `StoreFailed`, and with `AppCodeFailed` where the rows cannot be
   * read; rows before that are adopted.
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
   * The routes of `connect`: what a request to one of them is answered with, and `undefined` for any other request. They are
   * where the redirect URI says: `/zapier/connect`, `/zapier/connect.js`, `/zapier/callback`, `/zapier/disconnect` and
   * `/zapier/status`, for example. They have the same users as the calls: who disconnects there is disconnected here at once.
   *
   * If the stores are away, the answer is 503 with `Retry-After`, and the next request tries again. If the options are no use, it is
   * 500 for every request, and what is wrong is logged. Nothing is thrown, unless what it is given is no `Request`.
   */
  readonly handler: (request: Request, options?: HandlerOptions) => Promise<Response | undefined>
  /**
   * Tells a listener what happens from now on. The function that is given back ends it. A listener that throws, or whose
   * promise rejects, is logged, and is told the next event. Nothing waits for a listener.
   */
  readonly subscribe: (listener: (event: AuthEvent) => void | PromiseLike<void>) => () => void
  /**
   * Resolves when all that calls have begun has ended and is stored, such as a token that is renewed ahead. For functions that
   * are frozen once they have responded, on platforms without `waitUntil`: await it before the response.
   */
  readonly settled: () => Promise<void>
  /**
   * Begins nothing new, lets what is under way finish and be stored, and ends: within `requestTimeout`, and while Zapier has
   * a token request to respond to, within `answerTimeout`. A start that cannot be interrupted is waited for 20 seconds. Calls that come afterwards, those that would
   * have to begin something, and those that take longer are told `Closed`.
   *
   * A process that ends without it loses the response to a request that is under way.
   */
  readonly close: () => Promise<void>
  /** The same as `close`, for `await using`. */
  readonly [Symbol.asyncDispose]: () => Promise<void>
  /**
   * The layer that the client was made over, whose failures are `ZapierAuthError`s here. Give it to `ZapierConnect.toWebHandler`, and both have the same users: the same
   * layer is built once, and closed when the last that uses it is closed.
   */
  readonly layer: Layer.Layer<ZapierAuth | ZapierHttpClient, ZapierAuthError>
}

const tokenOf = ({ accessToken, expiresAt, scopes }: Tokens.UsableAccess): Token => ({
  accessToken: Redacted.value(accessToken),
  scopes,
  expiresAt
})

// These have no body, and `Response` takes none for them.
const bodiless = new Set([204, 205, 304])

const at = (response: Response, url: string): Response => Object.defineProperty(response, "url", { value: url })

// A body that has not come whole when the signal is aborted ends, too.
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
  "give a Request, as fetch has it; for requests of Node there are ZapierExpress and ZapierFastify"
)

const noRoutes = Input.invalid("connect", "give { scopes, subject } to ZapierPromise.make: the routes need them")

const call = Effect.fnUntraced(function* (path: string, options: CallOptions) {
  const zapier = yield* ZapierHttpClient
  const request = yield* Effect.fromResult(Input.request(path, { ...options }))
  const { credential, signal, subject } = options
  // Whether a user has to be named, the endpoint table says.
  const client = credential === undefined ? zapier.forUser(subject as string) : zapier.as(credential)
  return toWeb(yield* client.execute(request), signal)
})

/**
 * The routes of a client over a layer, and the process that it is made in.
 *
 * @since 0.1.0
 */
export interface LayerOptions extends ProcessOptions {
  /** The routes by which users connect and disconnect. Which redirect URIs there are, only the layer knows. */
  readonly connect?: (ConnectOptions & { readonly redirectUri: string }) | undefined
  /** When typed calls are repeated: see `retry` of `make`. */
  readonly retry?: Options["retry"]
}

/**
 * For programs with Effect: over any layer that has the two services. Clients that are given the same layer share what it builds, their
 * grants and tokens included. The environment is read as it is now.
 *
 * The layer may fail with anything: calls are told `InvalidConfig` of a configuration that cannot be read, and `StartFailed`,
 * which names the error, of all else. It may need nothing more: provide what it needs.
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
    // Until it has ended there are events: of what is under way.
    return lifetime.close().finally(() => shared.listeners.delete(listeners.tell))
  }

  return {
    ...Endpoints.make(run, retry),
    authorizationUrl: taking((options) =>
      runUntil(
        // What is no object, the core refuses.
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
      if (typeof listener !== "function") throw Input.invalid("listener", "give a function that is told of events")
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
      if (EffectResult.isSuccess(checked) && !Paths.isRoute(checked.success.config.path, request)) return undefined
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

// Test runners put their own in its place.
const replacedFetch = () => (globalThis.fetch === fetchAtFirst ? undefined : globalThis.fetch)

const text = (redirectUris: unknown): ReadonlyArray<string> =>
  Array.isArray(redirectUris) ? redirectUris.filter((uri) => typeof uri === "string") : []

/** The redirect URIs of the options or the environment. Those that a function or a layer reads are known later. */
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

const layerOf = ({ application, checkScopes, fetch = replacedFetch(), settings, urls, ...where }: Options) => {
  const httpClient =
    fetch === undefined ? undefined : Layer.provide(FetchHttpClient.layer, Layer.succeed(FetchHttpClient.Fetch, fetch))
  return Layer.unwrap(
    Effect.gen(function* () {
      const fake = urls === undefined ? yield* Environment.fake : Option.none<string>()
      const isFake = Option.isSome(fake)
      const at = isFake ? ZapierUrls.at(yield* Environment.fakeOrigin("ZAPIER_FAKE", fake.value)) : urls
      // What layers fail with is told apart when they have. @effect-diagnostics-next-line anyUnknownInErrorContext:off
      return ZapierNode.layerWithoutStores({
        application: applicationOf(application),
        checkScopes,
        httpClient,
        settings,
        urls: at
      }).pipe(Layer.provide(Stores.layer(where, isFake)))
    })
  )
}

/**
 * A client of plain options: where they are left out, of the environment. Nothing is opened before the first call or the
 * first request to one of its routes, which is told what is wrong with the options. The environment and `globalThis.fetch` are read as they are now.
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
 *   (await zapier.handler(request)) ?? new Response("Nothing is here.", { status: 404 })
 * ```
 *
 * On AWS Lambda, Vercel and Cloud Run, where a process may stand still once it has responded, no token is renewed ahead unless
 * `waitUntil` is given or `settings.expiryMargin` is set: the call that finds it ended renews it. Without `waitUntil`, await
 * `settled` before the response: a call that is aborted, or told that Zapier is slow, leaves its request behind.
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
 * A failure as a response for the app's own client: its status, `Retry-After`, and problem details as JSON (RFC 9457), whose
 * `reason` is the failure's `_tag`. What only the app's owner can mend is told by its name, and without its message.
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
  // What Zapier says of a call is for whoever wrote it.
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
