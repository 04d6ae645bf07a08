/**
 * All that the fake knows, as one immutable value.
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
 * An application that is registered with Zapier.
 *
 * @since 0.1.0
 */
export interface App {
  readonly name: string
  readonly clientId: string
  readonly clientSecret: string
  readonly redirectUris: ReadonlyArray<string>
  /** What the app is registered with as a White Label partner, if it is one. */
  readonly whiteLabel?: FakeWhiteLabel.Registration | undefined
}

/**
 * Somebody who may sign in at the fake.
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
 * The opaque user that Zapier makes for a partner's user, in a workspace of the tenant.
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
 * Where tokens come from, for lineage.
 *
 * @since 0.1.0
 */
export type Origin =
  | { readonly _tag: "Code"; readonly code: string }
  | { readonly _tag: "RefreshToken"; readonly refreshToken: string }
  | { readonly _tag: "ClientCredentials" }
  | { readonly _tag: "Jwt"; readonly tenant: string; readonly user: string }

/**
 * An authorization code that was not exchanged yet, and what it was issued for.
 *
 * @since 0.1.0
 */
export interface Code {
  /** The id of the grant that it will be exchanged for. */
  readonly grantId: number
  readonly clientId: string
  readonly userId: number
  readonly redirectUri: string
  readonly scopes: ReadonlyArray<Scopes.Scope>
  /** In milliseconds since the epoch. */
  readonly expiresAt: number
  /** PKCE's, where the authorization request had one. */
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
 * A pair of tokens that an answer gave.
 *
 * @since 0.1.0
 */
export interface Pair {
  readonly accessToken: string
  /** None where an exchange gives none. */
  readonly refreshToken: string | undefined
  readonly scopes: ReadonlyArray<Scopes.Scope>
  /** In seconds. */
  readonly expiresIn: number
}

/**
 * A refresh token that was used, when, and what it was answered with.
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
 * What a user allowed an app. Gone once it is revoked. Tokens that are over are not listed: each names its grant, so that
 * a grant that is refreshed for years does not grow.
 *
 * @since 0.1.0
 */
export interface Grant {
  readonly id: number
  readonly clientId: string
  readonly userId: number
  /** What was consented to, or less (`refreshRestoresScope`): no refresh gives more. */
  readonly scopes: ReadonlyArray<Scopes.Scope>
  /** How many times it was given tokens. */
  readonly serial: number
  /** Those that may still be good. */
  readonly accessTokens: ReadonlyArray<AccessToken>
  /** The one that is good, if there is one. */
  readonly refreshToken: string | undefined
  /** What is still in its grace period, the oldest first. */
  readonly rotations: ReadonlyArray<Rotation>
}

/**
 * The account of a user that is enrolled in a promotion.
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
  /** Whether the user has to connect it again. Default: no. */
  readonly isExpired?: boolean | undefined
}

/**
 * An action that was run by itself, outside of a Zap.
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
 * What an address, or a partner, has sent in its current minute. When `count` is above the limit, the minute is the
 * cool-down.
 *
 * @since 0.1.0
 */
export interface Minute {
  /** In milliseconds since the epoch. */
  readonly endsAt: number
  readonly count: number
}

// Whole or not: a test of real time may want a token that lives for less than a second.
const Time = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

const knob = <S extends Schema.Constraint & Schema.WithoutConstructorDefault>(schema: S, strict: S["~type.make.in"]) =>
  Schema.withConstructorDefault<S>(Effect.succeed(strict))(schema)

/**
 * What is not known of Zapier, or what a test may want otherwise. The defaults are `strictest`.
 *
 * @since 0.1.0
 */
export const Knobs = Schema.Struct({
  /**
   * Whether the user is asked for consent, on a page. Else an authorization URL leads back with a code at once: of the
   * user whose address is in `sign_up_email`, or of the first one. Default: yes.
   */
  asksForConsent: knob(Schema.Boolean, true),
  /** How long an access token lives, in seconds. Default: 36000, as documented. */
  accessTokenLifetime: knob(Time, 36_000),
  /** How long a code lives, in seconds. Default: 120, as documented. */
  codeLifetime: knob(Time, 120),
  /** Whether a second use of a rotated refresh token ends the whole grant. Default: yes. */
  reuseRevokesGrant: knob(Schema.Boolean, true),
  /** Whether a second use of a code ends the grant that it gave (RFC 6749 section 4.1.2). Default: yes. */
  codeReuseRevokesGrant: knob(Schema.Boolean, true),
  /** For how long a rotated refresh token gives the same new pair again, in milliseconds. Default: 0. */
  graceMillis: knob(Time, 0),
  /** Whether a refresh ends the previous access token at once. Default: yes. */
  refreshEndsAccessToken: knob(Schema.Boolean, true),
  /**
   * Whether a refresh that names no scope gives all that was consented to, also after one that asked for less (RFC 6749
   * section 6); else what was given up stays so, as with Django OAuth Toolkit. Default: yes.
   */
  refreshRestoresScope: knob(Schema.Boolean, true),
  /** Whether a refresh gives a new refresh token; else it gives none, and the old one stays good. Default: yes. */
  rotateRefreshTokens: knob(Schema.Boolean, true),
  /** The `Content-Type` of app token answers. Zapier's documentation shows `multipart/form-data` over JSON. */
  appTokenContentType: knob(Schema.NonEmptyString, "application/json"),
  /**
   * Whether there are rate limits: whoever exceeds one is answered with 429 for a minute. Default: yes, as documented.
   * The consent page never counts: users' browsers ask for it, each from an address of its own.
   */
  rateLimits: knob(Schema.Boolean, true),
  /** How many requests an address may send in a minute. Default: 60, as documented. */
  requestsPerAddress: knob(Count, 60),
  /** How many requests a partner, which is a client id, may send in a minute. Default: 150, as documented. */
  requestsPerPartner: knob(Count, 150),
  /** Whether token requests count, too. Default: yes. */
  rateLimitsTokenRequests: knob(Schema.Boolean, true),
  /**
   * Whether scripts of pages of other origins may call the API and the token endpoint (CORS). It is not known of Zapier.
   * Default: no, as with servers that say nothing of it.
   */
  allowsCrossOrigin: knob(Schema.Boolean, false),
  /** For how long a JWT of a White Label partner may be good, from `iat` to `exp`, in seconds. Default: 300, as documented. */
  jwtLifetime: knob(Time, 300),
  /** How far a partner's clock may be from the fake's, in seconds. Default: 0. */
  jwtClockSkew: knob(Time, 0),
  /** Whether a JWT that was exchanged may be exchanged again. It is told by its `jti`, and else by its text. Default: no. */
  allowsJwtReplay: knob(Schema.Boolean, false),
  /** How a JWT is refused: with `invalid_request` by RFC 8693 section 2.2.2, or with `invalid_grant` as other servers do. */
  invalidJwtError: knob(Schema.Literals(["invalid_request", "invalid_grant"]), "invalid_request"),
  /** For how long a partner's keys are used before they are fetched again, in seconds. Default: 300. */
  jwksLifetime: knob(Time, 300),
  /** For how long keys are not fetched again for a `kid` that is not among them, in seconds. Default: 60. */
  jwksCooldown: knob(Time, 60),
  /** How long the access token of a White Label user lives, in seconds. Default: 3600. */
  exchangedTokenLifetime: knob(Time, 3_600),
  /** Whether an exchange ends the user's previous access token at once. Default: yes. */
  exchangeEndsAccessToken: knob(Schema.Boolean, true),
  /** Whether an exchange gives a refresh token, too. Default: no. */
  exchangeGivesRefreshToken: knob(Schema.Boolean, false),
  /** How long a connect token lives, in seconds. Default: 360, as documented. */
  connectTokenLifetime: knob(Time, 360),
  /** Whether only White Label partners may delete Zaps. Default: yes, as documented. */
  onlyPartnersDeleteZaps: knob(Schema.Boolean, true)
})

/**
 * @since 0.1.0
 */
export type Knobs = typeof Knobs.Type

/**
 * The defaults: as documented, and as strict as it could be where nothing is.
 *
 * @since 0.1.0
 */
export const strictest: Knobs = Knobs.make({})

/**
 * All that the fake knows.
 *
 * @since 0.1.0
 */
export interface FakeState {
  /** What the seed comes to. */
  readonly key: Seeded.Key
  /** How many texts have been drawn, and codes given: the number of a code is the id of its grant. */
  readonly counter: number
  /** How far the fake's clock is ahead of the one outside, in milliseconds. */
  readonly clockOffset: number
  readonly knobs: Knobs
  /** What is still to go wrong. */
  readonly faults: ReadonlyArray<FakeFault.Rule>
  /** How many times it was drawn whether something goes wrong. */
  readonly faultsDrawn: number
  readonly apps: HashMap.HashMap<string, App>
  readonly users: ReadonlyArray<User>
  /** Those that were not exchanged yet, by the ids of their grants. */
  readonly codes: HashMap.HashMap<number, Code>
  /** By id. */
  readonly grants: HashMap.HashMap<number, Grant>
  /** By the tokens. */
  readonly appTokens: HashMap.HashMap<string, AppToken>
  /** How many codes, apps' tokens, minutes and the like there may be until those that are over are forgotten. */
  readonly sweepSize: number
  /** What was sent lately, by address and by partner. */
  readonly minutes: HashMap.HashMap<string, Minute>
  readonly enrollments: HashMap.HashMap<string, Enrollment>
  /** The Zaps of the users who have changed theirs, by user id. All others have the same few. */
  readonly zaps: HashMap.HashMap<number, ReadonlyArray<Zap>>
  /** What users have connected who have added or removed some, by user id. All others have one for each app. */
  readonly authentications: HashMap.HashMap<number, ReadonlyArray<Authentication>>
  readonly actionRuns: HashMap.HashMap<string, ActionRun>
  /** By id. */
  readonly whiteLabelUsers: HashMap.HashMap<number, WhiteLabelUser>
  /** The ids of White Label users, by client id, tenant and user. */
  readonly whiteLabelIds: HashMap.HashMap<string, number>
  /** What was fetched from partners' JWKS URLs, by the URLs. */
  readonly partnerKeys: HashMap.HashMap<string, FakeWhiteLabel.FetchedKeys>
  /** JWTs that were exchanged, by what tells them from others. */
  readonly exchangedJwts: HashMap.HashMap<string, { readonly expiresAt: number }>
  /** By the tokens. */
  readonly connectTokens: HashMap.HashMap<string, FakeWhiteLabel.ConnectToken>
  /** Connect pages that are open, by their secrets. */
  readonly connectSessions: HashMap.HashMap<string, FakeWhiteLabel.ConnectSession>
}

/**
 * What a fake begins with.
 *
 * @since 0.1.0
 */
export interface Options {
  /** Same seed, same tokens. Default: `zapier`. */
  readonly seed?: string | undefined
  /** How Zapier behaves where its documentation does not say. Default: `strictest`. */
  readonly knobs?: Partial<Knobs> | undefined
  /** Who may sign in. Default: one user, ada@example.com. */
  readonly users?: ReadonlyArray<Omit<User, "id">> | undefined
  /** What goes wrong. Default: nothing. */
  readonly faults?: ReadonlyArray<FakeFault.Rule> | undefined
}

const ada = { email: "ada@example.com", firstName: "Ada", lastName: "Example" }

/**
 * A fake with users, and no apps yet.
 *
 * @since 0.1.0
 */
export const make = (options: Options = {}): FakeState => ({
  key: Seeded.keyOf(options.seed ?? "zapier"),
  counter: 0,
  clockOffset: 0,
  knobs: { ...strictest, ...options.knobs },
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
 * The next text out of the seed, of 30 letters and digits as Django OAuth Toolkit makes them.
 *
 * @since 0.1.0
 */
export const draw = (state: FakeState, length = 30): readonly [text: string, state: FakeState] => {
  const counter = state.counter + 1
  return [Text.draw(state.key, counter, length), { ...state, counter }]
}

/**
 * Ends a grant: all its tokens stop working.
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
 * Forgets what nobody can use any more, once there is twice as much as the last time left: codes, the apps' own tokens, JWTs,
 * connect tokens and open Connect pages an hour after they expired, and minutes that are over. Until then an expired token is told from an unknown one. It is
 * called with every request, and costs what a few insertions do on average.
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

// Costs less than a filter where most stays, which is built anew.
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
