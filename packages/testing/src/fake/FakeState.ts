/**
 * The fake's whole state, as one immutable value.
 *
 * Tokens, codes and ids come from a seed and a counter: the same seed and the same requests give the same tokens.
 *
 * @since 0.1.0
 */
import type * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Schema from "effect/Schema"
import type * as FakeFault from "./FakeFault.ts"
import type * as FakeWhiteLabel from "./FakeWhiteLabel.ts"
import * as Seeded from "../internal/seeded.ts"
import * as Text from "../internal/text.ts"

/**
 * An application registered with Zapier.
 *
 * @since 0.1.0
 */
export interface App {
  readonly name: string
  readonly clientId: string
  readonly clientSecret: string
  readonly redirectUris: ReadonlyArray<string>
  /** The app's registration as a White Label partner, if it is one. */
  readonly whiteLabel?: FakeWhiteLabel.Registration | undefined
}

/**
 * A user who can sign in at the fake.
 *
 * @since 0.1.0
 */
export interface User {
  readonly id: number
  readonly email: string
  readonly firstName: string
  readonly lastName: string
}

/**
 * The opaque user that Zapier creates for a partner's user, in the tenant's workspace.
 *
 * @since 0.1.0
 */
export interface WhiteLabelUser extends User {
  readonly clientId: string
  /** The partner's id of the tenant. */
  readonly tenant: string
  /** The partner's id of the user. */
  readonly user: string
  /** The grant of the latest exchange. It may have been revoked. */
  readonly grantId: number
}

/**
 * The origin of tokens.
 *
 * @since 0.1.0
 */
export type Origin =
  | { readonly _tag: "Code"; readonly code: string }
  | { readonly _tag: "RefreshToken"; readonly refreshToken: string }
  | { readonly _tag: "ClientCredentials" }
  | { readonly _tag: "Jwt"; readonly tenant: string; readonly user: string }

/**
 * An authorization code that has not been exchanged, and the request that it was issued for.
 *
 * @since 0.1.0
 */
export interface Code {
  /** The id of the grant that its exchange creates. */
  readonly grantId: number
  readonly clientId: string
  readonly userId: number
  readonly redirectUri: string
  readonly scopes: ReadonlyArray<Scopes.Scope>
  /** In milliseconds since the epoch. */
  readonly expiresAt: number
  /** The PKCE challenge, if the authorization request had one. */
  readonly challenge: { readonly value: string; readonly method: "S256" | "plain" } | undefined
}

/**
 * An access token.
 *
 * @since 0.1.0
 */
export interface AccessToken {
  readonly accessToken: string
  readonly scopes: ReadonlyArray<Scopes.Scope>
  /** In milliseconds since the epoch. */
  readonly expiresAt: number
}

/**
 * An access token of the app itself.
 *
 * @since 0.1.0
 */
export interface AppToken extends AccessToken {
  readonly clientId: string
}

/**
 * A pair of tokens in a response.
 *
 * @since 0.1.0
 */
export interface Pair {
  readonly accessToken: string
  /** Undefined if an exchange gives none. */
  readonly refreshToken: string | undefined
  readonly scopes: ReadonlyArray<Scopes.Scope>
  /** In seconds. */
  readonly expiresIn: number
}

/**
 * A used refresh token, when it was used, and the tokens that it gave.
 *
 * @since 0.1.0
 */
export interface Rotation {
  readonly refreshToken: string
  /** In milliseconds since the epoch. */
  readonly at: number
  readonly pair: Pair
}

/**
 * A user's consent for an app. Removed once it is revoked. Expired tokens are not listed: each names its grant, so that
 * a grant that is refreshed for years does not grow.
 *
 * @since 0.1.0
 */
export interface Grant {
  readonly id: number
  readonly clientId: string
  readonly userId: number
  /** The scopes of the consent, or fewer (`refreshRestoresScope`): no refresh gives more. */
  readonly scopes: ReadonlyArray<Scopes.Scope>
  /** How often it was given tokens. */
  readonly serial: number
  /** The access tokens that may still be valid. */
  readonly accessTokens: ReadonlyArray<AccessToken>
  /** The valid refresh token, if there is one. */
  readonly refreshToken: string | undefined
  /** The used refresh tokens that are still in their grace period, oldest first. */
  readonly rotations: ReadonlyArray<Rotation>
}

/**
 * A user's enrollment in a promotion.
 *
 * @since 0.1.0
 */
export interface Enrollment {
  readonly id: string
  readonly promotionId: string
  readonly clientId: string
  readonly userId: number
  /** In milliseconds since the epoch. */
  readonly enrolledAt: number
}

/**
 * A step of a Zap. `action` and `authentication` are ids.
 *
 * @since 0.1.0
 */
export interface ZapStep {
  readonly action: string
  readonly authentication: string | null
  readonly inputs: { readonly [name: string]: unknown }
  readonly alias: string | null
}

/**
 * A Zap of a user.
 *
 * @since 0.1.0
 */
export interface Zap {
  /** The number in v1 and in the editor's address; the id in v2 is made of it. */
  readonly number: number
  readonly title: string
  readonly isEnabled: boolean
  /** In milliseconds since the epoch. */
  readonly updatedAt: number
  readonly steps: ReadonlyArray<ZapStep>
}

/**
 * A user's account in another app. `app` is the app's id.
 *
 * @since 0.1.0
 */
export interface Authentication {
  readonly id: string
  readonly app: string
  readonly title: string
  /** True if the user has to connect it again. Default: false. */
  readonly isExpired?: boolean | undefined
}

/**
 * A run of a single action, outside of a Zap.
 *
 * @since 0.1.0
 */
export interface ActionRun {
  readonly id: string
  readonly clientId: string
  readonly userId: number
  readonly action: string
  readonly authentication: string | null
  readonly inputs: { readonly [name: string]: unknown }
  /** In milliseconds since the epoch. */
  readonly startedAt: number
}

/**
 * The requests of an address, or of a partner, in its current minute. If `count` is above the limit, the minute is the
 * cool-down.
 *
 * @since 0.1.0
 */
export interface Minute {
  /** In milliseconds since the epoch. */
  readonly endsAt: number
  readonly count: number
}

// Fractions are allowed: a test in real time may need a token that lives for less than a second.
const Time = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

const setting = <S extends Schema.Constraint & Schema.WithoutConstructorDefault>(
  schema: S,
  strict: S["~type.make.in"]
) => Schema.withConstructorDefault<S>(Effect.succeed(strict))(schema)

/**
 * Behavior that Zapier does not document, or that a test wants to change. The defaults are `strictest`.
 *
 * @since 0.1.0
 */
export const Settings = Schema.Struct({
  /**
   * True if the user is asked for consent on a page. If false, an authorization URL redirects with a code at once: of
   * the user whose address is in `sign_up_email`, or of the first user. Default: true.
   */
  asksForConsent: setting(Schema.Boolean, true),
  /** The lifetime of an access token, in seconds. Default: 36000, as documented. */
  accessTokenLifetime: setting(Time, 36_000),
  /** The lifetime of a code, in seconds. Default: 120, as documented. */
  codeLifetime: setting(Time, 120),
  /** True if a second use of a rotated refresh token revokes the whole grant. Default: true. */
  reuseRevokesGrant: setting(Schema.Boolean, true),
  /** True if a second use of a code revokes the grant that it gave (RFC 6749 section 4.1.2). Default: true. */
  codeReuseRevokesGrant: setting(Schema.Boolean, true),
  /** How long a rotated refresh token returns the same new pair again, in milliseconds. Default: 0. */
  graceMillis: setting(Time, 0),
  /** True if a refresh ends the previous access token at once. Default: true. */
  refreshEndsAccessToken: setting(Schema.Boolean, true),
  /**
   * True if a refresh without a scope returns all consented scopes, even after one that asked for fewer (RFC 6749
   * section 6); false if dropped scopes stay dropped, as with Django OAuth Toolkit. Default: true.
   */
  refreshRestoresScope: setting(Schema.Boolean, true),
  /**
   * True if a refresh returns a new refresh token; if false, it returns none, and the old one stays valid. Default:
   * true.
   */
  rotateRefreshTokens: setting(Schema.Boolean, true),
  /**
   * The `Content-Type` of responses with an app token. Zapier's documentation shows `multipart/form-data` over JSON.
   */
  appTokenContentType: setting(Schema.NonEmptyString, "application/json"),
  /**
   * True if there are rate limits: a client that exceeds one gets 429 for a minute. Default: true, as documented. The
   * consent page never counts, because users' browsers request it, each from its own address.
   */
  rateLimits: setting(Schema.Boolean, true),
  /** How many requests an address may send per minute. Default: 60, as documented. */
  requestsPerAddress: setting(Count, 60),
  /** How many requests a partner (a client id) may send per minute. Default: 150, as documented. */
  requestsPerPartner: setting(Count, 150),
  /** True if token requests count, too. Default: true. */
  rateLimitsTokenRequests: setting(Schema.Boolean, true),
  /**
   * True if scripts on pages of other origins may call the API and the token endpoint (CORS). Zapier does not document
   * it. Default: false, like servers without CORS headers.
   */
  allowsCrossOrigin: setting(Schema.Boolean, false),
  /** The longest lifetime of a White Label partner's JWT, from `iat` to `exp`, in seconds. Default: 300, as documented. */
  jwtLifetime: setting(Time, 300),
  /** How far a partner's clock may be off, in seconds. Default: 0. */
  jwtClockSkew: setting(Time, 0),
  /** True if a JWT may be exchanged again. A JWT without a `jti` always may. Default: false. */
  allowsJwtReplay: setting(Schema.Boolean, false),
  /** The error for an invalid JWT: `invalid_request` by RFC 8693 section 2.2.2, or `invalid_grant` as on other servers. */
  invalidJwtError: setting(Schema.Literals(["invalid_request", "invalid_grant"]), "invalid_request"),
  /** How long a partner's keys are cached, in seconds. Default: 300. */
  jwksLifetime: setting(Time, 300),
  /** How long keys are not fetched again for an unknown `kid`, in seconds. Default: 60. */
  jwksCooldown: setting(Time, 60),
  /** The lifetime of a White Label user's access token, in seconds. Default: 3600. */
  exchangedTokenLifetime: setting(Time, 3_600),
  /** True if an exchange ends the user's previous access token at once. Default: true. */
  exchangeEndsAccessToken: setting(Schema.Boolean, true),
  /** True if an exchange also returns a refresh token. Default: false. */
  exchangeGivesRefreshToken: setting(Schema.Boolean, false),
  /** The lifetime of a connect token, in seconds. Default: 360, as documented. */
  connectTokenLifetime: setting(Time, 360),
  /** True if only White Label partners may delete Zaps. Default: true, as documented. */
  onlyPartnersDeleteZaps: setting(Schema.Boolean, true)
})

/**
 * @since 0.1.0
 */
export type Settings = typeof Settings.Type

/**
 * The defaults: as documented, and otherwise as strict as possible.
 *
 * @since 0.1.0
 */
export const strictest: Settings = Settings.make({})

/**
 * The fake's whole state.
 *
 * @since 0.1.0
 */
export interface FakeState {
  /** The key derived from the seed. */
  readonly key: Seeded.Key
  /** How many texts were drawn and codes issued: the number of a code is the id of its grant. */
  readonly counter: number
  /** How far the fake's clock is ahead of the outer clock, in milliseconds. */
  readonly clockOffset: number
  readonly settings: Settings
  /** The fault rules that are left. */
  readonly faults: ReadonlyArray<FakeFault.Rule>
  /** How often the random source of faults was drawn. */
  readonly faultsDrawn: number
  readonly apps: HashMap.HashMap<string, App>
  readonly users: ReadonlyArray<User>
  /** The codes that have not been exchanged, by the ids of their grants. */
  readonly codes: HashMap.HashMap<number, Code>
  /** By id. */
  readonly grants: HashMap.HashMap<number, Grant>
  /** By access token. */
  readonly appTokens: HashMap.HashMap<string, AppToken>
  /** How many codes, app tokens, minutes and the like there may be before the expired ones are removed. */
  readonly sweepSize: number
  /** The recent requests, by address and by partner. */
  readonly minutes: HashMap.HashMap<string, Minute>
  readonly enrollments: HashMap.HashMap<string, Enrollment>
  /** The Zaps of users who changed theirs, by user id. All others have the same default ones. */
  readonly zaps: HashMap.HashMap<number, ReadonlyArray<Zap>>
  /** The connected accounts of users who changed theirs, by user id. All others have one for each app. */
  readonly authentications: HashMap.HashMap<number, ReadonlyArray<Authentication>>
  readonly actionRuns: HashMap.HashMap<string, ActionRun>
  /** By id. */
  readonly whiteLabelUsers: HashMap.HashMap<number, WhiteLabelUser>
  /** The ids of White Label users, by client id, tenant and user. */
  readonly whiteLabelIds: HashMap.HashMap<string, number>
  /** Keys fetched from partners' JWKS URLs, by URL. */
  readonly partnerKeys: HashMap.HashMap<string, FakeWhiteLabel.FetchedKeys>
  /** Exchanged JWTs, by client id and `jti`. */
  readonly exchangedJwts: HashMap.HashMap<string, { readonly expiresAt: number }>
  /** By connect token. */
  readonly connectTokens: HashMap.HashMap<string, FakeWhiteLabel.ConnectToken>
  /** Open Connect pages, by their secrets. */
  readonly connectSessions: HashMap.HashMap<string, FakeWhiteLabel.ConnectSession>
}

/**
 * The initial state of a fake.
 *
 * @since 0.1.0
 */
export interface Options {
  /** The same seed gives the same tokens. Default: `zapier`. */
  readonly seed?: string | undefined
  /** How Zapier behaves where its documentation does not say. Default: `strictest`. */
  readonly settings?: Partial<Settings> | undefined
  /** The users who can sign in. Default: one user, ada@example.com. */
  readonly users?: ReadonlyArray<Omit<User, "id">> | undefined
  /** The fault rules. Default: none. */
  readonly faults?: ReadonlyArray<FakeFault.Rule> | undefined
}

const ada = { email: "ada@example.com", firstName: "Ada", lastName: "Example" }

/**
 * A fake with users and without apps.
 *
 * @since 0.1.0
 */
export const make = (options: Options = {}): FakeState => ({
  key: Seeded.keyOf(options.seed ?? "zapier"),
  counter: 0,
  clockOffset: 0,
  settings: { ...strictest, ...options.settings },
  faults: options.faults ?? [],
  faultsDrawn: 0,
  apps: HashMap.empty(),
  users: (options.users ?? [ada]).map((user, index) => ({ id: 1_001 + index, ...user })),
  codes: HashMap.empty(),
  grants: HashMap.empty(),
  appTokens: HashMap.empty(),
  sweepSize: leastSweep,
  minutes: HashMap.empty(),
  enrollments: HashMap.empty(),
  zaps: HashMap.empty(),
  authentications: HashMap.empty(),
  actionRuns: HashMap.empty(),
  whiteLabelUsers: HashMap.empty(),
  whiteLabelIds: HashMap.empty(),
  partnerKeys: HashMap.empty(),
  exchangedJwts: HashMap.empty(),
  connectTokens: HashMap.empty(),
  connectSessions: HashMap.empty()
})

/**
 * Draws the next text from the seed: 30 letters and digits, like Django OAuth Toolkit.
 *
 * @since 0.1.0
 */
export const draw = (state: FakeState, length = 30): readonly [text: string, state: FakeState] => {
  const counter = state.counter + 1
  return [Text.draw(state.key, counter, length), { ...state, counter }]
}

/**
 * Revokes a grant: all its tokens stop working.
 *
 * @internal
 */
export const revokeGrant = (state: FakeState, grantId: number): FakeState => ({
  ...state,
  grants: HashMap.remove(state.grants, grantId)
})

const hour = 3_600_000

const leastSweep = 1_024

/**
 * Removes codes, the apps' own tokens, JWTs, connect tokens and open Connect pages an hour after they expired, and
 * finished minutes, once there are twice as many as after the last sweep. Until then, an expired token can be told from
 * an unknown one. It runs with every request, at the average cost of a few insertions.
 *
 * @param now milliseconds since the epoch, by the fake's clock
 *
 * @internal
 */
export const sweep = (state: FakeState, now: number): FakeState => {
  if (sizeOf(state) < state.sweepSize) return state
  const isOver = ({ expiresAt }: { readonly expiresAt: number }) => now >= expiresAt + hour
  const swept: FakeState = {
    ...state,
    codes: without(state.codes, isOver),
    appTokens: without(state.appTokens, isOver),
    exchangedJwts: without(state.exchangedJwts, isOver),
    connectTokens: without(state.connectTokens, isOver),
    connectSessions: without(state.connectSessions, isOver),
    minutes: without(state.minutes, ({ endsAt }) => now >= endsAt)
  }
  return { ...swept, sweepSize: Math.max(leastSweep, 2 * sizeOf(swept)) }
}

// Cheaper than a filter, which rebuilds the map, if most entries stay.
const without = <K, A>(map: HashMap.HashMap<K, A>, isOver: (value: A) => boolean): HashMap.HashMap<K, A> => {
  const over: Array<K> = []
  for (const [key, value] of map) if (isOver(value)) over.push(key)
  return HashMap.removeMany(map, over)
}

const sizeOf = (state: FakeState): number =>
  HashMap.size(state.codes) +
  HashMap.size(state.appTokens) +
  HashMap.size(state.minutes) +
  HashMap.size(state.exchangedJwts) +
  HashMap.size(state.connectTokens) +
  HashMap.size(state.connectSessions)
