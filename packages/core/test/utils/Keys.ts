/** Keys for tests, and the cryptography that a ring of them needs. */
import * as Aead from "effect/crypto/Aead"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Base64 from "effect/encoding/Base64"
import * as Layer from "effect/Layer"

/** A key that is the same for the same number, from 0 to 255. */
export const keyOf = (number: number): string => Base64.encode(new Uint8Array(32).fill(number))

export const crypto: Layer.Layer<Aead.Aead | Digest.Digest | SecureRandom.SecureRandom> = Layer.mergeAll(
  Aead.layerWebCrypto,
  Digest.layerWebCrypto
).pipe(Layer.provideMerge(SecureRandom.layerWebCrypto))
