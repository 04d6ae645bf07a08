/** Runs consents, from the authorization URL to the callback. */
import * as Clock from "effect/Clock"
import { Digest } from "effect/crypto/Digest"
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Option from "effect/Option"
import type * as ConsentAttempt from "../machine/ConsentAttempt.ts"
import type * as UserGrant from "../machine/UserGrant.ts"
import * as AuthorizationCallback from "../oauth/AuthorizationCallback.ts"
import * as AuthorizationUrl from "../oauth/AuthorizationUrl.ts"
import type { Application } from "../oauth/ClientApplication.ts"
import * as Scopes from "../oauth/Scopes.ts"
import * as Tokens from "../oauth/Tokens.ts"
import type { Settings } from "../Settings.ts"
import * as AttemptStore from "../store/AttemptStore.ts"
import type { Urls } from "../zapier/ZapierUrls.ts"
import { ZapierAuthError } from "../ZapierAuthError.ts"
import { boundedStore } from "./bounded.ts"
import * as CallerChecks from "./callerChecks.ts"
import type { Runtime } from "./runtime.ts"
import { sha256 } from "./sha256.ts"

/**
 * The options of an authorization request.
 *
 * @since 0.1.0
 */
export interface AuthorizationOptions extends AuthorizationUrl.PageOptions {
  /** The app's own id of its user. The callback must be handled for the same subject. */
  readonly subject: string
  /** The scopes to request. `Endpoint.leastScopes` finds them for a list of endpoints. */
  readonly scopes: ReadonlyArray<Scopes.Scope>
  /**
   * True to request the previously granted scopes too, so that the new grant allows no less than the one that it replaces.
   * Default: false.
   */
  readonly incremental?: boolean | undefined
  /** One of the application's redirect URIs, in the same spelling. Default: the first. */
  readonly redirectUri?: string | undefined
  /** True to bind the code to this attempt by PKCE (S256, RFC 7636), which Zapier does not document. Default: false. */
  readonly pkce?: boolean | undefined
}

// 256 bits, for `state` and for PKCE's verifier.
const randomBytes = 32

// How many surplus attempts are looked up at a time.
const pageSize = 100

export const make = (services: {
  readonly clientId: string
  readonly settings: Settings
  readonly application: Effect.Effect<Application, ZapierAuthError>
  readonly store: AttemptStore.AttemptStore["Service"]
  /** The store's key of an attempt. */
  readonly keyOf: (attempt: string) => string
  readonly attempts: Runtime<ConsentAttempt.State, ConsentAttempt.Event>
  readonly digest: Digest["Service"]
  readonly random: SecureRandom.SecureRandom["Service"]
  readonly urls: Urls
  readonly grant: (subject: string) => Effect.Effect<UserGrant.State, ZapierAuthError>
}) => {
  const { application, attempts, clientId, digest, grant, keyOf, random, settings, store, urls } = services

  const secret = Effect.map(random.randomBytes(randomBytes), (bytes) => Tokens.secret(Base64Url.encode(bytes)))

  const digested = <A>(effect: Effect.Effect<A, never, Digest>) => Effect.provideService(effect, Digest, digest)

  const grantedBefore = ({ incremental, subject }: AuthorizationOptions) =>
    incremental === true
      ? Effect.map(grant(subject), (state) =>
          state._tag === "Absent" ? [] : Scopes.parseGranted(state.tokens.scopes).filter(Scopes.isAskable)
        )
      : Effect.succeed([])

  // A callback raises an attempt's version, which protects it from removal by the listed one.
  const forgetOldest = Effect.fnUntraced(function* (subject: string, newest: string) {
    while (true) {
      const beyond = yield* store.bySubject({ subject, skip: settings.attemptsPerSubject, limit: pageSize })
      // By another process's clock, the newest attempt may look like the oldest.
      const over = beyond.filter(({ key, state }) => key !== newest && state !== "Exchanging").toReversed()
      for (const { key, version } of over) {
        // Another caller is removing them too and continues. If it does not, the next attempt will.
        if (!(yield* store.remove(key, version))) return
      }
      if (beyond.length < pageSize || over.length === 0) return
    }
  })

  // A failure is only logged: the attempt has begun, and the next one tries again.
  const bound = (subject: string, newest: string) =>
    Effect.catch(
      boundedStore("attempt store", () => forgetOldest(subject, newest), settings),
      ({ message }) => Effect.logWarning(`Could not remove a user's older consent attempts: ${message}`)
    )

  const begin = Effect.fnUntraced(function* (options: AuthorizationOptions) {
    const wrong = CallerChecks.authorization(options)
    if (wrong !== undefined) return yield* wrong
    const { redirectUris } = yield* application
    const redirectUri = options.redirectUri ?? redirectUris[0]
    const scopes = [...new Set([...options.scopes, ...(yield* grantedBefore(options))])]
    if (!redirectUris.includes(redirectUri)) {
      return yield* CallerChecks.invalid(
        "redirectUri",
        "give one of the application's redirect URIs, in exactly the same spelling"
      )
    }
    const state = yield* secret
    const codeVerifier = options.pkce === true ? yield* secret : undefined
    const stateDigest = yield* digested(AttemptStore.keyOf(state))
    const startedAt = yield* Clock.currentTimeMillis
    const pending: ConsentAttempt.Stored = {
      _tag: "Pending",
      stateDigest,
      subject: options.subject,
      redirectUri,
      scopes,
      startedAt,
      expiresAt: startedAt + settings.attemptLifetime,
      ...(codeVerifier === undefined ? {} : { codeVerifier })
    }
    // 256 random bits never repeat, so a conflict is impossible.
    const key = keyOf(stateDigest)
    yield* boundedStore("attempt store", () => store.compareAndSet(key, Option.none(), pending), settings)
    yield* bound(options.subject, key)
    const url = AuthorizationUrl.build(urls, {
      ...options,
      clientId,
      redirectUri,
      scopes,
      state,
      codeChallenge: codeVerifier === undefined ? undefined : yield* digested(sha256(codeVerifier))
    })
    return { url, attempt: stateDigest, expiresAt: pending.expiresAt }
  })

  // Returns the requested scopes. Once the attempt is found, the exchange continues without the caller, because the `state` is
  // used up.
  const complete = Effect.fnUntraced(function* (
    input: AuthorizationCallback.Input,
    subject: string
  ): Effect.fn.Return<ReadonlyArray<Scopes.Scope>, ZapierAuthError> {
    const callback = yield* Effect.mapError(Effect.fromResult(AuthorizationCallback.parse(input)), ZapierAuthError.make)
    const stateDigest = yield* digested(AttemptStore.keyOf(callback.state))
    const before = yield* attempts.bring(
      stateDigest,
      callback._tag === "Code"
        ? { _tag: "CodeReceived", stateDigest, subject, code: callback.code }
        : { _tag: "ErrorReceived", stateDigest, subject, error: callback.error }
    )
    return before === undefined || before._tag === "Absent" ? [] : before.scopes
  })

  return { begin, complete }
}
