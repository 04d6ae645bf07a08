/**
 * White Label: partners whose users have no account at Zapier. A partner signs a JWT for its user and exchanges it for
 * an access token (RFC 8693), and that token for a connect token, which opens the Connect page.
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
export const Jwk = Schema.StructWithRest(
  Schema.Struct({ kty: Schema.Literals(["RSA", "EC"]), kid: Schema.NonEmptyString }),
  [Schema.Record(Schema.String, Schema.Json)]
).check(Schema.makeFilter((key) => !("d" in key), { message: "Expected a public key: leave out its private parts" }))

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
 * The data that a partner gives Zapier at onboarding.
 *
 * - `issuer`: the required `iss`
 * - `jwksUrl`: the URL of the partner's public keys
 * - `jwks`: the keys themselves, in place of `jwksUrl`
 * - `userClaim`: the claim with the user's id. Default: `sub`
 * - `tenantClaim`: the claim with the id of the user's tenant. Default: `org_id`
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
  /** The URL of the keys. Without it, only `keys` are used. */
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
  /** The absolute URL for which it is valid. */
  readonly resource: string
  /** In milliseconds since the epoch. */
  readonly expiresAt: number
  readonly isUsed: boolean
}

/**
 * An open Connect page.
 *
 * @since 0.1.0
 */
export interface ConnectSession {
  readonly userId: number
  /** The id of the app to connect. */
  readonly app: string
  /**
   * Where the browser goes afterwards. Without it, the page is a popup and sends its result to the window that opened
   * it.
   */
  readonly redirectUri: string | undefined
  readonly state: string | undefined
  /** The connection to renew, if it is not a new one. */
  readonly reconnectId: string | undefined
  /** In milliseconds since the epoch. */
  readonly expiresAt: number
}

/**
 * The message of a popup to its opener, by `postMessage`.
 *
 * @since 0.1.0
 */
export type ConnectMessage =
  | { readonly type: "authenticationSuccess"; readonly authId: number }
  | { readonly type: "authenticationError"; readonly error: string }

/**
 * The end of a Connect page: a redirect to the partner, or a message of the popup.
 *
 * @since 0.1.0
 */
export type ConnectEnd =
  | { readonly _tag: "Redirect"; readonly url: string }
  | { readonly _tag: "Message"; readonly message: ConnectMessage }

// -----------------------------------------------------------------------------
// Facts from outside the machine
// -----------------------------------------------------------------------------

/**
 * A fact that the machine needs before it can handle a request. `FakeZapier` finds it out, and calls again with the
 * `Facts`.
 *
 * - `Keys`: the keys at a JWKS URL
 * - `Signature`: whether a JWT was signed with a key
 *
 * @since 0.1.0
 */
export type Question =
  | { readonly _tag: "Keys"; readonly url: string }
  | { readonly _tag: "Signature"; readonly jwt: string; readonly key: Jwk; readonly algorithm: string }

/**
 * The facts that were found out.
 *
 * - `keys`: the keys at the JWKS URL, or undefined if they could not be fetched
 * - `signature`: the key that was used for verification, and whether the signature is valid
 *
 * @since 0.1.0
 */
export interface Facts {
  readonly keys?: { readonly fetched: ReadonlyArray<Jwk> | undefined }
  readonly signature?: { readonly key: Jwk; readonly isValid: boolean }
}
