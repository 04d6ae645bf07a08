/**
 * The keys that encrypt stored records: one encrypts, and older ones only decrypt, so that a key can be replaced gradually.
 *
 * The cipher is AES-256-GCM with a random nonce of 96 bits for each text. With random nonces one key may encrypt 2^32
 * texts (NIST SP 800-38D section 8.3); until then the chance that a nonce repeats is below one in 2^32. A repeated nonce
 * would reveal information about both texts and let an attacker forge others. A refresh writes two texts: a million users
 * who refresh twice a day reach the bound after more than a thousand days. Replace the key long before that.
 *
 * An encrypted text is `zwa1.`, the id of the key, a dot, and the nonce, ciphertext and tag in base64url.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Aead from "effect/crypto/Aead"
import type { CryptoError } from "effect/crypto/CryptoError"
import * as Digest from "effect/crypto/Digest"
import { SecureRandom } from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Tokens from "../oauth/Tokens.ts"
import type { StoreError } from "./VersionedStore.ts"
import { DecryptionFailed, InvalidConfig, type StoreFailed, ZapierAuthError } from "../ZapierAuthError.ts"

type Secret = typeof Tokens.Secret.Type

/**
 * The place of an encrypted text. The text can be decrypted nowhere else.
 *
 * @since 0.1.0
 */
export interface Place {
  /** The name of the store in errors. */
  readonly store: string
  /** The parts of the place's name, in order. */
  readonly parts: ReadonlyArray<string | number>
}

/**
 * Encrypts by the first key, and decrypts by all.
 *
 * @since 0.1.0
 */
export class KeyRing extends Context.Service<
  KeyRing,
  {
    /**
     * Encrypts a secret for a place by the current key, to a new text each time. Fails with `StoreFailed` if the key is kept
     * elsewhere and unavailable.
     */
    readonly encrypt: (secret: Secret, place: Place) => Effect.Effect<Secret, StoreFailed>
    /** Decrypts a text. Fails with `DecryptionFailed`, or with `StoreFailed` like `encrypt`. */
    readonly decrypt: (text: Secret, place: Place) => Effect.Effect<Secret, StoreError>
    /** Tells, without decrypting, if a text is encrypted by the current key, by another, or not at all. */
    readonly recognize: (text: Secret) => "Current" | "Other" | "Plain"
  }
>()("@zapier-workflow-auth/core/store/KeyRing") {}

const keyLength = 32
const nonceLength = Aead.aes256Gcm.nonceLength

const howToMake = "Make one with: openssl rand -base64 32"

const encoder = new TextEncoder()
const decoder = new TextDecoder()

// Base64 in either alphabet, padded or not. The decoder's error is dropped, because it holds the text.
const bytesOf = (text: string): Option.Option<Uint8Array> => {
  const unpadded = text.replace(/=$/, "").replaceAll("+", "-").replaceAll("/", "_")
  return Option.filter(
    Result.getSuccess(Base64Url.decode(unpadded)),
    // A different text for the same bytes is a miscopied key.
    (bytes) => bytes.length === keyLength && Base64Url.encode(bytes) === unpadded
  )
}

const plainOf = (key: string | Redacted.Redacted) => (Redacted.isRedacted(key) ? Redacted.value(key) : key).trim()

// Distinguishes keys without revealing them: 32 bits of a hash of 256 random ones.
const idOfBytes = Effect.fnUntraced(function* (bytes: Uint8Array) {
  const digest = yield* Digest.Digest
  const label = encoder.encode("zapier-workflow-auth key id\0")
  return (yield* digest.digestHex(Digest.sha256, new Uint8Array([...label, ...bytes]))).slice(0, 8)
})

// Includes texts of later versions and truncated ones, which must never be taken for a token.
const isEncrypted = (text: string) => /^zwa\d+\./.test(text)

interface Parsed {
  readonly keyId: string
  readonly nonce: Uint8Array
  readonly ciphertext: Uint8Array
}

const parse = (text: string): Option.Option<Parsed> => {
  const [, keyId, payload] = /^zwa1\.([\w-]{1,64})\.([\w-]+)$/.exec(text) ?? []
  if (keyId === undefined || payload === undefined) return Option.none()
  return Result.getSuccess(Base64Url.decode(payload)).pipe(
    // The last character has unused bits, which must not be altered either.
    Option.filter((bytes) => Base64Url.encode(bytes) === payload),
    Option.map((bytes) => ({ keyId, nonce: bytes.subarray(0, nonceLength), ciphertext: bytes.subarray(nonceLength) }))
  )
}

// JSON keeps different lists of parts different, whatever characters they contain.
const associated = ({ parts }: Place) => encoder.encode(JSON.stringify(parts))

// JSON, because UTF-8 alone would lose an unpaired surrogate.
const decodeSecret = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.NonEmptyString))

/**
 * Makes a key ring from keys of 32 random bytes in base64. The first encrypts; the others only decrypt.
 *
 * Fails with `InvalidConfig` if there is no key, one is invalid, or one appears twice. `setting` names the keys in the error.
 *
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  keys: ReadonlyArray<string | Redacted.Redacted>,
  setting = "encryption keys"
) {
  const aead = yield* Aead.Aead
  const random = yield* SecureRandom
  const refuse = (problem: string) => ZapierAuthError.make(new InvalidConfig({ setting, problem }))

  const byId = new Map<string, Aead.Key>()
  for (const [index, text] of keys.entries()) {
    const bytes = bytesOf(plainOf(text))
    if (Option.isNone(bytes)) {
      return yield* refuse(`key ${index + 1} of ${keys.length} is not 32 bytes in base64. ${howToMake}`)
    }
    const id = yield* idOfBytes(bytes.value)
    if (byId.has(id)) return yield* refuse(`key ${index + 1} of ${keys.length} appears twice. Give each key once`)
    byId.set(id, yield* Effect.orDie(Aead.key(Aead.aes256Gcm, bytes.value)))
  }
  const [current] = byId
  if (current === undefined) return yield* refuse(`give at least one key. ${howToMake}`)
  const [currentId, currentKey] = current

  const encrypt = Effect.fnUntraced(function* (secret: Secret, place: Place) {
    const nonce = yield* random.randomBytes(nonceLength)
    const plaintext = encoder.encode(JSON.stringify(Redacted.value(secret)))
    const ciphertext = yield* Effect.orDie(aead.encrypt(currentKey, plaintext, { nonce, aad: associated(place) }))
    const payload = new Uint8Array(nonceLength + ciphertext.length)
    payload.set(nonce)
    payload.set(ciphertext, nonceLength)
    return Tokens.secret(`zwa1.${currentId}.${Base64Url.encode(payload)}`)
  })

  const decrypt = Effect.fnUntraced(function* (sealed: Secret, place: Place) {
    const { store } = place
    const text = Redacted.value(sealed)
    if (!isEncrypted(text)) return yield* new DecryptionFailed({ store, problem: "NotEncrypted" })
    const parsed = parse(text)
    if (Option.isNone(parsed)) return yield* new DecryptionFailed({ store, problem: "Altered" })
    const { ciphertext, keyId, nonce } = parsed.value
    const key = byId.get(keyId)
    if (key === undefined) return yield* new DecryptionFailed({ store, problem: "UnknownKey", keyId })
    const altered = () => new DecryptionFailed({ store, problem: "Altered", keyId })
    if (nonce.length !== nonceLength) return yield* altered()
    const plaintext = yield* aead
      .decrypt(key, ciphertext, { nonce, aad: associated(place) })
      .pipe(
        Effect.catch((error: CryptoError): Effect.Effect<never, DecryptionFailed> =>
          error.reason._tag === "DecryptionFailed" ? Effect.fail(altered()) : Effect.die(error)
        )
      )
    const secret = decodeSecret(decoder.decode(plaintext))
    return Option.isNone(secret) ? yield* altered() : Tokens.secret(secret.value)
  })

  return KeyRing.of({
    encrypt,
    decrypt,
    recognize: (sealed) => {
      const text = Redacted.value(sealed)
      if (!isEncrypted(text)) return "Plain"
      return text.startsWith(`zwa1.${currentId}.`) ? "Current" : "Other"
    }
  })
})

/**
 * Provides a key ring from the given keys. Fails with `InvalidConfig`, as `make` does.
 *
 * @example
 * ```ts
 * import * as Aead from "effect/crypto/Aead"
 * import * as Digest from "effect/crypto/Digest"
 * import * as SecureRandom from "effect/crypto/SecureRandom"
 * import * as Layer from "effect/Layer"
 * import type * as Redacted from "effect/Redacted"
 * import * as KeyRing from "@zapier-workflow-auth/core/store/KeyRing"
 *
 * const layer = (current: Redacted.Redacted, older: Redacted.Redacted) =>
 *   KeyRing.layer([current, older]).pipe(
 *     Layer.provide([Aead.layerWebCrypto, Digest.layerWebCrypto]),
 *     Layer.provide(SecureRandom.layerWebCrypto)
 *   )
 * ```
 *
 * @since 0.1.0
 */
export const layer = (
  keys: ReadonlyArray<string | Redacted.Redacted>
): Layer.Layer<KeyRing, ZapierAuthError, Aead.Aead | Digest.Digest | SecureRandom> => Layer.effect(KeyRing, make(keys))

const variable = "ZAPIER_ENCRYPTION_KEYS"

/**
 * Provides a key ring from Effect's configuration, by default the environment.
 *
 * `ZAPIER_ENCRYPTION_KEYS` lists the keys, separated by commas; the first encrypts. A single variable ensures that the new
 * key is never set without the older one.
 *
 * Fails with `InvalidConfig` if it is not set, and as `make` does.
 *
 * @since 0.1.0
 */
export const layerConfig: Layer.Layer<KeyRing, ZapierAuthError, Aead.Aead | Digest.Digest | SecureRandom> =
  // Fresh, because Effect would otherwise share the first application's configuration.
  Layer.fresh(
    Layer.effect(
      KeyRing,
      Effect.gen(function* () {
        const list = yield* Effect.mapError(Config.Redacted(variable), () =>
          ZapierAuthError.make(
            new InvalidConfig({ setting: variable, problem: `set it to a key of 32 bytes in base64. ${howToMake}` })
          )
        )
        const keys = Redacted.value(list)
          .split(",")
          .filter((key) => key.trim() !== "")
        return yield* make(keys, variable)
      })
    )
  )

/**
 * Generates a key for `layer` or the environment.
 *
 * @since 0.1.0
 */
export const generate: Effect.Effect<Redacted.Redacted, never, SecureRandom> = Effect.map(
  SecureRandom.use((random) => random.randomBytes(keyLength)),
  (bytes) => Redacted.make(Base64.encode(bytes))
)

/**
 * Returns the id of a key, or none if the text is not a key.
 *
 * Errors and encrypted texts name keys by it: a text that the key encrypted begins with `zwa1.`, the id and a dot.
 *
 * @since 0.1.0
 */
export const idOf = (key: string | Redacted.Redacted): Effect.Effect<Option.Option<string>, never, Digest.Digest> =>
  Option.match(bytesOf(plainOf(key)), {
    onNone: () => Effect.succeedNone,
    onSome: (bytes) => Effect.asSome(idOfBytes(bytes))
  })
