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
import { Closed, type Party, Reason, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import { type CallError, ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Cause from "effect/Cause"
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
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as CallFailure from "./internal/callFailure.ts"
import * as Lifetime from "./internal/lifetime.ts"
import * as Listeners from "./internal/listeners.ts"
import * as Frozen from "./internal/promise/frozen.ts"
import * as Input from "./internal/promise/input.ts"
import * as WaitUntil from "./internal/promise/waitUntil.ts"
import * as SharedLayer from "./internal/sharedLayer.ts"
import * as ZapierNode from "./ZapierNode.ts"

interface Common {
  /** What happened, and what to do next. */
  readonly message: string
  /** Whether the same call may succeed later without anybody doing anything. */
  readonly isRetryable: boolean
  /** Whether the user has to go through the consent page (again). */
  readonly needsReconnect: boolean
  /** Whose fault it is. */
  readonly blames: Party
  /** The status by which a web app tells its own client, where it has no better one. */
  readonly httpStatus: number
}

type Plain<R> = R extends typeof Reason.Encoded ? R & Common : never

/**
 * Why something did not work: the reasons of `ZapierAuthError` as plain values, told apart by `_tag`. `retryAfter` is in
 * milliseconds.
 *
 * `CallFailed` is a call of the API that was not answered: whether it was carried out is not known, unless it has a `code`.
 * That is the platform's, `ECONNREFUSED` for example, and the call never reached Zapier.
 *
 * @since 0.1.0
 */
export type Failure = Plain<typeof Reason.Encoded> | ({ readonly _tag: "CallFailed"; readonly code?: string } & Common)

/**
 * What came of an operation: a value, or a failure to switch over.
 *
 * @since 0.1.0
 */
export type Result<A> = { readonly ok: true; readonly value: A } | { readonly ok: false; readonly error: Failure }

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
 * The operations of `ZapierAuth` and `ZapierHttpClient`; see there for what each fails with.
 *
 * @since 0.1.0
 */
export interface ZapierPromise {
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

const encode = Schema.encodeSync(Reason)

const failureOf = (error: CallError): Failure => {
  if (error instanceof ZapierAuthError) {
    const { blames, httpStatus, isRetryable, message, needsReconnect, reason } = error
    return { ...encode(reason), message, isRetryable, needsReconnect, blames, httpStatus }
  }
  return {
    _tag: "CallFailed",
    ...CallFailure.of(error),
    isRetryable: true,
    needsReconnect: false,
    blames: "Network",
    httpStatus: 502
  }
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

const call = Effect.fnUntraced(function* (path: string, options: CallOptions) {
  const zapier = yield* ZapierHttpClient
  const request = yield* Effect.fromResult(Input.request(path, { ...options }))
  const { credential, signal, subject } = options
  // Whether a user has to be named, the endpoint table says.
  const client = credential === undefined ? zapier.forUser(subject as string) : zapier.as(credential)
  return toWeb(yield* client.execute(request), signal)
})

/**
 * What belongs to the process that a client is made in.
 *
 * @since 0.1.0
 */
export interface ProcessOptions {
  /**
   * Keeps a function going after its response until a promise has settled: `waitUntil` of `@vercel/functions` or
   * `cloudflare:workers`, `after` of `next/server`. It is called when a call ends that has begun something for later, such as
   * to renew a token five minutes ahead.
   */
  readonly waitUntil?: ((promise: Promise<void>) => unknown) | undefined
}

/**
 * Over any layer that has the two services. Clients that are given the same layer share what it builds, their grants and
 * tokens included. The environment is read as it is now.
 *
 * The layer may fail with anything: calls are told `InvalidConfig` of a configuration that cannot be read, and `StartFailed`,
 * which names the error, of all else. It may need nothing more: provide what it needs.
 *
 * @since 0.1.0
 */
export const fromLayer = <E>(
  layer: Layer.Layer<ZapierAuth | ZapierHttpClient, E>,
  { waitUntil }: ProcessOptions = {}
): ZapierPromise => {
  const listeners = Listeners.make()
  const shared = SharedLayer.of(layer)
  const lifetime = Lifetime.make(shared.context, SharedLayer.patienceOf)

  let auth: ZapierAuth["Service"] | undefined

  const run = async <A>(
    effect: Effect.Effect<A, CallError, ZapierAuth | ZapierHttpClient>,
    signal: AbortSignal | undefined
  ): Promise<Result<A>> => {
    signal?.throwIfAborted()
    const exit = await lifetime.use((context) => {
      auth = Context.get(context, ZapierAuth)
      return Effect.provideContext(effect, context)
    }, signal)
    WaitUntil.keepGoing(auth, waitUntil)
    if (Option.isNone(exit)) return { ok: false, error: failureOf(closed) }
    if (Exit.isSuccess(exit.value)) return { ok: true, value: exit.value.value }
    signal?.throwIfAborted()
    const failure = exit.value.cause.reasons.find(Cause.isFailReason)
    if (failure !== undefined) return { ok: false, error: failureOf(failure.error) }
    throw Cause.squash(exit.value.cause)
  }

  const runUntil = async <A>(
    options: SignalOptions | undefined,
    effect: Effect.Effect<A, CallError, ZapierAuth | ZapierHttpClient>
  ): Promise<Result<A>> => {
    const signal = Input.signal(options)
    return EffectResult.isFailure(signal)
      ? { ok: false, error: failureOf(signal.failure) }
      : run(effect, signal.success)
  }

  const taking =
    <Args extends ReadonlyArray<unknown>, A>(then: (...args: Args) => Promise<Result<A>>) =>
    async (...args: Args): Promise<Result<A>> => {
      const given = Input.read(args)
      return EffectResult.isFailure(given) ? { ok: false, error: failureOf(given.failure) } : then(...given.success)
    }

  let isClosed = false
  const close = () => {
    isClosed = true
    // Until it has ended there are events: of what is under way.
    return lifetime.close().finally(() => shared.listeners.delete(listeners.tell))
  }

  return {
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
    subscribe: (listener) => {
      if (typeof listener !== "function") throw Input.invalid("listener", "give a function that is told of events")
      if (!isClosed) shared.listeners.add(listeners.tell)
      return listeners.add(listener)
    },
    settled: () => (auth === undefined ? Promise.resolve() : Effect.runPromise(auth.settled)),
    close,
    [Symbol.asyncDispose]: close,
    layer: shared.layer
  }
}

/**
 * Which app, which Zapier, how requests are sent, and where grants are kept. All have defaults. Layers among them may fail
 * with anything, as those of `fromLayer`.
 *
 * @since 0.1.0
 */
export interface Options extends Omit<ZapierNode.EmbeddedOptions<unknown>, "httpClient" | "stores">, ProcessOptions {
  /**
   * How requests are sent, such as the fake's `fetch` in a test. Default: as `ZapierNode.layerHttpClient` does; or
   * `globalThis.fetch` where that has been replaced since this module was loaded, as test runners do.
   */
  readonly fetch?: typeof globalThis.fetch | undefined
  /** Where users' grants are kept: as in `ZapierNode.EmbeddedOptions`, or in memory. */
  readonly stores?: ZapierNode.EmbeddedOptions<unknown>["stores"] | "memory"
}

const fetchAtFirst = globalThis.fetch

// Test runners put their own in its place.
const replacedFetch = () => (globalThis.fetch === fetchAtFirst ? undefined : globalThis.fetch)

/**
 * Over `ZapierNode.layer`: with a database of this machine, encrypted. Nothing is opened before the first call, which is
 * told what is wrong with the options. The environment and `globalThis.fetch` are read as they are now.
 *
 * On AWS Lambda, Vercel and Cloud Run, where a process may stand still once it has responded, no token is renewed ahead unless
 * `waitUntil` is given or `settings.expiryMargin` is set: the call that finds it ended renews it. Without `waitUntil`, await
 * `settled` before the response: a call that is aborted, or told that Zapier is slow, leaves its request behind.
 *
 * @since 0.1.0
 */
export const make = (given: Options = {}): ZapierPromise => {
  const read = EffectResult.flatMap(Input.read<readonly [Options]>([given]), ([given]) => Input.client(given))
  if (EffectResult.isFailure(read)) return fromLayer(Layer.effectContext(Effect.fail(read.failure)))
  const { fetch = replacedFetch(), settings, stores, waitUntil, ...rest } = read.success
  const options = { ...rest, settings: Frozen.settings(settings, waitUntil !== undefined, process.env) }
  const httpClient =
    fetch === undefined ? undefined : Layer.provide(FetchHttpClient.layer, Layer.succeed(FetchHttpClient.Fetch, fetch))
  if (stores === "memory") {
    // What layers fail with is told apart when they have. @effect-diagnostics-next-line anyUnknownInErrorContext:off
    return fromLayer(ZapierNode.layerMemory({ ...options, httpClient }), { waitUntil })
  }
  // As above. @effect-diagnostics-next-line anyUnknownInErrorContext:off
  return fromLayer(ZapierNode.layer({ ...options, httpClient, stores }), { waitUntil })
}
