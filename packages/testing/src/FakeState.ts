/**
 * All that the fake knows, as one immutable value.
 *
 * Tokens, codes and ids come from a seed and a counter: the same seed and the same requests give the same tokens.
 *
 * @since 0.1.0
 */
import { sha256 } from "@noble/hashes/sha2.js"
import type * as Scopes from "@zapier-workflow-auth/core/Scopes"
import * as HashMap from "effect/HashMap"

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
}

/**
 * @since 0.1.0
 */
export interface User {
  readonly id: number
  readonly email: string
  readonly firstName: string
  readonly lastName: string
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

/**
 * @since 0.1.0
 */
export interface Code {
  readonly code: string
  readonly clientId: string
  readonly userId: number
  readonly redirectUri: string
  readonly scopes: ReadonlyArray<Scopes.Scope>
  readonly expiresAt: number
  readonly challenge: { readonly value: string; readonly method: "S256" | "plain" } | undefined
  /** The grant that it was exchanged for. */
  readonly grantId: string | undefined
}

/**
 * An access token. Without `userId` it is the app's own.
 *
 * @since 0.1.0
 */
export interface AccessToken {
  readonly clientId: string
  readonly userId: number | undefined
  readonly grantId: string | undefined
  readonly scopes: ReadonlyArray<Scopes.Scope>
  readonly expiresAt: number
}

/**
 * A pair of tokens that an answer gave.
 *
 * @since 0.1.0
 */
export interface Pair {
  readonly accessToken: string
  readonly refreshToken: string
  readonly scopes: ReadonlyArray<Scopes.Scope>
  readonly expiresIn: number
}

/**
 * A refresh token. Once it was used, `rotated` has what it was answered with.
 *
 * @since 0.1.0
 */
export interface RefreshToken {
  readonly grantId: string
  readonly rotated: { readonly at: number; readonly pair: Pair } | undefined
}

/**
 * What a user allowed an app. Gone once it is revoked.
 *
 * @since 0.1.0
 */
export interface Grant {
  readonly clientId: string
  readonly userId: number
  /** What was consented to: no refresh gives more. */
  readonly scopes: ReadonlyArray<Scopes.Scope>
  readonly accessTokens: ReadonlyArray<string>
  readonly refreshTokens: ReadonlyArray<string>
}

/**
 * @since 0.1.0
 */
export interface Enrollment {
  readonly id: string
  readonly clientId: string
  readonly userId: number
}

/**
 * What is not known of Zapier, or what a test may want otherwise. The defaults are the strictest.
 *
 * @since 0.1.0
 */
export interface Knobs {
  /** How long an access token lives, in seconds. Default: 36000, as documented. */
  readonly accessTokenLifetime: number
  /** How long a code lives, in seconds. Default: 120, as documented. */
  readonly codeLifetime: number
  /** Whether a second use of a rotated refresh token ends the whole grant. Default: yes. */
  readonly reuseRevokesGrant: boolean
  /** Whether a second use of a code ends the grant that it gave (RFC 6749 section 4.1.2). Default: yes. */
  readonly codeReuseRevokesGrant: boolean
  /** For how long a rotated refresh token gives the same new pair again, in milliseconds. Default: 0. */
  readonly graceMillis: number
  /** Whether a refresh ends the previous access token at once. Default: yes. */
  readonly refreshEndsAccessToken: boolean
  /** Whether a refresh gives a new refresh token; else it gives none, and the old one stays good. Default: yes. */
  readonly rotateRefreshTokens: boolean
  /** The `Content-Type` of app token answers. Zapier's documentation shows `multipart/form-data` over JSON. */
  readonly appTokenContentType: string
}

/**
 * @since 0.1.0
 */
export const strictest: Knobs = {
  accessTokenLifetime: 36_000,
  codeLifetime: 120,
  reuseRevokesGrant: true,
  codeReuseRevokesGrant: true,
  graceMillis: 0,
  refreshEndsAccessToken: true,
  rotateRefreshTokens: true,
  appTokenContentType: "application/json"
}

/**
 * @since 0.1.0
 */
export interface FakeState {
  readonly seed: string
  readonly counter: number
  /** How far the fake's clock is ahead of the one outside, in milliseconds. */
  readonly clockOffset: number
  readonly knobs: Knobs
  readonly apps: HashMap.HashMap<string, App>
  readonly users: ReadonlyArray<User>
  readonly codes: HashMap.HashMap<string, Code>
  readonly accessTokens: HashMap.HashMap<string, AccessToken>
  readonly refreshTokens: HashMap.HashMap<string, RefreshToken>
  readonly grants: HashMap.HashMap<string, Grant>
  readonly enrollments: HashMap.HashMap<string, Enrollment>
}

/**
 * @since 0.1.0
 */
export interface Options {
  /** Same seed, same tokens. Default: `zapier`. */
  readonly seed?: string | undefined
  readonly knobs?: Partial<Knobs> | undefined
  /** Who may sign in. Default: one user, ada@example.com. */
  readonly users?: ReadonlyArray<Omit<User, "id">> | undefined
}

/**
 * A fake with users, and no apps yet.
 *
 * @since 0.1.0
 */
export const make = (options: Options = {}): FakeState => ({
  seed: options.seed ?? "zapier",
  counter: 0,
  clockOffset: 0,
  knobs: { ...strictest, ...options.knobs },
  apps: HashMap.empty(),
  users: (options.users ?? [{ email: "ada@example.com", firstName: "Ada", lastName: "Example" }]).map(
    (user, index) => ({
      id: 1_001 + index,
      ...user
    })
  ),
  codes: HashMap.empty(),
  accessTokens: HashMap.empty(),
  refreshTokens: HashMap.empty(),
  grants: HashMap.empty(),
  enrollments: HashMap.empty()
})

const encoder = new TextEncoder()

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/**
 * The next text out of the seed, of 30 letters and digits as Django OAuth Toolkit makes them.
 *
 * @since 0.1.0
 */
export const draw = (state: FakeState, length = 30): readonly [text: string, state: FakeState] => {
  const counter = state.counter + 1
  const bytes = sha256(encoder.encode(`${state.seed}:${counter}`))
  let text = ""
  for (let i = 0; i < length; i++) text += alphabet[(bytes[i % bytes.length] ?? 0) % alphabet.length]
  return [text, { ...state, counter }]
}

/**
 * Ends a grant: all its tokens stop working.
 *
 * @since 0.1.0
 */
export const revokeGrant = (state: FakeState, grantId: string): FakeState => {
  const grant = HashMap.get(state.grants, grantId)
  if (grant._tag === "None") return state
  return {
    ...state,
    grants: HashMap.remove(state.grants, grantId),
    accessTokens: HashMap.removeMany(state.accessTokens, grant.value.accessTokens),
    refreshTokens: HashMap.removeMany(state.refreshTokens, grant.value.refreshTokens)
  }
}
