/**
 * The JWT by which a White Label partner says who its user is: a new one for each exchange.
 *
 * It lives 5 minutes at most, which is what Zapier documents. It is dated back by half a minute, so that a server takes it
 * whose clock is that much behind. A random `jti` tells it from any other, so that a server which takes each JWT once takes
 * two of one second.
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
 * What all JWTs of a partner have alike.
 *
 * @since 0.1.0
 */
export interface Profile {
  /** `iss`: as it is registered with Zapier. */
  readonly issuer: string
  /** `aud`. */
  readonly audience: string
  /** The names of the claims that hold the user and the tenant. */
  readonly claims: { readonly user: string; readonly tenant: string }
}

/**
 * What a JWT has of its own.
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
const datedBack = 30

/**
 * The claims of a user's JWT.
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
  const issuedAt = Math.floor(now / 1_000) - datedBack
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
 * A user's JWT, signed. Fails with `AppCodeFailed`.
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
