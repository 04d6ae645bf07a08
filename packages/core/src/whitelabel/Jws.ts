/**
 * Encodes a signed JWT (RFC 7515 section 3.1) and its signature (RFC 7518 section 3).
 *
 * @internal
 */
import * as Base64Url from "effect/encoding/Base64Url"
import type { Algorithm, Identity } from "./PartnerKey.ts"

const encoder = new TextEncoder()

const part = (value: object) => Base64Url.encode(JSON.stringify(value))

/**
 * Returns the text to sign: header and claims.
 *
 * @internal
 */
export const signingInput = ({ algorithm, keyId }: Identity, claims: object): string =>
  `${part({ alg: algorithm, typ: "JWT", kid: keyId })}.${part(claims)}`

/**
 * Returns the bytes to sign.
 *
 * @internal
 */
export const bytes = (input: string): Uint8Array => encoder.encode(input)

/**
 * Joins the signed text and the signature to a JWT.
 *
 * @internal
 */
export const compact = (input: string, signature: Uint8Array): string => `${input}.${Base64Url.encode(signature)}`

// The length of r and of s, in bytes.
const coordinates: { readonly [algorithm in Algorithm]?: number } = { ES256: 32, ES384: 48, ES512: 66 }

// Reads a DER integer: without its sign byte, padded to the size of a coordinate.
const coordinate = (der: Uint8Array, at: number, size: number): Uint8Array | undefined => {
  const [tag, length = 0] = der.slice(at, at + 2)
  const digits = der.slice(at + 2, at + 2 + length)
  const first = digits.findIndex((digit) => digit !== 0)
  const significant = first === -1 ? digits.slice(0, 0) : digits.slice(first)
  if (tag !== 2 || digits.length !== length || significant.length > size) return undefined
  const filled = new Uint8Array(size)
  filled.set(significant, size - significant.length)
  return filled
}

// RFC 3279 section 2.2.3: a sequence of two integers. Lengths over 127 bytes have the long form.
const fromDer = (der: Uint8Array, size: number): Uint8Array | undefined => {
  if (der[0] !== 0x30) return undefined
  const start = der[1] === 0x81 ? 3 : 2
  const r = coordinate(der, start, size)
  const next = start + 2 + (der[start + 1] ?? 0)
  const s = coordinate(der, next, size)
  const isWhole = der[start - 1] === der.length - start && next + 2 + (der[next + 1] ?? 0) === der.length
  return r === undefined || s === undefined || !isWhole ? undefined : Uint8Array.from([...r, ...s])
}

/**
 * Converts a signer's result to a JWS signature; `undefined` if it is not a signature of the algorithm.
 *
 * @internal
 */
export const signature = (algorithm: Algorithm, given: Uint8Array): Uint8Array | undefined => {
  if (!(given instanceof Uint8Array)) return undefined
  const size = coordinates[algorithm]
  // An RSA signature is as long as the key: at least 2,048 bits.
  if (size === undefined) return given.length >= 256 ? given : undefined
  return given.length === 2 * size ? given : fromDer(given, size)
}
