/**
 * White Label out of plain options, or of the environment.
 *
 * | option | environment | else |
 * |---|---|---|
 * | `issuer` | `ZAPIER_WHITE_LABEL_ISSUER` | |
 * | `key` | `ZAPIER_WHITE_LABEL_KEY`, or the file `ZAPIER_WHITE_LABEL_KEY_FILE` | |
 * | `keyId` | `ZAPIER_WHITE_LABEL_KEY_ID` | the JWK's `kid` |
 * | `algorithm` | `ZAPIER_WHITE_LABEL_ALGORITHM` | the JWK's `alg` |
 * | `audience` | `ZAPIER_WHITE_LABEL_AUDIENCE` | `connect.zapier.com` |
 * | `claims.user`, `claims.tenant` | `ZAPIER_WHITE_LABEL_USER_CLAIM`, `ZAPIER_WHITE_LABEL_TENANT_CLAIM` | `sub`, `org_id` |
 * | `scopes` | `ZAPIER_WHITE_LABEL_SCOPES`, separated by spaces | none are named |
 *
 * @since 0.1.0
 */
import { readFileSync } from "node:fs"
import * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
import type * as PartnerKey from "@zapier-workflow-auth/core/whitelabel/PartnerKey"
import * as PartnerSigner from "@zapier-workflow-auth/core/whitelabel/PartnerSigner"
import * as WhiteLabel from "@zapier-workflow-auth/core/WhiteLabel"
import { InvalidConfig, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Variable from "./internal/variable.ts"

/**
 * The values agreed with Zapier at onboarding, and the key that signs, or the function of a KMS.
 *
 * @since 0.1.0
 */
export type Options = WhiteLabel.Options & (PartnerKey.PartnerKey | PartnerSigner.Signing)

const invalid = (setting: string, problem: string) => ZapierAuthError.make(new InvalidConfig({ setting, problem }))

/**
 * White Label, for `whiteLabel` of `ZapierNode`. Fails with `InvalidConfig` for options and keys that cannot be used.
 *
 * @example
 * ```ts
 * import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
 * import * as ZapierWhiteLabel from "@zapier-workflow-auth/node-adapter/ZapierWhiteLabel"
 *
 * const zapier = (pem: string) =>
 *   ZapierNode.layer({
 *     whiteLabel: ZapierWhiteLabel.layer({
 *       issuer: "https://accounts.acme.example",
 *       key: pem,
 *       keyId: "2026-07",
 *       algorithm: "ES256"
 *     })
 *   })
 * ```
 *
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<never, ZapierAuthError> => {
  if (typeof options !== "object" || options === null) {
    return Layer.effectDiscard(Effect.fail(invalid("whiteLabel", "give an object with issuer and key")))
  }
  const signer = "sign" in options ? PartnerSigner.layerFunction(options) : PartnerSigner.layer(options)
  return Layer.provide(WhiteLabel.layer(options), signer)
}

const names = Effect.all({
  issuer: Variable.text("ZAPIER_WHITE_LABEL_ISSUER"),
  audience: Variable.text("ZAPIER_WHITE_LABEL_AUDIENCE"),
  key: Variable.secret("ZAPIER_WHITE_LABEL_KEY"),
  keyFile: Variable.text("ZAPIER_WHITE_LABEL_KEY_FILE"),
  keyId: Variable.text("ZAPIER_WHITE_LABEL_KEY_ID"),
  algorithm: Variable.text("ZAPIER_WHITE_LABEL_ALGORITHM"),
  user: Variable.text("ZAPIER_WHITE_LABEL_USER_CLAIM"),
  tenant: Variable.text("ZAPIER_WHITE_LABEL_TENANT_CLAIM"),
  scopes: Variable.text("ZAPIER_WHITE_LABEL_SCOPES")
})

const keyOf = (
  key: Option.Option<Redacted.Redacted>,
  file: Option.Option<string>
): Effect.Effect<string | Redacted.Redacted, ZapierAuthError> => {
  const variables = "ZAPIER_WHITE_LABEL_KEY, ZAPIER_WHITE_LABEL_KEY_FILE"
  if (Option.isSome(key)) {
    return Option.isSome(file)
      ? Effect.fail(invalid(variables, "set one of them, not both"))
      : Effect.succeed(key.value)
  }
  if (Option.isNone(file))
    return Effect.fail(invalid(variables, "set one of them to the key that signs, or to its file"))
  return Effect.try({
    try: () => readFileSync(file.value, "utf8"),
    catch: () =>
      invalid("ZAPIER_WHITE_LABEL_KEY_FILE", "it cannot be read; give the path of a file with a key in PEM or JWK")
  })
}

/**
 * White Label of the environment; none where `ZAPIER_WHITE_LABEL_ISSUER` is not set. Fails as `layer` does.
 *
 * @since 0.1.0
 */
export const layerConfig: Layer.Layer<never, ZapierAuthError> = Layer.unwrap(
  Effect.gen(function* () {
    const { algorithm, audience, issuer, key, keyFile, keyId, scopes, tenant, user } = yield* names
    if (Option.isNone(issuer)) return Layer.empty
    return layer({
      issuer: issuer.value,
      audience: Option.getOrUndefined(audience),
      claims: { user: Option.getOrUndefined(user), tenant: Option.getOrUndefined(tenant) },
      scopes: Scopes.parse(Option.getOrElse(scopes, () => "")),
      key: yield* keyOf(key, keyFile),
      keyId: Option.getOrUndefined(keyId),
      // Its layer checks that it is one of the algorithms.
      algorithm: Option.getOrUndefined(algorithm) as PartnerKey.Algorithm | undefined
    })
  })
)
