/**
 * An `HttpClient` for Zapier's API that authorizes each request.
 *
 * The endpoint table or the caller decides which of the three credentials a request takes. After a 401 the client looks for
 * a newer token or refreshes once, and replays the request once. A 401 for a fresh token is returned as it is; no other
 * status causes a refresh. Credentials go only to the API's origin, and redirects are never followed.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
 * import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
 *
 * const program = Effect.gen(function* () {
 *   const zapier = yield* ZapierHttpClient
 *   const zaps = yield* zapier.call("GET /v2/zaps", { credential: Credential.user("user-1") })
 *   yield* zapier.call("DELETE /v2/promotions/{enrollment_id}", { path: { enrollment_id: "42" } })
 *   const apps = yield* zapier.call("GET /v1/apps")
 *   return [yield* zaps.json, yield* apps.json]
 * })
 * ```
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type * as Headers from "effect/http/Headers"
import type * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import type * as UrlParams from "effect/http/UrlParams"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Tracer from "effect/Tracer"
import * as AuthMetrics from "./AuthMetrics.ts"
import * as BoundedBody from "./internal/boundedBody.ts"
import * as CallErrors from "./internal/callErrors.ts"
import * as CallSpan from "./internal/callSpan.ts"
import type * as CallProblem from "./internal/callProblem.ts"
import * as QuietTracer from "./internal/quietTracer.ts"
import * as Target from "./internal/target.ts"
import * as WithoutCredentials from "./internal/withoutCredentials.ts"
import type * as Credential from "./zapier/Credential.ts"
import * as Endpoint from "./zapier/Endpoint.ts"
import type * as Scopes from "./oauth/Scopes.ts"
import type * as Tokens from "./oauth/Tokens.ts"
import { ZapierAuth } from "./ZapierAuth.ts"
import { Closed, InsufficientScope, RequestNotReplayable, ZapierAuthError } from "./ZapierAuthError.ts"
import { ZapierUrls } from "./zapier/ZapierUrls.ts"

/**
 * The errors of a call: of the transport, or of authentication.
 *
 * @since 0.1.0
 */
export type CallError = HttpClientError | ZapierAuthError

/**
 * The options of a call: path parameters, if the endpoint has any, and the credential.
 *
 * The credential is optional if no user needs to be named. Default: the app's own if only that reaches the endpoint, else
 * the client id, else none if Zapier states none.
 *
 * @since 0.1.0
 */
export type CallOptions<N extends Endpoint.Name> = {
  readonly urlParams?: UrlParams.Input | undefined
  readonly headers?: Headers.Input | undefined
  /** The body. A stream cannot be replayed after a 401: see `RequestNotReplayable`. */
  readonly body?: HttpBody.HttpBody | undefined
  /** A value to send as JSON, instead of `body`. */
  readonly json?: unknown
} & ([keyof Endpoint.PathParameters<N>] extends [never]
  ? { readonly path?: undefined }
  : { readonly path: Endpoint.PathParameters<N> }) &
  ("User" extends Endpoint.ModeOf<N>
    ? { readonly credential: Credential.For<N> }
    : { readonly credential?: Credential.For<N> | undefined })

/**
 * Sends requests to Zapier's API with the right credential for each.
 *
 * Responses of any status are successes, unless the given `HttpClient` fails for some (`HttpClient.filterStatusOk`). Even
 * then a 401 is handled first, and the failure is that of the last response.
 *
 * The `request` of a response or failure is the caller's own, without the credential, so that both can be logged.
 *
 * Besides transport errors, a request fails with `InvalidConfig` (invalid method, header or body), `UntrustedOrigin` and
 * `InsufficientScope` before anything is sent, with `RequestNotReplayable` after a 401 if its body was a stream, and like
 * `ZapierAuth.accessToken` and `ZapierAuth.appToken`.
 *
 * @since 0.1.0
 */
export class ZapierHttpClient extends Context.Service<
  ZapierHttpClient,
  {
    /**
     * Calls an endpoint of the table; see `CallOptions`. Missing, misspelled or misplaced options do not compile, and the
     * compiler error names them. Fails with `InvalidConfig` for a path parameter that is missing, empty or a dot segment, and
     * at run time for everything that should not have compiled.
     */
    readonly call: <const N extends string, const O extends CallProblem.Options<N> = {}>(
      endpoint: CallProblem.Checked<N, O>,
      options?: O & CallProblem.Options<N>
    ) => Effect.Effect<HttpClientResponse.HttpClientResponse, CallError>

    /**
     * Makes a client that picks each request's credential from the endpoint table: the user's token if accepted, else the
     * app's, else the client id. Fails with `InvalidConfig` for an endpoint that is not in the table. URLs are paths of the
     * API, or absolute URLs at its origin; fragments are not sent.
     */
    readonly forUser: (user: string | Credential.WhiteLabel) => HttpClient.HttpClient.With<CallError>

    /** Makes a client that uses one credential for all requests, whatever the table says. URLs are as in `forUser`. */
    readonly as: (credential: Credential.Credential) => HttpClient.HttpClient.With<CallError>

    /** The address of the API without a trailing slash, for example `https://api.zapier.com`. */
    readonly api: string
  }
>()("@zapier-workflow-auth/core/ZapierHttpClient") {}

/**
 * Options of the client.
 *
 * @since 0.1.0
 */
export interface Options {
  /**
   * True to fail with `InsufficientScope` before sending, if the endpoint needs a scope that was not granted. Default: true.
   */
  readonly checkScopes?: boolean | undefined
}

type Request = HttpClientRequest.HttpClientRequest

type Response = Effect.Effect<HttpClientResponse.HttpClientResponse, CallError>

// Provides and reports on the tokens of one mode. The key is a subject, or scopes.
interface Source<Key> {
  readonly mode: "User" | "WhiteLabel" | "App"
  readonly known: (key: Key) => Tokens.UsableAccess | undefined
  readonly token: (key: Key) => Effect.Effect<Tokens.UsableAccess, ZapierAuthError>
  readonly other: (key: Key, rejected: Tokens.UsableAccess) => Effect.Effect<Tokens.UsableAccess, ZapierAuthError>
  readonly accepted: (key: Key, access: Tokens.UsableAccess) => Effect.Effect<void>
}

const isReplayable = (body: HttpBody.HttpBody): boolean =>
  body._tag === "Raw"
    ? typeof body.body === "string" ||
      ArrayBuffer.isView(body.body) ||
      [ArrayBuffer, Blob, URLSearchParams].some((type) => body.body instanceof type)
    : body._tag !== "Stream"

/**
 * Makes the service from an `HttpClient`.
 *
 * The client must not follow redirects or retry after a 401. If it fails for a 401, the error must be an `HttpClientError`
 * with the response, as with Effect's filters.
 *
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (options?: Options) {
  const http = yield* HttpClient.HttpClient
  const auth = yield* ZapierAuth
  const urls = yield* ZapierUrls
  const api = Target.api(urls.api)
  const checkScopes = options?.checkScopes ?? true

  const madeWith = Option.getOrUndefined(yield* Effect.serviceOption(FetchHttpClient.RequestInit))

  // Consecutive calls mostly have the same context, so the derived one is cached. Only the latest is kept.
  interface Services {
    readonly from: Context.Context<never>
    readonly to: Context.Context<never>
    readonly tracer: Tracer.Tracer
  }
  let latest: Services | undefined
  const servicesOf = (from: Context.Context<never>): Services => {
    if (latest?.from === from) return latest
    const own = Option.getOrUndefined(Context.getOption(from, FetchHttpClient.RequestInit))
    const to = from.pipe(
      Context.add(FetchHttpClient.RequestInit, { ...madeWith, ...own, redirect: "manual" }),
      Context.add(HttpClient.TracerPropagationEnabled, false)
    )
    latest = { from, to, tracer: Context.get(from, Tracer.Tracer) }
    return latest
  }

  const forSending = (from: Context.Context<never>, sending: WithoutCredentials.Sending) => {
    const { to, tracer } = servicesOf(from)
    return QuietTracer.isSeen(tracer) ? Context.add(to, Tracer.Tracer, QuietTracer.make(tracer, sending)) : to
  }

  const closed = ZapierAuthError.make(new Closed({}))

  const { enter, leave } = auth.requests

  // Closing waits for a request and everything that follows from its response, including a replay. If the client fails for a
  // status, its response is handled like any other, and the caller gets the failure.
  const sendIn = (
    fiber: Fiber.Fiber<unknown, unknown>,
    sent: Request,
    target: Target.Target,
    mode: AuthMetrics.Mode,
    then: (response: HttpClientResponse.HttpClientResponse, result: Response) => Response,
    isReplay = false
  ): Response => {
    const { context } = fiber
    if (!isReplay && !enter()) {
      AuthMetrics.countCall(mode, target.endpoint, undefined, context)
      return Effect.fail(closed)
    }
    const sending = { original: target.request, sent }
    fiber.setContext(forSending(context, sending))
    return Effect.onExitPrimitive(
      Effect.matchCauseEffect(http.execute(sent), {
        onFailure: (theirs) => {
          fiber.setContext(context)
          const cause = WithoutCredentials.cause(theirs, sending)
          const failure: Response = Effect.failCause(cause)
          const response = Option.getOrUndefined(Cause.findErrorOption(cause))?.response
          return response === undefined || Cause.hasInterrupts(cause) ? failure : then(response, failure)
        },
        onSuccess: (theirs) => {
          fiber.setContext(context)
          const response = WithoutCredentials.response(theirs, sending)
          return then(response, Effect.succeed(response))
        }
      }),
      (outcome) => {
        // An interruption, which skips both handlers.
        if (fiber.context !== context) fiber.setContext(context)
        if (isReplay) return undefined
        AuthMetrics.countCall(mode, target.endpoint, CallSpan.statusOf(outcome), context)
        leave()
        return undefined
      }
    )
  }

  const resultOf = (_response: HttpClientResponse.HttpClientResponse, result: Response) => result

  const replay = Effect.fnUntraced(function* <Key>(
    { mode, ...source }: Source<Key>,
    key: Key,
    target: Target.Target,
    unauthorized: HttpClientResponse.HttpClientResponse,
    result: Response,
    rejected: Tokens.UsableAccess
  ): Effect.fn.Return<HttpClientResponse.HttpClientResponse, CallError> {
    const { path, request } = target
    yield* AuthMetrics.count.unauthorized({ mode })
    const access = yield* Effect.onError(source.other(key, rejected), () => BoundedBody.discard(unauthorized))
    // No better token exists, so return the response.
    if (access.family === rejected.family && access.generation === rejected.generation) return yield* result
    // An unread body would keep the connection busy.
    yield* BoundedBody.discard(unauthorized)
    if (!isReplayable(request.body)) {
      return yield* ZapierAuthError.make(new RequestNotReplayable({ method: request.method, path }))
    }
    yield* AuthMetrics.count.replay({ mode })
    return yield* Effect.withFiber((fiber) =>
      sendIn(
        fiber,
        HttpClientRequest.bearerToken(request, access.accessToken),
        target,
        mode,
        ({ status }, result) => (status === 401 ? result : Effect.andThen(source.accepted(key, access), result)),
        true
      )
    )
  })

  const sendWith = <Key>(
    fiber: Fiber.Fiber<unknown, unknown>,
    source: Source<Key>,
    key: Key,
    target: Target.Target,
    access: Tokens.UsableAccess
  ): Response => {
    const { endpoint, request } = target
    const { mode } = source
    if (
      checkScopes &&
      endpoint !== undefined &&
      access.scopes.length > 0 &&
      !Endpoint.isAllowed(endpoint, access.scopes)
    ) {
      AuthMetrics.countCall(mode, endpoint, undefined, fiber.context)
      return Effect.fail(
        ZapierAuthError.make(new InsufficientScope({ endpoint, anyOf: Endpoint.requirement(endpoint).scopes, mode }))
      )
    }
    const sent = HttpClientRequest.bearerToken(request, access.accessToken)
    return sendIn(fiber, sent, target, mode, (response, result) => {
      if (response.status === 401) return replay(source, key, target, response, result, access)
      return access.replacedAt === undefined ? result : Effect.andThen(source.accepted(key, access), result)
    })
  }

  const withToken = <Key>(
    fiber: Fiber.Fiber<unknown, unknown>,
    source: Source<Key>,
    key: Key,
    target: Target.Target
  ): Response => {
    const known = source.known(key)
    if (known !== undefined) return sendWith(fiber, source, key, target, known)
    return Effect.matchCauseEffect(source.token(key), {
      onFailure: (cause) => {
        AuthMetrics.countCall(source.mode, target.endpoint, undefined, fiber.context)
        return Effect.failCause(cause)
      },
      onSuccess: (access) => sendWith(fiber, source, key, target, access)
    })
  }

  const withClientId = Effect.fnUntraced(function* (
    fiber: Fiber.Fiber<unknown, unknown>,
    target: Target.Target
  ): Effect.fn.Return<HttpClientResponse.HttpClientResponse, CallError> {
    const clientId = yield* auth.presentClientId
    return yield* sendIn(
      fiber,
      HttpClientRequest.setUrlParam(target.request, "client_id", clientId),
      target,
      "ClientId",
      Effect.fnUntraced(function* ({ status }, result) {
        if (status === 401) yield* AuthMetrics.count.unauthorized({ mode: "ClientId" })
        yield* auth.clientIdResponded(status)
        return yield* result
      })
    )
  })

  const users: Source<string> = {
    mode: "User",
    known: auth.accessTokenKnown,
    token: auth.accessToken,
    other: auth.accessTokenRejected,
    accepted: auth.accessTokenAccepted
  }

  const app: Source<ReadonlyArray<Scopes.Scope>> = {
    mode: "App",
    known: auth.appTokenKnown,
    token: auth.appToken,
    other: auth.appTokenRejected,
    accepted: auth.appTokenAccepted
  }

  const authorizeIn = (
    fiber: Fiber.Fiber<unknown, unknown>,
    target: Target.Target,
    credential: Credential.Credential
  ): Response => {
    switch (credential._tag) {
      case "User":
        return withToken(fiber, users, credential.subject, target)
      case "WhiteLabel":
        return Effect.flatMap(auth.whiteLabel, (source) => withToken(fiber, source, credential, target))
      case "App": {
        const { endpoint } = target
        const scopes = credential.scopes ?? (endpoint === undefined ? [] : Endpoint.leastScopes([endpoint]))
        return withToken(fiber, app, scopes, target)
      }
      case "ClientId":
        return withClientId(fiber, target)
      case "None":
        return sendIn(fiber, target.request, target, "None", resultOf)
    }
  }

  // The path of every call, mostly in one step: a generator, or a span without a tracer, would double its cost.
  const authorize = (target: Target.Target, credential: Credential.Credential): Response =>
    Effect.withFiber((fiber) =>
      QuietTracer.isSeen(servicesOf(fiber.context).tracer)
        ? CallSpan.around(target, credential._tag, () => authorizeIn(fiber, target, credential))
        : authorizeIn(fiber, target, credential)
    )

  type Choose = (target: Target.Target) => Result.Result<Credential.Credential, ZapierAuthError>

  const authorized = (request: Request, choose: Choose): Response => {
    const target = Target.aim(api, request)
    if (Result.isFailure(target)) return Effect.fail(target.failure)
    const credential = choose(target.success)
    return Result.isFailure(credential)
      ? Effect.fail(credential.failure)
      : authorize(target.success, credential.success)
  }

  const clientWith = (choose: Choose) =>
    HttpClient.makeWith<never, never, CallError, never>(
      Effect.flatMap((request) => authorized(request, choose)),
      Effect.succeed
    )

  return ZapierHttpClient.of({
    api: api.base,
    as: (credential) => {
      const chosen = Target.credential(credential)
      return clientWith(() => chosen)
    },
    forUser: (user) => clientWith((target) => Target.pick(user, target)),
    call: (endpoint, options) => {
      const named = Target.named(endpoint, options)
      if (Result.isFailure(named)) return Effect.fail(named.failure)
      const { credential, request } = named.success
      const target = Target.aim(api, request)
      return Result.isFailure(target) ? Effect.fail(target.failure) : authorize(target.success, credential)
    }
  })
})

/**
 * Provides the service over the given `HttpClient`; see `make` for its requirements.
 *
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<ZapierHttpClient, never, HttpClient.HttpClient | ZapierAuth> =>
  Layer.effect(ZapierHttpClient, make(options))

/**
 * Provides an Effect `HttpClient` that authorizes each request with one credential.
 *
 * Existing code that needs an `HttpClient`, such as an `HttpApiClient` or a generated client, works unchanged. Requests to
 * any other origin than the configured API are refused, so provide it only to code that talks to Zapier.
 *
 * Authentication errors become an `HttpClientError`, because `HttpClient` has no other error type. The reason is a
 * `TransportError` if a retry can help, so that `HttpClient.retryTransient` retries, and otherwise an `EncodeError`.
 * `toCallError` recovers the `ZapierAuthError`.
 *
 * @param credential the credential of each request, whatever the endpoint table says
 *
 * @example
 * ```ts
 * import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
 * import * as ZapierHttpClient from "@zapier-workflow-auth/core/ZapierHttpClient"
 * import * as Effect from "effect/Effect"
 * import * as HttpClient from "effect/http/HttpClient"
 *
 * // Code that does not know this library.
 * const zaps = Effect.flatMap(HttpClient.get("/v2/zaps"), (response) => response.json)
 *
 * zaps.pipe(
 *   Effect.provide(ZapierHttpClient.layerHttpClient(Credential.user("ada"))),
 *   Effect.mapError(ZapierHttpClient.toCallError),
 *   Effect.catchReason("ZapierAuthError", "ReconnectRequired", () => Effect.succeed("connect first"))
 * )
 * ```
 *
 * @since 0.1.0
 */
export const layerHttpClient = (
  credential: Credential.Credential
): Layer.Layer<HttpClient.HttpClient, never, ZapierHttpClient> =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.map(ZapierHttpClient, (zapier) => toHttpClient(zapier.as(credential)))
  )

/**
 * Converts an authorized client to an Effect `HttpClient`, with errors as in `layerHttpClient`.
 *
 * @internal
 */
export const toHttpClient = (client: HttpClient.HttpClient.With<CallError>): HttpClient.HttpClient =>
  HttpClient.makeWith<never, never, HttpClientError, never>(
    Effect.flatMap((request) =>
      Effect.mapError(client.execute(request), (error) =>
        error._tag === "ZapierAuthError" ? CallErrors.toHttpClientError(error, request) : error
      )
    ),
    Effect.succeed
  )

/**
 * Recovers the `ZapierAuthError` from an error of `layerHttpClient`; other errors stay as they are. For `Effect.mapError`.
 *
 * @since 0.1.0
 */
export const toCallError = <E>(error: E): E | ZapierAuthError => CallErrors.toCallError(error)
