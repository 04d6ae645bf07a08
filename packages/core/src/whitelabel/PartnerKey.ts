/**
 * Reads the signing key of a White Label partner from a JWK, PEM or `CryptoKey`.
 *
 * Fails with `InvalidConfig` for an unusable key. The message never shows a part of the key.
 *
 * Sources: RFC 7517 (JWK), RFC 7518 section 3 (algorithms, RSA keys of at least 2,048 bits), RFC 7468 (PEM); Zapier's
 * "Token exchange" page of White Label (the algorithms).
 *
 * @since 0.1.0
 */
import type * as CryptoError from "effect/crypto/CryptoError"
import * as Digest from "effect/crypto/Digest"
import * as KeyFormat from "effect/crypto/KeyFormat"
import * as Signature from "effect/crypto/Signature"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as CallerChecks from "../internal/callerChecks.ts"
import * as TextProblem from "../internal/textProblem.ts"
import type { ZapierAuthError } from "../ZapierAuthError.ts"

type Usable = Signature.Ecdsa | Signature.RsaPkcs1v15

type Private = KeyFormat.PrivateKey<Usable>
type Public = KeyFormat.PublicKey<Usable>

type Decoded<K> = Effect.Effect<K, CryptoError.CryptoError | ZapierAuthError>

const rsa = (hash: Digest.Algorithm) => Signature.rsaPkcs1v15({ hash, modulusLength: 3_072 })

/**
 * The algorithms that Zapier accepts, by their JOSE names.
 *
 * @since 0.1.0
 */
export type Algorithm = "RS256" | "RS384" | "RS512" | "ES256" | "ES384" | "ES512"

const algorithms: { readonly [name in Algorithm]: Usable } = {
  RS256: rsa(Digest.sha256),
  RS384: rsa(Digest.sha384),
  RS512: rsa(Digest.sha512),
  ES256: Signature.ecdsaP256,
  ES384: Signature.ecdsaP384,
  ES512: Signature.ecdsaP521
}

/**
 * A configured key.
 *
 * @since 0.1.0
 */
export interface PartnerKey {
  /**
   * A JWK, as an object or as JSON; PEM (`PRIVATE KEY`, `RSA PRIVATE KEY` or `EC PRIVATE KEY`; also `PUBLIC KEY` if the key
   * does not sign); or a `CryptoKey`.
   */
  readonly key: string | Redacted.Redacted | JsonWebKey | CryptoKey
  /** The `kid` of the key in the JWKS. Default: the JWK's own `kid`. */
  readonly keyId?: string | undefined
  /** The algorithm. Default: the JWK's own `alg`. */
  readonly algorithm?: Algorithm | undefined
}

/**
 * The id and the algorithm of a key.
 *
 * @since 0.1.0
 */
export interface Identity {
  readonly keyId: string
  readonly algorithm: Algorithm
}

const shortestRsa = 2_048

type Material = JsonWebKey | CryptoKey | string

const isCryptoKey = (material: unknown): material is CryptoKey =>
  typeof CryptoKey === "function" && material instanceof CryptoKey

const isJwk = (material: Material): material is JsonWebKey => typeof material === "object" && !isCryptoKey(material)

const invalid = (setting: string, problem: string) => Effect.fail(CallerChecks.invalid(setting, problem))

const unreadable = "pass a JWK, PEM (for example PKCS #8), or a CryptoKey"

// PEM in an environment variable often has \n instead of line breaks.
const parse = (setting: string, given: unknown): Effect.Effect<Material, ZapierAuthError> => {
  const material: unknown = Redacted.isRedacted(given) ? Redacted.value(given) : given
  if (isCryptoKey(material) || CallerChecks.isRecord(material)) return Effect.succeed(material)
  const problem = TextProblem.first(material)
  if (problem !== undefined) return invalid(`${setting}.key`, `${problem}; ${unreadable}`)
  const text = String(material).trim()
  if (text.startsWith("-----")) return Effect.succeed(text.replaceAll(String.raw`\n`, "\n"))
  try {
    const json: unknown = JSON.parse(text)
    if (CallerChecks.isRecord(json)) return Effect.succeed(json)
  } catch {
    // The parser's message may quote a part of the key.
  }
  return invalid(`${setting}.key`, `it is neither a JWK nor PEM; ${unreadable}`)
}

const identify = (
  setting: string,
  material: Material,
  { algorithm, keyId }: { readonly algorithm?: unknown; readonly keyId?: unknown }
): Effect.Effect<Identity, ZapierAuthError> => {
  const jwk: { readonly alg?: unknown; readonly kid?: unknown } = isJwk(material) ? material : {}
  const alg: unknown = algorithm ?? jwk.alg
  if (typeof alg !== "string" || !Object.hasOwn(algorithms, alg)) {
    return invalid(`${setting}.algorithm`, `Zapier accepts only ${Object.keys(algorithms).join(", ")}; set one of them`)
  }
  const kid: unknown = keyId ?? jwk.kid
  const problem = TextProblem.first(kid, TextProblem.edges, TextProblem.longerThan(255))
  if (problem !== undefined || typeof kid !== "string") {
    return invalid(`${setting}.keyId`, `${problem}; set the kid that the key has in the JWKS`)
  }
  return Effect.succeed({ algorithm: alg as Algorithm, keyId: kid })
}

/**
 * Validates the identity of a key whose material is elsewhere, for example in a KMS.
 *
 * @internal
 */
export const identity = (setting: string, given: unknown): Effect.Effect<Identity, ZapierAuthError> =>
  identify(setting, {}, CallerChecks.isRecord(given) ? given : {})

const labels = {
  "PRIVATE KEY": KeyFormat.pem(KeyFormat.pkcs8),
  "RSA PRIVATE KEY": KeyFormat.pem(KeyFormat.pkcs1),
  "EC PRIVATE KEY": KeyFormat.pem(KeyFormat.sec1)
} as const

const labelOf = (pem: string) => /^-----BEGIN ([A-Z0-9 ]+)-----/.exec(pem)?.[1] ?? "no label"

const isOf = (name: string, has: object): name is keyof typeof has => Object.hasOwn(has, name)

const decodePrivate = (setting: string, material: Material, algorithm: Usable): Decoded<Private> => {
  if (isCryptoKey(material)) return Signature.privateKeyFromCryptoKey(algorithm, material) as Decoded<Private>
  if (typeof material !== "string") {
    return typeof material.d === "string"
      ? KeyFormat.decodePrivate(KeyFormat.jwk, algorithm, material)
      : invalid(`${setting}.key`, "it is a public key, which cannot sign; pass the private key, which has a member d")
  }
  const label = labelOf(material)
  if (isOf(label, labels)) return KeyFormat.decodePrivate(labels[label], algorithm, material)
  const advice =
    label === "PUBLIC KEY" || label === "CERTIFICATE"
      ? "which cannot sign; pass the private key"
      : "which is not supported; convert it to an unencrypted PRIVATE KEY (openssl pkcs8 -topk8 -nocrypt)"
  return invalid(`${setting}.key`, `it is PEM of ${label}, ${advice}`)
}

// Messages of the platform may quote the key.
const unusable =
  (setting: string, algorithm: Algorithm) =>
  (error: CryptoError.CryptoError | ZapierAuthError): ZapierAuthError =>
    error._tag === "ZapierAuthError"
      ? error
      : CallerChecks.invalid(
          `${setting}.key`,
          `it is not a key for ${algorithm}; pass ${
            algorithm.startsWith("RS") ? "an RSA key" : `a key of the curve ${curves[algorithm as keyof typeof curves]}`
          }, or set the key's algorithm`
        )

const curves = { ES256: "P-256", ES384: "P-384", ES512: "P-521" } as const

// A `CryptoKey` has its size; other keys got theirs from decoding.
const bitsOf = (material: Material, { algorithm }: { readonly algorithm: Signature.Algorithm }) => {
  const own: Partial<RsaKeyAlgorithm> = isCryptoKey(material) ? material.algorithm : {}
  return own.modulusLength ?? ("modulusLength" in algorithm ? algorithm.modulusLength : shortestRsa)
}

const checkSize = <K extends { readonly algorithm: Signature.Algorithm }>(
  setting: string,
  material: Material,
  key: K
) =>
  bitsOf(material, key) < shortestRsa
    ? invalid(
        `${setting}.key`,
        `it has ${bitsOf(material, key)} bits; create an RSA key of at least ${shortestRsa} bits`
      )
    : Effect.succeed(key)

/**
 * Decodes the configured private key.
 *
 * @internal
 */
export const privateKey = Effect.fnUntraced(function* (setting: string, given: PartnerKey) {
  if (!CallerChecks.isRecord(given)) return yield* invalid(setting, "pass an object with key, keyId and algorithm")
  const material = yield* parse(setting, given.key)
  const identity = yield* identify(setting, material, given)
  const decoded = yield* Effect.mapError(
    decodePrivate(setting, material, algorithms[identity.algorithm]),
    unusable(setting, identity.algorithm)
  )
  return { ...identity, key: yield* checkSize(setting, material, decoded) }
})

// RFC 7518 section 6: all other members may be private.
const publicMembers = ["kty", "crv", "x", "y", "n", "e"] as const

const publicPart = ({ ...jwk }: JsonWebKey): JsonWebKey =>
  Object.fromEntries(publicMembers.flatMap((member) => (jwk[member] === undefined ? [] : [[member, jwk[member]]])))

const decodePublic = (setting: string, material: Material, algorithm: Usable): Decoded<Public> => {
  if (isCryptoKey(material)) {
    return material.type === "public"
      ? (Signature.publicKeyFromCryptoKey(algorithm, material) as Decoded<Public>)
      : invalid(`${setting}.key`, "it is a private CryptoKey; pass the public key of the pair")
  }
  if (typeof material !== "string") return KeyFormat.decodePublic(KeyFormat.jwk, algorithm, publicPart(material))
  if (labelOf(material) === "PUBLIC KEY")
    return KeyFormat.decodePublic(KeyFormat.pem(KeyFormat.spki), algorithm, material)
  return Effect.flatMap(decodePrivate(setting, material, algorithm), (key) =>
    Effect.flatMap(KeyFormat.encode(KeyFormat.jwk, key), (jwk) =>
      KeyFormat.decodePublic(KeyFormat.jwk, algorithm, publicPart(jwk))
    )
  )
}

/**
 * Returns the public JWK of the configured key, which may be public or private.
 *
 * @internal
 */
export const publicJwk = Effect.fnUntraced(function* (setting: string, given: PartnerKey) {
  if (!CallerChecks.isRecord(given)) return yield* invalid(setting, "pass an object with key, keyId and algorithm")
  const material = yield* parse(setting, given.key)
  const { algorithm, keyId } = yield* identify(setting, material, given)
  const jwk = yield* decodePublic(setting, material, algorithms[algorithm]).pipe(
    Effect.flatMap((key) => checkSize(setting, material, key)),
    Effect.flatMap((key) => KeyFormat.encode(KeyFormat.jwk, key)),
    Effect.mapError(unusable(setting, algorithm))
  )
  return { ...publicPart(jwk), kid: keyId, alg: algorithm, use: "sig" }
})
