/** Runs White Label in `ZapierAuth`, with the runtime and the store of the app's own credential. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Driver from "../machine/Driver.ts"
import * as WhiteLabelToken from "../machine/WhiteLabelToken.ts"
import type * as Scopes from "../oauth/Scopes.ts"
import * as TokenExchange from "../oauth/TokenExchange.ts"
import type { Oddity, TokenOutcome } from "../oauth/TokenOutcome.ts"
import * as PartnerJwt from "../whitelabel/PartnerJwt.ts"
import type { PartnerSigner } from "../whitelabel/PartnerSigner.ts"
import { RefreshOutcomeUnknown, ZapierAuthError } from "../ZapierAuthError.ts"
import * as CallerChecks from "./callerChecks.ts"
import * as EventHub from "./eventHub.ts"
import * as Repetition from "./repetition.ts"
import * as Runtime from "./runtime.ts"
import * as TextProblem from "./textProblem.ts"
import * as UriProblem from "./uriProblem.ts"
import type { ConnectTokenOptions, ConnectUrlOptions, Made, Parts } from "./whiteLabelMode.ts"

type User = WhiteLabelToken.User

/** The validated options. */
export interface Profile extends PartnerJwt.Profile {
  /** The requested scopes. With none, Zapier chooses. */
  readonly scopes: ReadonlyArray<Scopes.Scope>
}

// Never equals a set of scopes: scopes have no quotes.
const keyOf = ({ subject, tenant }: User): string => JSON.stringify([subject, tenant])

const userOf = (key: string): User => {
  const [subject = "", tenant = ""] = JSON.parse(key) as ReadonlyArray<string>
  return { subject, tenant }
}

// All stores accept keys of this many bytes of UTF-8.
const longestKey = TextProblem.longerThan(1_000)

const wrongUser = (given: unknown): ZapierAuthError | undefined => {
  const user: { readonly [name: string]: unknown } = CallerChecks.isRecord(given) ? given : {}
  const wrong = CallerChecks.subject(user["subject"])
  if (wrong !== undefined) return wrong
  const checks = [TextProblem.unpaired, TextProblem.holds(/\p{Cc}/u, "a control character")]
  const problem = TextProblem.first(user["tenant"], ...checks) ?? longestKey(keyOf(given as User))
  return problem === undefined
    ? undefined
    : CallerChecks.invalid("tenant", `${problem}; pass the app's own id of the user's workspace or organization`)
}

// RFC 8693 section 2.2.1: issuing a refresh token is discouraged, and it is not used here.
const readAccess = (outcome: TokenOutcome): TokenOutcome => {
  if (outcome._tag !== "Granted" || outcome.tokens.refreshToken === undefined) return outcome
  const { refreshToken: _, ...tokens } = outcome.tokens
  const oddities: ReadonlyArray<Oddity> = [...(outcome.oddities ?? []), "refresh_token"]
  return { ...outcome, tokens, oddities: [...new Set(oddities)] }
}

// RFC 8693 section 2.2.1: the token_type of a connect token is not one of RFC 6749.
const readConnect = (outcome: TokenOutcome): TokenOutcome => {
  const read = readAccess(outcome)
  if (read._tag !== "Granted") return read
  const oddities = (read.oddities ?? []).filter((oddity) => oddity !== "token_type")
  return { ...read, oddities }
}

const pathOf = (app: unknown): string | undefined => {
  const problem = TextProblem.first(app, TextProblem.unpaired)
  return problem === undefined && app !== "." && app !== ".." ? encodeURIComponent(String(app)) : undefined
}

export const make = Effect.fnUntraced(function* (
  signer: PartnerSigner["Service"],
  profile: Profile,
  { clientId, during, publish, random, send, settings, store, urls }: Parts
) {
  // Report an unusable key at startup, not to the first user.
  yield* signer.current

  // Exchanges may be repeated. `TokenEndpoint` already retries requests that were not sent.
  const again = (request: Effect.Effect<TokenOutcome>) =>
    Repetition.repeat(request, { mayRepeat: Repetition.isWorthAnother, retryFor: settings.retryFor })

  const exchange = (user: User, until: number): Effect.Effect<TokenOutcome> =>
    again(
      Effect.gen(function* () {
        const key = yield* signer.current
        const issue = { id: yield* random.uuidV4(), now: yield* Clock.currentTimeMillis }
        const jwt = yield* PartnerJwt.sign(key, profile, user, issue)
        return yield* send(TokenExchange.accessToken(jwt, profile.scopes), until, user, readAccess)
      }).pipe(
        Effect.timeoutOrElse({
          duration: settings.requestTimeout,
          orElse: () => Effect.succeed<TokenOutcome>({ _tag: "NoResponse" })
        }),
        Effect.catch(({ reason }) => Effect.succeed<TokenOutcome>({ _tag: "NotTried", reason }))
      )
    )

  const tokens = yield* Runtime.make({
    driver: (key) => Driver.make(WhiteLabelToken.driven(userOf(key), settings), settings),
    get: (key) => store.get({ clientId, scopes: key }),
    set: (key, expected, state) =>
      store.compareAndSet({ clientId, scopes: key }, Option.fromUndefinedOr(expected), state),
    send: exchange,
    changed: (key, change, at) => {
      const move = EventHub.move(change, at)
      publish({ _tag: "WhiteLabelTokenChanged", clientId, ...userOf(key), ...move })
    },
    memoryCapacity: settings.memoryCapacity
  })

  const forUser =
    <A, O extends User>(then: (key: string, options: O) => Effect.Effect<A, ZapierAuthError>) =>
    (options: O): Effect.Effect<A, ZapierAuthError> =>
      Effect.suspend(() => {
        const wrong = wrongUser(options)
        return wrong === undefined ? then(keyOf(options), options) : Effect.fail(wrong)
      })

  const connectToken = Effect.fnUntraced(function* (key: string, { resource }: ConnectTokenOptions) {
    const problem = UriProblem.server(resource)
    if (problem !== undefined) {
      return yield* CallerChecks.invalid("resource", `${problem}; pass the absolute URL where the token will be used`)
    }
    const until = Number(yield* Clock.monotonicTimeNanos) / 1e6 + settings.requestTimeout
    const { subject, tenant } = userOf(key)
    const exchanged = (access: { readonly accessToken: Redacted.Redacted }) =>
      again(send(TokenExchange.connectToken(access.accessToken, resource), until, { subject, tenant }, readConnect))
    const access = yield* tokens.get(key)
    let outcome = yield* exchanged(access)
    // RFC 8693 section 2.2.2 has invalid_request for a rejected subject token; some servers send invalid_grant.
    if (outcome._tag === "InvalidGrant" || (outcome._tag === "Refused" && outcome.error === "invalid_request")) {
      const other = yield* tokens.getOther(key, access)
      if (other.generation !== access.generation) outcome = yield* exchanged(other)
    }
    if (outcome._tag !== "Granted") {
      return yield* ZapierAuthError.make(WhiteLabelToken.toReason(outcome) ?? new RefreshOutcomeUnknown({ of: "app" }))
    }
    return { token: outcome.tokens.accessToken, expiresAt: outcome.tokens.expiresAt }
  })

  const bounded = (key: string, options: ConnectTokenOptions) =>
    Effect.timeoutOrElse(connectToken(key, options), {
      duration: settings.requestTimeout,
      orElse: () => Effect.fail(ZapierAuthError.make(new RefreshOutcomeUnknown({ of: "app" })))
    })

  const connectUrl = Effect.fnUntraced(function* (key: string, options: ConnectUrlOptions) {
    const app = pathOf(options.app)
    if (app === undefined) return yield* CallerChecks.invalid("app", "pass the app to connect, for example SlackCLIAPI")
    const resource = `${urls.connect}/to/${app}`
    const { expiresAt, token } = yield* bounded(key, { ...options, resource })
    const { reconnectId, redirectUri, state, theme } = options
    const url = new URL(resource)
    const parameters = {
      token: Redacted.value(token),
      reconnect_id: reconnectId,
      theme,
      redirect_uri: redirectUri,
      state: state === undefined ? undefined : Redacted.value(state)
    }
    for (const [name, value] of Object.entries(parameters)) {
      if (value !== undefined) url.searchParams.set(name, value)
    }
    return { url: Redacted.make(url.href), expiresAt }
  })

  const made: Made = {
    mode: "WhiteLabel",
    tokens,
    known: (user) => tokens.known(keyOf(user)),
    token: forUser((key) => tokens.get(key)),
    other: (user, rejected) => tokens.getOther(keyOf(user), rejected),
    accepted: (user, access) => tokens.accept(keyOf(user), access),
    connectToken: Effect.fn("WhiteLabel.connectToken")(forUser(bounded), during),
    connectUrl: Effect.fn("WhiteLabel.connectUrl")(forUser(connectUrl), during)
  }
  return made
})
