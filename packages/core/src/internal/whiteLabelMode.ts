/** How White Label, which few programs have, gets into `ZapierAuth`: by a reference that only its layer sets. */
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
 * A token that Zapier's Connect UI, or its MCP authorization page, takes once.
 *
 * @since 0.1.0
 */
export interface ConnectToken {
  readonly token: Redacted.Redacted
  /** When it expires; milliseconds since the epoch. */
  readonly expiresAt: number
}

/**
 * Where a connect token will be used.
 *
 * @since 0.1.0
 */
export interface ConnectTokenOptions extends User {
  /** The absolute URL. */
  readonly resource: string
}

/**
 * What a user is to connect in the Connect UI.
 *
 * @since 0.1.0
 */
export interface ConnectUrlOptions extends User {
  /** The app to connect, such as `SlackCLIAPI`. */
  readonly app: string
  /** The id of the connection to renew. Default: a new one is made. */
  readonly reconnectId?: string | undefined
  /** The partner's theme for the Connect UI. */
  readonly theme?: string | undefined
  /** Where the Connect UI sends the browser afterwards. Default: nowhere; it posts a message to the window that opened it. */
  readonly redirectUri?: string | undefined
  /** Comes back with the redirect. */
  readonly state?: Redacted.Redacted | undefined
}

/**
 * The address of the Connect UI for one user and one visit.
 *
 * @since 0.1.0
 */
export interface ConnectUrl {
  /** Where to send the user's browser, once. Redacted, because it holds the connect token. */
  readonly url: Redacted.Redacted
  /** When the connect token in it expires; milliseconds since the epoch. */
  readonly expiresAt: number
}

/**
 * The White Label users of a partner: their access tokens, as clients of the API need them, and connect tokens.
 *
 * A user and a tenant are texts without control characters, of 1,000 bytes of UTF-8 together at most. Each operation that is
 * given another fails with `InvalidConfig`.
 *
 * @since 0.1.0
 */
export interface WhiteLabel {
  /** What metrics and errors call the mode. */
  readonly mode: "WhiteLabel"
  /**
   * The user's access token: from memory, from the store, or by an exchange that all callers share. Fails with
   * `AppCodeFailed` where the signer does, `TokenRequestRefused`, and as `ZapierAuth.appToken` does.
   */
  readonly token: (user: User) => Effect.Effect<Tokens.UsableAccess, ZapierAuthError>
  /** The access token in memory, as `ZapierAuth.accessTokenKnown`. */
  readonly known: (user: User) => Tokens.UsableAccess | undefined
  /** Another access token, after the API responded 401 to `rejected`. Fails as `token` does. */
  readonly other: (user: User, rejected: Tokens.UsableAccess) => Effect.Effect<Tokens.UsableAccess, ZapierAuthError>
  /** Says that a call has succeeded with that access token, as `ZapierAuth.accessTokenAccepted` does. */
  readonly accepted: (user: User, access: Tokens.UsableAccess) => Effect.Effect<void>
  /** A new connect token. It is kept nowhere. Fails as `token` does. */
  readonly connectToken: (options: ConnectTokenOptions) => Effect.Effect<ConnectToken, ZapierAuthError>
  /** The address of the Connect UI, with a new connect token. It is kept nowhere. Fails as `token` does. */
  readonly connectUrl: (options: ConnectUrlOptions) => Effect.Effect<ConnectUrl, ZapierAuthError>
}

/** What `ZapierAuth` has for the mode. */
export interface Parts {
  readonly clientId: string
  readonly settings: Settings.Settings & DriverState.Settings
  readonly urls: Urls
  readonly store: AppCredentialStore["Service"]
  readonly publish: Publish
  readonly random: SecureRandom["Service"]
  /** Makes an operation a part of what closing waits for. */
  readonly during: <A>(effect: Effect.Effect<A, ZapierAuthError>) => Effect.Effect<A, ZapierAuthError>
  /** Sends a token request, takes its outcome as `read` gives it, and tells what was odd about that. */
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
