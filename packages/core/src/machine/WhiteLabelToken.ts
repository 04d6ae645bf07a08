/**
 * The machine of a White Label user's token: one for each client application, user and tenant.
 *
 * **Theory of operation**
 *
 * The partner signs a JWT for its user and exchanges it for an access token (RFC 8693). Nothing is renewed: another token
 * takes another JWT, which the partner can sign at any time, and asking twice harms nobody. These are the rules of the
 * app's own credential, so this is `AppCredential`'s machine under another name, not a copy of it: one lease for all
 * processes, a rejected token that is never handed out again, a pause after a failure that only time mends.
 *
 * A refresh token that comes all the same is neither stored nor used (RFC 8693 section 2.2.1 advises against issuing one).
 * A new JWT proves who the user is today, which a kept refresh token does not, and what is not stored can be neither
 * lost nor presented twice. Its arrival is published as `OddResponseTaken`.
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
 * A user of the partner's, and the tenant (workspace, organization) that the user belongs to, by the partner's own names.
 *
 * @since 0.1.0
 */
export interface User {
  readonly subject: string
  readonly tenant: string
}

/**
 * The machine, for the given settings.
 *
 * @example
 * ```ts
 * import * as AppCredential from "@zapier-workflow-auth/core/machine/AppCredential"
 * import * as WhiteLabelToken from "@zapier-workflow-auth/core/machine/WhiteLabelToken"
 *
 * const machine = WhiteLabelToken.machine({ answerTimeout: 60_000, expiryMargin: 300_000 })
 *
 * machine.name // => "WhiteLabelToken"
 * machine.edges === AppCredential.edges // => true
 * ```
 *
 * @since 0.1.0
 */
export const machine = (settings: Settings.Refreshing): ReturnType<typeof AppCredential.machine> => ({
  ...AppCredential.machine(settings),
  name: "WhiteLabelToken"
})

const check =
  "that Zapier has this app's issuer, audience, names of claims, and a JWKS with the kid that signs; the scopes; and this machine's clock"

/**
 * What a caller is told when an exchange did not end with a token. What Zapier refuses is the JWT, or what was registered.
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

// What the app's own driver sends, which its conclusions do not look at.
const asked = { _tag: "ClientCredentials", scopes: [] } as const

type Driven = DriverState.Driven<AppCredential.State, AppCredential.Event, AppCredential.Command, User, TokenOutcome>

/**
 * The token of a White Label user, to be driven: as the app's own, but for what is sent. A request is the user: the JWT is
 * signed when it is sent.
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
