/**
 * White Label: a partner's users use Zapier without a Zapier account (RFC 8693).
 *
 * The partner signs a JWT for its user and exchanges it for an access token. Calls then name the user and the tenant instead
 * of a connected user. Connect tokens open Zapier's Connect UI, where the user connects apps.
 *
 * The layer adds the mode to the `ZapierAuth` that it is provided to. Programs without it do not bundle it.
 *
 * Source: Zapier's White Label pages. The mode is in limited access; docs/white-label.md lists what is unproven.
 *
 * @example
 * ```ts
 * import * as PartnerSigner from "@zapier-workflow-auth/core/whitelabel/PartnerSigner"
 * import * as WhiteLabel from "@zapier-workflow-auth/core/WhiteLabel"
 * import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
 * import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as Redacted from "effect/Redacted"
 *
 * // For `Layer.provide`, below the layer of ZapierAuth.
 * const whiteLabel = (pem: string) =>
 *   WhiteLabel.layer({ issuer: "https://accounts.acme.example" }).pipe(
 *     Layer.provide(PartnerSigner.layer({ key: Redacted.make(pem), keyId: "2026-07", algorithm: "ES256" }))
 *   )
 *
 * const program = Effect.gen(function* () {
 *   const zapier = yield* ZapierHttpClient
 *   yield* zapier.call("GET /v2/zaps", { credential: Credential.whiteLabel("ada", "acme") })
 *   const { url } = yield* WhiteLabel.connectUrl({ subject: "ada", tenant: "acme", app: "SlackCLIAPI" })
 *   return Redacted.value(url) // send the user's browser there
 * })
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as CallerChecks from "./internal/callerChecks.ts"
import * as TextProblem from "./internal/textProblem.ts"
import * as Mode from "./internal/whiteLabel.ts"
import {
  type ConnectToken,
  type ConnectTokenOptions,
  type ConnectUrl,
  type ConnectUrlOptions,
  WhiteLabelMode
} from "./internal/whiteLabelMode.ts"
import type * as Scopes from "./oauth/Scopes.ts"
import { PartnerSigner } from "./whitelabel/PartnerSigner.ts"
import { ZapierAuth } from "./ZapierAuth.ts"
import type { ZapierAuthError } from "./ZapierAuthError.ts"

export type {
  ConnectToken,
  ConnectTokenOptions,
  ConnectUrl,
  ConnectUrlOptions,
  WhiteLabel
} from "./internal/whiteLabelMode.ts"

/**
 * The values agreed with Zapier at onboarding.
 *
 * @since 0.1.0
 */
export interface Options {
  /** The `iss` of JWTs, as registered. */
  readonly issuer: string
  /** The `aud` of JWTs. Default: `connect.zapier.com`. */
  readonly audience?: string | undefined
  /** The names of the claims that hold the user and the tenant. Default: `sub` and `org_id`. */
  readonly claims?: { readonly user?: string | undefined; readonly tenant?: string | undefined } | undefined
  /** The scopes of access tokens. Default: none are sent, so that Zapier chooses. */
  readonly scopes?: ReadonlyArray<Scopes.Scope> | undefined
}

const taken: ReadonlySet<string> = new Set(["iss", "aud", "iat", "nbf", "exp", "jti"])

const check = (options: Options) =>
  Effect.gen(function* () {
    const fail = (setting: string, problem: string) => CallerChecks.invalid(`whiteLabel.${setting}`, problem)
    if (!CallerChecks.isRecord(options))
      return yield* CallerChecks.invalid("whiteLabel", "give an object with the issuer")
    const { audience = "connect.zapier.com", claims = {}, issuer, scopes = [] } = options
    for (const [setting, value] of Object.entries({ issuer, audience })) {
      const problem = TextProblem.first(value, TextProblem.edges, TextProblem.quotes)
      if (problem !== undefined) return yield* fail(setting, `${problem}; set it as registered with Zapier`)
    }
    const names = { user: claims.user ?? "sub", tenant: claims.tenant ?? "org_id" }
    for (const [setting, value] of Object.entries(names)) {
      const problem = TextProblem.first(value, TextProblem.edges)
      if (problem !== undefined) return yield* fail(`claims.${setting}`, `${problem}; set the name of a claim`)
      if (taken.has(value))
        return yield* fail(`claims.${setting}`, `${value} is a registered claim; choose another name`)
    }
    if (names.user === names.tenant)
      return yield* fail("claims", "the user and the tenant have the same claim; set two different names")
    const wrong = CallerChecks.scopes(scopes, 0)
    return wrong === undefined ? { issuer, audience, claims: names, scopes } : yield* wrong
  })

/**
 * Adds White Label to the `ZapierAuth` whose layer it is provided to.
 *
 * Fails with `InvalidConfig` for invalid options. The layer of `ZapierAuth` fails if the signer's key is unusable.
 *
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<never, ZapierAuthError, PartnerSigner> =>
  Layer.effect(
    WhiteLabelMode,
    Effect.map(
      Effect.all([PartnerSigner, check(options)]),
      ([signer, profile]) =>
        (parts) =>
          Mode.make(signer, profile, parts)
    )
  )

/**
 * Returns the address of Zapier's Connect UI, where a user connects an app.
 *
 * It holds a new connect token, which is not stored. Send the user's browser there at once: the address works once, for a few
 * minutes.
 *
 * Fails with `InvalidConfig`, also if `layer` was not provided, and like `WhiteLabel.token`.
 *
 * @since 0.1.0
 */
export const connectUrl = (options: ConnectUrlOptions): Effect.Effect<ConnectUrl, ZapierAuthError, ZapierAuth> =>
  ZapierAuth.use((auth) => Effect.flatMap(auth.whiteLabel, (whiteLabel) => whiteLabel.connectUrl(options)))

/**
 * Returns a connect token for another page of Zapier, for example the MCP authorization page.
 *
 * Fails with `InvalidConfig`, also if `layer` was not provided, and like `WhiteLabel.token`.
 *
 * @since 0.1.0
 */
export const connectToken = (options: ConnectTokenOptions): Effect.Effect<ConnectToken, ZapierAuthError, ZapierAuth> =>
  ZapierAuth.use((auth) => Effect.flatMap(auth.whiteLabel, (whiteLabel) => whiteLabel.connectToken(options)))
