import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Redacted from "effect/Redacted"

const encoder = new TextEncoder()

/** The SHA-256 of a secret, in base64url. */
export const sha256 = (secret: Redacted.Redacted): Effect.Effect<string, never, Digest.Digest> =>
  Digest.Digest.use((digest) =>
    Effect.map(
      // WebCrypto always has SHA-256.
      Effect.orDie(digest.digest(Digest.sha256, encoder.encode(Redacted.value(secret)))),
      Base64Url.encode
    )
  )
