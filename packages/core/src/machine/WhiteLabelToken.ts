/**
 * The state machine of a White Label user's token, one per client application, user and tenant.
 *
 * **Theory of operation**
 *
 * The partner signs a JWT for its user and exchanges it for an access token (RFC 8693). Tokens are not refreshed: the next
 * token needs another JWT, which the partner can sign at any time, and an exchange may be repeated without harm. These rules
 * are those of the app's own credential, so this is `AppCredential`'s machine under another name: one lease for all
 * processes, a rejected token is never returned again, and a pause follows a transient failure.
 *
 * If Zapier sends a refresh token, it is neither stored nor used (RFC 8693 section 2.2.1 advises against issuing one): a new
 * JWT proves the user's current identity, a stored refresh token does not, and a token that is not stored cannot be lost or
 * used twice. The event `OddResponseTaken` reports it.
 *
 * Sources: RFC 8693; Zapier's "Token exchange" page of White Label.
 *
 * @since 0.1.0
 */
import type { TokenOutcome } from "../oauth/TokenOutcome.ts"
import * as TokenFailure from "../oauth/TokenFailure.ts"
import type * as Settings from "../Settings.ts"
import { type Reason, RefreshOutcomeUnknown, TokenRequestRefused } from "../ZapierAuthError.ts"
import * as AppCredential from "./AppCredential.ts"
import * as AppCredentialDriver from "./AppCredentialDriver.ts"
import type * as DriverState from "./DriverState.ts"

/**
 * A partner's user and the user's tenant (workspace, organization), by the partner's own ids.
 *
 * @since 0.1.0
 */
export interface User {
  readonly subject: string
  readonly tenant: string
}

/**
 * Returns the machine for the settings.
 *
 * @example
 * ```ts
 * import * as WhiteLabelToken from "@zapier-workflow-auth/core/machine/WhiteLabelToken"
 *
 * const machine = WhiteLabelToken.machine({ responseTimeout: 60_000, expiryMargin: 300_000 })
 *
 * machine.name // => "WhiteLabelToken"
 * ```
 *
 * @since 0.1.0
 */
export const machine = (settings: Settings.Refreshing): ReturnType<typeof AppCredential.machine> => ({
  ...AppCredential.machine(settings),
  name: "WhiteLabelToken"
})

const check =
  "that issuer, audience and claim names are as registered with Zapier, that the JWKS has the signing key's kid, the scopes, and this machine's clock"

/**
 * Maps an exchange without a token to a reason. A refusal concerns the JWT, or the registered values.
 *
 * @internal
 */
export const toReason = (outcome: TokenOutcome): Reason | undefined => {
  const refused = (error: string) => new TokenRequestRefused({ error, check })
  if (outcome._tag === "Refused") return refused(outcome.error)
  return TokenFailure.toReason(outcome, {
    refused: refused("invalid_grant"),
    unknown: new RefreshOutcomeUnknown({ of: "app" })
  })
}

// The request of the app's own driver, whose `conclude` ignores it.
const asked = { _tag: "ClientCredentials", scopes: [] } as const

type Driven = DriverState.Driven<AppCredential.State, AppCredential.Event, AppCredential.Command, User, TokenOutcome>

/**
 * Connects the machine to its driver, like the app's own credential, with another request.
 *
 * The request is the user, because the JWT is signed only when it is sent.
 *
 * @since 0.1.0
 */
export const driven = (user: User, settings: Settings.Refreshing, of = machine(settings)): Driven => {
  const app = AppCredentialDriver.driven([], settings, of)
  return {
    ...app,
    order: (command, now) => {
      const order = app.order(command, now)
      return order._tag === "Send" ? { ...order, request: user } : order
    },
    conclude: ({ id, owner }, outcome, isAwaited) => ({
      ...app.conclude({ id, owner, request: asked }, outcome, isAwaited),
      failure: toReason(outcome)
    })
  }
}
