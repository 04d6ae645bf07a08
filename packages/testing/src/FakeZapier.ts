/**
 * The fake Zapier as a service: one state behind an in-process `HttpClient`, a WHATWG `fetch` handler, an HTTP server,
 * and the control operations of a test. Time is Effect's `Clock`, so `TestClock` drives it.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpClient from "effect/http/HttpClient"
 * import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
 * import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
 *
 * const program = Effect.gen(function* () {
 *   const zapier = yield* FakeZapier.FakeZapier
 *   const app = yield* zapier.registerApp({ name: "Acme", redirectUris: ["https://acme.example/callback"] })
 *   const response = yield* HttpClient.get(`https://api.zapier.com/v1/apps?client_id=${app.clientId}`)
 *   return response.status // => 200
 * })
 *
 * Effect.runPromise(
 *   Effect.provide(program, Layer.provideMerge(FakeZapier.layerHttpClient, FakeZapier.layer()))
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpServer from "effect/http/HttpServer"
import type { HttpServerError } from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Result from "effect/Result"
import * as FakeControl from "./FakeControl.ts"
import * as FakeHttp from "./FakeHttp.ts"
import * as FakeServer from "./FakeServer.ts"
import * as FakeState from "./FakeState.ts"
import * as RequestLog from "./RequestLog.ts"

/**
 * @since 0.1.0
 */
export interface Options extends FakeState.Options {
  /** Which apps are registered from the start. Default: none. */
  readonly apps?: ReadonlyArray<FakeControl.AppOptions> | undefined
  /** How many requests, and how many issued tokens, are remembered. Default: 10,000. */
  readonly remember?: number | undefined
}

/**
 * @since 0.1.0
 */
export class FakeZapier extends Context.Service<
  FakeZapier,
  {
    /** Answers a request. */
    readonly handle: (request: FakeHttp.FakeRequest) => Effect.Effect<FakeHttp.FakeResponse>
    /** Registers an app, as Zapier does once an integration is public. */
    readonly registerApp: (options: FakeControl.AppOptions) => Effect.Effect<FakeState.App>
    /** Gives an app a new secret. The previous one stops working at once. */
    readonly regenerateSecret: (clientId: string) => Effect.Effect<FakeState.App, FakeControl.FakeControlError>
    /** Allows what an authorization URL asks for, and gives the URL that the browser is sent back to. */
    readonly approve: (
      authorizationUrl: string,
      options?: FakeControl.ApproveOptions
    ) => Effect.Effect<string, FakeControl.FakeControlError>
    /** Denies what an authorization URL asks for, and gives the URL that the browser is sent back to. */
    readonly deny: (authorizationUrl: string) => Effect.Effect<string, FakeControl.FakeControlError>
    /** Ends all grants of an app, or those of one of its users. */
    readonly revoke: (of: { readonly clientId: string; readonly user?: string | undefined }) => Effect.Effect<void>
    /** Ends one access token before its time. */
    readonly endAccessToken: (accessToken: string) => Effect.Effect<void>
    /** Moves the fake's clock ahead of the one outside. */
    readonly advance: (by: Duration.Input) => Effect.Effect<void>
    /** Changes what is unknown of Zapier. */
    readonly setKnobs: (knobs: Partial<FakeState.Knobs>) => Effect.Effect<void>
    /** All that the fake knows. */
    readonly state: Effect.Effect<FakeState.FakeState>
    /** The latest requests and what they were answered with, the oldest first. */
    readonly requests: Effect.Effect<ReadonlyArray<RequestLog.Entry>>
    /** The latest tokens and what they came from, the oldest first. */
    readonly issued: Effect.Effect<ReadonlyArray<FakeServer.Issued>>
  }
>()("@zapier-workflow-auth/testing/FakeZapier") {}

// The latest entries, without moving all others at each one.
const makeMemory = <A>(capacity: number) => {
  let entries: Array<A> = []
  return {
    add: (entry: A) => {
      entries.push(entry)
      if (entries.length >= capacity * 2) entries = entries.slice(-capacity)
    },
    latest: Effect.sync((): ReadonlyArray<A> => entries.slice(-capacity))
  }
}

/**
 * Makes the service.
 *
 * @since 0.1.0
 */
export const make = (options: Options = {}): FakeZapier["Service"] => {
  let state = (options.apps ?? []).reduce(
    (registered, app) => FakeControl.registerApp(registered, app)[1],
    FakeState.make(options)
  )
  const requests = makeMemory<RequestLog.Entry>(options.remember ?? 10_000)
  const issued = makeMemory<FakeServer.Issued>(options.remember ?? 10_000)

  const update = (f: (state: FakeState.FakeState) => FakeState.FakeState) =>
    Effect.sync(() => {
      state = f(state)
    })

  const changing = <A, E>(
    f: (state: FakeState.FakeState, now: number) => Result.Result<readonly [A, FakeState.FakeState], E>
  ) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Effect.map(Effect.fromResult(f(state, now)), ([value, next]) => {
        state = next
        return value
      })
    )

  return FakeZapier.of({
    handle: (request) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const handled = FakeServer.handle(state, request, now)
        state = handled.state
        requests.add(RequestLog.entry(request, handled.response, now + state.clockOffset))
        if (handled.issued !== undefined) issued.add(handled.issued)
        return handled.response
      }),
    registerApp: (app) =>
      Effect.sync(() => {
        const [registered, next] = FakeControl.registerApp(state, app)
        state = next
        return registered
      }),
    regenerateSecret: (clientId) => changing((state) => FakeControl.regenerateSecret(state, clientId)),
    approve: (url, options = {}) => changing((state, now) => FakeControl.approve(state, url, options, now)),
    deny: (url) => Effect.suspend(() => Effect.fromResult(FakeControl.deny(state, url))),
    revoke: (of) => update((state) => FakeControl.revoke(state, of)),
    endAccessToken: (token) => update((state) => FakeControl.endAccessToken(state, token)),
    advance: (by) => update((state) => FakeControl.advance(state, Duration.toMillis(Duration.fromInputUnsafe(by)))),
    setKnobs: (knobs) => update((state) => FakeControl.setKnobs(state, knobs)),
    state: Effect.sync(() => state),
    requests: requests.latest,
    issued: issued.latest
  })
}

/**
 * A fake of one's own: each layer has its own state.
 *
 * @example
 * ```ts
 * import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
 *
 * FakeZapier.layer({
 *   apps: [{ name: "Acme", clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] }],
 *   knobs: { graceMillis: 10_000 }
 * })
 * ```
 *
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<FakeZapier> => Layer.sync(FakeZapier, () => make(options))

const toWebResponse = ({ body, headers, status }: FakeHttp.FakeResponse): Response =>
  // The Fetch standard forbids a body, even an empty one, with 204.
  new Response(status === 204 ? null : body, { status, headers: { ...headers } })

const fromWebRequest = (request: Request): Effect.Effect<FakeHttp.FakeRequest> =>
  Effect.map(
    Effect.promise(() => request.arrayBuffer()),
    (body) =>
      FakeHttp.request(request.method, request.url, {
        headers: Object.fromEntries(request.headers),
        body: new Uint8Array(body)
      })
  )

// Bodies that are bytes already need no detour.
const fromClientRequest = (
  request: HttpClientRequest.HttpClientRequest,
  url: URL
): Effect.Effect<FakeHttp.FakeRequest, HttpClientError.HttpClientError> => {
  const { body } = request
  if (body._tag === "Empty" || body._tag === "Uint8Array") {
    const bytes = body._tag === "Empty" ? new Uint8Array() : body.body
    return Effect.succeed(FakeHttp.request(request.method, url.href, { headers: request.headers, body: bytes }))
  }
  return Effect.flatMap(HttpClientRequest.toWeb(request), fromWebRequest).pipe(
    Effect.mapError(
      (cause) => new HttpClientError.HttpClientError({ reason: new HttpClientError.EncodeError({ request, cause }) })
    )
  )
}

/**
 * An `HttpClient` that sends every request to the fake, without sockets, whatever its origin is: code under test keeps
 * Zapier's real URLs.
 *
 * @since 0.1.0
 */
export const layerHttpClient: Layer.Layer<HttpClient.HttpClient, never, FakeZapier> = Layer.effect(
  HttpClient.HttpClient,
  Effect.map(FakeZapier, (zapier) =>
    HttpClient.make((request, url) =>
      fromClientRequest(request, url).pipe(
        Effect.flatMap(zapier.handle),
        Effect.map((response) => HttpClientResponse.fromWeb(request, toWebResponse(response)))
      )
    )
  )
)

/**
 * A function like `fetch` that sends every request to the fake. It never follows a redirect.
 *
 * @since 0.1.0
 */
export const fetch: Effect.Effect<typeof globalThis.fetch, never, FakeZapier> = Effect.gen(function* () {
  const zapier = yield* FakeZapier
  const context = yield* Effect.context()
  return (input, init) =>
    Effect.runPromiseWith(context)(
      fromWebRequest(new Request(input, init)).pipe(Effect.flatMap(zapier.handle), Effect.map(toWebResponse))
    )
})

const serve: Effect.Effect<
  HttpServerResponse.HttpServerResponse,
  HttpServerError,
  FakeZapier | HttpServerRequest.HttpServerRequest
> = Effect.gen(function* () {
  const zapier = yield* FakeZapier
  const request = yield* HttpServerRequest.HttpServerRequest
  const body = yield* request.arrayBuffer
  const response = yield* zapier.handle(
    FakeHttp.request(request.method, request.url, {
      headers: request.headers,
      body: new Uint8Array(body),
      address: Option.getOrUndefined(request.remoteAddress)
    })
  )
  return HttpServerResponse.fromWeb(toWebResponse(response))
})

/**
 * Serves the fake over HTTP, with any of Effect's HTTP servers.
 *
 * @since 0.1.0
 */
export const layerServer: Layer.Layer<never, never, HttpServer.HttpServer | FakeZapier> = HttpServer.serve(serve)
