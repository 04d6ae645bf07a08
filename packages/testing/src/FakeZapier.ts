/**
 * The fake Zapier as an Effect service: one state behind an in-process `HttpClient`, a `fetch` function, an HTTP
 * server, and operations that a test controls it with. Its time is Effect's `Clock`, so `TestClock` drives it. Tests
 * without Effect use `FakeZapierPromise`.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpClient from "effect/http/HttpClient"
 * import * as Layer from "effect/Layer"
 * import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
 *
 * const program = Effect.gen(function* () {
 *   const zapier = yield* FakeZapier.FakeZapier
 *   const app = yield* zapier.registerApp({ name: "Acme", redirectUris: ["https://acme.example/callback"] })
 *   const response = yield* HttpClient.get(`https://api.zapier.com/v1/apps?client_id=${app.clientId}`)
 *   return response.status // => 200
 * })
 *
 * await Effect.runPromise(
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
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import type * as HttpServer from "effect/http/HttpServer"
import * as Inspectable from "effect/Inspectable"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as FakeControl from "./fake/FakeControl.ts"
import type * as FakeFault from "./fake/FakeFault.ts"
import type * as FakeHttp from "./fake/FakeHttp.ts"
import * as FakeOutcome from "./fake/FakeOutcome.ts"
import * as FakeServer from "./fake/FakeServer.ts"
import type * as FakeState from "./fake/FakeState.ts"
import type * as FakeWhiteLabel from "./fake/FakeWhiteLabel.ts"
import * as Responses from "./fake/internal/responses.ts"
import * as ClientRequest from "./fake/internal/clientRequest.ts"
import * as FakeOptions from "./fake/internal/options.ts"
import * as Given from "./fake/internal/given.ts"
import * as Serve from "./fake/internal/serve.ts"
import * as Web from "./fake/internal/web.ts"
import * as WhiteLabel from "./fake/internal/whiteLabel/findOut.ts"
import * as RequestLog from "./fake/RequestLog.ts"

/**
 * The result of a control operation. Fails with an explanation if the operation makes no sense.
 *
 * @since 0.1.0
 */
export type Controlled<A> = Effect.Effect<A, FakeControl.FakeControlError>

/**
 * The initial state of a fake, and how much it remembers.
 *
 * @since 0.1.0
 */
export interface Options extends FakeControl.Options {
  /** How many requests, and how many issued tokens, it remembers. Default: 10,000. */
  readonly remember?: number | undefined
  /** Fetches the keys of White Label partners from their JWKS URLs. Default: the platform's `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined
}

/**
 * The whole state of a fake at one moment. When printed, it shows only how much it holds.
 *
 * @since 0.1.0
 */
export class Snapshot extends Inspectable.Class {
  readonly state: FakeState.FakeState
  /** The fake's time, in milliseconds since the epoch. */
  readonly at: number
  readonly requests: ReadonlyArray<RequestLog.Entry>
  readonly issued: ReadonlyArray<FakeOutcome.Issued>

  constructor(fields: Pick<Snapshot, "state" | "at" | "requests" | "issued">) {
    super()
    this.state = fields.state
    this.at = fields.at
    this.requests = fields.requests
    this.issued = fields.issued
  }

  toJSON(): unknown {
    const { at, issued, requests } = this
    return { _id: "FakeZapier.Snapshot", at, requests: requests.length, issued: issued.length }
  }
}

/**
 * Controls the fake and handles its requests. An invalid call fails with a `FakeControlError` that says what is valid.
 *
 * @since 0.1.0
 */
export class FakeZapier extends Context.Service<
  FakeZapier,
  {
    /** Handles a request. `delivery` says how the caller has to deliver the response. */
    readonly handle: (request: FakeHttp.FakeRequest) => Effect.Effect<FakeOutcome.Handled>

    /** Registers an app, as Zapier does once an integration is public. */
    readonly registerApp: (options: FakeControl.AppOptions) => Controlled<FakeState.App>
    /** Registers an app as a White Label partner, or changes its registration. */
    readonly setWhiteLabel: (clientId: string, options: FakeWhiteLabel.Options) => Controlled<FakeState.App>
    /** Adds a user who may sign in. */
    readonly registerUser: (options: FakeControl.UserOptions) => Controlled<FakeState.User>
    /** Gives an app a new secret. The previous one stops working at once. */
    readonly regenerateSecret: (clientId: string) => Controlled<FakeState.App>

    /** Allows the request of an authorization URL, and returns the URL that the browser is redirected to. */
    readonly approve: (authorizationUrl: string, options?: FakeControl.ApproveOptions) => Controlled<string>
    /** Denies the request of an authorization URL, and returns the URL that the browser is redirected to. */
    readonly deny: (authorizationUrl: string, options?: FakeControl.DenyOptions) => Controlled<string>

    /** Opens a Connect URL, decides as the White Label user, and returns the end of the page. */
    readonly connect: (
      connectUrl: string,
      options?: FakeControl.ConnectOptions
    ) => Controlled<FakeWhiteLabel.ConnectEnd>
    /** Expires a user's connection. */
    readonly expireAuthentication: (id: string) => Controlled<void>

    /** Revokes the grants of an app, of a user, of both, or one grant. */
    readonly revoke: (of: FakeControl.Revocation) => Controlled<void>
    /** Ends one access token before it expires. */
    readonly endAccessToken: (accessToken: string) => Effect.Effect<void>

    /**
     * Changes assumptions about behavior that Zapier does not document. Settings that are not named stay as they are.
     */
    readonly changeSettings: (settings: Partial<FakeState.Settings>) => Controlled<void>
    /** Replaces all fault rules. */
    readonly setFaults: (rules: ReadonlyArray<FakeFault.Rule>) => Controlled<void>
    /** Adds a fault rule, to be tried after the existing ones. */
    readonly addFault: (rule: FakeFault.Rule) => Controlled<void>

    /** The fake's time, in milliseconds since the epoch. */
    readonly time: Effect.Effect<number>
    /** Moves the fake's clock ahead of the outer clock. */
    readonly advance: (by: Duration.Input) => Controlled<void>
    /** Sets the fake's clock, forward or back, to milliseconds since the epoch. It runs on from there. */
    readonly setTime: (at: number) => Controlled<void>

    /** The fake's whole state. */
    readonly state: Effect.Effect<FakeState.FakeState>
    /** The latest requests with their responses, oldest first. */
    readonly requests: Effect.Effect<ReadonlyArray<RequestLog.Entry>>
    /** The latest issued tokens and where they came from, oldest first. */
    readonly issued: Effect.Effect<ReadonlyArray<FakeOutcome.Issued>>
    /**
     * The token responses that led to a token: the exchange of a code, or the app's request, and then every refresh.
     */
    readonly tokenFamily: (token: string) => Effect.Effect<ReadonlyArray<FakeOutcome.Issued>>

    /** The whole state and history, to be restored later. */
    readonly snapshot: Effect.Effect<Snapshot>
    /** Restores a snapshot, including the fake's time. */
    readonly restore: (snapshot: Snapshot) => Effect.Effect<void>
    /** Starts again from the initial options: the same calls return the same tokens again. */
    readonly reset: Effect.Effect<void>
  }
>()("@zapier-workflow-auth/testing/FakeZapier") {}

// Keeps the latest entries without moving the others each time.
const makeMemory = <A>(capacity: number) => {
  let entries: Array<A> = []
  return {
    add: (entry: A) => {
      entries.push(entry)
      if (entries.length >= capacity * 2) entries = entries.slice(-capacity)
    },
    latest: (): ReadonlyArray<A> => entries.slice(-capacity),
    set: (all: ReadonlyArray<A>) => {
      entries = [...all]
    }
  }
}

const millisOf = (by: Duration.Input): FakeControl.Controlled<number> =>
  Result.fromOption(
    Option.map(Duration.fromInput(by), Duration.toMillis),
    () => new FakeControl.FakeControlError({ problem: "Give milliseconds, or a text such as `10 hours`." })
  )

const parseOptions = Given.parse(FakeOptions.OfService, "The options")

/**
 * Makes the service. Throws a `FakeControlError` for invalid options.
 *
 * @since 0.1.0
 */
export const make = (options: Options = {}): FakeZapier["Service"] => {
  Result.getOrThrowWith(parseOptions(options), (problem) => new FakeControl.FakeControlError({ problem }))
  const { fetch = FetchHttpClient.Fetch.defaultValue(), remember = 10_000, ...begin } = options
  const first = Result.getOrThrow(FakeControl.make(begin))
  const requests = makeMemory<RequestLog.Entry>(remember)
  const issued = makeMemory<FakeOutcome.Issued>(remember)
  let state = first

  type Change<A> = (state: FakeState.FakeState, now: number) => FakeControl.Controlled<A>

  // For operations that return a value beside the next state.
  const making = <A>(change: Change<readonly [A, FakeState.FakeState]>): Controlled<A> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const changed = change(state, now)
      if (Result.isSuccess(changed)) state = changed.success[1]
      return Effect.fromResult(Result.map(changed, ([made]) => made))
    })

  const update = (change: Change<FakeState.FakeState>): Controlled<void> =>
    making((state, now) => Result.map(change(state, now), (next) => [undefined, next]))

  const time = Effect.map(Clock.currentTimeMillis, (now) => now + state.clockOffset)

  // A question changes nothing: the state may differ when the request is handled again.
  const handle = (
    request: FakeHttp.FakeRequest,
    facts: FakeWhiteLabel.Facts = {}
  ): Effect.Effect<FakeOutcome.Handled> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const handled = FakeServer.handle(state, request, now, facts)
      if (handled.question !== undefined) {
        return Effect.flatMap(WhiteLabel.findOut(handled.question, facts, fetch), (found) => handle(request, found))
      }
      state = handled.state
      requests.add(new RequestLog.Entry(request, handled, now + state.clockOffset))
      if (handled.issued !== undefined) issued.add(handled.issued)
      return Effect.succeed(handled)
    })

  return FakeZapier.of({
    handle: (request) => handle(request),
    registerApp: (app) => making((state) => FakeControl.registerApp(state, app)),
    setWhiteLabel: (clientId, options) => making((state) => FakeControl.setWhiteLabel(state, clientId, options)),
    registerUser: (user) => making((state) => FakeControl.registerUser(state, user)),
    regenerateSecret: (clientId) => making((state) => FakeControl.regenerateSecret(state, clientId)),
    approve: (url, options = {}) => making((state, now) => FakeControl.approve(state, url, options, now)),
    deny: (url, options) => Effect.suspend(() => Effect.fromResult(FakeControl.deny(state, url, options))),
    connect: (url, options = {}) => making((state, now) => FakeControl.connect(state, url, options, now)),
    expireAuthentication: (id) => update((state) => FakeControl.expireAuthentication(state, id)),
    revoke: (of) => update((state) => FakeControl.revoke(state, of)),
    endAccessToken: (token) =>
      Effect.sync(() => {
        state = FakeControl.endAccessToken(state, token)
      }),
    changeSettings: (settings) => update((state) => FakeControl.changeSettings(state, settings)),
    setFaults: (rules) => update((state) => FakeControl.setFaults(state, rules)),
    addFault: (rule) => update((state) => FakeControl.addFault(state, rule)),
    time,
    advance: (by) => update((state) => Result.flatMap(millisOf(by), (millis) => FakeControl.advance(state, millis))),
    setTime: (at) => update((state, now) => FakeControl.setTime(state, at, now)),
    state: Effect.sync(() => state),
    requests: Effect.sync(requests.latest),
    issued: Effect.sync(issued.latest),
    tokenFamily: (token) => Effect.sync(() => FakeOutcome.tokenFamily(issued.latest(), token)),
    snapshot: Effect.map(
      time,
      (at) => new Snapshot({ state, at, requests: requests.latest(), issued: issued.latest() })
    ),
    restore: (snapshot) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        state = { ...snapshot.state, clockOffset: snapshot.at - now }
        requests.set(snapshot.requests)
        issued.set(snapshot.issued)
      }),
    reset: Effect.sync(() => {
      state = first
      requests.set([])
      issued.set([])
    })
  })
}

/**
 * A layer with a fake of its own: each layer has its own state.
 *
 * @example
 * ```ts
 * import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
 *
 * FakeZapier.layer({
 *   apps: [{ name: "Acme", clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] }],
 *   settings: { graceMillis: 10_000 }
 * })
 * ```
 *
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<FakeZapier> => Layer.sync(FakeZapier, () => make(options))

// -----------------------------------------------------------------------------
// In process
// -----------------------------------------------------------------------------

/**
 * An `HttpClient` that sends every request to the fake, without sockets.
 *
 * It accepts any origin, so code under test keeps Zapier's real URLs. It never follows redirects. If a fault breaks the
 * connection, it fails with a `TransportError`.
 *
 * @since 0.1.0
 */
export const layerHttpClient: Layer.Layer<HttpClient.HttpClient, never, FakeZapier> = Layer.fresh(
  Layer.effect(
    HttpClient.HttpClient,
    Effect.map(FakeZapier, (zapier) =>
      HttpClient.make((request, url) => {
        const ways: Web.Ways<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError> = {
          responded: (response) => Effect.succeed(Responses.make(request, response)),
          truncated: (response, bytes) =>
            Effect.succeed(HttpClientResponse.fromWeb(request, Web.toTruncated(response, bytes))),
          broken: (how) => Effect.fail(Responses.transportError(request, Web.codes[how]))
        }
        return ClientRequest.toFake(request, url).pipe(
          Effect.flatMap(zapier.handle),
          Effect.flatMap((handled) => Web.deliver(handled, ways))
        )
      })
    )
  )
)

/**
 * A `fetch` function that sends every request to the fake, whatever its origin. It never follows redirects: it behaves
 * as if `redirect` were `manual`. If a fault breaks the connection, it rejects with a `TypeError`; if a fault swallows
 * the response, it waits until its signal is aborted.
 *
 * It takes the arguments of `fetch`, so it can be a library's custom `fetch`, or a request handler.
 *
 * @since 0.1.0
 */
export const fetch: Effect.Effect<typeof globalThis.fetch, never, FakeZapier> = Effect.gen(function* () {
  const zapier = yield* FakeZapier
  return Web.fetch(zapier.handle, yield* Effect.context())
})

// -----------------------------------------------------------------------------
// Over HTTP
// -----------------------------------------------------------------------------

/**
 * Serves the fake over HTTP, with any of Effect's HTTP servers. If a fault breaks the connection, the connection is
 * closed, or reset where the platform allows it, as Node does. When the server closes, requests that still wait end
 * too. Links in its responses lead back to it, and `/` is a page that says where everything is. With
 * `FakeControlServer` it also has a control page and a control API.
 *
 * @since 0.1.0
 */
export const layerServer: Layer.Layer<never, never, HttpServer.HttpServer | FakeZapier> = Layer.fresh(
  Layer.effectDiscard(Effect.flatMap(FakeZapier, ({ handle }) => Serve.listen(handle, { hasControl: false })))
)
