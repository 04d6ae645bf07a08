/**
 * Signs the JWTs of a White Label partner, with a local key or a function, such as a KMS's.
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
 * A signing key: its `kid`, its algorithm and the function that signs.
 *
 * @since 0.1.0
 */
export interface SigningKey extends PartnerKey.Identity {
  /** Signs bytes. Returns a JWS signature (RFC 7518 section 3); for ECDSA, r followed by s. */
  readonly sign: (data: Uint8Array) => Effect.Effect<Uint8Array, ZapierAuthError>
}

/**
 * The service that provides the partner's signing key.
 *
 * @since 0.1.0
 */
export class PartnerSigner extends Context.Service<
  PartnerSigner,
  {
    /** Returns the current signing key. Fails with `InvalidConfig` for an unusable key. */
    readonly current: Effect.Effect<SigningKey, ZapierAuthError>
  }
>()("@zapier-workflow-auth/core/whitelabel/PartnerSigner") {}

const failed = (problem: string) =>
  ZapierAuthError.make(new AppCodeFailed({ option: "signer", operation: "sign a JWT", problem }))

// Only the name, since a KMS's error may quote the signed text.
const nameOf = (error: unknown) => failed(`it failed with ${Defects.nameOf(error)}`)

const signingKey = Effect.fnUntraced(function* (given: PartnerKey.PartnerKey) {
  const { algorithm, key, keyId } = yield* PartnerKey.privateKey("signer", given)
  const { sign } = yield* Signature.Signature
  return { algorithm, keyId, sign: (data: Uint8Array) => Effect.mapError(sign(key, data), nameOf) }
})

const webCrypto = Layer.provide(Signature.layerWebCrypto, SecureRandom.layerWebCrypto)

/**
 * Signs with a private key and Web Crypto.
 *
 * Fails with `InvalidConfig` for an unusable key: too small, public, of another curve, or for an algorithm that Zapier does
 * not accept.
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
 * Signs with a private key that is read for each exchange, for example from a secret manager.
 *
 * A rotated key therefore needs no restart. The services that `read` requires are captured when the layer is built.
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
 * A signing function and the identity of its key.
 *
 * @since 0.1.0
 */
export interface Signing extends PartnerKey.Identity {
  /**
   * Signs bytes, hashing included. An ECDSA signature may be in JWS form or in DER, which most KMS return.
   */
  readonly sign: (data: Uint8Array) => Promise<Uint8Array> | Effect.Effect<Uint8Array, Error>
}

/**
 * Signs with a function, so that the private key can stay in a KMS.
 *
 * If the function fails, `AppCodeFailed` has the name of its error, not the message.
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
        return yield* CallerChecks.invalid("signer.sign", "pass a function that signs bytes")
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
                ? Effect.fail(failed(`it did not return a signature of ${identity.algorithm}`))
                : Effect.succeed(usable)
            })
          )
      }
      return { current: Effect.succeed(signing) }
    })
  )
