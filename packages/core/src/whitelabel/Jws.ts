/**
 * The form of a signed JWT (RFC 7515 section 3.1), and of its signature (RFC 7518 section 3).
 *
 * @internal
 */
import * as Base64Url from "effect/encoding/Base64Url"
import type { Algorithm, Identity } from "./PartnerKey.ts"

const encoder = new TextEncoder()

const part = (value: object) => Base64Url.encode(JSON.stringify(value))

/**
 * What is signed: header and claims.
 *
 * @internal
 */
export const signingInput = ({ algorithm, keyId }: Identity, claims: object): string =>
  `${part({ alg: algorithm, typ: "JWT", kid: keyId })}.${part(claims)}`

/**
 * The bytes of what is signed.
 *
 * @internal
 */
export const bytes = (input: string): Uint8Array => encoder.encode(input)

/**
 * The whole JWT.
 *
 * @internal
 */
export const compact = (input: string, signature: Uint8Array): string => `${input}.${Base64Url.encode(signature)}`

// r and s, in bytes.
const coordinates: { readonly [algorithm in Algorithm]?: number } = { ES256: 32, ES384: 48, ES512: 66 }

// An integer in DER: its bytes without the sign, filled up to the size of a coordinate.
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

// A sequence of two integers (RFC 3279 section 2.2.3), with a long length where it is longer than 127 bytes.
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
 * The signature as a JWT has it, out of what a signer gave; nothing if it is no signature of that algorithm.
 *
 * @internal
 */
export const signature = (algorithm: Algorithm, given: Uint8Array): Uint8Array | undefined => {
  if (!(given instanceof Uint8Array)) return undefined
  const size = coordinates[algorithm]
  // That of RSA is as long as the key, which is 2,048 bits at least.
  if (size === undefined) return given.length >= 256 ? given : undefined
  return given.length === 2 * size ? given : fromDer(given, size)
}
