/**
 * Signs the JWTs of a White Label partner: with a key that this process has, or by any function, such as a KMS.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Signature from "effect/crypto/Signature"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as CallerChecks from "../internal/callerChecks.ts"
import * as Defects from "../internal/defects.ts"
import { AppCodeFailed, ZapierAuthError } from "../ZapierAuthError.ts"
import * as Jws from "./Jws.ts"
import * as PartnerKey from "./PartnerKey.ts"

/**
 * A key that signs: its `kid`, its algorithm, and the function.
 *
 * @since 0.1.0
 */
export interface SigningKey extends PartnerKey.Identity {
  /** Signs bytes. The signature is as JWS has it (RFC 7518 section 3): for ECDSA r and s, one after the other. */
  readonly sign: (data: Uint8Array) => Effect.Effect<Uint8Array, ZapierAuthError>
}

/**
 * Signs for the partner.
 *
 * @since 0.1.0
 */
export class PartnerSigner extends Context.Service<
  PartnerSigner,
  {
    /** The key to sign with now. Fails with `InvalidConfig` for a key that cannot be used. */
    readonly current: Effect.Effect<SigningKey, ZapierAuthError>
  }
>()("@zapier-workflow-auth/core/whitelabel/PartnerSigner") {}

const failed = (problem: string) =>
  ZapierAuthError.make(new AppCodeFailed({ option: "signer", operation: "sign a JWT", problem }))

// An error of a KMS may hold what was to be signed, and is told by its name.
const nameOf = (error: unknown) => failed(`it failed with ${Defects.nameOf(error)}`)

const signingKey = Effect.fnUntraced(function* (given: PartnerKey.PartnerKey) {
  const { algorithm, key, keyId } = yield* PartnerKey.privateKey("signer", given)
  const { sign } = yield* Signature.Signature
  return { algorithm, keyId, sign: (data: Uint8Array) => Effect.mapError(sign(key, data), nameOf) }
})

const webCrypto = Layer.provide(Signature.layerWebCrypto, SecureRandom.layerWebCrypto)

/**
 * Signs with a private key, over Web Crypto. Fails with `InvalidConfig` for one that cannot be used: too small, public, of
 * another curve, or for an algorithm that Zapier does not take.
 *
 * @example
 * ```ts
 * import * as PartnerSigner from "@zapier-workflow-auth/core/whitelabel/PartnerSigner"
 * import * as Redacted from "effect/Redacted"
 *
 * const signer = (pem: string) =>
 *   PartnerSigner.layer({ key: Redacted.make(pem), keyId: "2026-07", algorithm: "ES256" })
 * ```
 *
 * @since 0.1.0
 */
export const layer = (key: PartnerKey.PartnerKey): Layer.Layer<PartnerSigner, ZapierAuthError> =>
  Layer.effect(
    PartnerSigner,
    Effect.map(signingKey(key), (signing) => ({ current: Effect.succeed(signing) }))
  ).pipe(Layer.provide(webCrypto))

/**
 * Signs with a private key that is read for each exchange, from a secret manager for example, so that a rotated key needs no
 * restart. What the reading needs is what there is when the layer is built.
 *
 * @since 0.1.0
 */
export const layerEffect = <R = never>(
  read: Effect.Effect<PartnerKey.PartnerKey, ZapierAuthError, R>
): Layer.Layer<PartnerSigner, never, R> =>
  Layer.effect(
    PartnerSigner,
    Effect.map(Effect.context<R | Signature.Signature>(), (context) => ({
      current: Effect.provideContext(Effect.flatMap(read, signingKey), context)
    }))
  ).pipe(Layer.provide(webCrypto))

/**
 * A function that signs, and the key that it signs with.
 *
 * @since 0.1.0
 */
export interface Signing extends PartnerKey.Identity {
  /**
   * Signs bytes by the algorithm, which hashes them itself. An ECDSA signature may be as JWS has it or in DER, which most KMS
   * give.
   */
  readonly sign: (data: Uint8Array) => Promise<Uint8Array> | Effect.Effect<Uint8Array, Error>
}

/**
 * Signs by a function, so that the private key stays where it is: in a KMS, for example. What the function fails with is
 * told by its name only, as `AppCodeFailed`.
 *
 * @example
 * ```ts
 * import * as PartnerSigner from "@zapier-workflow-auth/core/whitelabel/PartnerSigner"
 *
 * declare const kms: { sign: (key: string, data: Uint8Array) => Promise<Uint8Array> }
 *
 * PartnerSigner.layerFunction({
 *   keyId: "2026-07",
 *   algorithm: "ES256",
 *   sign: (data) => kms.sign("alias/zapier", data)
 * })
 * ```
 *
 * @since 0.1.0
 */
export const layerFunction = ({ sign, ...given }: Signing): Layer.Layer<PartnerSigner, ZapierAuthError> =>
  Layer.effect(
    PartnerSigner,
    Effect.gen(function* () {
      const identity = yield* PartnerKey.identity("signer", given)
      if (typeof sign !== "function")
        return yield* CallerChecks.invalid("signer.sign", "give a function that signs bytes")
      const signed = (data: Uint8Array): Effect.Effect<Uint8Array, ZapierAuthError> => {
        const result = sign(data)
        return Effect.isEffect(result)
          ? Effect.mapError(result, nameOf)
          : Effect.tryPromise({ try: async () => result, catch: nameOf })
      }
      const signing: SigningKey = {
        ...identity,
        sign: (data) =>
          Effect.suspend(() => signed(data)).pipe(
            Effect.catchDefect((defect) => Effect.fail(nameOf(defect))),
            Effect.flatMap((signature) => {
              const usable = Jws.signature(identity.algorithm, signature)
              return usable === undefined
                ? Effect.fail(failed(`it gave no signature of ${identity.algorithm}`))
                : Effect.succeed(usable)
            })
          )
      }
      return { current: Effect.succeed(signing) }
    })
  )
