/**
 * White Label: partners whose users have no account at Zapier. A partner signs a JWT for its user and exchanges it for an
 * access token (RFC 8693), and that for a connect token, which opens the Connect page.
 *
 * @example
 * ```ts
 * import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
 *
 * FakeZapier.layer({
 *   apps: [
 *     {
 *       name: "Acme",
 *       redirectUris: ["https://acme.example/connected"],
 *       whiteLabel: { issuer: "https://acme.example", jwksUrl: "https://acme.example/.well-known/jwks.json" }
 *     }
 *   ]
 * })
 * ```
 *
 * Sources: Zapier's White Label pages "Token exchange", "Connection flow", "Error handling" and "Partner onboarding"; RFC
 * 7515, RFC 7517, RFC 7519, RFC 8693.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

// -----------------------------------------------------------------------------
// Registration
// -----------------------------------------------------------------------------

/**
 * A public key as a JWK (RFC 7517), with a `kid` that JWTs name.
 *
 * @since 0.1.0
 */
export const Jwk = Schema.Record(Schema.String, Schema.Json).check(
  Schema.makeFilter(({ kid, kty }) => typeof kid === "string" && kid !== "" && (kty === "RSA" || kty === "EC"), {
    message: "Expected a JWK of an RSA or EC key, with a kid"
  }),
  Schema.makeFilter((key) => !("d" in key), { message: "Expected a public key: leave out its private parts" })
)

/**
 * @since 0.1.0
 */
export type Jwk = typeof Jwk.Type

const WebUrl = Schema.String.check(
  Schema.makeFilter((url) => /^https?:\/\//i.test(url) && URL.canParse(url), {
    message: "Expected a whole URL, with http or https"
  })
)

const Claim = Schema.NonEmptyString.check(
  Schema.makeFilter((name) => !["iss", "aud", "iat", "nbf", "exp", "jti"].includes(name), {
    message: "Expected the name of a claim that has no other meaning"
  })
)

/**
 * What a partner gives Zapier at onboarding.
 *
 * - `issuer`: what `iss` has to be
 * - `jwksUrl`: where the partner's public keys are fetched
 * - `jwks`: the keys themselves, in place of `jwksUrl`
 * - `userClaim`: the claim that has the user's id. Default: `sub`
 * - `tenantClaim`: the claim that has the id of the user's tenant. Default: `org_id`
 *
 * @since 0.1.0
 */
export const Options = Schema.Struct({
  issuer: Schema.NonEmptyString,
  jwksUrl: Schema.optional(WebUrl),
  jwks: Schema.optional(Schema.Struct({ keys: Schema.Array(Jwk) })),
  userClaim: Schema.optional(Claim),
  tenantClaim: Schema.optional(Claim)
}).check(
  Schema.makeFilter(({ jwks, jwksUrl }) => (jwks === undefined) !== (jwksUrl === undefined), {
    message: "Expected either jwksUrl or jwks"
  }),
  Schema.makeFilter(({ tenantClaim = "org_id", userClaim = "sub" }) => tenantClaim !== userClaim, {
    message: "Expected two claims: one for the user, and one for the tenant"
  })
)

/**
 * @since 0.1.0
 */
export type Options = typeof Options.Type

/**
 * Keys that were fetched from a partner's JWKS URL.
 *
 * @since 0.1.0
 */
export interface FetchedKeys {
  readonly keys: ReadonlyArray<Jwk>
  /** In milliseconds since the epoch. */
  readonly fetchedAt: number
}

/**
 * A partner's registration.
 *
 * @since 0.1.0
 */
export interface Registration {
  readonly issuer: string
  readonly userClaim: string
  readonly tenantClaim: string
  /** Where the keys are fetched. Without it, `keys` are all that there are. */
  readonly jwksUrl: string | undefined
  /** The keys that were registered, if there is no URL. */
  readonly keys: ReadonlyArray<Jwk>
}

// -----------------------------------------------------------------------------
// Connect tokens
// -----------------------------------------------------------------------------

/**
 * A token that opens the Connect page once.
 *
 * @since 0.1.0
 */
export interface ConnectToken {
  readonly clientId: string
  readonly userId: number
  /** The absolute URL where it may be used. */
  readonly resource: string
  /** In milliseconds since the epoch. */
  readonly expiresAt: number
  readonly isUsed: boolean
}

/**
 * A Connect page that is open.
 *
 * @since 0.1.0
 */
export interface ConnectSession {
  readonly clientId: string
  readonly userId: number
  /** The id of the app to be connected. */
  readonly app: string
  /** Where the browser goes afterwards. Without it, the page is a popup and tells the window that opened it. */
  readonly redirectUri: string | undefined
  readonly state: string | undefined
  /** The connection that is renewed, if it is not a new one. */
  readonly reconnectId: string | undefined
  /** In milliseconds since the epoch. */
  readonly expiresAt: number
}

// -----------------------------------------------------------------------------
// What a machine cannot do
// -----------------------------------------------------------------------------

/**
 * What has to be found out before a request can be answered. `FakeZapier` does so, and asks again with the `Facts`.
 *
 * - `Keys`: which keys there are at a JWKS URL
 * - `Signature`: whether a JWT was signed with a key
 *
 * @since 0.1.0
 */
export type Question =
  | { readonly _tag: "Keys"; readonly url: string }
  | { readonly _tag: "Signature"; readonly jwt: string; readonly key: Jwk; readonly algorithm: string }

/**
 * What was found out.
 *
 * - `keys`: what is at the JWKS URL, or nothing where no keys could be fetched
 * - `signature`: with which key a signature was verified, and whether it is of that key
 *
 * @since 0.1.0
 */
export interface Facts {
  readonly keys?: { readonly fetched: ReadonlyArray<Jwk> | undefined }
  readonly signature?: { readonly key: Jwk; readonly isValid: boolean }
}
