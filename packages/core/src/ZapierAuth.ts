/**
 * The service that applications use to authenticate with the Zapier Workflow API.
 *
 * The machines (`ConsentAttempt`, `UserGrant`, `AppCredential`, `ClientId`) decide; the service carries out: it loads a
 * state, steps it, stores the result by compare-and-set, and performs the commands.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Redacted from "effect/Redacted"
 * import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
 *
 * const connect = Effect.gen(function* () {
 *   const auth = yield* ZapierAuth
 *   const { url } = yield* auth.authorizationUrl({ subject: "user-1", scopes: ["zap"] })
 *   return Redacted.value(url) // send the user's browser there
 * })
 *
 * const callback = Effect.fn("callback")(function* (requestUrl: string) {
 *   const auth = yield* ZapierAuth
 *   return yield* auth.handleCallback(requestUrl, { subject: "user-1" })
 * })
 * ```
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import { Digest } from "effect/crypto/Digest"
import { SecureRandom } from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type * as Stream from "effect/Stream"
import type { AuthEvent } from "./AuthEvent.ts"
import * as AuthMetrics from "./AuthMetrics.ts"
import { boundedStore, readApplication } from "./internal/bounded.ts"
import * as CallerChecks from "./internal/callerChecks.ts"
import * as ClientIds from "./internal/clientIds.ts"
import * as Consents from "./internal/consents.ts"
import * as EventHub from "./internal/eventHub.ts"
import * as Gate from "./internal/gate.ts"
import * as Runtime from "./internal/runtime.ts"
import * as Sealing from "./internal/sealing.ts"
import { type WhiteLabel, WhiteLabelMode } from "./internal/whiteLabelMode.ts"
import * as AppCredentialDriver from "./machine/AppCredentialDriver.ts"
import type * as ClientId from "./machine/ClientId.ts"
import * as ConsentAttemptDriver from "./machine/ConsentAttemptDriver.ts"
import * as Driver from "./machine/Driver.ts"
import * as UserGrant from "./machine/UserGrant.ts"
import * as UserGrantDriver from "./machine/UserGrantDriver.ts"
import type * as AuthorizationCallback from "./oauth/AuthorizationCallback.ts"
import { ClientApplication } from "./oauth/ClientApplication.ts"
import * as Scopes from "./oauth/Scopes.ts"
import { TokenEndpoint } from "./oauth/TokenEndpoint.ts"
import type { TokenOutcome } from "./oauth/TokenOutcome.ts"
import type { TokenRequest } from "./oauth/TokenRequest.ts"
import type * as Tokens from "./oauth/Tokens.ts"
import * as Settings from "./Settings.ts"
import { AppCredentialStore } from "./store/AppCredentialStore.ts"
import { AttemptStore } from "./store/AttemptStore.ts"
import { GrantStore } from "./store/GrantStore.ts"
import * as ZapierUrls from "./zapier/ZapierUrls.ts"
import { type ReconnectCause, ZapierAuthError } from "./ZapierAuthError.ts"

export type { AuthorizationOptions } from "./internal/consents.ts"

/**
 * A consent attempt that was begun.
 *
 * @since 0.1.0
 */
export interface AuthorizationRequest {
  /** The URL for the user's browser. Redacted, because it contains `state`. */
  readonly url: Redacted.Redacted
  /** Identifies the attempt in events; not a secret. */
  readonly attempt: string
  /** When the attempt expires, in milliseconds since the epoch. */
  readonly expiresAt: number
}

/**
 * The status of a user's connection, without tokens. Times are milliseconds since the epoch.
 *
 * @since 0.1.0
 */
export type Status =
  | { readonly _tag: "Absent"; readonly subject: string }
  | {
      readonly _tag: "Active" | "Refreshing"
      readonly subject: string
      readonly generation: number
      readonly scopes: ReadonlyArray<Scopes.Scope>
      /** When the access token expires. The next use after that renews it. */
      readonly expiresAt: number
      readonly hasRefreshToken: boolean
    }
  | {
      readonly _tag: "ReconnectRequired"
      readonly subject: string
      readonly generation: number
      readonly scopes: ReadonlyArray<Scopes.Scope>
      readonly why: ReconnectCause
      readonly since: number
    }

/**
 * The result of a callback: the user's status, and missing scopes.
 *
 * @since 0.1.0
 */
export type Connected = Status & {
  /**
   * The requested scopes that were not granted, not even through a wider scope. Requesting them again may fail the same way,
   * so tell the user instead of redirecting to the consent page again.
   */
  readonly missingScopes: ReadonlyArray<Scopes.Scope>
}

/**
 * The result of a disconnect. The app has deleted its tokens, but Zapier documents no way to revoke them.
 *
 * Zapier accepts them until they expire, or until the user removes the app at Zapier.
 *
 * @since 0.1.0
 */
export interface Disconnected {
  readonly subject: string
  /** True if the user was connected. */
  readonly wasConnected: boolean
  /** A text for the user: how to end the app's access at Zapier. */
  readonly revocation: string
}

const revocation =
  "To end this app's access at Zapier too, open your Zapier account's settings and remove the app from the connected applications."

/**
 * Authenticates with Zapier: consents, tokens, and their status.
 *
 * A subject is the app's own id of its user: 1 to 1,000 bytes of UTF-8 without control characters. Operations fail with
 * `InvalidConfig` for any other subject, and for arguments of the wrong type.
 *
 * @since 0.1.0
 */
export class ZapierAuth extends Context.Service<
  ZapierAuth,
  {
    /**
     * Begins a consent attempt and returns the URL for the user's browser.
     *
     * Fails with `InvalidConfig` (missing or unusable scopes, unknown redirect URI) and `StoreFailed`.
     */
    readonly authorizationUrl: (
      options: Consents.AuthorizationOptions
    ) => Effect.Effect<AuthorizationRequest, ZapierAuthError>

    /**
     * Handles the redirect from the consent page: validates it, exchanges its code and stores the grant.
     *
     * Each `state` works once. A failure does not change an existing grant. `missingScopes` lists the requested scopes that
     * were not granted.
     *
     * Fails with `InvalidCallback`, `StateMismatch` (unknown, used, or for another subject), `ConsentDenied`,
     * `ConsentExpired`, `AuthorizationRefused`, `ExchangeOutcomeUnknown`, `ClientRejected`, `TokenRequestRefused`,
     * `RateLimited`, `TransportFailed`, `MalformedResponse`, `StoreFailed`.
     *
     * @param input the callback's URL, query or parameters
     * @param options `subject`: the user who is signed in where the callback arrived
     */
    readonly handleCallback: (
      input: AuthorizationCallback.Input,
      options: { readonly subject: string }
    ) => Effect.Effect<Connected, ZapierAuthError>

    /**
     * Returns the user's access token, renewed if necessary. Callers for one subject share a refresh, and interrupting one
     * of them does not disturb it.
     *
     * Fails with `ReconnectRequired` if only the user can restore access, `ClientRejected`, `TokenRequestRefused`,
     * `RateLimited`, `ServiceUnavailable`, `TransportFailed`, `RefreshOutcomeUnknown`, `MalformedResponse`,
     * `StoreFailed`.
     */
    readonly accessToken: (subject: string) => Effect.Effect<Tokens.UsableAccess, ZapierAuthError>

    /**
     * Returns the user's access token from memory, or `undefined` if `accessToken` has to be called. For API clients, which
     * look here before each request.
     */
    readonly accessTokenKnown: (subject: string) => Tokens.UsableAccess | undefined

    /**
     * Returns another access token after the API responded 401 to `rejected`: a newer one, refreshed if necessary. Returns
     * the same token if it has just replaced a rejected one and no call has succeeded with it, because then the endpoint is
     * more likely at fault. Fails like `accessToken`.
     */
    readonly accessTokenRejected: (
      subject: string,
      rejected: Tokens.UsableAccess
    ) => Effect.Effect<Tokens.UsableAccess, ZapierAuthError>

    /**
     * Reports that a call succeeded with the token. Needed only while `replacedAt` is recent: a token that just replaced a
     * rejected one is not replaced again until a call has succeeded with it.
     */
    readonly accessTokenAccepted: (subject: string, access: Tokens.UsableAccess) => Effect.Effect<void>

    /** Returns the app's own access token for a set of scopes. Fails like `accessToken`, but never with `ReconnectRequired`. */
    readonly appToken: (scopes: ReadonlyArray<Scopes.Scope>) => Effect.Effect<Tokens.UsableAccess, ZapierAuthError>

    /** Returns the app token from memory, like `accessTokenKnown`. */
    readonly appTokenKnown: (scopes: ReadonlyArray<Scopes.Scope>) => Tokens.UsableAccess | undefined

    /** Returns another app token after the API responded 401 to `rejected`. Fails like `appToken`. */
    readonly appTokenRejected: (
      scopes: ReadonlyArray<Scopes.Scope>,
      rejected: Tokens.UsableAccess
    ) => Effect.Effect<Tokens.UsableAccess, ZapierAuthError>

    /** Reports that a call succeeded with the app token, like `accessTokenAccepted`. */
    readonly appTokenAccepted: (scopes: ReadonlyArray<Scopes.Scope>, access: Tokens.UsableAccess) => Effect.Effect<void>

    /** Returns White Label. Fails with `InvalidConfig` unless `WhiteLabel.layer` was provided to this service's layer. */
    readonly whiteLabel: Effect.Effect<WhiteLabel, ZapierAuthError>

    /** Returns the client id for a request's query. Call it just before sending. */
    readonly presentClientId: Effect.Effect<string, ZapierAuthError>

    /** Reports the HTTP status of the response to a request with the client id. */
    readonly clientIdResponded: (status: number) => Effect.Effect<void, ZapierAuthError>

    /** Returns the state of the client id, as far as this process has seen. */
    readonly clientIdState: Effect.Effect<ClientId.State["_tag"]>

    /** Returns the status of a user's connection, without asking Zapier. Fails with `StoreFailed`. */
    readonly status: (subject: string) => Effect.Effect<Status, ZapierAuthError>

    /**
     * Removes a user's grant and returns what the user still has to do. A refresh in progress does not restore it. Fails
     * with `StoreFailed`.
     */
    readonly disconnect: (subject: string) => Effect.Effect<Disconnected, ZapierAuthError>

    /**
     * Stores tokens that the app obtained without this library, unless the user already has a grant. Returns true if stored.
     * `Adoption.adopt` reads them from rows. Fails with `InvalidConfig` and `StoreFailed`.
     */
    readonly adopt: (subject: string, tokens: Tokens.Tokens) => Effect.Effect<boolean, ZapierAuthError>

    /**
     * Completes once everything now in progress has ended and is stored: early renewals, responses whose callers have gone,
     * retried writes. It takes at most `responseTimeout`, plus the time that the store needs.
     *
     * Long-running processes need not wait for it. Functions that are frozen after each response do, or their platform does.
     */
    readonly settled: Effect.Effect<void>

    /** True while nothing is in progress, so that there is no need to wait. */
    readonly isSettled: () => boolean

    /**
     * Lets API clients hold closing until their requests end: `enter` before, `leave` after. `enter` returns `false` once
     * closing has begun. Closing waits for at most `patience`, which is `requestTimeout`.
     */
    readonly requests: Gate.Gate

    /** All events from now on. Slow readers lose the oldest ones. */
    readonly events: Stream.Stream<AuthEvent>
  }
>()("@zapier-workflow-auth/core/ZapierAuth") {}

const statusOf = (subject: string, state: UserGrant.State): Status => {
  switch (state._tag) {
    case "Absent":
      return { ...state, subject }
    case "ReconnectRequired": {
      const { _tag, generation, since, tokens, why } = state
      return { _tag, subject, generation, scopes: tokens.scopes, why, since }
    }
    case "Active":
    case "Refreshing": {
      const { _tag, generation, tokens } = state
      return {
        _tag,
        subject,
        generation,
        scopes: tokens.scopes,
        expiresAt: tokens.expiresAt,
        hasRefreshToken: tokens.refreshToken !== undefined
      }
    }
  }
}

/** The owner of a token request: a user, of a tenant if it is White Label's, or the app itself for these scopes. */
type Owner = { readonly subject: string; readonly tenant?: string } | { readonly scopes: ReadonlyArray<Scopes.Scope> }

// Shares of `memoryLifetime`, for grants that are read at the same time.
const lifetimes = /* @__PURE__ */ Array.from({ length: 16 }, (_, index) => 1 - index / 64)

const keyOf = (scopes: ReadonlyArray<Scopes.Scope>): string => Scopes.format([...new Set(scopes)].sort())

/**
 * Makes the service. When its scope closes, refreshes and consents in progress finish and are stored, and waiting callers
 * get `Closed`.
 *
 * Fails with `InvalidConfig` if the settings, the URLs or the client application are invalid.
 *
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (options?: Settings.Options) {
  const settings = yield* Effect.mapError(Effect.fromResult(Settings.make(options)), ZapierAuthError.make)
  const urls = yield* Effect.mapError(
    Effect.fromResult(ZapierUrls.check(yield* ZapierUrls.ZapierUrls)),
    ZapierAuthError.make
  )
  const service = yield* ClientApplication
  const application = readApplication(service, settings.requestTimeout)
  const random = yield* SecureRandom
  const { clientId } = yield* application
  const { events, publish } = yield* EventHub.make
  const endpoint = yield* TokenEndpoint
  const grantStore = Sealing.refuseSealed("grant store", yield* GrantStore)
  const appStore = Sealing.refuseSealed("app credential store", yield* AppCredentialStore)
  const attemptStore = yield* AttemptStore
  const openAttempts = Sealing.refuseSealed("attempt store", attemptStore)
  const owned = { ...settings, owner: yield* random.uuidV4() }
  const { memoryCapacity } = settings

  // Half the time, so that callers learn of an unreadable application before their own wait ends.
  const reading = { requestTimeout: settings.requestTimeout / 2, retryFor: settings.retryFor }
  const send = (request: TokenRequest, until: number, of: Owner, read = (outcome: TokenOutcome) => outcome) =>
    Effect.tap(Effect.map(endpoint.request(request, { ...reading, until }), read), (outcome) =>
      Effect.gen(function* () {
        const oddities = outcome._tag === "Granted" ? (outcome.oddities ?? []) : []
        if (oddities.length === 0) return
        for (const member of oddities) yield* AuthMetrics.count.oddity({ grant: request._tag, member })
        const at = yield* Clock.currentTimeMillis
        publish({ _tag: "OddResponseTaken", clientId, grant: request._tag, ...of, oddities, at })
      })
    )

  // Tokens that are read at the same time leave memory one after the other, so that the store is not asked for all at once.
  const grantDriven = UserGrantDriver.driven(settings)
  const grantDriver = (share: number) =>
    Driver.make(grantDriven, { ...owned, memoryLifetime: Math.floor(settings.memoryLifetime * share) })
  const grantDrivers = lifetimes.map(grantDriver)
  const grants = yield* Runtime.make({
    driver: (_, others) => grantDrivers[others % grantDrivers.length] ?? grantDriver(1),
    get: (subject) => grantStore.get({ clientId, subject }),
    set: (subject, expected, state) => {
      const key = { clientId, subject }
      if (state._tag !== "Absent") return grantStore.compareAndSet(key, Option.fromUndefinedOr(expected), state)
      return expected === undefined ? Effect.succeed(true) : grantStore.remove(key, expected)
    },
    send: (request, until, subject) => send(request, until, { subject }),
    changed: (subject, change, at) => {
      const move = EventHub.move(change, at)
      publish({ _tag: "UserGrantChanged", clientId, subject, ...move })
    },
    memoryCapacity
  })

  const appCredentials = yield* Runtime.make({
    driver: (scopes) => Driver.make(AppCredentialDriver.driven(Scopes.parse(scopes), settings), owned),
    get: (scopes) => appStore.get({ clientId, scopes }),
    set: (scopes, expected, state) =>
      appStore.compareAndSet({ clientId, scopes }, Option.fromUndefinedOr(expected), state),
    send: (request, until, scopes) => send(request, until, { scopes: Scopes.parse(scopes) }),
    changed: (scopes, change, at) => {
      const move = EventHub.move(change, at)
      publish({ _tag: "AppCredentialChanged", clientId, scopes: Scopes.parse(scopes), ...move })
    },
    memoryCapacity
  })

  const attemptDriver = Driver.make(ConsentAttemptDriver.driven(settings), owned)
  // Includes the client id: another application's callback is unknown here, where its code would be wasted.
  const attemptKey = (digest: string) => `${clientId}:${digest}`
  const attempts = yield* Runtime.make({
    driver: () => attemptDriver,
    get: (digest) => openAttempts.get(attemptKey(digest)),
    set: (digest, expected, state) =>
      state._tag === "Absent"
        ? Effect.succeed(true)
        : openAttempts.compareAndSet(attemptKey(digest), Option.fromUndefinedOr(expected), state),
    send: (request, until): Effect.Effect<ConsentAttemptDriver.Outcome> => {
      if (request._tag === "Exchange") return send(request.request, until, { subject: request.subject })
      const { stateDigest, subject, tokens } = request
      return grants.bring(subject, { _tag: "ConsentGranted", family: stateDigest, tokens }, { isRetried: true }).pipe(
        Effect.as<ConsentAttemptDriver.Outcome>({ _tag: "Stored" }),
        Effect.catch(({ reason }) => Effect.succeed<ConsentAttemptDriver.Outcome>({ _tag: "NotStored", reason }))
      )
    },
    changed: (attempt, change, at) => {
      if (change.to._tag === "Absent") return
      const { subject } = change.to
      const move = EventHub.move(change, at)
      publish({ _tag: "ConsentAttemptChanged", clientId, subject, attempt, ...move })
    },
    memoryCapacity: 0
  })

  const gate = Gate.make(settings.requestTimeout)
  const { during } = gate
  const mode = yield* WhiteLabelMode
  const whiteLabel =
    mode && (yield* mode({ clientId, settings: owned, urls, store: appStore, publish, random, during, send }))
  const runtimes = [attempts, grants, appCredentials, ...(whiteLabel ? [whiteLabel.tokens] : [])]

  yield* Effect.addFinalizer(() =>
    Effect.all([gate.close, ...runtimes.map(({ close }) => close)], { concurrency: "unbounded" })
  )

  const grant = (subject: string): Effect.Effect<UserGrant.State, ZapierAuthError> =>
    Effect.map(
      boundedStore("grant store", () => grantStore.get({ clientId, subject }), settings),
      Option.match({ onNone: () => UserGrant.absent, onSome: ({ value }): UserGrant.State => value })
    )

  const clientIds = ClientIds.make(clientId, publish)
  const consents = Consents.make({
    clientId,
    settings,
    application,
    attempts,
    store: attemptStore,
    keyOf: attemptKey,
    digest: yield* Digest,
    random,
    urls,
    grant
  })

  // An invalid subject must not look like a user who is not connected.
  const forSubject =
    <Rest extends ReadonlyArray<unknown>, A>(
      then: (subject: string, ...rest: Rest) => Effect.Effect<A, ZapierAuthError>
    ) =>
    (subject: string, ...rest: Rest): Effect.Effect<A, ZapierAuthError> => {
      const wrong = CallerChecks.subject(subject)
      return wrong === undefined ? then(subject, ...rest) : Effect.fail(wrong)
    }

  const status = forSubject((subject) => Effect.map(grant(subject), (state) => statusOf(subject, state)))

  return ZapierAuth.of({
    authorizationUrl: Effect.fn("ZapierAuth.authorizationUrl")(consents.begin, during),
    handleCallback: Effect.fn("ZapierAuth.handleCallback")(function* (input, options) {
      const wrong = CallerChecks.callback(input, options)
      if (wrong !== undefined) return yield* wrong
      const { subject } = options
      const asked = yield* consents.complete(input, subject)
      const now = yield* status(subject)
      const granted = now._tag === "Absent" ? undefined : now.scopes
      return {
        ...now,
        missingScopes: granted === undefined ? [] : asked.filter((scope) => !Scopes.allows(granted, scope))
      }
    }, during),
    accessToken: (subject) => grants.get(subject, CallerChecks.subject),
    accessTokenKnown: grants.known,
    accessTokenRejected: forSubject(grants.getOther),
    accessTokenAccepted: grants.accept,
    appTokenKnown: (scopes) =>
      CallerChecks.scopes(scopes, 0) === undefined ? appCredentials.known(keyOf(scopes)) : undefined,
    appToken: (scopes) => {
      const wrong = CallerChecks.scopes(scopes, 0)
      return wrong === undefined ? appCredentials.get(keyOf(scopes)) : Effect.fail(wrong)
    },
    appTokenRejected: (scopes, rejected) => appCredentials.getOther(keyOf(scopes), rejected),
    appTokenAccepted: (scopes, access) => appCredentials.accept(keyOf(scopes), access),
    whiteLabel: whiteLabel
      ? Effect.succeed(whiteLabel)
      : Effect.fail(CallerChecks.invalid("whiteLabel", "set the option whiteLabel, or provide WhiteLabel.layer")),
    presentClientId: clientIds.present,
    clientIdResponded: clientIds.responded,
    clientIdState: clientIds.state,
    status: Effect.fn("ZapierAuth.status")(status, during),
    disconnect: Effect.fn("ZapierAuth.disconnect")(
      forSubject((subject) =>
        Effect.map(grants.bring(subject, { _tag: "Disconnected" }, { isRemoval: true }), (before) => ({
          subject,
          wasConnected: before?._tag !== "Absent",
          revocation
        }))
      ),
      during
    ),
    adopt: Effect.fn("ZapierAuth.adopt")(
      forSubject((subject: string, tokens: Tokens.Tokens) =>
        Effect.flatMap(random.uuidV4(), (family) =>
          boundedStore(
            "grant store",
            () => grantStore.compareAndSet({ clientId, subject }, Option.none(), UserGrant.granted(family, tokens)),
            settings
          )
        )
      ),
      during
    ),
    settled: Effect.forEach(runtimes, ({ settled }) => settled, { concurrency: "unbounded", discard: true }),
    isSettled: () => runtimes.every(({ isSettled }) => isSettled()),
    requests: gate,
    events
  })
})

/**
 * Provides the service from the client application, token endpoint, stores and cryptography.
 *
 * @example
 * ```ts
 * import { Digest, SecureRandom } from "effect/crypto"
 * import * as FetchHttpClient from "effect/http/FetchHttpClient"
 * import * as Layer from "effect/Layer"
 * import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
 * import * as MemoryStores from "@zapier-workflow-auth/core/store/MemoryStores"
 * import * as TokenEndpoint from "@zapier-workflow-auth/core/oauth/TokenEndpoint"
 * import * as ZapierAuth from "@zapier-workflow-auth/core/ZapierAuth"
 *
 * ZapierAuth.layer().pipe(
 *   Layer.provide([TokenEndpoint.layer, MemoryStores.layer]),
 *   Layer.provide([ClientApplication.layerConfig(), FetchHttpClient.layer]),
 *   Layer.provide([Digest.layerWebCrypto, SecureRandom.layerWebCrypto])
 * )
 * ```
 *
 * @since 0.1.0
 */
export const layer = (
  options?: Settings.Options
): Layer.Layer<
  ZapierAuth,
  ZapierAuthError,
  ClientApplication | TokenEndpoint | GrantStore | AttemptStore | AppCredentialStore | Digest | SecureRandom
> => Layer.effect(ZapierAuth, make(options))
