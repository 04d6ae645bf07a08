/**
 * Makes the JWT with which a White Label partner identifies its user, anew for each exchange.
 *
 * It is valid for 5 minutes, the longest that Zapier documents. It is backdated by 30 seconds, for servers whose clock is
 * behind. A random `jti` makes two JWTs of one second differ, for servers that accept each JWT once.
 *
 * Sources: RFC 7519 section 4.1 (claims); Zapier's "Token exchange" page of White Label.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as WhiteLabelToken from "../machine/WhiteLabelToken.ts"
import * as Tokens from "../oauth/Tokens.ts"
import type { ZapierAuthError } from "../ZapierAuthError.ts"
import * as Jws from "./Jws.ts"
import type { SigningKey } from "./PartnerSigner.ts"

/**
 * The values that all JWTs of a partner share.
 *
 * @since 0.1.0
 */
export interface Profile {
  /** The claim `iss`, as registered with Zapier. */
  readonly issuer: string
  /** The claim `aud`. */
  readonly audience: string
  /** The names of the claims that hold the user and the tenant. */
  readonly claims: { readonly user: string; readonly tenant: string }
}

/**
 * The values of one JWT alone.
 *
 * @since 0.1.0
 */
export interface Issue {
  /** `jti`. */
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

const lifetime = 300
const backdated = 30

/**
 * Returns the claims of a user's JWT.
 *
 * @example
 * ```ts
 * import * as PartnerJwt from "@zapier-workflow-auth/core/whitelabel/PartnerJwt"
 *
 * const profile = {
 *   issuer: "https://accounts.acme.example",
 *   audience: "connect.zapier.com",
 *   claims: { user: "sub", tenant: "org_id" }
 * }
 *
 * const { exp, iat, org_id, sub } = PartnerJwt.claims(
 *   profile,
 *   { subject: "ada", tenant: "acme" },
 *   { id: "0e3b", now: 1_711_900_030_000 }
 * )
 *
 * const user = [sub, org_id]
 * user // => ["ada", "acme"]
 * const times = [iat, exp]
 * times // => [1711900000, 1711900300]
 * ```
 *
 * @since 0.1.0
 */
export const claims = (
  { audience, claims, issuer }: Profile,
  { subject, tenant }: WhiteLabelToken.User,
  { id, now }: Issue
): { readonly [claim: string]: string | number } => {
  const issuedAt = Math.floor(now / 1_000) - backdated
  return {
    iss: issuer,
    aud: audience,
    iat: issuedAt,
    nbf: issuedAt,
    exp: issuedAt + lifetime,
    jti: id,
    [claims.user]: subject,
    [claims.tenant]: tenant
  }
}

/**
 * Returns a user's signed JWT. Fails with `AppCodeFailed`.
 *
 * @since 0.1.0
 */
export const sign = (
  key: SigningKey,
  profile: Profile,
  user: WhiteLabelToken.User,
  issue: Issue
): Effect.Effect<typeof Tokens.Secret.Type, ZapierAuthError> => {
  const input = Jws.signingInput(key, claims(profile, user, issue))
  return Effect.map(key.sign(Jws.bytes(input)), (signature) => Tokens.secret(Jws.compact(input, signature)))
}
