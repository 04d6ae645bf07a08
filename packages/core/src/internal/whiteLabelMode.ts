/** Adds White Label to `ZapierAuth` by a reference that only its layer sets, so that other programs do not bundle it. */
import * as Context from "effect/Context"
import type { SecureRandom } from "effect/crypto/SecureRandom"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type * as AppCredential from "../machine/AppCredential.ts"
import type * as DriverState from "../machine/DriverState.ts"
import type * as WhiteLabelToken from "../machine/WhiteLabelToken.ts"
import type { TokenOutcome } from "../oauth/TokenOutcome.ts"
import type { TokenRequest } from "../oauth/TokenRequest.ts"
import type * as Tokens from "../oauth/Tokens.ts"
import type * as Settings from "../Settings.ts"
import type { AppCredentialStore } from "../store/AppCredentialStore.ts"
import type { ZapierAuthError } from "../ZapierAuthError.ts"
import type { Urls } from "../zapier/ZapierUrls.ts"
import type { Publish } from "./eventHub.ts"
import type { Runtime } from "./runtime.ts"

type User = WhiteLabelToken.User

/**
 * A token that Zapier's Connect UI or MCP authorization page accepts once.
 *
 * @since 0.1.0
 */
export interface ConnectToken {
  readonly token: Redacted.Redacted
  /** The time of expiry, in milliseconds since the epoch. */
  readonly expiresAt: number
}

/**
 * The place where a connect token will be used.
 *
 * @since 0.1.0
 */
export interface ConnectTokenOptions extends User {
  /** The absolute URL. */
  readonly resource: string
}

/**
 * The app that a user is to connect in the Connect UI.
 *
 * @since 0.1.0
 */
export interface ConnectUrlOptions extends User {
  /** The app to connect, such as `SlackCLIAPI`. */
  readonly app: string
  /** The id of the connection to renew. Default: a new connection is made. */
  readonly reconnectId?: string | undefined
  /** The partner's theme for the Connect UI. */
  readonly theme?: string | undefined
  /** The URL to redirect to afterwards. Default: no redirect; the page posts a message to the window that opened it. */
  readonly redirectUri?: string | undefined
  /** Returned with the redirect. */
  readonly state?: Redacted.Redacted | undefined
}

/**
 * The address of the Connect UI for one user and one visit.
 *
 * @since 0.1.0
 */
export interface ConnectUrl {
  /** The URL to send the user's browser to, once. Redacted because it holds the connect token. */
  readonly url: Redacted.Redacted
  /** The time at which its connect token expires, in milliseconds since the epoch. */
  readonly expiresAt: number
}

/**
 * Provides access tokens and connect tokens for a partner's White Label users.
 *
 * User and tenant are strings without control characters, together at most 1,000 bytes of UTF-8. Operations fail with
 * `InvalidConfig` for others.
 *
 * @since 0.1.0
 */
export interface WhiteLabel {
  /** The mode's name in metrics and errors. */
  readonly mode: "WhiteLabel"
  /**
   * Returns the user's access token: from memory, from the store, or by an exchange that all callers share.
   *
   * Fails with `AppCodeFailed` if the signer fails, `TokenRequestRefused`, and like `ZapierAuth.appToken`.
   */
  readonly token: (user: User) => Effect.Effect<Tokens.UsableAccess, ZapierAuthError>
  /** Returns the access token in memory, like `ZapierAuth.accessTokenKnown`. */
  readonly known: (user: User) => Tokens.UsableAccess | undefined
  /** Returns another access token after the API responded 401 to `rejected`. Fails like `token`. */
  readonly other: (user: User, rejected: Tokens.UsableAccess) => Effect.Effect<Tokens.UsableAccess, ZapierAuthError>
  /** Reports that a call succeeded with the access token, like `ZapierAuth.accessTokenAccepted`. */
  readonly accepted: (user: User, access: Tokens.UsableAccess) => Effect.Effect<void>
  /** Returns a new connect token, which is not stored. Fails like `token`. */
  readonly connectToken: (options: ConnectTokenOptions) => Effect.Effect<ConnectToken, ZapierAuthError>
  /** Returns the address of the Connect UI, with a new connect token, which is not stored. Fails like `token`. */
  readonly connectUrl: (options: ConnectUrlOptions) => Effect.Effect<ConnectUrl, ZapierAuthError>
}

/** The parts of `ZapierAuth` that the mode uses. */
export interface Parts {
  readonly clientId: string
  readonly settings: Settings.Settings & DriverState.Settings
  readonly urls: Urls
  readonly store: AppCredentialStore["Service"]
  readonly publish: Publish
  readonly random: SecureRandom["Service"]
  /** Makes closing wait for the operation. */
  readonly during: <A>(effect: Effect.Effect<A, ZapierAuthError>) => Effect.Effect<A, ZapierAuthError>
  /** Sends a token request, maps its outcome with `read`, and reports oddities. */
  readonly send: (
    request: TokenRequest,
    until: number,
    of: User,
    read: (outcome: TokenOutcome) => TokenOutcome
  ) => Effect.Effect<TokenOutcome>
}

export interface Made extends WhiteLabel {
  readonly tokens: Runtime<AppCredential.State, AppCredential.Event>
}

export const WhiteLabelMode = Context.Reference<
  ((parts: Parts) => Effect.Effect<Made, ZapierAuthError, Scope.Scope>) | undefined
>("@zapier-workflow-auth/core/WhiteLabelMode", { defaultValue: () => undefined })
