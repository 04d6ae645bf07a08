/** The interpreter of consent attempts: from the authorization URL to the stored grant. */
import * as Clock from "effect/Clock"
import { Digest } from "effect/crypto/Digest"
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Option from "effect/Option"
import * as AttemptStore from "../store/AttemptStore.ts"
import * as AuthorizationCallback from "../oauth/AuthorizationCallback.ts"
import * as AuthorizationUrl from "../oauth/AuthorizationUrl.ts"
import type { ClientApplication } from "../oauth/ClientApplication.ts"
import * as ConsentAttempt from "../machine/ConsentAttempt.ts"
import * as Scopes from "../oauth/Scopes.ts"
import * as Tokens from "../oauth/Tokens.ts"
import * as TokenOutcome from "../oauth/TokenOutcome.ts"
import {
  AuthorizationRefused,
  ConsentDenied,
  ConsentExpired,
  ExchangeOutcomeUnknown,
  from,
  InvalidConfig,
  StateMismatch,
  type ZapierAuthError
} from "../ZapierAuthError.ts"
import type { Urls } from "../zapier/ZapierUrls.ts"
import type { Dependencies } from "./dependencies.ts"
import * as Failures from "./failures.ts"
import { sha256 } from "./sha256.ts"
import * as Stepper from "./stepper.ts"
import type { UserGrants } from "./userGrants.ts"

/**
 * How a consent is asked for.
 *
 * @since 0.1.0
 */
export interface AuthorizationOptions extends AuthorizationUrl.PageOptions {
  /** The app's own name for its user. The callback must be handled for the same. */
  readonly subject: string
  /** What to ask for. `Endpoint.leastScopes` finds it out of a list of endpoints. */
  readonly scopes: ReadonlyArray<Scopes.Scope>
  /**
   * Whether to ask as well for what the user has granted before, so that the new grant allows no less than the one that
   * it replaces. Default: no.
   */
  readonly incremental?: boolean | undefined
  /** One of the application's redirect URIs, spelled the same. Default: the first. */
  readonly redirectUri?: string | undefined
  /** Whether to bind the code to this attempt by PKCE (S256, RFC 7636). Zapier does not document it. Default: no. */
  readonly pkce?: boolean | undefined
}

type Exchange = Extract<ConsentAttempt.Command, { readonly _tag: "ExchangeCode" }>

const told = {
  refused: new ConsentExpired({ what: "code" }),
  unknown: new ExchangeOutcomeUnknown({})
}

// 256 bits, for `state` and for PKCE's verifier.
const randomBytes = 32

const whyOf = (outcome: TokenOutcome.TokenOutcome): ConsentAttempt.Failure => {
  if (outcome._tag === "NotSent") return "NotExchanged"
  return TokenOutcome.mayHaveActed(outcome) ? "OutcomeUnknown" : "CodeRefused"
}

const invalid = (setting: string, problem: string) => from(new InvalidConfig({ setting, problem }))

export const make = (
  dependencies: Dependencies,
  services: {
    readonly application: ClientApplication["Service"]
    readonly attempts: AttemptStore.AttemptStore["Service"]
    readonly digest: Digest["Service"]
    readonly random: SecureRandom.SecureRandom["Service"]
    readonly urls: Urls
    readonly userGrants: UserGrants
  }
) => {
  const { clientId, publish, request, settings } = dependencies
  const { application, attempts, digest, random, urls, userGrants } = services

  const secret = Effect.map(random.randomBytes(randomBytes), (bytes) => Tokens.secret(Base64Url.encode(bytes)))

  const digested = <A>(effect: Effect.Effect<A, never, Digest>) => Effect.provideService(effect, Digest, digest)

  const grantedBefore = ({ incremental, subject }: AuthorizationOptions) =>
    incremental === true
      ? Effect.map(userGrants.state(subject), (state) =>
          state._tag === "Absent" ? [] : state.tokens.scopes.filter(Scopes.isToken)
        )
      : Effect.succeed([])

  const begin = Effect.fnUntraced(function* (options: AuthorizationOptions) {
    const { redirectUris } = yield* application.get
    const redirectUri = options.redirectUri ?? redirectUris[0]
    const scopes = [...new Set([...options.scopes, ...(yield* grantedBefore(options))])]
    if (options.subject === "") return yield* invalid("subject", "give your own name for the user, not an empty text")
    if (scopes.length === 0)
      return yield* invalid("scopes", "ask for at least one scope; Endpoint.leastScopes finds them")
    if (!scopes.every(Scopes.isToken)) {
      return yield* invalid("scopes", "give each scope by itself, without spaces, quotes or backslashes")
    }
    if (!redirectUris.includes(redirectUri)) {
      return yield* invalid("redirectUri", "give one of the application's redirect URIs, spelled exactly the same")
    }
    const state = yield* secret
    const codeVerifier = options.pkce === true ? yield* secret : undefined
    const stateDigest = yield* digested(AttemptStore.keyOf(state))
    const startedAt = yield* Clock.currentTimeMillis
    const pending: ConsentAttempt.State = {
      _tag: "Pending",
      stateDigest,
      subject: options.subject,
      redirectUri,
      scopes,
      startedAt,
      expiresAt: startedAt + settings.attemptLifetime,
      ...(codeVerifier === undefined ? {} : { codeVerifier })
    }
    // 256 random bits do not come twice.
    yield* attempts.compareAndSet(stateDigest, Option.none(), pending)
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

  // Carries out an exchange to its end: the tokens are in the store, or the caller knows why not.
  const exchange = Effect.fnUntraced(function* (
    step: Stepper.Step<ConsentAttempt.State, ConsentAttempt.Event, ConsentAttempt.Command>,
    stateDigest: string,
    command: Exchange
  ) {
    const { code, codeVerifier, deadline, redirectUri, scopes, subject } = command
    // The store may have forgotten the attempt meanwhile. What came of it holds all the same.
    const conclude = (event: ConsentAttempt.Event) =>
      Effect.catchReason(step(event), "ZapierAuthError", "StateMismatch", () => Effect.void)
    const outcome = yield* Effect.tapError(
      request({ _tag: "AuthorizationCode", code, codeVerifier, redirectUri, scopes }, deadline),
      () => conclude({ _tag: "ExchangeFailed", why: "NotExchanged" })
    )
    if (outcome._tag !== "Granted") {
      yield* conclude({ _tag: "ExchangeFailed", why: whyOf(outcome) })
      return yield* from(TokenOutcome.mayHaveActed(outcome) ? told.unknown : Failures.failureOf(outcome, told))
    }
    // The tokens first: should this process end here, the user is connected and the attempt merely looks unfinished.
    yield* Stepper.insist(userGrants.consentGranted(subject, stateDigest, outcome.tokens))
    yield* conclude({ _tag: "GrantStored" })
  }, Effect.uninterruptible)

  const complete = Effect.fnUntraced(function* (
    input: AuthorizationCallback.Input,
    subject: string
  ): Effect.fn.Return<void, ZapierAuthError> {
    const callback = yield* Effect.mapError(Effect.fromResult(AuthorizationCallback.parse(input)), from)
    const stateDigest = yield* digested(AttemptStore.keyOf(callback.state))
    const step = Stepper.makeStep({
      machine: ConsentAttempt.machine,
      about: subject,
      publish,
      stored: {
        load: Effect.flatMap(
          attempts.get(stateDigest),
          Option.match({
            onNone: () => Effect.fail(from(new StateMismatch({ why: "Unknown" }))),
            onSome: ({ value, version }) => Effect.succeed({ state: value, version: Option.some(version) })
          })
        ),
        save: (expected, state) => attempts.compareAndSet(stateDigest, expected, state)
      }
    })
    const received: ConsentAttempt.Event =
      callback._tag === "Code"
        ? { _tag: "CodeReceived", stateDigest, subject, code: callback.code }
        : { _tag: "ErrorReceived", stateDigest, subject, error: callback.error }
    // From here on a caller's interruption waits: the state has been used up.
    yield* Effect.uninterruptible(
      Effect.gen(function* () {
        const { commands } = yield* step(received)
        for (const command of commands) {
          switch (command._tag) {
            case "ExchangeCode":
              yield* exchange(step, stateDigest, command)
              break
            case "RefuseCallback":
              return yield* from(new StateMismatch({ why: command.why }))
            case "ReportExpired":
              return yield* from(new ConsentExpired({ what: "attempt" }))
            case "ReportDenied":
              return yield* from(new ConsentDenied({}))
            case "ReportRefused":
              return yield* from(new AuthorizationRefused({ error: command.error }))
          }
        }
      })
    )
  })

  return { begin, complete }
}
